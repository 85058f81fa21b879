"""A melody writer with uniform predictions in place of networks."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.corpora.tunes import TuneEvent
from mst_core.corpora.vocabulary import N_PITCH_TOKENS, DurationVocabulary
from mst_core.errors import NoSuchTune
from mst_core.generation.form import FormPlan, FormSpan
from mst_core.generation.melody_writer import MelodyWriter, WritingConstraints
from mst_core.generation.meter_model import Breath
from mst_core.generation.rhythm_lattice import AllowedDurations, Lattice, count_range
from mst_core.music import Key, Meter
from mst_core.networks.context import TuneHeader

BAR, EIGHTH = 48, 12
VOCABULARY = DurationVocabulary((12, 24, 48))
LATTICE = Lattice(
    BAR,
    {
        position: AllowedDurations(
            tuple(ticks for ticks in (12, 24) if position + ticks <= BAR), (EIGHTH,)
        )
        for position in range(0, BAR, EIGHTH)
    },
)


def constraints(*spans: FormSpan) -> WritingConstraints:
    bars = sum(span.bar_count for span in spans)
    key = Key(2, "major")
    return WritingConstraints(
        header=TuneHeader.regular(Meter(2, 4), key, bars),
        key=key,
        plan=FormPlan("A", (0,), bars, spans),
        lattice=LATTICE,
        vocabulary=VOCABULARY,
        lowest_pitch=60,
        highest_pitch=76,
        note_counts=(count_range(2, 40),) * len(spans),
        final_onset=24,
    )


def written(wanted: WritingConstraints, seed: int = 0) -> list[TuneEvent]:
    writer = MelodyWriter(wanted, np.random.default_rng(seed))
    while not writer.done:
        writer.pitch_context()
        writer.choose_pitch(np.zeros(N_PITCH_TOKENS))
        writer.duration_context()
        writer.choose_duration(np.zeros(len(VOCABULARY)))
    return writer.state.events


TWO_SPANS = (FormSpan(0, 2), FormSpan(2, 2, cadence=True, final=True))


@settings(max_examples=25)
@given(st.integers(0, 500))
def test_the_events_fill_the_spans_exactly_and_stay_in_range(seed: int) -> None:
    events = written(constraints(*TWO_SPANS), seed)
    ends = [event.onset + event.duration for event in events]
    assert [event.onset for event in events] == [0, *ends[:-1]]
    assert ends[-1] == 4 * BAR
    assert 2 * BAR in ends
    assert all(60 <= event.pitch <= 76 for event in events if event.pitch is not None)


@settings(max_examples=25)
@given(st.integers(0, 500))
def test_a_final_cadence_is_the_tonic_at_the_final_onset(seed: int) -> None:
    last = written(constraints(*TWO_SPANS), seed)[-1]
    assert (last.onset, last.duration) == (3 * BAR + 24, 24)
    assert last.pitch is not None
    assert last.pitch % 12 == 2


@settings(max_examples=25)
@given(st.integers(0, 500))
def test_a_final_cadence_takes_the_drawn_degree(seed: int) -> None:
    last = written(replace(constraints(*TWO_SPANS), final_degree=7), seed)[-1]
    assert last.pitch is not None
    assert last.pitch % 12 == 9


@settings(max_examples=25)
@given(st.integers(0, 500))
def test_a_phrase_with_a_breath_ends_with_its_note_and_a_rest_into_the_next(seed: int) -> None:
    wanted = replace(
        constraints(FormSpan(0, 2), FormSpan(2, 2)), breaths=(Breath(12, 12, lead=12), None)
    )
    events = written(wanted, seed)
    rest = next(index for index, event in enumerate(events) if event.onset == BAR + 24)
    assert (events[rest].pitch, events[rest].duration) == (None, 36)
    assert events[rest - 1].duration == 12
    assert events[rest - 1].pitch is not None
    assert events[rest + 1].onset == 2 * BAR + 12
    assert events[rest + 1].pitch is not None


@settings(max_examples=25)
@given(st.integers(0, 500))
def test_no_rest_follows_a_rest(seed: int) -> None:
    pitches = [event.pitch for event in written(constraints(*TWO_SPANS), seed)]
    assert (None, None) not in list(pairwise(pitches))


@settings(max_examples=25)
@given(st.integers(0, 500))
def test_a_copied_span_repeats_its_bars(seed: int) -> None:
    events = written(constraints(FormSpan(0, 2), FormSpan(2, 2, copies=0)), seed)
    first = [event for event in events if event.onset < 2 * BAR]
    second = [event for event in events if event.onset >= 2 * BAR]
    assert second == [TuneEvent(e.pitch, e.onset + 2 * BAR, e.duration) for e in first]


@settings(max_examples=25)
@given(st.integers(0, 500))
def test_given_pitches_come_in_order_and_all_of_them(seed: int) -> None:
    given_pitches = ((62, 64, 66), (67, 69, 71, 74))
    wanted = replace(
        constraints(FormSpan(0, 1), FormSpan(1, 1)),
        note_counts=(1 << 3, 1 << 4),
        given_pitches=given_pitches,
    )
    pitches: list[list[int]] = [[], []]
    for event in written(wanted, seed):
        if event.pitch is not None:
            pitches[event.onset // BAR].append(event.pitch)
    assert pitches == [list(p) for p in given_pitches]


@settings(max_examples=25)
@given(st.integers(0, 500))
def test_a_note_begins_at_a_required_onset(seed: int) -> None:
    wanted = replace(constraints(*TWO_SPANS), required_onsets=frozenset({0, 2 * BAR}))
    onsets = {event.onset for event in written(wanted, seed) if event.pitch is not None}
    assert {0, 2 * BAR} <= onsets


def test_a_prior_of_one_duration_makes_it_common() -> None:
    quarter = np.array([0.0, 1.0, 0.0])
    prior = dict.fromkeys(range(0, BAR, EIGHTH), quarter)
    plain = constraints(*TWO_SPANS)

    def quarters(wanted: WritingConstraints) -> int:
        events = [event for seed in range(30) for event in written(wanted, seed)]
        return sum(event.duration == 24 for event in events if event.pitch is not None)

    config = replace(plain.config, reference_prior_weight=0.9)
    assert quarters(replace(plain, duration_prior=prior, config=config)) > quarters(plain)


def test_a_span_that_no_rhythm_fills_is_an_error() -> None:
    wanted = replace(constraints(FormSpan(0, 1)), note_counts=(1 << 9,))
    with pytest.raises(NoSuchTune, match="bar 1"):
        written(wanted)
