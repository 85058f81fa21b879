"""Counts of events that are brought up to date equal counts that are made anew."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mst_core.transfer.rhythm_similarity import RhythmIndex, RhythmSimilarity, SectionTarget

N_NOTES = 70
INDEX = RhythmIndex()
IDS = np.concatenate(
    [
        INDEX.ids(
            section,
            96,
            0,
            [(Fraction(onset, 4), Fraction(length, 4)), (Fraction(3), Fraction(1))],
            True,
            Fraction(4),
        )
        for section in (0, 1)
        for onset, length in ((0, 2), (0, 12), (1, 11), (4, 3))
    ]
)
"""Notes after and before rests, in two sections."""


def similarity(own: NDArray[np.int64]) -> RhythmSimilarity:
    durations: dict[tuple[int, ...], float] = {
        (0, 12, 0): 0.25,
        (0, 72, 0): 0.25,
        (72, 24, 0): 0.25,
        (12, 60, 1): 0.25,
    }
    bigrams: dict[tuple[int, ...], float] = {(0, 12, 0, 60, 1): 0.5, (0, 72, 0, 24, 0): 0.5}
    targets = [SectionTarget(share, durations, bigrams, 1.0) for share in (0.75, 0.25)]
    return RhythmSimilarity(INDEX, targets, own)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, N_NOTES - 1), st.integers(0, len(IDS) - 1)),
                         max_size=12), max_size=6))  # fmt: skip
def test_counting_the_changes_is_counting_all(steps: list[list[tuple[int, int]]]) -> None:
    values = np.resize(IDS, N_NOTES)
    searching = similarity(values)
    for changes in steps:
        for note, pick in changes:
            values[note] = IDS[pick]
        anew = similarity(values)
        assert searching(values) == pytest.approx(anew(values), abs=1e-12)
        assert searching.of_whole_draft(values) == pytest.approx(
            anew.of_whole_draft(values), abs=1e-12
        )
