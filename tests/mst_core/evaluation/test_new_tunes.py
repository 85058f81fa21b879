"""New tunes beside real ones: distances, phrases that return, cadences, copied runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.composing.composer import Composer
from mst_core.corpora.tunes import CorpusTune, TuneEvent, parse_tune
from mst_core.evaluation.distributions import FeatureCounts, feature_distances, half_distances
from mst_core.evaluation.new_tunes import compare_new_tunes, corpus_tune, measure_new_tunes
from mst_core.evaluation.phrases import (
    cut_passage,
    ends_on_tonic,
    has_exact_repeat,
    has_varied_return,
    passages,
)
from mst_core.music import Key, Melody, Meter, Note
from mst_core.statistics.shared_runs import SharedRunIndex, melody_steps
from tests.support.corpus import dance
from tests.support.paths import MODELS

DANCES = [parse_tune(dance(number)) for number in range(60)]
EIGHTH = 12


def line(pitches: Sequence[int], bars: int = 4) -> CorpusTune:
    """A tune in 4/4 of eighths in C major."""
    events = tuple(TuneEvent(p, EIGHTH * place, EIGHTH) for place, p in enumerate(pitches))
    lines = tuple(8 * EIGHTH * bar for bar in range(bars))
    return CorpusTune("line", "line", Meter(4, 4), Key(0), events, lines)


UP = [60, 62, 64, 65, 67, 69, 71, 72]
DOWN = UP[::-1]
LEAPS = [60, 67, 62, 69, 64, 71, 65, 72]


def test_a_collection_is_no_distance_from_itself() -> None:
    counts = [FeatureCounts.of(tune) for tune in DANCES]
    far = feature_distances(counts, counts)
    assert (far.interval, far.bigram, far.duration, far.onset) == (0, 0, 0, 0)


def test_scales_are_far_from_leaps_in_intervals_only() -> None:
    far = feature_distances([FeatureCounts.of(line(UP * 4))], [FeatureCounts.of(line(LEAPS * 4))])
    assert far.interval > 0.7
    assert far.bigram > 0.9
    assert (far.duration, far.onset) == (0, 0)


def test_halves_of_many_tunes_are_nearer_than_halves_of_few() -> None:
    counts = [FeatureCounts.of(tune) for tune in DANCES]
    assert half_distances(counts).bigram < half_distances(counts[:8]).bigram


def test_two_bars_that_come_again_are_a_repeat() -> None:
    assert has_exact_repeat(line([*UP, *DOWN, *UP, *DOWN]), 2)
    assert not has_exact_repeat(line([*UP, *DOWN, *LEAPS, *UP]), 2)
    assert not has_exact_repeat(line([*UP, *UP, *UP]), 2), "it overlaps itself"


def test_a_phrase_returns_when_most_of_its_first_bar_does() -> None:
    varied = [*UP[:7], 74]
    other = [*LEAPS, *DOWN, *LEAPS]
    assert has_varied_return(line([*UP, *other, *varied, *other], bars=8))
    assert not has_varied_return(line([*UP, *other, *DOWN, *other], bars=8))


def test_a_tune_ends_on_its_tonic_in_its_last_bar() -> None:
    assert ends_on_tonic(line([*DOWN, *DOWN, *DOWN, *DOWN]))
    assert not ends_on_tonic(line([*DOWN, *DOWN, *DOWN, *UP[:7]]))
    assert not ends_on_tonic(line([*DOWN, *DOWN, *DOWN]))


def test_a_passage_of_a_longer_tune_begins_at_its_barline() -> None:
    tune = line([*UP, *DOWN, *LEAPS, *UP])
    found = cut_passage(tune, 2, 2)
    assert [event.pitch for event in found.events] == [*LEAPS, *UP]
    assert (found.events[0].onset, found.barlines) == (0, (0, 8 * EIGHTH))
    assert len(passages([tune], 2, 5)) == 2
    assert passages([tune, tune], 4, 2) == [tune, tune]


@given(st.integers(4, 20), st.integers(-12, 12))
def test_a_shared_run_is_found_in_any_key(length: int, shift: int) -> None:
    source = line([60, 62, 59, 65, 60, 67, 58, 69, 57, 71, 56, 72, 55, 74, 54, 75, 53, 77, 52, 79,
                   51, 81, 50])  # fmt: skip
    pitches = [event.pitch for event in source.events if event.pitch is not None]
    own = [50, 50, *(pitch + shift for pitch in pitches[: length + 1])]
    index = SharedRunIndex([melody_steps(line([72] * 9)), melody_steps(source)])
    assert index.longest(melody_steps(line([*own, own[-1], own[-1]]))) == length


def test_a_run_with_other_values_is_not_shared() -> None:
    source = line(LEAPS * 2)
    slower = replace(source, events=tuple(
        TuneEvent(e.pitch, 2 * e.onset, 2 * e.duration) for e in source.events))  # fmt: skip
    assert SharedRunIndex([melody_steps(source)]).longest(melody_steps(slower)) == 0


def test_tunes_of_the_same_kind_are_as_near_as_halves_of_the_real() -> None:
    figures = compare_new_tunes("dances", DANCES[:30], DANCES[30:], DANCES[30:], bars=8)
    assert figures.ratios.largest < 1.5
    assert figures.duplicates == 0
    assert "30 new tunes beside 30 real ones" in figures.describe()
    natural = {metric.name: metric for metric in figures.naturalness}
    assert natural["compass, semitones"].is_met
    assert "end with a leap of a fourth or more" in figures.describe()


def test_tunes_copied_from_the_training_tunes_are_counted() -> None:
    figures = compare_new_tunes(
        "dances", [*DANCES[:5], DANCES[0]], DANCES[30:], DANCES[:30], bars=8
    )
    assert figures.duplicates == 1
    assert figures.copying == 1


def test_a_melody_becomes_a_tune_whose_rests_are_written() -> None:
    half = Fraction(1, 2)
    notes = (Note(-half, half, 67), Note(Fraction(0), half, 60), Note(Fraction(3), half, 60))
    tune = corpus_tune(Melody(notes, Meter(2, 4), Key(0), 90, 2), "x")
    assert [(e.pitch, e.onset, e.duration) for e in tune.events] == [
        (67, -12, 12), (60, 0, 12), (None, 12, 60), (60, 72, 12)]  # fmt: skip
    assert tune.barlines == (0, 48)


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer.open(MODELS, "cpu")


def test_new_tunes_are_written_by_their_seeds_and_measured(composer: Composer) -> None:
    shares: list[float] = []
    figures = measure_new_tunes(
        composer, "folk", DANCES, DANCES, seeds=(3, 4, 3), bars=8, on_progress=shares.append
    )
    assert (figures.tunes, figures.duplicates, figures.ours.ends_on_tonic) == (3, 1, 1)
    assert shares == [pytest.approx(n / 3) for n in (1, 2, 3)]
