"""Tunes from the shipped styles: exact bars, form, range, cadence, and one tune a seed."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from mst_core.composing.composer import Composer
from mst_core.errors import BadOption, UnknownStyle
from mst_core.generation.composition import Composition
from mst_core.music import Key, Melody
from mst_core.notation.abc import write_abc
from mst_core.notation.musicxml import write_musicxml
from mst_core.reading.abc.read import read_abc_score
from mst_core.reading.musicxml.read import read_musicxml
from mst_core.report import make_receipt
from mst_core.requests import Compose, Mashup, Side, Transfer
from mst_core.sound.repeats import played_seconds
from tests.support.paths import MODELS

PAIRS = [("folk", "folk"), ("folk", "jazz"), ("jazz", "jazz"), ("jazz", "folk")]


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer.open(MODELS, "cpu")


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(PAIRS), st.integers(4, 24), st.integers(0, 2**31 - 1)
)  # fmt: skip
def test_a_tune_has_the_requested_bars_and_ends_in_the_last_on_a_usual_degree(
    composer: Composer, styles: tuple[str, str], bars: int, seed: int
) -> None:
    composition = composer.compose(Compose(pitch=styles[0], rhythm=styles[1], seed=seed, bars=bars))
    melody = composition.melody
    card = composer.styles[styles[0]]
    endings = sum(repeat.first_ending is not None for repeat in melody.repeats)
    assert melody.bar_count == bars + endings
    end, last = melody.length - melody.pickup, melody.notes[-1]
    if styles[0] == styles[1] == "jazz":  # a solo ends within its last bar
        assert end - melody.meter.bar_length <= last.onset < last.end <= end
    else:
        assert last.end == end
    assert melody.pickup <= melody.meter.bar_length / 2
    assert str(melody.meter) in composer.styles[styles[1]].meters
    assert all(card.lowest <= pitch <= card.highest for pitch in melody.pitches)
    assert last.pitch % 12 in {melody.key.scale[step] for step in (0, 1, 2, 4)}


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PAIRS), st.integers(0, 2**31 - 1))
def test_no_note_is_held_into_the_next_phrase(
    composer: Composer, styles: tuple[str, str], seed: int
) -> None:
    melody = composer.compose(Compose(pitch=styles[0], rhythm=styles[1], seed=seed, bars=16)).melody
    starts = sign_times(melody)
    if styles[0] == styles[1] and melody.bar_count == 16:
        # Every phrase of a tune with a pickup has one; its notes may be held over the barline.
        starts |= {bar * melody.meter.bar_length - melody.pickup for bar in (4, 8, 12)}
    for start in starts:
        assert not any(note.onset < start < note.end for note in melody.notes)


def sign_times(melody: Melody) -> set[Fraction]:
    """Where repeat signs stand, in quarter notes from the first downbeat."""
    lines = melody.barlines
    begins = {lines[repeat.start] - repeat.lead_in for repeat in melody.repeats}
    return begins | {lines[repeat.end] - repeat.lead_out for repeat in melody.repeats}


WITH_PICKUPS = """X:1
M:6/8
L:1/8
K:G
|: dB | GAB DGA | BAG ABc | dBG ABG | FGA D2B | GAB DGA | BAG ABc | dcB ADF | GBG G :|
|: Bc | d2B GBd | e2c ABc | dBG ABG | FGA D2B | d2B GBd | e2c ABc | dcB ADF | GBG G :|
"""


@pytest.mark.parametrize("strength", [0.5, 1.0])
@pytest.mark.parametrize("rhythm", ["jazz", "strathspey", "folk", "like"])
def test_the_notes_of_a_pickup_stay_on_their_side_of_a_repeat_sign(
    composer: Composer, rhythm: str, strength: float
) -> None:
    score = read_abc_score(WITH_PICKUPS)
    scores = {"a": score, "b": read_abc_score(WITH_PICKUPS.replace("GAB DGA", "G2B D2A"))}
    side = Side(like="b") if rhythm == "like" else Side(style=rhythm)
    given_counts = notes_between_signs(score.melody)
    assert given_counts == [0, 47, 43]
    for seed in (1, 2):
        side = structs.replace(side, strength=strength)
        result = composer.transfer(Transfer(source="a", seed=seed, rhythm=side), scores).melody
        assert notes_between_signs(result) == given_counts
    mashup = composer.mashup(Mashup(source="a", like="b"), scores).melody
    assert notes_between_signs(mashup) == given_counts


def notes_between_signs(melody: Melody) -> list[int]:
    """The number of notes before, between and after the places of the repeat signs."""
    signs = sorted(sign_times(melody))
    sides = Counter(bisect_right(signs, note.onset) for note in melody.notes)
    return [sides[index] for index in range(len(signs))]


@pytest.fixture(scope="module")
def dances(composer: Composer) -> list[Composition]:
    """Eight dances of 16 bars, some of them with a pickup or with first endings."""
    return [
        composer.compose(Compose(pitch="folk", rhythm="folk", seed=seed)) for seed in range(1, 9)
    ]


def test_a_dance_is_two_parts_of_eight_bars_that_are_repeated(dances: list[Composition]) -> None:
    for dance in dances:
        melody = dance.melody
        endings = [repeat.first_ending is not None for repeat in melody.repeats]
        assert dance.form == "AABB"
        assert melody.bar_count == 16 + sum(endings)
        assert melody.sections == tuple(repeat.start for repeat in melody.repeats)
        assert [r.end - r.start for r in melody.repeats] == [8, 8]
        assert all(r.lead_in == r.lead_out == melody.pickup for r in melody.repeats)


def test_a_dance_lasts_twice_its_bars(dances: list[Composition]) -> None:
    for dance in dances:
        melody = dance.melody
        quarters = played_seconds(melody) * melody.tempo / 60
        in_bars = float(32 * melody.meter.bar_length)
        # The last bar is filled with silence where the first note is a pickup.
        assert in_bars <= quarters + 1e-6 <= in_bars + float(melody.pickup) + 1e-3
        assert played_seconds(melody, repeats=False) < 0.6 * played_seconds(melody)


def test_a_first_ending_is_another_last_bar_that_leads_back(dances: list[Composition]) -> None:
    with_endings = [d.melody for d in dances if any(r.first_ending for r in d.melody.repeats)]
    assert with_endings
    for melody in with_endings:
        for repeat in melody.repeats:
            if repeat.first_ending is None:
                continue
            assert (repeat.first_ending, repeat.second_ending) == (repeat.end - 1, repeat.end + 1)
            lines = melody.barlines
            first, second = (
                [
                    (note.onset - lines[bar], note.pitch)
                    for note in melody.notes
                    if lines[bar] <= note.onset < lines[bar + 1] - melody.pickup
                ]
                for bar in (repeat.end - 1, repeat.end)
            )
            assert first
            assert first != second


def test_a_dance_read_again_has_the_same_repeats_and_notes(dances: list[Composition]) -> None:
    for dance in dances:
        for read in (
            read_abc_score(write_abc(dance.melody).encode()).melody,
            read_musicxml(write_musicxml(dance.melody)).melody,
        ):
            assert read.notes == dance.melody.notes
            assert read.repeats == dance.melody.repeats


def test_the_receipt_counts_the_bars_that_were_asked_for(dances: list[Composition]) -> None:
    request = Compose(pitch="folk", rhythm="folk", seed=1)
    assert {make_receipt(request, dance).bars for dance in dances} == {16}


def test_phrases_of_four_bars_get_no_double_bar(composer: Composer) -> None:
    hymn = composer.compose(Compose(pitch="chorale", rhythm="chorale", seed=1))
    assert len(hymn.form) == 4
    assert hymn.melody.sections == (0, 8)


def test_each_phrase_of_a_hymn_ends_with_a_long_note(composer: Composer) -> None:
    melody = composer.compose(Compose(pitch="chorale", rhythm="chorale", seed=2)).melody
    for bar in range(2, 17, 2):
        end = bar * melody.meter.bar_length - melody.pickup
        last = max(note for note in melody.notes if note.onset < end)
        assert last.duration >= 2
        assert last.end == end


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


@pytest.mark.parametrize("meter", [None, "4/4"])
def test_a_seed_gives_the_same_pitches_and_form_in_the_rhythm_of_every_style(
    composer: Composer, meter: str | None
) -> None:
    tunes = [
        composer.compose(Compose(pitch="folk", rhythm=name, seed=3, meter=meter))
        for name in ("folk", "jazz", "strathspey", "chorale")
    ]
    assert len({tune.melody.pitches for tune in tunes}) == 1
    assert len({(tune.form, tune.melody.repeats) for tune in tunes}) == 1
    assert len({tune.melody.notes for tune in tunes}) >= 3  # a hymn may be a tune of even notes


def test_a_tune_of_two_styles_has_the_tempo_of_the_rhythm_unless_another_is_asked_for(
    composer: Composer,
) -> None:
    low, high = composer.styles["chorale"].meters["4/4"].tempo_range or (0, 0)
    request = Compose(pitch="folk", rhythm="chorale", seed=3, meter="4/4", bars=8)
    assert low <= composer.compose(request).melody.tempo <= high
    assert composer.compose(structs.replace(request, tempo=150.0)).melody.tempo == 150


@pytest.mark.parametrize("rhythm", ["folk", "strathspey"])
def test_the_pitches_of_a_hymn_find_room_in_the_bars_of_a_dance(
    composer: Composer, rhythm: str
) -> None:
    for seed in (0, 2, 5):
        request = Compose(pitch="chorale", rhythm=rhythm, seed=seed, bars=8)
        assert composer.compose(request).melody.bar_count == 8


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
    with pytest.raises(BadOption, match="the meters of folk are"):
        composer.compose(Compose(pitch="folk", rhythm="folk", seed=1, meter="7/8"))
