"""Beginnings and ends of notes, brought together as real programs meant them. Times are ticks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from mst_core.reading.midi.messages import NOTE_ON, MidiMessage

_LEGATO_DIVISOR = 8  # of a quarter: how long a pitch struck again may overlap itself
_MAX_OPEN_NOTES = 16  # strokes of one pitch; more are no music, and would take long


class MidiNote(NamedTuple):
    """``onset`` and ``end`` are ticks; ``end`` is behind ``onset``."""

    onset: int
    end: int
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class PairedNotes:
    """The notes of one player, and what was amiss with them."""

    notes: tuple[MidiNote, ...]
    unended: int
    """Notes whose end is missing: they last to the next onset, the last one for a quarter."""
    zero_length: int
    """Notes that end where they begin and were left out: so ornaments and chord names come."""


def pair_notes(messages: Iterable[MidiMessage], quarter: int) -> PairedNotes:
    """Make notes of messages of NOTE_ON and NOTE_OFF; ``quarter`` is in ticks."""
    strokes: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for tick, kind, channel, (pitch, velocity) in messages:
        strokes[channel, pitch].append((tick, velocity if kind == NOTE_ON else 0))
    notes: set[MidiNote] = set()  # a set: doubled notes, layers of one sound, are one note
    endless: list[MidiNote] = []
    empty: list[MidiNote] = []
    for (_, pitch), its in strokes.items():
        for onset, end, velocity in _pair_one_pitch(its, quarter):
            note = MidiNote(onset, onset if end is None else end, pitch, velocity)
            if end is None:
                endless.append(note)
            elif end == onset:
                empty.append(note)
            else:
                notes.add(note)
    struck = {note.onset for note in notes}
    if len({note.onset for note in empty} - struck) > len(struck):
        endless, empty = endless + empty, []  # too many to be ornaments: a drum machine's notes
    following = dict(pairwise(sorted(struck | {note.onset for note in endless})))
    for note in endless:
        notes.add(note._replace(end=following.get(note.onset, note.onset + quarter)))
    return PairedNotes(tuple(sorted(notes)), len(endless), len(empty))


def _pair_one_pitch(
    on_offs: list[tuple[int, int]], ticks_per_quarter: int
) -> Iterator[tuple[int, int | None, int]]:
    """Onset, end and velocity of the notes of one pitch; the end is None where it is missing.

    A stroke is a tick and a velocity, 0 for an end.
    """
    waiting: list[tuple[int, int]] = []
    silenced = -1  # when an end came for what did not sound
    for place, (tick, velocity) in enumerate(on_offs):
        if velocity and silenced == tick:
            yield tick, tick, velocity  # its end was written before it
            silenced = -1
        elif velocity:
            waiting.append((tick, velocity))
            if len(waiting) > _MAX_OPEN_NOTES:
                onset, force = waiting.pop(0)
                yield onset, None, force
        elif waiting:
            # Of two that wait the later one ends, for the end of the earlier one must be missing;
            # but legato, where another end follows or the later has only begun, the earlier does.
            more = place + 1 < len(on_offs) and not on_offs[place + 1][1]
            legato = more or tick - waiting[-1][0] < ticks_per_quarter / _LEGATO_DIVISOR
            onset, force = waiting.pop(0 if legato else -1)
            yield onset, tick, force
            yield from ((start, None, early) for start, early in waiting if start < onset)
            waiting = [each for each in waiting if each[0] >= onset]
        else:
            silenced = tick
    yield from ((start, None, early) for start, early in waiting)
