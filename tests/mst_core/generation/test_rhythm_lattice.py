"""The rhythm lattice: exact spans, exact numbers of notes, no dead ends."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from mst_core.generation.rhythm_lattice import Lattice, count_range
from mst_core.statistics.style_statistics import MeterStatistics, RhythmCount

QUARTER, EIGHTH, TRIPLET = 24, 12, 8


def jig_and_triplets() -> Lattice:
    rhythms = [RhythmCount(place, EIGHTH, 100, 0) for place in range(0, 72, EIGHTH)]
    rhythms += [RhythmCount(place, QUARTER, 100, 0) for place in range(0, 60, EIGHTH)]
    rhythms += [RhythmCount(place, TRIPLET, 50, 0) for place in (0, 8, 16)]
    rhythms += [RhythmCount(0, 72, 30, 0), RhythmCount(12, 28, 1, 0)]
    statistics = MeterStatistics(10, 160, tuple(rhythms), {}, (3, 4, 5))
    return Lattice.from_statistics(statistics, 72, coverage=0.999)


@given(st.integers(1, 4), st.data())
def test_every_path_fills_the_span_with_the_number_of_notes_that_its_sets_allow(
    bars: int, data: st.DataObject
) -> None:
    lattice = jig_and_triplets()
    length = bars * 72
    counts = lattice.reachable_counts(length)
    possible = [n for n in range(length) if counts[0] >> n & 1]
    wanted = data.draw(st.sampled_from(possible))
    draw = random.Random(data.draw(st.integers(0, 1000)))
    tick, notes = 0, 0
    while tick < length:
        left = wanted - notes
        allowed = lattice.positions[tick % 72]
        open_notes = [
            v
            for v in allowed.notes
            if tick + v <= length and left and counts[tick + v] >> (left - 1) & 1
        ]
        open_rests = [
            v for v in allowed.rests if tick + v <= length and counts[tick + v] >> left & 1
        ]
        choices = [(v, 1) for v in open_notes] + [(v, 0) for v in open_rests]
        assert choices, "a dead end"
        value, is_note = draw.choice(choices)
        tick, notes = tick + value, notes + is_note
    assert (tick, notes) == (length, wanted)


def test_a_bar_of_a_jig_holds_one_or_three_to_seven_notes() -> None:
    lattice = jig_and_triplets()
    possible = [n for n in range(20) if lattice.reachable_counts(72)[0] >> n & 1]
    assert possible == [1, 3, 4, 5, 6, 7]


def test_the_rarest_rhythms_beyond_the_coverage_are_left_out() -> None:
    assert 28 not in jig_and_triplets().positions[12].notes


def test_a_count_range_holds_both_its_ends() -> None:
    assert count_range(2, 4) == 0b11100


def test_completion_probabilities_sum_to_the_chance_of_filling_the_span() -> None:
    """With one duration at each position there is one path, of 6 eighths."""
    rhythms = tuple(RhythmCount(place, EIGHTH, 100, 0) for place in range(0, 72, EIGHTH))
    lattice = Lattice.from_statistics(MeterStatistics(10, 160, rhythms, {}, (6, 6, 6)), 72)
    table = lattice.completion_probability(72, 0, 8)
    assert table.shape == (73, 9)
    assert table[0].tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 0]
    assert table[60].tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 0]


def test_a_longer_bar_repeats_the_first_beats_and_crosses_no_barline() -> None:
    lattice = jig_and_triplets().for_bar_length(96)
    assert EIGHTH in lattice.positions[84].notes
    assert QUARTER not in lattice.positions[84].notes


def test_on_a_grid_only_multiples_of_the_step_are_left() -> None:
    lattice = jig_and_triplets().on_grid(EIGHTH)
    assert TRIPLET not in lattice.positions[0].notes
    assert all(position % EIGHTH == 0 for position in lattice.positions)
