"""Clusters of variants of a tune, so that no variant of a test tune is trained on.

Two tunes are variants when they share a title, or begin with the same notes, or share three tenths
of the shorter one's n-grams of eight intervals. Notes are compared as intervals and as shares of a
bar, so that transposition and halved note values make no difference. N-grams that many tunes have
(a scale) are ignored. Clusters are transitive: a variant of a variant belongs to them too.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from mst_core.corpora.jsonl import CorpusLine

_IGNORED_WORDS = re.compile(r"\b(the|a|an|le|la|el|no|nr|number|\d+)\b")
_GENERIC_TITLE = re.compile(
    r"(slow|quick|double|slip|single|old|new|my|another|irish|scotch|scots|english)*"
    r"(untitled|noname|unknown|gananim|ganainm|air|reel|jig|hornpipe|waltz|polka|march|step|minuet"
    r"|strathspey|strathsy|allemande?a?|gavotte?|cotillion|hornpipe|song|theme|melody|tune|dance"
    r"|solo|piece|track|midi|score|exercise|choral|chorale|giga|rondo|andante|allegro)?s?"
)
"""Titles that only name a kind of tune."""


@dataclass(frozen=True, slots=True)
class VariantConfig:
    """When two tunes count as variants of one."""

    opening_notes: int = 12
    """Notes of an opening."""
    ngram_intervals: int = 8
    """Intervals of an n-gram."""
    min_shared_ngrams: float = 0.3
    """Share of the n-grams of the shorter tune from which two tunes are variants."""
    min_ngrams: int = 12
    """A tune with fewer n-grams is compared by title and opening only."""
    max_tunes_per_ngram: int = 24
    """N-grams found in more tunes than this are ignored."""


def cluster_names(
    lines: Sequence[CorpusLine], config: VariantConfig = VariantConfig()
) -> list[str]:
    """Name the cluster of each line: by the first title in the cluster, or else the first id.

    Args:
        lines: of a corpus.
        config: which tunes are variants.
    """
    parents = list(range(len(lines)))  # disjoint sets of tunes
    titles = [normalize_title(str(line.get("title") or "")) for line in lines]
    melodies = [_sounding_notes(line) for line in lines]
    _union_equal_keys(parents, titles)
    _union_equal_keys(
        parents,
        [
            _opening(melody, line, config.opening_notes)
            for melody, line in zip(melodies, lines, strict=True)
        ],
    )
    for first, second in _pairs_sharing_ngrams(melodies, config):
        _union(parents, first, second)
    names: dict[int, str] = {}
    for index in sorted(range(len(lines)), key=lambda n: (titles[n] or "~", str(lines[n]["id"]))):
        names.setdefault(_find(parents, index), titles[index] or str(lines[index]["id"]))
    return [names[_find(parents, index)] for index in range(len(lines))]


def add_clusters(lines: Sequence[CorpusLine]) -> list[CorpusLine]:
    """Return the lines, each with the name of its cluster in the field ``cluster``."""
    names = cluster_names(lines)
    return [line | {"cluster": name} for line, name in zip(lines, names, strict=True)]


def normalize_title(title: str) -> str:
    """Remove case, accents, articles, lone numbers, brackets and what follows ``--``.

    Returns:
        Letters and digits; empty for a title that only names a kind of tune, such as ``Reel``.
    """
    plain = unicodedata.normalize("NFKD", title.lower())
    plain = re.sub(r"\([^)]*\)|\[[^]]*\]|--.*", " ", plain)
    letters = re.sub(r"[^a-z0-9]", "", _IGNORED_WORDS.sub(" ", plain))
    return "" if _GENERIC_TITLE.fullmatch(letters) or len(letters) < 3 else letters


def _find(parents: list[int], index: int) -> int:
    """Return the root of the set that an index is in; the smallest index of a set is its root."""
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def _union(parents: list[int], first: int, second: int) -> None:
    """Join the sets of two indices."""
    first, second = sorted((_find(parents, first), _find(parents, second)))
    parents[second] = first


def _union_equal_keys(parents: list[int], keys: Sequence[object]) -> None:
    """Join tunes with equal keys; an empty key joins nothing."""
    first: dict[object, int] = {}
    for index, key in enumerate(keys):
        if key:
            _union(parents, first.setdefault(key, index), index)


def _sounding_notes(line: CorpusLine) -> tuple[tuple[int, Fraction, Fraction], ...]:
    """(MIDI pitch, onset, duration) of each sounding note, times in quarter notes."""
    return tuple(
        (pitch, Fraction(onset), Fraction(duration))
        for pitch, onset, duration in line["notes"]
        if pitch is not None
    )


def _opening(
    notes: Sequence[tuple[int, Fraction, Fraction]], line: CorpusLine, count: int
) -> tuple[object, ...]:
    """Intervals from the first note, and durations in bars, of the first notes after the pickup."""
    starts = [Fraction(start) for start in line["bar_starts"]] + [Fraction(0)]
    begin = starts[1] if Fraction(line.get("pickup") or 0) and len(starts) > 2 else starts[0]
    numerator, denominator = (int(part) for part in str(line["meter"]).split("/"))
    bar = Fraction(4 * numerator, denominator)
    first_notes = [note for note in notes if note[1] >= begin][:count]
    if len(first_notes) < count:
        return ()
    reference = first_notes[0][0]
    return tuple((pitch - reference, duration / bar) for pitch, _, duration in first_notes)


def _pairs_sharing_ngrams(
    melodies: Sequence[Sequence[tuple[int, Fraction, Fraction]]], config: VariantConfig
) -> Iterator[tuple[int, int]]:
    """Yield pairs of tunes of which the shorter shares enough n-grams with the longer."""
    ngrams = [_interval_ngrams(notes, config.ngram_intervals) for notes in melodies]
    tunes_with: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for index, some in enumerate(ngrams):
        for ngram in some:
            tunes_with[ngram].append(index)
    shared: Counter[tuple[int, int]] = Counter()
    for indices in tunes_with.values():
        if 1 < len(indices) <= config.max_tunes_per_ngram:
            shared.update(
                (first, second) for place, first in enumerate(indices) for second in indices[:place]
            )
    for (first, second), count in shared.items():
        shorter = min(len(ngrams[first]), len(ngrams[second]))
        if shorter >= config.min_ngrams and count >= config.min_shared_ngrams * shorter:
            yield first, second


def _interval_ngrams(
    notes: Sequence[tuple[int, Fraction, Fraction]], size: int
) -> set[tuple[int, ...]]:
    """Collect the n-grams of ``size`` successive intervals, octaves folded."""
    pitches = [pitch for pitch, _, _ in notes]
    steps = [(b - a + 6) % 12 - 6 for a, b in pairwise(pitches)]
    count = len(steps) - size + 1
    return {tuple(steps[n : n + size]) for n in range(count)}
