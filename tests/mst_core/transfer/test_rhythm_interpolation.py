"""Intermediate rhythms between two rhythms of a piece."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mst_core.transfer.rhythm_interpolation import (
    RhythmPattern,
    differing_pieces,
    intermediate_rhythms,
)

EIGHTH, QUARTER, HALF = Fraction(1, 2), Fraction(1), Fraction(2)


def rhythm(*durations: Fraction) -> RhythmPattern:
    """A rhythm without rests, from onset 0."""
    onset = Fraction(0)
    notes = []
    for duration in durations:
        notes.append((onset, duration))
        onset += duration
    return tuple(notes)


def never(onset: Fraction, duration: Fraction, is_rest: bool) -> bool:
    return False


def always(onset: Fraction, duration: Fraction, is_rest: bool) -> bool:
    return True


@st.composite
def pairs(draw: st.DrawFn) -> tuple[RhythmPattern, RhythmPattern]:
    """Two rhythms of as many notes in a bar of 48 ticks, with rests."""
    count = draw(st.integers(1, 6))

    def one() -> RhythmPattern:
        onsets = sorted(
            draw(st.lists(st.integers(0, 47), min_size=count, max_size=count, unique=True))
        )
        ends = [*onsets[1:], 48]
        return tuple(
            (Fraction(a, 12), Fraction(draw(st.integers(1, b - a)), 12))
            for a, b in zip(onsets, ends, strict=True)
        )

    return one(), one()


@given(pairs())
def test_the_pieces_cover_every_note_that_differs(
    pair: tuple[RhythmPattern, RhythmPattern],
) -> None:
    old, new = pair
    pieces = differing_pieces(old, new)
    covered = {note for first, after in pieces for note in range(first, after)}
    assert {i for i in range(len(old)) if old[i] != new[i]} <= covered
    for first, after in pieces:
        assert old[first:after] != new[first:after]
        assert first == 0 or old[first][0] == new[first][0]


@given(pairs(), st.booleans())
def test_intermediate_rhythms_lead_from_old_to_new_without_overlaps(
    pair: tuple[RhythmPattern, RhythmPattern], idiomatic: bool
) -> None:
    old, new = pair
    rhythms = intermediate_rhythms(old, new, always if idiomatic else never)
    assert (rhythms[0], rhythms[-1]) == (old, new)
    for each in rhythms:
        assert len(each) == len(old)
        assert all(a[0] + a[1] <= b[0] for a, b in pairwise(each))
    assert len(set(rhythms[:-1])) == len(rhythms) - 1


def test_rhythms_are_cut_at_shared_onsets() -> None:
    old = rhythm(QUARTER, QUARTER, QUARTER, QUARTER)
    new = rhythm(QUARTER, EIGHTH, QUARTER + EIGHTH, QUARTER)
    assert differing_pieces(old, new) == [(1, 3)]
    assert differing_pieces(old, old) == []


def test_the_first_notes_have_moved_and_the_others_not_yet() -> None:
    old = rhythm(QUARTER, QUARTER, HALF)
    new = rhythm(EIGHTH, EIGHTH, HALF)
    middle = intermediate_rhythms(old, new, never)[1]
    assert middle == ((Fraction(0), EIGHTH), (EIGHTH, 3 * EIGHTH), (HALF, HALF))


def test_a_duration_that_is_neither_plain_nor_idiomatic_makes_no_step() -> None:
    fifth = Fraction(1, 5)
    old = rhythm(QUARTER, QUARTER, QUARTER)
    new = rhythm(fifth, fifth, fifth)
    assert intermediate_rhythms(old, new, never) == [old, new]
    assert len(intermediate_rhythms(old, new, always)) > 2


@given(pairs(), st.integers(2, 4))
def test_no_step_changes_more_notes_than_allowed_or_than_one_that_moves_between_rests(
    pair: tuple[RhythmPattern, RhythmPattern], most: int
) -> None:
    for first, after in differing_pieces(*pair):
        old, new = pair[0][first:after], pair[1][first:after]
        steps = intermediate_rhythms(old, new, never, max_notes=most)
        assert (steps[0], steps[-1]) == (old, new)
        for before, later in pairwise(steps):
            assert sum(a != b for a, b in zip(before, later, strict=True)) <= max(3, most)
        for step in steps:
            assert all(a[0] + a[1] <= b[0] for a, b in pairwise(step))
            assert all(duration > 0 for _, duration in step)
