"""The lattice of rhythms: exact spans, exact numbers of notes, no dead ends."""

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
def test_every_walk_on_the_lattice_ends_exactly_with_the_number_of_notes_it_promised(
    bars: int, data: st.DataObject
) -> None:
    lattice = jig_and_triplets()
    length = bars * 72
    ways = lattice.reachable_counts(length)
    possible = [n for n in range(length) if ways[0] >> n & 1]
    wanted = data.draw(st.sampled_from(possible))
    draw = random.Random(data.draw(st.integers(0, 1000)))
    tick, notes = 0, 0
    while tick < length:
        left = wanted - notes
        values = lattice.positions[tick % 72]
        open_notes = [
            v
            for v in values.notes
            if tick + v <= length and left and ways[tick + v] >> (left - 1) & 1
        ]
        open_rests = [v for v in values.rests if tick + v <= length and ways[tick + v] >> left & 1]
        choices = [(v, 1) for v in open_notes] + [(v, 0) for v in open_rests]
        assert choices, "a dead end"
        value, sounding = draw.choice(choices)
        tick, notes = tick + value, notes + sounding
    assert (tick, notes) == (length, wanted)


def test_a_bar_of_a_jig_holds_one_or_three_to_seven_notes() -> None:
    lattice = jig_and_triplets()
    possible = [n for n in range(20) if lattice.reachable_counts(72)[0] >> n & 1]
    assert possible == [1, 3, 4, 5, 6, 7]


def test_the_rarest_rhythms_beyond_the_coverage_are_left_out() -> None:
    assert 28 not in jig_and_triplets().positions[12].notes


def test_between_holds_both_its_ends() -> None:
    assert count_range(2, 4) == 0b11100
