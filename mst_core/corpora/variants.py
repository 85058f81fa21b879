"""Which tunes are variants of each other, so that no variant of a test tune is learned from.

Two tunes belong to one cluster when they share a title, or begin with the same notes, or share a
third of the shorter one's eight-note turns. Notes are compared as intervals and as parts of the
bar, so that a tune in another key, or written in halved values, is the same. Turns that many tunes
have (a scale) say nothing. What is a variant of a variant is in the cluster too.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from mst_core.corpora.jsonl import CorpusLine

OPENING_NOTES = 12
"""Notes of an opening."""
NGRAM_INTERVALS = 8
"""Intervals of a turn."""
MIN_SHARED_NGRAMS = 0.3
"""Share of the turns of the shorter tune that makes it a variant."""
MIN_NGRAMS = 12
"""A tune with fewer turns is compared by title and opening only."""
MAX_TUNES_PER_NGRAM = 24
"""A turn that more tunes have belongs to nobody."""
_IGNORED_WORDS = re.compile(r"\b(the|a|an|le|la|el|no|nr|number|\d+)\b")
_GENERIC_TITLE = re.compile(
    r"(slow|quick|double|slip|single|old|new|my|another|irish|scotch|scots|english)*"
    r"(untitled|noname|unknown|gananim|ganainm|air|reel|jig|hornpipe|waltz|polka|march|step|minuet"
    r"|strathspey|strathsy|allemande?a?|gavotte?|cotillion|hornpipe|song|theme|melody|tune|dance"
    r"|solo|piece|track|midi|score|exercise|choral|chorale|giga|rondo|andante|allegro)?s?"
)
"""Titles that say only what a tune is."""


def cluster_names(lines: Sequence[CorpusLine]) -> list[str]:
    """Give each tune the name of its cluster: the first title in it, or else the first id."""
    clusters = _UnionFind(len(lines))
    titles = [normalize_title(str(line.get("title") or "")) for line in lines]
    melodies = [_sounding_notes(line) for line in lines]
    _union_equal_keys(clusters, titles)
    _union_equal_keys(
        clusters, [_opening(melody, line) for melody, line in zip(melodies, lines, strict=True)]
    )
    for first, second in _pairs_sharing_ngrams(melodies):
        clusters.union(first, second)
    names: dict[int, str] = {}
    for number in sorted(range(len(lines)), key=lambda n: (titles[n] or "~", str(lines[n]["id"]))):
        root = clusters.find(number)
        names.setdefault(root, titles[number] or str(lines[number]["id"]))
    return [names[clusters.find(number)] for number in range(len(lines))]


def add_clusters(lines: Sequence[CorpusLine]) -> list[CorpusLine]:
    """The same lines, each with the name of its cluster in the field ``cluster``."""
    names = cluster_names(lines)
    return [line | {"cluster": name} for line, name in zip(lines, names, strict=True)]


def normalize_title(title: str) -> str:
    """A title without case, accents, articles, lone numbers, brackets and what follows ``--``.

    A title that says nothing, such as ``Reel``, is "".
    """
    plain = unicodedata.normalize("NFKD", title.lower())
    plain = re.sub(r"\([^)]*\)|\[[^]]*\]|--.*", " ", plain)
    letters = re.sub(r"[^a-z0-9]", "", _IGNORED_WORDS.sub(" ", plain))
    return "" if _GENERIC_TITLE.fullmatch(letters) or len(letters) < 3 else letters


class _UnionFind:
    """Tunes by number, joined one by one (union-find)."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def find(self, number: int) -> int:
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number

    def union(self, first: int, second: int) -> None:
        first, second = sorted((self.find(first), self.find(second)))
        self._parents[second] = first


def _union_equal_keys(clusters: _UnionFind, keys: Sequence[object]) -> None:
    """Join tunes with the same key; an empty key joins nothing."""
    first: dict[object, int] = {}
    for number, key in enumerate(keys):
        if key:
            clusters.union(first.setdefault(key, number), number)


_Notes = tuple[tuple[int, Fraction, Fraction], ...]


def _sounding_notes(line: CorpusLine) -> _Notes:
    """Sounding notes: pitch, onset and duration in quarters."""
    return tuple(
        (pitch, Fraction(onset), Fraction(duration))
        for pitch, onset, duration in line["notes"]
        if pitch is not None
    )


def _opening(notes: _Notes, line: CorpusLine) -> tuple[object, ...]:
    """Intervals and durations, in bars, of the first notes from the first downbeat on."""
    starts = [Fraction(start) for start in line["bar_starts"]] + [Fraction(0)]
    begin = starts[1] if Fraction(line.get("pickup") or 0) and len(starts) > 2 else starts[0]
    numerator, denominator = (int(part) for part in str(line["meter"]).split("/"))
    bar = Fraction(4 * numerator, denominator)
    from_there = [note for note in notes if note[1] >= begin][:OPENING_NOTES]
    if len(from_there) < OPENING_NOTES:
        return ()
    reference = from_there[0][0]
    return tuple((pitch - reference, duration / bar) for pitch, _, duration in from_there)


def _pairs_sharing_ngrams(melodies: Sequence[_Notes]) -> Iterator[tuple[int, int]]:
    """Pairs of tunes of which the shorter shares enough turns with the longer."""
    turns = [_interval_ngrams(notes) for notes in melodies]
    holders: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, some in enumerate(turns):
        for turn in some:
            holders[turn].append(number)
    shared: Counter[tuple[int, int]] = Counter()
    for numbers in holders.values():
        if 1 < len(numbers) <= MAX_TUNES_PER_NGRAM:
            shared.update(
                (first, second) for place, first in enumerate(numbers) for second in numbers[:place]
            )
    for (first, second), count in shared.items():
        shorter = min(len(turns[first]), len(turns[second]))
        if shorter >= MIN_NGRAMS and count >= MIN_SHARED_NGRAMS * shorter:
            yield first, second


def _interval_ngrams(notes: _Notes) -> set[tuple[int, ...]]:
    """Every run of so many intervals in a row, each once; an octave more or less is the same."""
    pitches = [pitch for pitch, _, _ in notes]
    steps = [(b - a + 6) % 12 - 6 for a, b in pairwise(pitches)]
    return {tuple(steps[n : n + NGRAM_INTERVALS]) for n in range(len(steps) - NGRAM_INTERVALS + 1)}
