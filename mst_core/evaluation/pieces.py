"""Real tunes to judge by: corpus tunes as melodies, windows of long ones, folds, density."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from mst_core.corpora.tunes import CorpusTune, TuneEvent
from mst_core.evaluation.rhythm_features import RhythmSequence, bar_kind
from mst_core.music import TICKS_PER_QUARTER, Key, Melody, Note

FOLDS = 5
WINDOW_BARS = 16
"""Longer tunes are heard in windows of so many bars, so that windows compare."""
MAX_PIECE_BARS = 40
"""As written: what is longer is no tune with a form but a solo."""
MAX_WINDOWS = 4
"""Of one tune, spread over it, so that no long solo speaks for its style."""
MIN_PIECE_NOTES = 16
TEMPO = 120.0


def normalized_title(tune: CorpusTune) -> str:
    """The title's letters without its articles, or the id: variants share it."""
    return re.sub(r"[^a-z]|\bthe\b", "", tune.title.lower()) or tune.id


def title_fold(tune: CorpusTune) -> int:
    """The fold of a tune: variants, or the same title, share it."""
    return zlib.crc32(f"{tune.cluster or normalized_title(tune)} as judged".encode()) % FOLDS


def has_regular_bars(tune: CorpusTune) -> bool:
    """Whether all its bars are as long as its meter says, and a pickup shorter than one."""
    bar = tune.bar_ticks
    regular = tuple(range(0, bar * len(tune.barlines), bar))
    return bool(tune.events) and tune.barlines == regular and -bar < tune.events[0].onset


def as_melody(tune: CorpusTune, tempo: float = TEMPO) -> Melody:
    """An even corpus tune as a melody, repeats as written."""
    notes = tuple(
        Note(
            Fraction(event.onset, TICKS_PER_QUARTER),
            Fraction(event.duration, TICKS_PER_QUARTER),
            event.pitch,
        )
        for event in tune.events
        if event.pitch is not None
    )
    bars = max(len(tune.barlines), -int(-notes[-1].end // tune.meter.bar_length))
    return Melody(notes, tune.meter, tune.key or Key(0), tempo, bars)


def window(tune: CorpusTune, first: int, bars: int) -> CorpusTune:
    """Some bars of an even tune; a note held into them is left out, one held out of them cut."""
    start, end = first * tune.bar_ticks, (first + bars) * tune.bar_ticks
    events = tuple(
        TuneEvent(e.pitch, e.onset - start, min(e.onset + e.duration, end) - e.onset)
        for e in tune.events
        if start <= e.onset < end
    )
    lines = tuple(range(0, bars * tune.bar_ticks, tune.bar_ticks))
    return replace(tune, id=f"{tune.id}:{first}", events=events, barlines=lines)


def pieces(tune: CorpusTune) -> list[CorpusTune]:
    """The tune itself, or the windows of a long one."""
    if len(tune.barlines) <= MAX_PIECE_BARS:
        return [tune]
    count = len(tune.barlines) // WINDOW_BARS
    heard = sorted({index * count // MAX_WINDOWS for index in range(MAX_WINDOWS)})
    return [window(tune, WINDOW_BARS * index, WINDOW_BARS) for index in heard]


@dataclass(frozen=True)
class EvaluationPiece:
    """A real tune, or a window of one, as music and as rhythm."""

    tune: CorpusTune
    fold: int
    rhythm: RhythmSequence

    @property
    def bar_kind(self) -> str:
        """Its kind of bar (`rhythm.bar_kind`)."""
        return bar_kind(self.tune.meter)

    @property
    def melody(self) -> Melody:
        """As music."""
        return as_melody(self.tune)


def find_pieces(tunes: Iterable[CorpusTune]) -> tuple[EvaluationPiece, ...]:
    """All pieces of the even tunes that are long enough to be judged."""
    found = []
    for tune in tunes:
        if not has_regular_bars(tune):
            continue
        for piece in pieces(tune):
            rhythm = RhythmSequence.from_corpus(piece)
            if len(rhythm.notes) >= MIN_PIECE_NOTES:
                found.append(EvaluationPiece(piece, title_fold(tune), rhythm))
    return tuple(found)


def sample(pieces: Sequence[EvaluationPiece], count: int) -> list[EvaluationPiece]:
    """So many of them, the same ones at every call."""
    order = np.random.default_rng(1).permutation(len(pieces))
    return [pieces[place] for place in order[:count]]


def fitting_sources(
    sources: Sequence[EvaluationPiece], real: Sequence[EvaluationPiece], count: int
) -> list[EvaluationPiece]:
    """Pieces to bring into another style: one a tune, in meters and of a density that it knows.

    A piece fits when the style's real pieces have bars of its kind, its notes a bar lie between
    the 10th and the 90th percentile of theirs, and so do nine of ten of its bars between the 1st
    and the 99th percentile of their bars. They are taken in an order drawn once for all.
    """
    ranges = {}
    for kind in {piece.bar_kind for piece in real}:
        alike = [piece for piece in real if piece.bar_kind == kind]
        if len(alike) >= 5:
            bars = [notes for piece in alike for notes in notes_per_bar(piece)]
            ranges[kind] = (
                np.percentile([piece.rhythm.density for piece in alike], (10, 90)),
                np.percentile(bars, (1, 99)),
            )

    def fits(piece: EvaluationPiece) -> bool:
        if piece.bar_kind not in ranges:
            return False
        tune, bar = ranges[piece.bar_kind]
        inside = [bar[0] <= notes <= bar[1] for notes in notes_per_bar(piece)]
        return bool(tune[0] <= piece.rhythm.density <= tune[1] and np.mean(inside) >= 0.9)

    chosen: dict[str, EvaluationPiece] = {}
    for piece in sorted(sources, key=lambda piece: zlib.crc32(piece.tune.id.encode())):
        name = piece.tune.id.partition(":")[0]
        if name not in chosen and fits(piece):
            chosen[name] = piece
        if len(chosen) == count:
            break
    return list(chosen.values())


def notes_per_bar(piece: EvaluationPiece) -> list[int]:
    """How many notes begin in each full bar."""
    counts = [0] * len(piece.tune.barlines)
    for event in piece.tune.events:
        if event.pitch is not None and event.onset >= 0:
            counts[min(event.onset // piece.tune.bar_ticks, len(counts) - 1)] += 1
    return counts
