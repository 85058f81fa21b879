"""Tunes from the shipped styles: exact bars, form, range, cadence, and one tune a seed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mst_core.composing.composer import Composer
from mst_core.errors import BadOption, UnknownStyle
from mst_core.music import Key, Melody
from mst_core.requests import Compose
from tests.support.paths import MODELS

PAIRS = [("folk", "folk"), ("folk", "jazz"), ("jazz", "jazz"), ("jazz", "folk")]


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer.open(MODELS, "cpu")


def bar_of(melody: Melody, bar: int) -> list[tuple[Fraction, Fraction, int]]:
    """The notes of a bar that begins a pickup before its barline; onsets from that barline."""
    length, pickup = melody.meter.bar_length, melody.pickup
    return [
        (note.onset - bar * length, note.duration, note.pitch)
        for note in melody.notes
        if bar * length <= note.onset + pickup < (bar + 1) * length
    ]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(PAIRS), st.integers(4, 24), st.integers(0, 2**31 - 1)
)  # fmt: skip
def test_a_tune_has_the_requested_bars_and_ends_at_the_final_barline(
    composer: Composer, styles: tuple[str, str], bars: int, seed: int
) -> None:
    composition = composer.compose(Compose(pitch=styles[0], rhythm=styles[1], seed=seed, bars=bars))
    melody = composition.melody
    card = composer.styles[styles[0]]
    assert melody.bar_count == bars
    assert melody.notes[-1].end == bars * melody.meter.bar_length - melody.pickup
    assert melody.pickup <= melody.meter.bar_length / 2
    assert str(melody.meter) in composer.styles[styles[1]].meters
    assert all(card.lowest <= pitch <= card.highest for pitch in melody.pitches)
    assert melody.notes[-1].pitch % 12 == melody.key.tonic


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PAIRS), st.integers(0, 2**31 - 1))
def test_no_note_is_held_into_the_next_phrase(
    composer: Composer, styles: tuple[str, str], seed: int
) -> None:
    melody = composer.compose(Compose(pitch=styles[0], rhythm=styles[1], seed=seed, bars=16)).melody
    for phrase in range(4, 16, 4):
        # Every phrase of a tune with a pickup has one; its notes may be held over the barline.
        start = phrase * melody.meter.bar_length - melody.pickup
        assert not any(note.onset < start < note.end for note in melody.notes)


def test_the_sections_of_a_dance_repeat(composer: Composer) -> None:
    composition = composer.compose(Compose(pitch="folk", rhythm="folk", seed=5, bars=32))
    melody = composition.melody
    assert composition.form == "AABB"
    assert [bar_of(melody, bar) for bar in range(8)] == [
        bar_of(melody, 8 + bar) for bar in range(8)
    ]
    assert bar_of(melody, 0) != bar_of(melody, 16)


def test_a_pickup_is_repeated_with_its_phrase(composer: Composer) -> None:
    found = [
        composer.compose(Compose(pitch="folk", rhythm="folk", seed=s, bars=32)).melody
        for s in range(4)
    ]
    tunes = [melody for melody in found if melody.pickup]
    assert tunes
    for melody in tunes:
        assert bar_of(melody, 0)[0][0] == -melody.pickup
        assert bar_of(melody, 8) == bar_of(melody, 0)


def test_a_jig_has_no_notes_off_the_sixteenth_grid(composer: Composer) -> None:
    for seed in range(4):
        melody = composer.compose(
            Compose(pitch="folk", rhythm="folk", seed=seed, meter="6/8")
        ).melody
        assert all(note.onset.denominator <= 4 for note in melody.notes)


def test_two_styles_give_pitches_and_rhythm(
    composer: Composer,
) -> None:
    straight = composer.compose(Compose(pitch="folk", rhythm="folk", seed=3, meter="4/4"))
    swung = composer.compose(Compose(pitch="folk", rhythm="jazz", seed=3, meter="4/4"))
    assert straight.swing == 0.5
    assert swung.swing > 0.5
    assert swung.program == composer.styles["folk"].program
    assert [(n.onset, n.duration) for n in swung.melody.notes] != [
        (n.onset, n.duration) for n in straight.melody.notes
    ]


def test_different_seeds_give_different_tunes(composer: Composer) -> None:
    tunes = {
        composer.compose(Compose(pitch="folk", rhythm="folk", seed=s, bars=8)).melody
        for s in range(12)
    }
    assert len(tunes) == 12


def test_a_seed_gives_the_same_tune_in_eight_threads_at_once(composer: Composer) -> None:
    alone = composer.compose(Compose(pitch="jazz", rhythm="folk", seed=11, bars=8))
    with ThreadPoolExecutor(8) as pool:
        beside = list(
            pool.map(
                lambda seed: composer.compose(
                    Compose(pitch="jazz", rhythm="folk", seed=seed, bars=8)
                ),
                [11, 1, 2, 3, 11, 5, 6, 11],
            )
        )
    assert beside[0] == beside[4] == beside[7] == alone


def test_key_meter_and_tempo_are_those_of_the_request(composer: Composer) -> None:
    request = Compose(pitch="folk", rhythm="folk", seed=1, bars=8, meter="3/4", key="Em", tempo=90)
    melody = composer.compose(request).melody
    assert (str(melody.meter), melody.key, melody.tempo) == ("3/4", Key(4, "minor"), 90)


def test_an_unknown_style_or_meter_is_an_error_that_names_it(composer: Composer) -> None:
    with pytest.raises(UnknownStyle, match="polka"):
        composer.compose(Compose(pitch="polka", rhythm="folk", seed=1))
    with pytest.raises(BadOption, match="folk has"):
        composer.compose(Compose(pitch="folk", rhythm="folk", seed=1, meter="7/8"))
