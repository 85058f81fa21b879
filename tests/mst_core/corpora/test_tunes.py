"""Corpus lines become tunes on a grid of bars."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from mst_core.corpora.tunes import full_bars, parse_key, parse_tune, read_tunes
from mst_core.errors import UnreadableScore
from mst_core.music import TICKS_PER_QUARTER, Key
from tests.support.corpus import dance, write_corpus


def test_onset_zero_is_the_first_downbeat_and_the_pickup_comes_before_it() -> None:
    line = {
        "id": "x",
        "meter": "3/4",
        "key": "Gmaj",
        "notes": [[62, "0", "1"], [67, "1", "2"], [71, "3", "1"], [67, "4", "2"]],
        "bar_starts": ["0", "1", "4"],
        "pickup": "1",
    }
    tune = parse_tune(line)
    assert [event.onset for event in tune.events] == [
        -TICKS_PER_QUARTER,
        0,
        2 * TICKS_PER_QUARTER,
        3 * TICKS_PER_QUARTER,
    ]
    assert tune.barlines == (0, 3 * TICKS_PER_QUARTER)


def test_a_bar_that_a_repeat_sign_splits_is_one_bar() -> None:
    starts = [Fraction(text) for text in ("0", "1/2", "7/2", "6", "13/2")]
    assert full_bars(starts, Fraction(19, 2), Fraction(3)) == [
        Fraction(1, 2),
        Fraction(7, 2),
        Fraction(13, 2),
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Gmaj", Key(7)),
        ("Bb-maj", Key(10)),
        ("E- major", Key(3)),
        ("F-min", Key(5, "minor")),
        ("Ador", Key(9, "dorian")),
        ("", None),
    ],
)
def test_the_key_spellings_of_every_corpus_are_parsed(text: str, key: Key | None) -> None:
    assert parse_key(text) == key


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = write_corpus(tmp_path / "tunes.jsonl", 2)
    path.write_text(path.read_text() + '{"id": "broken"}\n')
    with pytest.raises(UnreadableScore, match=r"tunes\.jsonl, line 3"):
        list(read_tunes([path]))


def test_triplets_and_thirty_seconds_are_exact_in_ticks() -> None:
    line = dance(1)
    line["notes"] = [[62, "0", "1/3"], [64, "1/3", "1/3"], [66, "2/3", "1/3"], [67, "1", "1/8"]]
    assert [event.duration for event in parse_tune(line).events] == [8, 8, 8, 3]
