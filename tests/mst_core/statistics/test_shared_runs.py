"""The longest run of notes that two tunes share, found exactly and in an index of a corpus."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.corpora.tunes import CorpusTune
from mst_core.statistics.shared_runs import (
    MAX_RUN,
    SharedRun,
    SharedRunIndex,
    longest_shared_run,
    melody_steps,
    mix64,
    ngram_hashes,
    rhythm_steps,
)
from tests.support.corpus import DANCES, TUNES, make_tune

STEPS = st.lists(st.integers(0, 3), min_size=1, max_size=40).map(
    lambda steps: np.array(steps, dtype=np.uint64)
)


def test_a_rhythm_is_shared_only_at_the_same_position_in_the_bar() -> None:
    tune = make_tune([(60 + n, 12) for n in range(20)])
    late = replace(tune, events=tuple(replace(e, onset=e.onset + 6) for e in tune.events))
    assert longest_shared_run(rhythm_steps(tune), rhythm_steps(tune)).length == 20
    assert longest_shared_run(rhythm_steps(tune), rhythm_steps(late)).length == 0
    assert longest_shared_run(melody_steps(tune), melody_steps(late)).length == 19


@settings(deadline=None, max_examples=40)
@given(TUNES, TUNES)
def test_the_run_of_two_tunes_is_the_same_in_both(a: CorpusTune, b: CorpusTune) -> None:
    there, back = (
        longest_shared_run(melody_steps(x), melody_steps(y)) for x, y in ((a, b), (b, a))
    )
    assert there.length == back.length
    ours = melody_steps(a)[there.start : there.start + there.length]
    theirs = melody_steps(b)
    places = range(len(theirs) - there.length + 1)
    assert any(np.array_equal(ours, theirs[n : n + there.length]) for n in places)


@settings(deadline=None, max_examples=60)
@given(st.lists(STEPS, min_size=1, max_size=5), STEPS)
def test_an_index_finds_the_run_that_comparing_with_each_tune_finds(
    rows: list[np.ndarray], query: np.ndarray
) -> None:
    exact = max(longest_shared_run(query, row).length for row in rows)
    assert SharedRunIndex(rows).longest(query) == exact


def test_no_run_spans_two_tunes_of_an_index() -> None:
    steps = np.arange(8, dtype=np.uint64)
    assert SharedRunIndex([steps[:4], steps[4:]]).longest(steps) == 4


def test_an_index_counts_long_runs_as_255_and_an_empty_one_finds_nothing() -> None:
    steps = np.arange(300, dtype=np.uint64)
    assert SharedRunIndex([steps]).longest(steps) == MAX_RUN
    assert SharedRunIndex([]).longest(steps) == 0


@settings(deadline=None, max_examples=40)
@given(STEPS, st.integers(1, 50))
def test_a_hash_of_an_ngram_is_a_polynomial_of_its_steps(steps: np.ndarray, length: int) -> None:
    mixed, factor = [int(step) for step in mix64(steps)], 0xD1342543DE82EF95
    expected = []
    for start in range(len(steps) - length + 1):
        total = 0
        for step in mixed[start : start + length]:
            total = (total * factor + step) % 2**64
        expected.append(total)
    assert np.array_equal(ngram_hashes(steps, length), mix64(np.array(expected, dtype=np.uint64)))


def test_a_run_is_suspicious_above_the_95th_percentile() -> None:
    assert SharedRun(9, 0, p95=8).is_suspicious
    assert not SharedRun(8, 0, p95=8).is_suspicious
    assert not SharedRun(90, 0).is_suspicious


def test_steps_are_one_a_note() -> None:
    assert len(rhythm_steps(DANCES[0])) == len(DANCES[0].events)
    assert len(melody_steps(DANCES[0])) == len(DANCES[0].events) - 1
