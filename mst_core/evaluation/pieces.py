"""Evaluation pieces: real tunes, or windows of long ones, with their rhythm and fold."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from mst_core.corpora.tunes import CorpusTune, TuneEvent, title_key
from mst_core.evaluation.config import EvaluationConfig
from mst_core.evaluation.rhythm_features import RhythmSequence, bar_kind
from mst_core.music import TICKS_PER_QUARTER, Key, Melody, Note

TEMPO = 120.0
"""Quarter notes a minute of pieces as melodies; no metric depends on it."""


def title_fold(tune: CorpusTune, folds: int) -> int:
    """Return the fold of a tune, 0 to ``folds`` - 1; tunes of one cluster or title share it.

    Args:
        tune: a corpus tune.
        folds: number of folds.
    """
    return zlib.crc32(f"{tune.cluster or title_key(tune)} as judged".encode()) % folds


def has_regular_bars(tune: CorpusTune) -> bool:
    """Whether all bars have the length of the meter and a pickup is shorter than a bar."""
    bar = tune.bar_ticks
    regular = tuple(range(0, bar * len(tune.barlines), bar))
    return bool(tune.events) and tune.barlines == regular and -bar < tune.events[0].onset


def as_melody(tune: CorpusTune, tempo: float = TEMPO) -> Melody:
    """Return a corpus tune with regular bars as a melody.

    Args:
        tune: a corpus tune that ends with a note; a tune without a key is in C.
        tempo: quarter notes a minute.
    """
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
    """Return bars of a regular tune; a note from before them is left out, one past them is cut.

    Args:
        tune: a corpus tune whose bars all have the length of its meter.
        first: index of the first bar, from 0.
        bars: number of bars.

    Returns:
        A tune of ``bars`` bars whose first barline is at tick 0.
    """
    start, end = first * tune.bar_ticks, (first + bars) * tune.bar_ticks
    events = tuple(
        TuneEvent(e.pitch, e.onset - start, min(e.onset + e.duration, end) - e.onset)
        for e in tune.events
        if start <= e.onset < end
    )
    lines = tuple(range(0, bars * tune.bar_ticks, tune.bar_ticks))
    return replace(tune, id=f"{tune.id}:{first}", events=events, barlines=lines)


def split_into_windows(
    tune: CorpusTune, config: EvaluationConfig = EvaluationConfig()
) -> list[CorpusTune]:
    """Return the tune itself, or evenly spread windows of a long one.

    Args:
        tune: a corpus tune with regular bars.
        config: how long a tune is cut, into how many windows of how many bars.
    """
    if len(tune.barlines) <= config.max_piece_bars:
        return [tune]
    bars, most = config.window_bars, config.max_windows
    count = len(tune.barlines) // bars
    chosen = sorted({index * count // most for index in range(most)})
    return [window(tune, bars * index, bars) for index in chosen]


@dataclass(frozen=True)
class EvaluationPiece:
    """A real tune, or a window of one."""

    tune: CorpusTune
    fold: int
    rhythm: RhythmSequence

    @property
    def bar_kind(self) -> str:
        """Its kind of bar (`rhythm.bar_kind`)."""
        return bar_kind(self.tune.meter)

    @property
    def melody(self) -> Melody:
        """The piece as a melody."""
        return as_melody(self.tune)


def find_pieces(
    tunes: Iterable[CorpusTune], config: EvaluationConfig = EvaluationConfig()
) -> tuple[EvaluationPiece, ...]:
    """Return the pieces of all tunes with regular bars and enough notes.

    Args:
        tunes: real tunes of one style.
        config: folds, windows, and the notes that a piece needs.
    """
    found = []
    for tune in tunes:
        if not has_regular_bars(tune):
            continue
        for piece in split_into_windows(tune, config):
            rhythm = RhythmSequence.from_corpus(piece)
            if len(rhythm.notes) >= config.min_piece_notes:
                found.append(EvaluationPiece(piece, title_fold(tune, config.folds), rhythm))
    return tuple(found)


def sample(pieces: Sequence[EvaluationPiece], count: int) -> list[EvaluationPiece]:
    """Return up to ``count`` random pieces, the same ones at every call.

    Args:
        pieces: the pieces to draw from.
        count: how many to draw; all of them, in random order, when there are fewer.
    """
    order = np.random.default_rng(1).permutation(len(pieces))
    return [pieces[index] for index in order[:count]]


def fitting_sources(
    sources: Sequence[EvaluationPiece], real: Sequence[EvaluationPiece], count: int
) -> list[EvaluationPiece]:
    """Select sources of a transfer whose meter and density occur in the target style.

    A piece fits when the style's real pieces have bars of its kind, its notes a bar lie between
    the 10th and the 90th percentile of theirs, and 90 % of its bars lie between the 1st and the
    99th percentile of their bars.

    Args:
        sources: pieces of the source style.
        real: pieces of the target style.
        count: most pieces that are returned.

    Returns:
        One piece a tune, in a fixed random order.
    """
    ranges = {}
    for kind in {piece.bar_kind for piece in real}:
        same_kind = [piece for piece in real if piece.bar_kind == kind]
        if len(same_kind) >= 5:
            bars = [notes for piece in same_kind for notes in notes_per_bar(piece)]
            ranges[kind] = (
                np.percentile([piece.rhythm.density for piece in same_kind], (10, 90)),
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
    """Count the notes that begin in each full bar."""
    counts = [0] * len(piece.tune.barlines)
    for event in piece.tune.events:
        if event.pitch is not None and event.onset >= 0:
            counts[min(event.onset // piece.tune.bar_ticks, len(counts) - 1)] += 1
    return counts
