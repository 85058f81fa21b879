"""Finds how many beats make a bar and on which beat the first one begins, from the notes alone.

A bar begins where the bass moves, chords are struck and long notes start; and music resembles
itself a whole number of bars later. Times are beats from any one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mst_core.reading.midi.beat_notes import BeatNote


class BarGuess(NamedTuple):
    """Bars that fit the notes of a piece."""

    beats: int
    """Beats to a bar."""
    first: int
    """The first beat, 0 or more and less than ``beats``, on which a bar begins."""
    evidence: float
    """For these bars; to be compared with that for other bars of the same piece."""


@dataclass(frozen=True, slots=True)
class MeterFindingConfig:
    """How much each kind of evidence counts."""

    usual: tuple[tuple[int, float], ...] = ((4, 0.35), (3, 0.0))
    """Beats to a bar that are tried, and the evidence for each before any note."""
    named: float = 0.35
    """Evidence of the 4/4 that the file names: many recorders write it, whatever is played."""
    self_similarity: float = 12.0
    """Of music that resembles itself a bar later."""
    pickup: float = 0.6
    """Against a first note in the last beat of a bar."""
    long_pickup: float = 1.8
    """Against a first note elsewhere between two downbeats."""
    longest: float = 4.0
    """Beats from which a note is as long as any."""


_CONFIG = MeterFindingConfig()
COMPOUND = MeterFindingConfig(usual=((2, 1.2), (3, 0.0)))
"""For beats that divide into three."""
_MAX_BEATS = 4_000
_NEAR = 0.13  # beats around a beat in which an onset is on it
_NEAR_PART = 0.08  # beats around a part of a beat in which an onset is on it
_MIN_THIRDS = 16
_SLOTS = 4  # of a beat, for its rhythm


def find_bars(
    notes: Iterable[BeatNote],
    *,
    named: int | None = None,
    certain: bool = False,
    first: int | None = None,
    config: MeterFindingConfig = _CONFIG,
) -> BarGuess:
    """Find the bars of a piece.

    Args:
        notes: of all parts, onsets 0 or more, one or more notes.
        named: beats to a bar by the file; None where it names none.
        certain: whether ``named`` is beyond doubt.
        first: the beat on which the first bar begins, if that is known.
        config: the weights of the evidence.

    Returns:
        The bars for which there is most evidence.
    """
    line = [each for each in notes if each.onset < _MAX_BEATS]
    accents, patterns = measure_accents(line, config), _patterns(line)
    start = min((each.onset for each in line), default=0.0)
    tried = dict(config.usual)
    if named:
        tried = {named: config.named} if certain else {**tried, named: tried.get(named, 0.0)}
        tried[named] += config.named
    best, best_score = BarGuess(named or 4, first or 0, 0.0), -np.inf
    for beats, prior in tried.items():
        alike = config.self_similarity * _self_similarity(patterns, beats)
        for phase in range(beats) if first is None else (first % beats,):
            strength = measure_strength(accents, beats, phase)
            late = (start - phase) % beats  # beats by which the first note follows a downbeat
            against = 0.0
            if 0.2 < late < beats - 0.1:
                against = config.pickup if late > beats - 1.1 else config.long_pickup
            score = strength + alike + prior - against
            if score > best_score:
                best, best_score = BarGuess(beats, phase, score), score
    return best


def has_triple_beats(notes: Iterable[BeatNote]) -> bool:
    """Return whether the beats divide into three equal parts, as in 6/8.

    Swing, which has the last third but not the middle one, does not count.
    """
    phases = [each.onset % 1 for each in notes]
    first, last, half = (
        sum(abs(phase - place) < _NEAR_PART for phase in phases) for place in (1 / 3, 2 / 3, 0.5)
    )
    quarters = sum(abs(abs(phase - 0.5) - 0.25) < _NEAR_PART / 2 for phase in phases)
    thirds = first + last
    return (
        thirds >= _MIN_THIRDS
        and thirds >= 0.7 * (thirds + half + quarters)
        and first >= 0.15 * thirds
    )


def measure_accents(
    notes: Sequence[BeatNote], config: MeterFindingConfig = _CONFIG
) -> NDArray[np.float64]:
    """Measure how strongly each beat is marked: by long notes, the bass, a change of harmony.

    Args:
        notes: onsets 0 or more.
        config: what counts as long.

    Returns:
        The accent of each beat from 0 on; their mean is 0.
    """
    notes = [each for each in notes if 0 <= each.onset < _MAX_BEATS]
    count = int(max((each.onset for each in notes), default=0.0)) + 2
    durations, onsets, basses = np.zeros(count), np.zeros(count), np.full(count, 127.0)
    chroma = np.zeros((count, 12))
    for note in notes:
        beat = round(note.onset)
        held = min(note.duration, config.longest)
        for step in range(int(held) + 1):
            if beat + step < count:
                chroma[beat + step, note.pitch % 12] += min(1.0, held - step) + 0.05
        if abs(note.onset - beat) <= _NEAR:
            durations[beat] = max(durations[beat], held)
            onsets[beat] += 1
            basses[beat] = min(basses[beat], note.pitch)
    struck = basses < 127
    middle = float(np.median(basses[struck])) if struck.any() else 60.0
    low = np.where(struck, np.clip((middle - basses) / 12, -1, 1), -1.0)
    chroma /= np.maximum(np.linalg.norm(chroma, axis=1, keepdims=True), 1e-9)
    change = np.zeros(count)
    change[1:] = 1 - (chroma[1:] * chroma[:-1]).sum(axis=1)
    onsets = np.log1p(onsets)
    return np.asarray(
        1.0 * _standard(durations)
        + 0.6 * _standard(low)
        + 0.4 * _standard(change)
        + 0.3 * _standard(onsets),
        float,
    )


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values with mean 0 and standard deviation 1; all 0 where they are equal."""
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-9 else np.zeros(len(values))


def measure_strength(accents: NDArray[np.float64], beats: int, phase: int) -> float:
    """Measure how much more the downbeats are marked than the other beats.

    Args:
        accents: of each beat.
        beats: to a bar.
        phase: the first beat that is a downbeat.
    """
    downbeats = accents[phase::beats]
    if not len(downbeats):
        return 0.0
    # Bars of three have more downbeats than bars of four: count what each explains.
    return float(downbeats.mean()) * float(np.sqrt(len(downbeats) / len(accents))) * 4


def _patterns(notes: Sequence[BeatNote]) -> NDArray[np.float64]:
    """Rhythm and pitch classes of each beat, with mean 0 over all beats."""
    count = int(max((each.onset for each in notes), default=0.0)) + 2
    rhythm, chroma = np.zeros((count, _SLOTS)), np.zeros((count, 12))
    for note in notes:
        place = round(note.onset * _SLOTS)
        if place // _SLOTS < count:
            rhythm[place // _SLOTS, place % _SLOTS] += 1
            chroma[place // _SLOTS, note.pitch % 12] += 1
    rhythm = np.minimum(rhythm, 2.0)
    chroma = np.minimum(chroma, 2.0)
    patterns = np.concatenate([rhythm, chroma], axis=1)
    return np.asarray(patterns - patterns.mean(axis=0), float)


def _self_similarity(patterns: NDArray[np.float64], beats: int) -> float:
    """Mean correlation (-1 to 1) of the piece with itself one, two, four and eight bars later."""
    power = float((patterns**2).sum(axis=1).mean())
    if power <= 1e-9:
        return 0.0
    found = []
    for bars in (1, 2, 4, 8):
        lag = beats * bars
        if 2 * lag < len(patterns):
            product = (patterns[lag:] * patterns[:-lag]).sum(axis=1)
            found.append(float(product.mean()) / power)
    return float(np.mean(found)) if found else 0.0
