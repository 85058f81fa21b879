"""Metrics: classifiers separate real tunes of two styles, and each metric computes what it says."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.corpora.tunes import CorpusTune, parse_tune
from mst_core.evaluation import baselines
from mst_core.evaluation.bootstrap import bootstrap_mean, gap_closure, share_between
from mst_core.evaluation.config import EvaluationConfig
from mst_core.evaluation.form_preservation import form_preservation, smallest_step
from mst_core.evaluation.ngram_classifier import NgramModel
from mst_core.evaluation.pieces import (
    EvaluationPiece,
    as_melody,
    find_pieces,
    fitting_sources,
    window,
)
from mst_core.evaluation.retrieval import choose_targets, reciprocal_rank
from mst_core.evaluation.rhythm_features import (
    RhythmEvent,
    RhythmSequence,
    jensen_shannon,
    position_durations,
)
from mst_core.evaluation.strength_curve import (
    StrengthCurve,
    changed_share,
    profile_similarity,
    rhythm_entropy,
    seen_events,
    spearman,
    unseen_rate,
)
from mst_core.evaluation.style_classifiers import CLASSIFIERS, CrossFittedClassifiers
from mst_core.music import Key, Melody, Meter, Note
from mst_core.statistics.shared_runs import SharedRunIndex
from tests.support.corpus import dance
from tests.support.melodies import REEL, melodies


def tune(values: str, number: int = 0, meter: str = "2/4") -> CorpusTune:
    """A corpus tune of note values in eighths, such as ``1 1 2``, on one pitch."""
    notes, now = [], Fraction(0)
    for step, value in enumerate(values.split()):
        length = Fraction(value) / 2
        notes.append([60 + step % 5, str(now), str(length)])
        now += length
    bar = Meter.parse(meter).bar_length
    starts = [str(bar * index) for index in range(-int(-now // bar))]
    line = {"id": f"t{number}", "title": _letters(number), "meter": meter, "key": "C",
            "notes": notes, "bar_starts": starts, "pickup": "0"}  # fmt: skip
    return parse_tune(json.loads(json.dumps(line)))


def _letters(number: int) -> str:
    """A title of its own for each number: titles are compared by their letters."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def style(bars: tuple[str, ...], tunes: int, seed: int) -> tuple[EvaluationPiece, ...]:
    """Tunes of sixteen bars, each drawn from a few."""
    draw = np.random.default_rng(seed)
    return find_pieces(
        tune(" ".join(draw.choice(bars, 16)), 1000 * seed + number) for number in range(tunes)
    )


EVEN = style(("1 1 1 1", "2 1 1", "2 2"), 30, 1)
UNEVEN = style(("1 2 1", "3/2 1/2 2", "2/3 2/3 2/3 2", "3/2 3/2 1"), 30, 2)


def in_bars(*bars: str) -> Melody:
    return as_melody(tune(" ".join(bars)))


@given(melodies())
def test_a_tune_compared_with_itself_has_kept_everything(melody: Melody) -> None:
    form = form_preservation(melody, melody)
    kept = [form[name] for name in ("repeats", "precision", "barlines", "phrases")]
    assert {share for share in kept if share is not None} <= {1.0}
    assert (form["length"], form["pickup"]) == (0, 1)
    assert changed_share(melody, melody) == 0


def test_repeats_and_precision_count_pairs_of_bars() -> None:
    # The pitches run in fives, so bars of five notes are alike.
    before = in_bars(*["1 1 1 1/2 1/2"] * 4)
    swapped = in_bars("1 1 1 1/2 1/2", "1 1 1 1/2 1/2", "1/2 1/2 1 1 1", "1/2 1/2 1 1 1")
    assert form_preservation(before, swapped)["repeats"] == pytest.approx(2 / 6)
    assert form_preservation(before, swapped)["precision"] == 1
    assert form_preservation(swapped, before)["repeats"] == 1
    assert form_preservation(swapped, before)["precision"] == pytest.approx(2 / 6)


def test_a_note_pushed_over_the_barline_costs_that_barline() -> None:
    before = in_bars("2 2", "2 2", "2 2", "2 2")
    notes = list(before.notes)
    notes[3] = replace(notes[3], duration=Fraction(1, 2))
    notes[4] = Note(Fraction(7, 2), Fraction(3, 2), notes[4].pitch)
    form = form_preservation(before, replace(before, notes=tuple(notes)))
    assert form["barlines"] == 3 / 4
    assert form["length"] == 0


def test_the_smallest_step_moves_two_notes_in_every_bar_of_the_largest_class() -> None:
    before = in_bars(*["1 1 1 1/2 1/2"] * 3, "2 1 1")
    assert smallest_step(before) == pytest.approx(6 / 18)


def test_the_classifiers_separate_unknown_tunes_of_two_styles() -> None:
    classifiers = CrossFittedClassifiers(EVEN, UNEVEN)
    for judge in CLASSIFIERS:
        assert all(classifiers.log_odds(piece.rhythm, piece.fold)[judge] < 0 for piece in EVEN)
        assert all(classifiers.log_odds(piece.rhythm, piece.fold)[judge] > 0 for piece in UNEVEN)


def test_no_classifier_is_trained_on_the_tune_that_it_classifies() -> None:
    alone = replace(EVEN[0], rhythm=RhythmSequence("48", (RhythmEvent(5, 7, True),) * 20, 16))
    with_it = CrossFittedClassifiers((*EVEN, alone), UNEVEN).log_odds(alone.rhythm, alone.fold)
    without = CrossFittedClassifiers(EVEN, UNEVEN).log_odds(alone.rhythm, alone.fold)
    assert with_it == pytest.approx(without)


@given(st.lists(st.sampled_from(EVEN + UNEVEN), min_size=1, max_size=4), st.integers(0, 29))
def test_the_probabilities_of_all_successors_sum_to_at_most_one(
    training: list[EvaluationPiece], at: int
) -> None:
    judge = NgramModel(piece.rhythm for piece in training)
    start = EVEN[at].rhythm.events[:2]
    known = judge.log_likelihood(RhythmSequence("48", start, 1))
    following = {stroke for piece in EVEN + UNEVEN for stroke in piece.rhythm.events}
    total = sum(
        np.exp(judge.log_likelihood(RhythmSequence("48", (*start, stroke), 1)) - known)
        for stroke in following
    )
    assert 0 < total <= 1 + 1e-9


def test_divergence_is_nothing_for_what_is_alike_and_one_for_what_shares_nothing() -> None:
    assert jensen_shannon(Counter("aab"), Counter("aaaabb")) == pytest.approx(0)
    assert jensen_shannon(Counter("a"), Counter("b")) == pytest.approx(1)
    assert jensen_shannon(Counter(), Counter("b")) == 1


def test_a_tune_is_closer_to_its_own_style() -> None:
    real = position_durations(piece.rhythm for piece in UNEVEN)
    assert profile_similarity(UNEVEN[0].rhythm, real) > profile_similarity(EVEN[0].rhythm, real)


def test_a_strength_curve_counts_decreases_and_jumps() -> None:
    smooth = StrengthCurve((0, 0.1, 0.2), (0.1, 0.2, 0.2), {"j": (0, 1, 2)}, smallest_step=0.05)
    assert smooth.decreases == (0, 0)
    assert not smooth.jumps_too_far
    assert smooth.rank_correlation("j") == pytest.approx(1)
    rough = StrengthCurve((0, 0.3, 0.2), (0.1, 0.2, 0.1), {"j": (0, 0, 0)}, smallest_step=0.2)
    assert rough.decreases == (1, 1)
    assert rough.jumps_too_far
    assert rough.largest_jump == pytest.approx(0.3)
    assert rough.rank_correlation("j") is None


def test_ranks_of_equals_are_shared() -> None:
    assert spearman((1, 2, 3, 4), (1, 2, 2, 3)) == pytest.approx(0.9487, abs=1e-4)
    assert spearman((1, 2, 3), (3, 2, 1)) == pytest.approx(-1)


def test_entropy_is_that_of_windows_of_one_length() -> None:
    even = RhythmSequence("48", (RhythmEvent(0, 12, True), RhythmEvent(12, 24, True)) * 32, 16)
    assert rhythm_entropy(even) == pytest.approx(1)
    assert rhythm_entropy(RhythmSequence("48", even.events[:63], 16)) is None


def test_events_that_no_real_tune_has_are_unseen() -> None:
    seen = seen_events(piece.rhythm for piece in EVEN)
    assert unseen_rate(EVEN[0].rhythm, seen) == 0
    assert (
        unseen_rate(
            RhythmSequence("48", (RhythmEvent(0, 14, True), RhythmEvent(0, 12, True)), 1), seen
        )
        == 0.5
    )


@given(st.integers(0, 29), st.integers(0, 40), st.integers(1, 30))
def test_the_longest_run_is_found_wherever_it_stands(at: int, start: int, length: int) -> None:
    notes = EVEN[at].rhythm.notes[start : start + length]
    other = RhythmEvent(1, 1, True)
    asked = RhythmSequence("48", (other, *notes, other), 1)
    whole = SharedRunIndex([piece.rhythm.step_codes for piece in EVEN])
    assert whole.longest(asked.step_codes) == len(notes)
    assert SharedRunIndex([]).longest(asked.step_codes) == 0


def test_a_run_does_not_go_on_from_one_tune_into_the_next() -> None:
    one, other = (RhythmSequence("48", (RhythmEvent(0, ticks, True),) * 3, 1) for ticks in (12, 24))
    both = RhythmSequence("48", one.events + other.events, 1)
    index = SharedRunIndex([one.step_codes, other.step_codes])
    assert index.longest(both.step_codes) == 3


def test_sources_are_as_dense_as_the_style_they_go_to() -> None:
    dense = style(("1/2 " * 8,), 10, 3)
    assert fitting_sources(dense, EVEN, 10) == []
    chosen = fitting_sources(EVEN, EVEN, 10)
    assert len(chosen) == len({piece.tune.id for piece in chosen}) == 10


def test_a_window_leaves_out_what_is_held_into_it_and_cuts_what_is_held_out_of_it() -> None:
    held = window(tune("3 2 2 2 1 2"), 1, 1)
    assert [(event.onset, event.duration) for event in held.events] == [(12, 24), (36, 12)]


def test_a_pickup_stays_a_pickup_as_a_melody() -> None:
    line = dance(3)
    line["notes"] = [[62, "0", "1/2"], *([p, str(Fraction(o) + Fraction(1, 2)), d]
                                         for p, o, d in line["notes"])]  # fmt: skip
    line["bar_starts"] = ["0", *(str(Fraction(start) + Fraction(1, 2)) for start in
                                 line["bar_starts"])]  # fmt: skip
    melody = as_melody(parse_tune(line))
    assert melody.pickup == Fraction(1, 2)
    assert melody.bar_count == 8
    assert RhythmSequence.from_melody(melody) == RhythmSequence.from_corpus(parse_tune(line))


def test_a_tune_ranks_its_own_second_half_first() -> None:
    tunes = [piece.tune for piece in UNEVEN]
    targets = choose_targets(tunes, EvaluationConfig(targets=20))
    assert len(targets) == 20
    own = [
        reciprocal_rank(RhythmSequence.from_corpus(t.second), i, targets)
        for i, t in enumerate(targets)
    ]
    assert min(own) >= 1 / 2
    assert np.mean(own) > 0.9


@given(melodies().filter(lambda melody: bool(melody.notes)), st.integers(0, 99))
def test_shuffled_durations_are_the_same_durations(melody: Melody, seed: int) -> None:
    shuffled = baselines.shuffle_durations(melody, seed)
    assert Counter(n.duration for n in shuffled.notes) == Counter(n.duration for n in melody.notes)
    assert shuffled.pitches == melody.pitches


def test_a_copied_rhythm_goes_round_as_often_as_it_takes() -> None:
    copied = baselines.copy_rhythm(in_bars("1 1 1 1", "2 2"), in_bars("2 2"))
    assert [note.onset for note in copied.notes] == [0, 1, 2, 3, 4, 5]
    assert copied.bar_count == 3


def test_the_share_of_a_gap_comes_with_its_interval() -> None:
    found = gap_closure([0.9, 1.0, 1.1] * 10, [0.0] * 30, [2.0, 2.1, 1.9] * 10)
    assert found.mean == pytest.approx(0.5)
    assert found.low < 0.5 < found.high
    way = share_between([0.3] * 9, [0.1] * 9, [0.5] * 9)
    assert (way.mean, way.low, way.high) == pytest.approx((0.5, 0.5, 0.5))


def test_tunes_without_a_value_are_left_out_of_the_mean() -> None:
    assert bootstrap_mean([None, None]) is None
    found = bootstrap_mean([1.0, None, 2.0])
    assert found is not None
    assert (found.mean, found.tunes) == (1.5, 2)


def test_another_meter_is_another_kind_of_bar() -> None:
    kinds = {
        RhythmSequence.from_melody(replace(REEL, meter=Meter.parse(m), bar_count=40)).bar_kind
        for m in ("4/4", "2/2")
    }
    assert kinds == {"96"}
    jig = Melody((Note(Fraction(0), Fraction(1), 60),), Meter(6, 8), Key(0), 120, 1)
    assert RhythmSequence.from_melody(jig).bar_kind == "72c"
    assert RhythmSequence.from_melody(replace(jig, meter=Meter(3, 4))).bar_kind == "72"
