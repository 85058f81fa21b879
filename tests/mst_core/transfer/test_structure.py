"""Bar groups, their classes, and the meters of sections."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import given

from mst_core.music import Key, Melody, Meter, MeterChange, Note
from mst_core.transfer.structure import (
    bars_held_over_changes,
    count_kept_repeats,
    phrase_starts,
    split_by_meter,
    split_duplicates,
    split_into_bars,
)
from tests.support.melodies import REEL, melodies

QUARTER = Fraction(1)


def tune(*bars: tuple[int, ...]) -> Melody:
    """Quarter notes in 4/4; 0 is a rest, -1 holds the note before it."""
    notes: list[Note] = []
    for index, pitch in enumerate(pitch for bar in bars for pitch in bar):
        if pitch > 0:
            notes.append(Note(index * QUARTER, QUARTER, pitch))
        elif pitch < 0:
            notes[-1] = replace(notes[-1], duration=notes[-1].duration + QUARTER)
    return Melody(tuple(notes), Meter(4, 4), Key(0), 120.0, len(bars))


@given(melodies(changes=True))
def test_the_groups_of_all_sections_have_every_note_once_and_in_order(melody: Melody) -> None:
    sections = split_by_meter(melody)
    groups = [group for section in sections for group in section.groups]
    assert [note for group in groups for note in group.notes] == list(melody.notes)
    assert sum(section.bar_count for section in sections) == melody.bar_count
    for group in groups:
        assert all(group.start <= note.onset < group.end for note in group.notes)
        if group.notes:
            assert melody.notes[group.index] == group.notes[0]


@given(melodies())
def test_in_one_meter_every_note_ends_in_its_group(melody: Melody) -> None:
    for group in split_by_meter(melody)[0].groups:
        assert all(note.end <= group.end for note in group.notes)


@given(melodies(changes=True))
def test_every_full_bar_has_the_notes_that_begin_in_it(melody: Melody) -> None:
    bars = split_into_bars(melody)
    assert len(bars) == melody.bar_count
    for bar in bars:
        assert list(bar.notes) == [n for n in melody.notes if bar.start <= n.onset < bar.end]


def test_a_tied_note_joins_its_bars() -> None:
    groups = split_by_meter(tune((60, 62, 64, 65), (-1, 62, 64, 0), (60, 62, 64, 65)))[0].groups
    assert [(group.first_bar, group.bar_count) for group in groups] == [(0, 2), (2, 1)]


def test_transposed_bars_are_of_one_class_and_other_intervals_of_another() -> None:
    groups = split_by_meter(tune((60, 62, 64, 65), (65, 67, 69, 70), (60, 62, 64, 66)))[0].groups
    first, transposed, other = (group.class_key for group in groups)
    assert first == transposed != other


def test_equal_bars_in_unequal_groups_are_split_duplicates() -> None:
    melody = tune((60, 62, 64, 65), (-1, 69, 71, 72), (60, 62, 64, 65), (-1, 72, 71, 69), (60,) * 4)
    assert split_duplicates(melody, split_by_meter(melody)) == {0, 2}
    same = tune((60, 62, 64, 65), (60, 62, 64, 65))
    assert split_duplicates(same, split_by_meter(same)) == frozenset()


def test_repeated_bars_are_counted_before_and_after() -> None:
    before = tune((60, 62, 64, 65), (60, 62, 64, 65), (67,) * 4, (60, 62, 64, 65))
    after = tune((60, 60, 64, 65), (60, 60, 64, 65), (67,) * 4, (60, 62, 64, 65))
    assert count_kept_repeats(before, before) == (2, 2)
    assert count_kept_repeats(before, after) == (2, 1)


def test_a_phrase_begins_with_each_section_or_every_four_bars() -> None:
    long = tune(*[(60, 62, 64, 65)] * 9)
    assert phrase_starts(long) == {0, 4, 8}
    assert phrase_starts(replace(long, sections=(0, 5))) == {0, 5}


def test_only_a_last_note_that_is_long_and_fills_the_group_ends_it() -> None:
    groups = split_by_meter(tune((60, 62, 64, -1), (60, 62, 64, 65), (60, 62, 64, 0)))[0].groups
    assert [group.ends_with_long_note for group in groups] == [True, False, False]
    assert len(split_by_meter(REEL)) == 1


def test_bars_that_a_note_joins_over_a_change_of_meter_are_named() -> None:
    held = tune((60, 62, 64, 65), (67, 65, 64, -1), (-1, 62, 64, 65), (60, 62, 64, -1))
    changed = replace(held, meter_changes=(MeterChange(2, Meter(2, 2)),))
    assert bars_held_over_changes(changed, split_by_meter(changed)) == {1, 2}
    assert bars_held_over_changes(held, split_by_meter(held)) == frozenset()
    apart = replace(held, meter_changes=(MeterChange(3, Meter(2, 2)),))
    assert bars_held_over_changes(apart, split_by_meter(apart)) == frozenset()
