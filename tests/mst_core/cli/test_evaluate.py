"""The table of a transfer, from the command line: two tiny styles and tunes of our own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from mst_core.__main__ import main
from tests.support.corpus import dance, write_corpus

SMALL = ["--epochs", "1", "--hidden", "8", "--embedding", "8", "--device", "cpu"]
FEW = ["--tunes", "2", "--seeds", "1", "--strengths", "3"]


def mst(*words: str | Path) -> tuple[int, str, str]:
    """Run the command line and return its status and what it printed."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


def snapped(number: int) -> dict[str, object]:
    """A dance whose pairs of eighths have become a sixteenth and a dotted eighth."""
    line = dance(number)
    for first, second in zip(line["notes"][::2], line["notes"][1::2], strict=False):
        if first[2] == second[2] == "1/2":
            first[2], second[1], second[2] = "1/4", _earlier(second[1]), "3/4"
    return line


def _earlier(onset: str) -> str:
    halves = int(onset.partition("/")[0])
    return f"{2 * halves - 1}/4"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of two styles that differ in name only, and a corpus of real tunes for each."""
    folder = tmp_path_factory.mktemp("evaluating")
    (folder / "models").mkdir()
    corpus = write_corpus(folder / "dances.jsonl")
    status, _, err = mst(
        "train", "dances", corpus, *SMALL, "--models", folder / "models", "--runs", folder / "runs"
    )
    assert status == 0, err
    shutil.copytree(folder / "models" / "dances", folder / "models" / "snaps")
    lines = (json.dumps(snapped(number)) + "\n" for number in range(40))
    (folder / "snaps.jsonl").write_text("".join(lines))
    return folder


def test_the_table_has_easy_answers_beside_ours_and_says_how_the_knob_turned(
    workshop: Path,
) -> None:
    status, out, err = mst(
        "evaluate",
        "--corpus",
        workshop / "dances.jsonl",
        "--corpus",
        f"snaps={workshop / 'snaps.jsonl'}",
        *FEW,
        "--device",
        "cpu",
        "--models",
        workshop / "models",
        "--json",
    )
    assert status == 0, err
    report = json.loads(out)
    assert {loss["style"] for loss in report["losses"]} == {"dances", "snaps"}
    ways = {(way["source"], way["target"]): way for way in report["ways"]}
    assert set(ways) == {("dances", "snaps"), ("snaps", "dances")}
    rows = {row["name"]: row["figures"] for row in ways["dances", "snaps"]["rows"]}
    assert {
        "source copied",
        "target copied",
        "durations shuffled",
        "the article's way",
        "ours at 1.00",
    } <= set(rows)
    assert rows["source copied"]["changed"]["mean"] == 0
    assert rows["source copied"]["closure by 3-gram"]["mean"] == 0
    assert rows["ours at 1.00"]["repeats"]["mean"] == 1
    natural = {each["name"]: each for each in ways["dances", "snaps"]["naturalness"]}
    assert natural["repeats kept"]["ours"]["mean"] == 1
    assert natural["barlines held by a note"]["source"] == 0
    assert {"tunes with a closure below .4", "last note keeps beat and length"} <= set(natural)
    knob = ways["dances", "snaps"]["knob"]
    assert knob["exact_at_zero"]["mean"] == 1
    assert knob["falls_of_change"] == 0


def test_only_a_part_of_the_corpus_and_one_task_are_evaluated_where_asked(workshop: Path) -> None:
    corpora = [f"--corpus={workshop / name}.jsonl" for name in ("dances", "snaps")]
    where: list[str | Path] = ["--device", "cpu", "--models", workshop / "models", "--json"]
    status, out, err = mst("evaluate", *corpora, *where, "--only", "losses", "--part", "test")
    assert status == 0, err
    report = json.loads(out)
    assert [loss["style"] for loss in report["losses"]] == ["dances", "snaps"]
    assert (report["ways"], report["new_tunes"], report["findings"]) == ([], [], [])
    assert all(0 < loss["tunes"] < 20 for loss in report["losses"])


def test_the_report_is_printed_as_a_table(workshop: Path) -> None:
    status, out, _ = mst(
        "evaluate",
        "--corpus",
        workshop / "dances.jsonl",
        "--corpus",
        workshop / "snaps.jsonl",
        *FEW,
        "--device",
        "cpu",
        "--styles",
        "dances,snaps",
        "--models",
        workshop / "models",
    )
    assert status == 0
    for words in (
        "dances to snaps: 2 tunes",
        "durations shuffled",
        "nats a pitch",
        "strength: 100%",
        "real snaps   wanted",
        "syncopated notes",
    ):
        assert words in out


def test_a_style_without_real_tunes_is_named(workshop: Path) -> None:
    status, out, _ = mst(
        "evaluate",
        "--corpus",
        workshop / "dances.jsonl",
        *FEW,
        "--device",
        "cpu",
        "--models",
        workshop / "models",
    )
    assert status == 0
    assert "snaps is not evaluated: give 20 real tunes by --corpus snaps=FILE.jsonl" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--corpus", "snaps=nowhere.jsonl"], "nowhere.jsonl"),
        (["--styles", "dances,polkas"], "polkas"),
        (["snaps"], "give tunes of snaps"),
    ],
)
def test_mistakes_are_one_line(workshop: Path, words: list[str], said: str) -> None:
    status, out, err = mst("evaluate", *words, "--models", workshop / "models")
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err
