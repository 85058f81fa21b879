"""Requests: what can be asked of every kind, and which options are refused."""

from __future__ import annotations

import pytest
from msgspec import structs

from mst_core.errors import BadOption, RequestError, UnknownStyle
from mst_core.reading.parsed_score import Selection
from mst_core.requests import Compose, Mashup, Request, Side, Transfer, draw_seed, validate
from mst_core.styles import StyleCard
from tests.support.fake_composer import CARD

STYLES: dict[str, StyleCard] = {"folk": CARD, "jazz": CARD}

SHORT = Compose(pitch="folk", rhythm="jazz", seed=3, bars=4, meter="6/8", key="Em", tempo=180.0)
COMPOSE = Compose(pitch="jazz", rhythm="folk", seed=7, bars=8, meter="6/8", key="D", tempo=110.0)
RHYTHM_ONLY = Transfer(source="a1", seed=3, rhythm=Side(style="folk"))
BOTH_SIDES = Transfer(
    source="a1",
    seed=3,
    rhythm=Side(like="b2", strength=0.5),
    pitch=Side(style="jazz", strength=0.25),
    meter="4/4",
    keep_bars="1-4,9",
    track=2,
)
MASHUP = Mashup(source="a1", like="b2", track=2)


def test_the_sides_name_what_each_kind_takes_its_pitches_and_rhythm_from() -> None:
    assert COMPOSE.sides == {"pitch": Side(style="jazz"), "rhythm": Side(style="folk")}
    assert [*RHYTHM_ONLY.sides] == ["rhythm"]
    assert MASHUP.sides == {"pitch": Side(like="a1"), "rhythm": Side(like="b2")}
    assert [each.styles for each in (COMPOSE, BOTH_SIDES, MASHUP)] == [
        {"pitch": "jazz", "rhythm": "folk"},
        {"pitch": "jazz"},
        {},
    ]


def test_the_sources_are_the_files_with_the_track_that_was_named() -> None:
    assert COMPOSE.sources == {}
    assert BOTH_SIDES.sources == {"b2": Selection(), "a1": Selection(2)}
    assert MASHUP.sources == {"b2": Selection(), "a1": Selection(2)}
    same = Transfer(source="a1", seed=1, rhythm=Side(like="a1"), track=3)
    assert same.sources == {"a1": Selection(3)}
    both = Transfer(source="a1", seed=1, rhythm=Side(like="a1"), pitch=Side(like="b2"))
    assert [*both.sources] == ["b2", "a1"]


def test_a_strength_is_set_on_the_sides_that_change_alone() -> None:
    assert BOTH_SIDES.with_strength(0.1).strengths == {"pitch": 0.1, "rhythm": 0.1}
    assert BOTH_SIDES.with_strength(0.1, pitch_strength=0.2).strengths == {
        "pitch": 0.2,
        "rhythm": 0.1,
    }
    assert RHYTHM_ONLY.with_strength(0.1).strengths == {"rhythm": 0.1}
    assert COMPOSE.with_strength(0.1) == COMPOSE
    assert MASHUP.with_strength(0.1) == MASHUP


def test_a_seed_and_files_are_exchanged_and_the_rest_stays() -> None:
    assert all(each.with_seed(9).seed == 9 for each in (COMPOSE, RHYTHM_ONLY, BOTH_SIDES, MASHUP))
    renamed = BOTH_SIDES.with_sources({"a1": "x", "b2": "y"})
    assert renamed.sources == {"y": Selection(), "x": Selection(2)}
    assert renamed.with_sources({"x": "a1", "y": "b2"}) == BOTH_SIDES
    assert COMPOSE.with_sources({}) == COMPOSE


def test_a_mashup_can_be_swapped() -> None:
    assert Mashup(source="a1", like="b2", track=2).swapped() == Mashup(source="b2", like="a1")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Transfer(source="a", seed=1), "choose a rhythm: name a style"),
        (Transfer(source="a", seed=1, rhythm=Side()), "choose a rhythm: name a style"),
        (
            Transfer(source="a", seed=1, rhythm=Side(like="b"), pitch=Side()),
            "choose a melodic style: name a style",
        ),
        (
            Transfer(source="a", seed=1, pitch=Side(style="folk", like="b")),
            "pitch and like cannot be 'both'",
        ),
        (Transfer(source="a", seed=1, rhythm=Side(like="b", strength=2)), "strength cannot be"),
        (Transfer(source="a", seed=1, pitch=Side(like="b", strength=-1)), "strength cannot be"),
        (
            Transfer(source="a", seed=1, rhythm=Side(like="b"), pitch=Side(like="b", strength=2)),
            "pitch strength cannot be",
        ),
        (Transfer(source="a", seed=1, rhythm=Side(like="b"), meter="13/4"), "at most 12"),
        (Transfer(source="a", seed=1, rhythm=Side(like="b"), keep_bars="3-1"), "the lower one"),
        (Mashup(source="a", like="b", seed=-1), "seed cannot be"),
    ],
)
def test_an_invalid_option_of_a_given_tune_is_refused_with_the_valid_ones(
    request_: Request, words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        validate(request_, STYLES)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bars": 3}, "bars cannot be '3': choose 4 to 64"),
        ({"bars": 65}, "bars cannot be '65'"),
        ({"seed": -1}, "seed cannot be '-1'"),
        ({"seed": 2**31}, "choose 0 to 2147483647"),
        ({"tempo": 39.9}, "choose 40 to 320 quarter notes per minute"),
        ({"tempo": float("nan")}, "tempo cannot be 'nan'"),
        ({"meter": "5/4"}, "the meters of jazz are 4/4, 6/8"),
        ({"meter": "waltz"}, "write it as 4/4"),
        ({"key": "H"}, "write it as D, Em"),
    ],
)
def test_an_invalid_option_of_a_new_tune_is_refused_with_the_valid_ones(
    change: dict[str, object], words: str
) -> None:
    values = {name: getattr(SHORT, name) for name in SHORT.__struct_fields__} | change
    request = Compose(**values)
    with pytest.raises(BadOption) as caught:
        validate(request, STYLES)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "request_",
    [Compose(pitch="polka", rhythm="folk", seed=1), Compose(pitch="folk", rhythm="polka", seed=1)],
)
def test_an_unknown_style_is_refused_with_the_known_ones(request_: Compose) -> None:
    with pytest.raises(UnknownStyle, match="folk, jazz"):
        validate(request_, STYLES)


def test_common_time_is_4_4_and_cut_time_is_2_2() -> None:
    common = Compose(pitch="folk", rhythm="folk", seed=1, meter="C")
    cut = structs.replace(common, meter="C|")
    validate(common, STYLES)
    with pytest.raises(BadOption, match="the meters of folk are 4/4, 6/8"):
        validate(cut, STYLES)
    halves = {"folk": structs.replace(CARD, meters={"2/2": CARD.meters["4/4"]})}
    validate(cut, halves)
    with pytest.raises(BadOption, match="the meters of folk are 2/2"):
        validate(common, halves)


def test_random_seeds_differ_and_are_valid() -> None:
    seeds = {draw_seed() for _ in range(50)}
    assert len(seeds) > 40
    for seed in seeds:
        validate(Compose(pitch="folk", rhythm="folk", seed=seed), STYLES)
