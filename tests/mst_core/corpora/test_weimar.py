"""The Weimar Jazz Database: solos as corpus lines, notated straight."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.corpora.files import RejectedItem
from mst_core.corpora.importing import import_tunes
from mst_core.corpora.weimar import MAX_NOTES_PER_BEAT, read_solos, straighten
from mst_core.errors import UnreadableScore

SCHEMA = """
CREATE TABLE solo_info (melid INTEGER, trackid INTEGER, performer TEXT, title TEXT, titleaddon TEXT,
  solopart TEXT, instrument TEXT, style TEXT, avgtempo REAL, tempoclass TEXT, rhythmfeel TEXT,
  key TEXT, signature TEXT, chord_changes TEXT, chorus_count INTEGER);
CREATE TABLE melody (eventid INTEGER PRIMARY KEY, melid INTEGER, onset REAL, pitch REAL,
  duration REAL, period INTEGER, division INTEGER, bar INTEGER, beat INTEGER, tatum INTEGER,
  subtatum INTEGER, num INTEGER, denom INTEGER, beatprops TEXT, beatdur REAL, tatumprops TEXT);
CREATE TABLE beats (beatid INTEGER PRIMARY KEY, melid INTEGER, onset REAL, bar INTEGER,
  beat INTEGER, signature TEXT, chord TEXT, form TEXT, bass_pitch INTEGER, chorus_id INTEGER);
"""
"""Those of the published tables that are read."""
BEAT = 0.4  # seconds

Played = tuple[int, int, int, int, float, float]  # bar, beat, part, parts, pitch, beats it sounds


def database(path: Path, solos: list[list[Played]], bars: int = 4, meter: str = "4/4") -> Path:
    """Write a database of such solos."""
    beats = int(meter[0])
    with closing(sqlite3.connect(path)) as there:
        there.executescript(SCHEMA)
        for number, notes in enumerate(solos, start=1):
            there.execute(
                "INSERT INTO solo_info (melid, performer, title, instrument, style, avgtempo,"
                " rhythmfeel, key, signature) VALUES (?, 'A. Player', ?, 'ts', 'COOL', 150,"
                " 'SWING', 'Bb-maj', ?)",
                (number, f"Tune {chr(64 + number)}", meter),
            )
            for bar in range(1, bars + 1):
                for beat in range(1, beats + 1):
                    chord = "Bb6" if beat == 1 else ""
                    there.execute(
                        "INSERT INTO beats (melid, onset, bar, beat, chord) VALUES (?, ?, ?, ?, ?)",
                        (number, ((bar - 1) * beats + beat - 1) * BEAT, bar, beat, chord),
                    )
            for bar, beat, part, parts, pitch, length in notes:
                onset = ((bar - 1) * beats + beat - 1 + (part - 1) / parts) * BEAT
                there.execute(
                    "INSERT INTO melody (melid, onset, pitch, duration, division, bar, beat,"
                    " tatum, beatdur) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (number, onset, pitch, length * BEAT, parts, bar, beat, part, BEAT),
                )
        there.commit()
    return path


def only(path: Path) -> dict[str, Any]:
    (line,) = read_solos(path)
    assert not isinstance(line, RejectedItem)
    return line


def test_swung_pairs_are_even_eighths(tmp_path: Path) -> None:
    swung: list[Played] = [
        (1, beat, part, 3, 60 + beat, 0.3) for beat in (1, 2, 3, 4) for part in (1, 3)
    ]
    line = only(database(tmp_path / "wjazzd.db", [swung]))
    assert [onset for _, onset, _ in line["notes"]][:8] == [
        "0", "1/2", "1", "3/2", "2", "5/2", "3", "7/2",
    ]  # fmt: skip


def test_a_triplet_stays_a_triplet(tmp_path: Path) -> None:
    notes: list[Played] = [(1, 1, part, 3, 60 + part, 0.3) for part in (1, 2, 3)]
    notes.append((1, 2, 1, 1, 60, 1.0))
    line = only(database(tmp_path / "wjazzd.db", [notes]))
    assert line["notes"] == [
        [61, "0", "1/3"], [62, "1/3", "1/3"], [63, "2/3", "1/3"], [60, "1", "1"],
        [None, "2", "2"],
    ]  # fmt: skip


def test_a_note_is_held_over_a_short_gap_and_rests_before_a_long_one(tmp_path: Path) -> None:
    notes: list[Played] = [
        (1, 1, 1, 2, 60, 0.3), (1, 1, 2, 2, 62, 0.4), (1, 4, 1, 1, 64, 0.9),
    ]  # fmt: skip
    line = only(database(tmp_path / "wjazzd.db", [notes]))
    assert line["notes"] == [
        [60, "0", "1/2"], [62, "1/2", "1/2"], [None, "1", "2"], [64, "3", "1"],
    ]  # fmt: skip


def test_the_first_bar_with_a_note_begins_the_line(tmp_path: Path) -> None:
    notes: list[Played] = [(2, 3, 1, 1, 60, 1.0), (2, 4, 1, 1, 62, 1.0), (3, 1, 1, 1, 64, 3.9)]
    line = only(database(tmp_path / "wjazzd.db", [notes]))
    assert line["notes"][0] == [None, "0", "2"]
    assert line["bar_starts"] == ["0", "4"]
    assert line["chords"] == [["Bb6", "0"], ["Bb6", "4"]]
    assert (line["pickup"], line["bars_ok"], line["meter_changes"]) == ("0", True, False)


def test_a_line_has_the_metadata_of_the_solo(tmp_path: Path) -> None:
    notes: list[Played] = [(1, beat, 1, 1, 60, 1.0) for beat in (1, 2, 3)]
    line = only(database(tmp_path / "wjazzd.db", [notes], meter="3/4"))
    metadata = {name: line[name] for name in ("id", "title", "performer", "key", "meter", "tempo")}
    assert metadata == {
        "id": "wjd-001", "title": "Tune A", "performer": "A. Player", "key": "Bb-maj",
        "meter": "3/4", "tempo": 150.0,
    }  # fmt: skip


def test_an_import_reads_the_database_and_names_rejected_solos(tmp_path: Path) -> None:
    good: list[Played] = [
        (bar, beat, 1, 1, 60 + bar * beat % 7, 1.0) for bar in (1, 2, 3, 4) for beat in (1, 2, 3, 4)
    ]
    result = import_tunes([database(tmp_path / "wjazzd.db", [good, good[:1], good[:5]])])
    assert [line["id"] for line in result.lines] == ["wjd-001"]
    assert [(item.name, item.reason) for item in result.rejected] == [
        ("wjd-002", "it has fewer than two notes"),
        ("wjd-003", "it has 5 notes"),
    ]


def test_a_solo_with_an_impossible_position_is_rejected(tmp_path: Path) -> None:
    (item,) = read_solos(
        database(tmp_path / "x.db", [[(1, 1, 5, 4, 60, 1.0), (1, 2, 1, 1, 62, 1.0)]])
    )
    assert isinstance(item, RejectedItem)
    assert "part 5 of 4" in item.reason


@pytest.mark.parametrize(
    ("content", "said"), [(b"no database at all", "broken"), (b"", "has no .*melid")]
)
def test_another_file_is_named_in_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "other.db").write_bytes(content)
    with pytest.raises(UnreadableScore, match=said):
        list(read_solos(tmp_path / "other.db"))


@given(
    st.integers(1, 20).flatmap(
        lambda parts: st.sets(
            st.integers(0, parts - 1), min_size=1, max_size=MAX_NOTES_PER_BEAT
        ).map(lambda some: [Fraction(part, parts) for part in sorted(some)])
    )
)
def test_a_straightened_beat_has_as_many_notes_in_the_same_order(places: list[Fraction]) -> None:
    written = straighten(places)
    assert len(written) == len(places)
    assert list(written) == sorted(set(written))
    assert all(0 <= place < 1 and MAX_NOTES_PER_BEAT % place.denominator == 0 for place in written)


@pytest.mark.parametrize("text", ["0 1/2", "0 1/3 2/3", "0 1/4 1/2 3/4", "0 3/4", "1/2", "0"])
def test_plain_positions_stay(text: str) -> None:
    places = [Fraction(part) for part in text.split()]
    assert list(straighten(places)) == places
