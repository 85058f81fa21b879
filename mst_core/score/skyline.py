"""The top line of notes that sound together. Times are ticks.

Of a chord the highest note counts. A note that ends while a higher one still sounds lies under the
melody; one that only overlaps its neighbours is legato, and ends where the next one begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from mst_core.reading.midi.notes import MidiNote

_FAR_BELOW = 14  # semitones under its neighbours: a bass that shows where the melody rests
_NEIGHBOURS = 8  # notes on either side


@dataclass(frozen=True, slots=True)
class Skyline:
    """A line of notes that never overlap, and the notes that lie under it."""

    line: tuple[MidiNote, ...]
    below: tuple[MidiNote, ...]


def find_skyline(notes: Sequence[MidiNote], *, together: int) -> Skyline:
    """Part the melody from what lies under it.

    ``together`` is how many ticks the notes of a struck chord may lie apart: 0 for written music.
    """
    line: list[MidiNote] = []
    below: list[MidiNote] = []
    for note in sorted(notes, key=lambda each: (each.onset, -each.pitch, -each.end)):
        if not line or line[-1].end <= note.onset:
            line.append(note)
            continue
        last = line[-1]
        if (note.onset, note.pitch) == (last.onset, last.pitch):
            continue  # the same note again, shorter
        overlap = min(last.end, note.end) - note.onset
        shorter = min(last.end - last.onset, note.end - note.onset)
        chord = note.onset - last.onset <= together and 2 * overlap >= shorter
        under = note.pitch < last.pitch and (chord or 2 * overlap >= note.end - note.onset)
        if under:
            below.append(note)
        elif chord and note.pitch > last.pitch:  # a chord that is rolled upwards
            below.append(line.pop())
            line.append(note)
        else:
            line[-1] = last._replace(end=note.onset)
            line.append(note)
    if below:
        line, bass = _without_bass(line)
        below.extend(bass)
    return Skyline(tuple(line), tuple(sorted(below)))


def _without_bass(line: list[MidiNote]) -> tuple[list[MidiNote], list[MidiNote]]:
    melody: list[MidiNote] = []
    bass: list[MidiNote] = []
    for place, note in enumerate(line):
        around = line[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS + 1]
        middle = median(each.pitch for each in around)
        (bass if note.pitch < middle - _FAR_BELOW else melody).append(note)
    return melody, bass
