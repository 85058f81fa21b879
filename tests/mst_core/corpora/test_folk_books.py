"""The folk corpus from the music21 package: complete, exact, and without the held-out tunes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from mst_core.corpora.folk_books import (
    FolkBooks,
    read_folk_books,
    read_held_out,
)
from mst_core.corpora.jsonl import write_lines
from mst_core.corpora.tunes import read_tunes
from mst_core.errors import UnreadableScore
from mst_core.notation.abc import write_abc
from mst_core.reading.abc.melody import build_melody
from mst_core.reading.abc.read import read_abc_score
from tests.support.paths import MODELS

HELD_OUT = MODELS / "folk" / "held_out.json"


@pytest.fixture(scope="module")
def books() -> FolkBooks:
    return read_folk_books(HELD_OUT)


def test_the_three_books_have_thousands_of_tunes(books: FolkBooks) -> None:
    assert Counter(tune.book for tune in books.tunes) == {"aird": 1006, "oneill": 1711, "ryan": 917}
    assert len({tune.id for tune in books.tunes}) == len(books.tunes)
    assert sum(len(tune.tune.events) for tune in books.tunes) > 380_000


def test_held_out_tunes_are_left_out(books: FolkBooks) -> None:
    held_out = read_held_out(HELD_OUT)
    assert len(held_out) == 612
    assert not held_out & {tune.id for tune in books.tunes}
    assert not held_out & {item.name for item in books.rejected}
    assert not held_out & books.uneven.keys()


def test_held_out_tunes_can_be_read_alone() -> None:
    held_out = read_folk_books(HELD_OUT, only_held_out=True)
    assert {tune.id for tune in held_out.tunes} == read_held_out(HELD_OUT)


def test_only_tunes_in_several_voices_are_left_out(books: FolkBooks) -> None:
    left_out = {item.name: item.reason for item in books.rejected}
    assert left_out == {
        "aird-book6-1003": "it is written for 2 voices",
        "aird-book6-1175": "it is written for 3 voices",
    }


def test_every_bar_adds_up_or_is_reported(books: FolkBooks) -> None:
    assert len(books.uneven) < 0.07 * len(books.tunes)
    for folk in books.tunes:
        tune = folk.tune
        if folk.id in books.uneven or tune.meter_changes or tune.meter is None:
            continue
        inside = [measure for measure in tune.unrepeated_measures[1:-1] if not measure.ends_section]
        inside = [measure for measure in inside if not measure.starts_section]
        assert all(measure.length == tune.meter.bar_length for measure in inside), folk.id


def test_events_are_contiguous_and_end_where_the_bars_end(books: FolkBooks) -> None:
    for folk in books.tunes:
        events = folk.tune.events
        ends = [event.onset + event.duration for event in events]
        assert [event.onset for event in events] == [0, *ends[:-1]], folk.id
        assert ends[-1] == sum(measure.length for measure in folk.tune.unrepeated_measures), folk.id


def test_a_known_reel_reads_as_it_is_printed(books: FolkBooks) -> None:
    line = next(tune for tune in books.tunes if tune.id == "aird-book1-0001").to_line()
    assert (line["title"], line["meter"], line["key"]) == (
        "The Ranting Highlandman.", "2/2", "Gmaj",
    )  # fmt: skip
    assert str(line["notes"]).startswith("[[69, '0', '1/2'], [67, '1/2', '1/2'], [71, '1', '1']")
    assert line["pickup"] == "1"


def test_a_corpus_file_is_read_back_as_the_same_tunes(books: FolkBooks, tmp_path: Path) -> None:
    some = books.tunes[::50]
    write_lines(tmp_path / "folk.jsonl", [tune.to_line() for tune in some])
    tunes = list(read_tunes([tmp_path / "folk.jsonl"]))
    assert [tune.id for tune in tunes] == [tune.id for tune in some]
    assert [tune.meter for tune in tunes] == [tune.tune.meter for tune in some]
    line = json.loads((tmp_path / "folk.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert Fraction(line["notes"][1][1]) == some[0].tune.events[1].onset


def test_real_tunes_written_as_abc_are_read_back_equal(books: FolkBooks) -> None:
    for folk in books.tunes[::23]:
        tune = folk.tune
        finest = max(
            note.duration.denominator
            for measure in tune.unrepeated_measures
            for note in measure.notes
        )
        if tune.meter_changes or finest > 8:
            continue
        melody = build_melody(tune)
        read = read_abc_score(write_abc(melody)).melody
        assert read == melody, folk.id


def test_finding_the_books_does_not_import_music21() -> None:
    program = (
        "import sys; from mst_core.corpora.folk_books import find_music21_corpus as find; find();"
        "sys.exit('music21' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_missing_books_and_lists_are_named_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableScore, match="no ABC files"):
        read_folk_books(frozenset(), corpus=tmp_path)
    with pytest.raises(UnreadableScore, match=r"held_out\.json"):
        read_folk_books(tmp_path / "held_out.json")
