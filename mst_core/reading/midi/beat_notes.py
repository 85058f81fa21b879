"""Maps the times of parts, and describes their notes in beats.

The common ground of all that finds beats and bars in a file whose own are wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from mst_core.music import Meter
from mst_core.reading.midi.parts import MidiPart, MidiScore

_STRIKE_BEATS = 0.1
"""Beats within which the notes of a part are struck together."""


class BeatNote(NamedTuple):
    """A note whose onset and duration are beats."""

    onset: float
    duration: float
    pitch: int


def move_part(part: MidiPart, move: Callable[[int], int]) -> MidiPart:
    """Return a part with other times.

    Args:
        part: the part.
        move: from the tick of the file to the new tick; it never goes back in time.
    """
    return replace(
        part,
        notes=tuple(
            note._replace(onset=onset, end=max(onset + 1, move(note.end)))
            for note in part.notes
            for onset in (move(note.onset),)
        ),
        end=max(0, move(part.end)),
        controls=tuple((move(each[0]), *each[1:]) for each in part.controls),
    )


def to_beat_notes(score: MidiScore, beat_of: Callable[[int], float]) -> list[BeatNote]:
    """Return all pitched notes in beats, none before beat 0.

    Args:
        score: the file.
        beat_of: from the tick of the file to beats.
    """
    return [
        BeatNote(max(0.0, onset), max(0.0, beat_of(note.end) - onset), note.pitch)
        for part in score.parts
        if not part.drums
        for note in part.notes
        for onset in (beat_of(note.onset),)
    ]


def to_top_line(part: MidiPart, beat_of: Callable[[int], float]) -> list[BeatNote]:
    """Return the highest note of each strike of a part, in beats.

    Args:
        part: the part.
        beat_of: from the tick of the file to beats.
    """
    line: list[BeatNote] = []
    for note in part.notes:
        onset = beat_of(note.onset)
        if line and onset - line[-1].onset < _STRIKE_BEATS:
            if note.pitch > line[-1].pitch:
                line[-1] = line[-1]._replace(pitch=note.pitch)
        else:
            line.append(BeatNote(onset, beat_of(note.end) - onset, note.pitch))
    return line


def beat_quarters(meter: Meter | None) -> float:
    """Return the quarters of the beat that is looked for in a meter; one where there is none."""
    if meter is None or meter.denominator <= 4:
        return 1.0
    return float(meter.beat_length)
