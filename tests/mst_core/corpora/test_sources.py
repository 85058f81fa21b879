"""Corpora from the music21 package: chorales, airs, strathspeys."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mst_core.__main__ import main
from mst_core.corpora.chorales import read_chorales
from mst_core.corpora.files import RejectedItem
from mst_core.corpora.folk_books import (
    FolkTune,
    find_music21_corpus,
    is_air,
    is_strathspey,
    read_held_out,
)
from mst_core.corpora.tunes import read_tunes
from mst_core.errors import UnreadableScore
from mst_core.reading.abc.read import read_tune
from tests.support.paths import MODELS

HELD_OUT = MODELS / "folk" / "held_out.json"
SOME = ("bwv101.7", "bwv248.9-1", "bwv269", "bwv846")


@pytest.fixture(scope="module")
def some_chorales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like music21's with four of its scores, one of which is a prelude."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "bach").mkdir()
    for name in SOME:
        source = find_music21_corpus() / "bach" / f"{name}.mxl"
        (folder / "bach" / source.name).write_bytes(source.read_bytes())
    return folder


def test_a_chorale_is_its_soprano(some_chorales: Path) -> None:
    lines = {line["id"]: line for line in read_chorales(some_chorales) if isinstance(line, dict)}
    assert set(lines) == {"bach-bwv101-7", "bach-bwv248-9-1", "bach-bwv269"}
    line = lines["bach-bwv269"]
    assert (line["meter"], line["key"], line["pickup"]) == ("3/4", "G major", "1")
    assert [pitch for pitch, _, _ in line["notes"]][:3] == [67, 67, 74]  # Aus meines Herzens Grunde


def test_the_soprano_is_found_below_trumpets(some_chorales: Path) -> None:
    line = next(
        item for item in read_chorales(some_chorales)
        if isinstance(item, dict) and item["id"] == "bach-bwv248-9-1"
    )  # fmt: skip
    pitches = [pitch for pitch, _, _ in line["notes"] if pitch]
    assert 57 < min(pitches) < max(pitches) < 84
    common = Counter(Fraction(duration) for _, _, duration in line["notes"]).most_common(1)
    assert common[0][0] == 1


def test_another_score_is_rejected_by_name(some_chorales: Path) -> None:
    (item,) = (found for found in read_chorales(some_chorales) if isinstance(found, RejectedItem))
    assert item == RejectedItem("bach-bwv846", "it is not written for four voices")


def test_missing_chorales_are_named_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableScore, match="no chorales"):
        list(read_chorales(tmp_path))


def folk_tune(name: str, **fields: str) -> FolkTune:
    heading = "".join(f"{letter}:{text}\n" for letter, text in fields.items())
    return FolkTune(
        name, name.partition("-")[0], read_tune(f"X:1\n{heading}M:4/4\nK:D\nDEFG ABcd|")
    )


@pytest.mark.parametrize(
    ("tune", "air", "strathspey"),
    [
        (folk_tune("oneill-0001-0050-49", T="The Mourne Shore"), True, False),
        (folk_tune("oneill-0550-0625-600", T="A Song", R="jig"), False, False),
        (folk_tune("oneill-0626-0700-672", T="Planxty Miss Burke"), False, False),
        (folk_tune("oneill-0732-0758-mh-740", T="A Jig"), False, False),
        (folk_tune("ryan-caledonianclub", T="CALEDONIAN CLUB", R="strathspey"), False, True),
        (folk_tune("ryan-sinkhimdoddie", T="SINK HIM, DODDIE -- HIGHLAND FLING"), False, True),
        (folk_tune("aird-book5-0928", T="Mr. A. Pearson's Strathsy."), False, True),
        (folk_tune("ryan-acaciareel", T="Acacia -- Reel", R="reel"), False, False),
    ],
    ids=lambda value: value.id if isinstance(value, FolkTune) else str(value),
)
def test_the_book_decides_the_kind_of_a_tune(tune: FolkTune, air: bool, strathspey: bool) -> None:
    assert (is_air(tune), is_strathspey(tune)) == (air, strathspey)


@pytest.fixture(scope="module")
def strathspeys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The held-out strathspeys as the command writes them; writing all of them is slow."""
    output = tmp_path_factory.mktemp("strathspeys") / "strathspey.jsonl"
    asked = ["corpus", "strathspey", "--held-out", "-o", str(output)]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.stderr
    assert "18 tunes" in result.stdout
    return output


def test_strathspeys_are_written_by_a_command(strathspeys: Path) -> None:
    lines: list[dict[str, Any]] = [
        json.loads(line) for line in strathspeys.read_text().splitlines()
    ]
    assert {line["id"] for line in lines} <= read_held_out(HELD_OUT)
    assert all(line["cluster"] for line in lines)
    assert len(list(read_tunes([strathspeys]))) == 18


def test_strathspeys_have_scotch_snaps(strathspeys: Path) -> None:
    shares = []
    for tune in read_tunes([strathspeys]):
        pairs = list(pairwise(tune.events))
        snaps = sum(b.duration == 3 * a.duration and a.onset % 12 == 0 for a, b in pairs)
        shares.append(snaps / len(pairs))
    assert sum(shares) / len(shares) > 0.05
