"""Pairs the note-on and note-off messages of one player into notes. Times are ticks.

Real files have missing ends, ends before their beginnings, legato overlaps and doubled notes; each
is resolved as the program that wrote it most likely meant it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from mst_core.reading.midi.messages import NOTE_ON, MidiMessage

_LEGATO_DIVISOR = 8
"""A repeated pitch may overlap itself by less than a quarter note divided by this."""
_HIT_DIVISOR = 8
"""A drum hit without a length lasts a quarter note divided by this."""
_MAX_OPEN_NOTES = 16
"""Notes of one pitch that wait for their ends; bounds the work on hostile files."""


class MidiNote(NamedTuple):
    """A note with a duration above 0."""

    onset: int
    end: int
    pitch: int
    """MIDI number, 0 to 127."""
    velocity: int
    """1 to 127."""


def pair_notes(
    messages: Iterable[MidiMessage], ticks_per_quarter: int, *, is_percussion: bool = False
) -> tuple[tuple[MidiNote, ...], int, int]:
    """Pair messages into notes, by channel and pitch.

    Args:
        messages: of NOTE_ON and NOTE_OFF, in order.
        ticks_per_quarter: of the file.
        is_percussion: whether hits without a length are kept, with a short one.

    Returns:
        The notes, sorted, equal ones once; the number of notes without an end, which were given
        one at the next onset (the last one after a quarter); and the number of notes left out
        because they end where they and others begin, as some programs write ornaments.
    """
    on_offs: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for tick, kind, channel, (pitch, velocity) in messages:
        on_offs[channel, pitch].append((tick, velocity if kind == NOTE_ON else 0))
    notes: set[MidiNote] = set()  # a set: layers of one sound are one note
    unended: list[MidiNote] = []
    zero_length: list[MidiNote] = []
    hit_length = max(1, ticks_per_quarter // _HIT_DIVISOR)
    for (_, pitch), of_pitch in on_offs.items():
        found = [*_pair_one_pitch(of_pitch, ticks_per_quarter)]
        onsets_of_pitch = sorted({onset for onset, _, _ in found})
        struck_again = dict(pairwise(onsets_of_pitch))
        for onset, end, velocity in found:
            again = struck_again.get(onset, onset + hit_length)
            note = MidiNote(onset, onset if end is None else end, pitch, velocity)
            if end is None:
                unended.append(note)
            elif end > onset:
                notes.add(note._replace(end=min(end, struck_again.get(onset, end))))
            elif is_percussion:
                notes.add(note._replace(end=min(onset + hit_length, again)))
            else:
                zero_length.append(note)
    onsets = {note.onset for note in notes}
    if len({note.onset for note in zero_length} - onsets) > len(onsets):
        # Too many to be ornaments: a drum machine's notes.
        unended, zero_length = unended + zero_length, []
    # One that begins alone is no ornament and no name of a chord: it was played.
    at_once = Counter(note.onset for note in zero_length)
    alone = [note for note in zero_length if note.onset not in onsets and at_once[note.onset] == 1]
    zero_length = [note for note in zero_length if note.onset in onsets or at_once[note.onset] > 1]
    next_onset = dict(pairwise(sorted({each.onset for each in (*notes, *unended, *alone)})))
    for note in alone:
        end = note.onset + hit_length
        notes.add(note._replace(end=min(end, next_onset.get(note.onset, end))))
    for note in unended:
        end = next_onset.get(note.onset, note.onset + ticks_per_quarter)
        notes.add(note._replace(end=end))
    return tuple(sorted(notes)), len(unended), len(zero_length)


def _pair_one_pitch(
    on_offs: list[tuple[int, int]], ticks_per_quarter: int
) -> Iterator[tuple[int, int | None, int]]:
    """Yield onset, end (None where missing) and velocity of the notes of one pitch.

    ``on_offs`` are (tick, velocity), in order; velocity 0 is a note-off.
    """
    open_notes: list[tuple[int, int]] = []
    unmatched_off = -1  # tick of a note-off without an open note
    for index, (tick, velocity) in enumerate(on_offs):
        ends_later = index + 1 < len(on_offs) and not on_offs[index + 1][1]
        if velocity and unmatched_off == tick and not ends_later:
            yield tick, tick, velocity  # its end was written before it
            unmatched_off = -1
        elif velocity:
            open_notes.append((tick, velocity))
            if len(open_notes) > _MAX_OPEN_NOTES:
                onset, open_velocity = open_notes.pop(0)
                yield onset, None, open_velocity
        elif open_notes:
            # Of two open notes the later one ends, because the earlier one's end must be missing.
            # In legato, where another end follows or the later note has only begun, the earlier.
            end_follows = index + 1 < len(on_offs) and not on_offs[index + 1][1]
            just_begun = tick - open_notes[-1][0] < ticks_per_quarter / _LEGATO_DIVISOR
            onset, open_velocity = open_notes.pop(0 if end_follows or just_begun else -1)
            yield onset, tick, open_velocity
            yield from ((start, None, early) for start, early in open_notes if start < onset)
            open_notes = [each for each in open_notes if each[0] >= onset]
        else:
            unmatched_off = tick
    yield from ((start, None, early) for start, early in open_notes)
