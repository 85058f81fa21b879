"""Captions describe each kind of request in a phrase, an amount, a file name and its buttons."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.messages.captions import Captions, button_moves, escape, file_name, join_lines
from bot.texts import Texts
from mst_core.requests import Compose, Mashup, Request, Side, Transfer
from mst_core.styles import load_style_cards
from tests.support.fakes import make_new_request, write_styles

A, B, C = "a" * 64, "b" * 64, "c" * 64
NAMES = {A: "my_reel.mid", B: "Waltz.abc", C: "音.mid"}
"""The last name has no character that Discord keeps in a file name."""

FOLK = Compose(pitch="folk", rhythm="folk", seed=7)
JAZZ_FOLK = Compose(pitch="jazz", rhythm="folk", seed=7, bars=8)
RHYTHM = Transfer(source=A, seed=1, rhythm=Side(style="jazz", strength=0.5))
BOTH = Transfer(source=A, seed=1, rhythm=Side(style="folk", strength=0.5), pitch=Side(like=B))
MASHUP = Mashup(source=A, like=B)


@pytest.fixture
def captions(tmp_path: Path) -> Captions:
    return Captions(Texts.open(), load_style_cards(write_styles(tmp_path / "models")))


@pytest.mark.parametrize(
    ("request_", "phrase", "amount"),
    [
        (FOLK, "**A new folk tune**", "16 bars"),
        (JAZZ_FOLK, "**A new tune, jazz melody and folk rhythm**", "8 bars"),
        (RHYTHM, r"**my\_reel.mid in jazz rhythm**", "50 %"),
        (BOTH, r"**my\_reel.mid with a melody like Waltz.abc in folk rhythm**", "100 % / 50 %"),
        (MASHUP, r"**The pitches of my\_reel.mid with the rhythm of Waltz.abc**", ""),
    ],
)
def test_a_request_is_described_by_a_phrase_and_an_amount(
    captions: Captions, request_: Request, phrase: str, amount: str
) -> None:
    record = make_new_request(request=request_, names=NAMES)
    assert captions.describe(record, "en-US") == phrase
    assert captions.describe_amount(record, "en-US") == amount


@pytest.mark.parametrize(
    ("request_", "origins"),
    [
        (FOLK, {"pitch": "Folk", "rhythm": "Folk"}),
        (RHYTHM, {"rhythm": "Jazz"}),
        (BOTH, {"pitch_like": "Waltz.abc", "rhythm": "Folk"}),
        (MASHUP, {"pitch_like": r"my\_reel.mid", "rhythm_like": "Waltz.abc"}),
    ],
)
def test_the_origin_of_each_changed_side_is_named(
    captions: Captions, request_: Request, origins: dict[str, str]
) -> None:
    assert captions.origins(make_new_request(request=request_, names=NAMES)) == origins


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (FOLK, "folk-7"),
        (JAZZ_FOLK, "jazz-folk-7"),
        (RHYTHM, "my-reel-jazz.0.50"),
        (BOTH, "my-reel-like-Waltz-folk.0.50.p1.00"),
        (MASHUP, "my-reel-x-Waltz"),
        (Transfer(source=A, seed=1, pitch=Side(style="jazz", strength=0.5)), "my-reel-jazz.0.50"),
        (
            Transfer(source=A, seed=1, rhythm=Side(style="jazz"), pitch=Side(style="jazz")),
            "my-reel-jazz.1.00",
        ),
        (
            Transfer(source=A, seed=1, rhythm=Side(like=B), pitch=Side(like=B)),
            "my-reel-like-Waltz.1.00",
        ),
        (Transfer(source=C, seed=1, rhythm=Side(like=C)), "tune-like.1.00"),
        (Mashup(source=C, like=B), "tune-x-Waltz"),
    ],
)
def test_result_files_are_named_after_the_request(request_: Request, name: str) -> None:
    assert file_name(make_new_request(request=request_, names=NAMES)) == name


def test_only_a_transfer_can_be_compared_and_only_a_mashup_swapped() -> None:
    moves = {type(one).__name__: button_moves(one) for one in (FOLK, RHYTHM, MASHUP)}
    assert moves == {
        "Compose": ("again", "remove"),
        "Transfer": ("again", "compare", "remove"),
        "Mashup": ("swap", "remove"),
    }


def test_a_deleted_style_is_named_by_its_folder(captions: Captions) -> None:
    assert captions.style_title("blues") == "blues"


def test_markdown_of_a_file_name_is_escaped() -> None:
    assert escape("**loud**.mid", 100) == r"\*\*loud\*\*.mid"


def test_lines_that_do_not_fit_are_left_out_whole() -> None:
    assert join_lines(["one", "two", "three"], max_length=8) == "one\ntwo"
