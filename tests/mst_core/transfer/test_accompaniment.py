"""A part that doubles the melody goes with its notes; the others go with their bars."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mst_core.music import ControlEvent, Key, Melody, Meter, Note, Part, PartNote
from mst_core.transfer.accompaniment import move_melody_controls, move_parts

BEFORE = Melody(
    tuple(Note(Fraction(n), Fraction(1), 60 + n) for n in range(8)), Meter(4, 4), Key(0), 120.0, 2
)
AFTER = replace(
    BEFORE,
    notes=tuple(
        Note(Fraction(n // 2 * 6 + n % 2 * 4, 3), Fraction(4 - n % 2 * 2, 3), note.pitch)
        for n, note in enumerate(BEFORE.notes)
    ),
)
"""Each pair of quarter notes became long and short."""


def part(*notes: tuple[float, float, int]) -> Part:
    return Part(
        "Part",
        0,
        False,
        tuple(PartNote(Fraction(a), Fraction(b), pitch) for a, b, pitch in notes),
    )


def times(part: Part) -> list[tuple[Fraction, Fraction]]:
    return [(note.onset, note.duration) for note in part.notes]


def test_a_part_in_octaves_takes_the_new_rhythm() -> None:
    octave = part(*((n + 0.0625 * (n % 2), 0.5, 48 + n) for n in range(8)))
    (moved,) = move_parts([octave], BEFORE, AFTER)
    for note, new in zip(moved.notes, AFTER.notes, strict=True):
        assert abs(note.onset - new.onset) <= Fraction(1, 16)
        assert note.duration == new.duration / 2
        assert note.pitch == new.pitch - 12


def test_a_doubling_part_may_have_some_notes_of_its_own() -> None:
    mostly = part(*((n, 1, 72 + n) for n in range(6)), (6, 2, 40))
    (moved,) = move_parts([mostly], BEFORE, AFTER)
    assert times(moved)[:6] == [(note.onset, note.duration) for note in AFTER.notes[:6]]
    assert (moved.notes[6].onset, moved.notes[6].pitch) == (Fraction(6), 40)


def test_an_accompaniment_stays_on_its_beats() -> None:
    bass = part(*((2 * n, 2, 36) for n in range(4)))
    assert move_parts([bass], BEFORE, AFTER) == (bass,)


def test_drums_that_are_hit_with_the_melody_keep_their_beats_and_their_sounds() -> None:
    kit = replace(part(*((n, 0.5, 36 + n) for n in range(8))), drums=True)
    assert move_parts([kit], BEFORE, AFTER) == (kit,)


def test_a_doubling_part_takes_the_new_pitches_too() -> None:
    after = replace(BEFORE, notes=tuple(replace(note, pitch=70) for note in BEFORE.notes))
    (moved,) = move_parts([part(*((n, 1, 48 + n) for n in range(8)))], BEFORE, after)
    assert {note.pitch for note in moved.notes} == {58}


def test_the_controllers_of_the_melody_go_with_its_notes() -> None:
    bends = [ControlEvent(Fraction(onset), "bend", 0, 99) for onset in (-1, 1, Fraction(3, 2), 9)]
    moved = move_melody_controls(bends, BEFORE, AFTER)
    assert [event.onset for event in moved] == [
        Fraction(-1),
        AFTER.notes[1].onset,
        (AFTER.notes[1].onset + AFTER.notes[2].onset) / 2,
        AFTER.notes[7].onset + Fraction(4, 3),
    ]
