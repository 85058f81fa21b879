"""``mst inspect``: contents of good files, errors of bad ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mst_core.__main__ import main
from mst_core.cli.files import read_bytes
from mst_core.errors import UnreadableScore
from tests.support.melodies import melody
from tests.support.midi_files import midi, notes, track
from tests.tools.hostile.files import GOOD


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a good file of each format."""
    for suffix, data in GOOD.items():
        (tmp_path / f"tune.{suffix}").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def inspect(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["inspect", *arguments])


def test_the_contents_of_each_format_are_shown(folder: Path) -> None:
    call = inspect(*(f"tune.{suffix}" for suffix in GOOD))
    assert (call.exit_code, call.stderr) == (0, "")
    assert "tune.mid (MIDI)" in call.stdout
    assert "tune.mxl (compressed MusicXML): Tune" in call.stdout
    assert "41 notes in 9 bars of 4/4, D major, 120 quarter notes a minute, 18 s" in call.stdout


def test_json_is_an_object_a_file(folder: Path) -> None:
    rows = [
        json.loads(line) for line in inspect("--json", "tune.mid", "tune.abc").stdout.splitlines()
    ]
    assert [row["file"] for row in rows] == ["tune.mid", "tune.abc"]
    assert [row["format"] for row in rows] == ["MIDI", "ABC"]
    assert rows[1]["title"] == "Tune"
    assert rows[1]["repeats"] == 2
    assert rows[0]["notes"] == 32


def test_the_ranking_of_the_parts_is_shown_with_the_numbers_of_the_option(folder: Path) -> None:
    tune = melody("C5 D5 E5 F5 G5*2 E5*2 D5 E5 F5 D5 C5*4", bars=2).notes
    low = [replace(note, pitch=note.pitch - 36) for note in tune]
    file = midi(
        track(notes(low, channel=1), name="Bass"),
        track(notes(tune), name="Flute"),
        track(notes(low, channel=9), name="Kit"),
    )
    (folder / "trio.mid").write_bytes(file)
    text = inspect("trio.mid").stdout
    assert "melody: track 2; by likelihood: 2 Flute (100 %), 1 Bass (0 %)" in text
    row = json.loads(inspect("--json", "trio.mid").stdout)
    assert row["track"] == 2
    assert [(each["track"], each["name"]) for each in row["candidates"]] == [
        (2, "Flute"),
        (1, "Bass"),
    ]
    asked = inspect("--track", "1", "trio.mid").stdout
    assert "melody: track 1; by likelihood: 2 Flute" in asked


def test_good_files_are_shown_and_bad_ones_reported(folder: Path) -> None:
    (folder / "broken.mid").write_bytes(b"MThd")
    (folder / "folder.mid").mkdir()
    call = inspect("broken.mid", "tune.mid", "folder.mid", "gone.abc", "notes.txt", "tune.abc")
    assert call.exit_code == 2
    assert [line for line in call.stdout.splitlines() if line[0] != " "] == [
        "tune.mid (MIDI)",
        "tune.abc (ABC): Tune",
    ]
    errors = call.stderr.splitlines()
    assert [re.findall(r"\w+\.\w+", line)[0] for line in errors] == [
        "broken.mid",
        "folder.mid",
        "gone.abc",
        "notes.txt",
    ]
    assert all(line.startswith("error: ") for line in errors)
    assert "is not a file; MIDI (.mid, .midi)" in errors[1]
    assert "no such file or directory" in errors[2]


def test_a_file_name_that_is_no_text_is_shown(folder: Path) -> None:
    Path(os.fsdecode(b"\xff.mid")).write_bytes(GOOD["mid"])
    Path(os.fsdecode(b"\xfe.mid")).write_bytes(b"MThd")
    call = inspect("--json", os.fsdecode(b"\xff.mid"), os.fsdecode(b"\xfe.mid"))
    assert call.exit_code == 2
    assert r'"file": "\udcff.mid"' in call.stdout
    assert call.stderr.startswith("error: ")
    assert "(MIDI)" in inspect(os.fsdecode(b"\xff.mid")).stdout


def test_a_track_that_is_not_there_is_one_line(folder: Path) -> None:
    for file, words in (("tune.mid", "track"), ("tune.abc", "the tune has 1 voice")):
        call = inspect("--track", "77", file)
        assert (call.exit_code, call.stdout, call.stderr.count("\n")) == (2, "", 1)
        assert words in call.stderr


def test_a_pipe_or_a_device_is_not_read(folder: Path) -> None:
    os.mkfifo("pipe.mid")
    for place in (Path("pipe.mid"), Path("/dev/zero"), folder):
        with pytest.raises(UnreadableScore, match="is not a file"):
            read_bytes(place)
    with pytest.raises(UnreadableScore, match="a name that no file can have"):
        read_bytes(Path("a\0b.mid"))


def test_a_file_above_the_limit_is_not_read_into_memory(folder: Path) -> None:
    with (folder / "vast.mid").open("wb") as file:
        file.truncate(10**10)
    call = inspect("vast.mid")
    assert (call.exit_code, call.stderr.count("\n")) == (2, 1)
    assert "vast.mid: too long: more than 5.0 MB, where at most 5.0 MB" in call.stderr


def test_the_real_command_prints_one_line_when_the_parser_crashes(folder: Path) -> None:
    """The log of the parser is not shown on the command line."""
    program = """
import sys
import mst_core.reading.sandbox.process
from mst_core.reading.sandbox import process
process.COMMAND = (sys.executable, "-c", "raise KeyError('a bug')")
process.run_parser.__defaults__ = (process.COMMAND,)
from mst_core.__main__ import main
main(["inspect", "tune.mid"])
"""
    call = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (call.returncode, call.stdout) == (2, "")
    assert re.fullmatch(r"error: tune\.mid: the file could not be read: .*\n", call.stderr)


def test_a_book_is_listed_with_the_numbers_of_the_option(folder: Path) -> None:
    tunes = "".join(
        f"X:{number}\n{title}M:4/4\nL:1/4\nK:C\nCDEF|GABc|\n\n"
        for number, title in ((7, "T:The Hare\n"), (8, ""), (9, "T:The Hound\n"))
    )
    (folder / "book.abc").write_text(tunes)
    text = inspect("book.abc").stdout
    assert "    tunes: 1 The Hare, 2 without a title, 3 The Hound\n" in text
    row = json.loads(inspect("--json", "--tune", "3", "book.abc").stdout)
    assert (row["tunes"], row["tune"]) == (3, 3)
    assert row["tune_titles"] == ["The Hare", "", "The Hound"]
    assert "tunes:" not in inspect("tune.abc").stdout


def test_one_is_singular(folder: Path) -> None:
    tune = melody("C5 D5 E5 F5", bars=1).notes
    file = midi(
        track(notes(tune), name="Flute"),
        track(notes([replace(tune[0], pitch=36)], channel=1), name="Bass"),
    )
    (folder / "short.mid").write_bytes(file)
    text = inspect("short.mid").stdout
    assert "4 notes in 1 bar of 4/4" in text
    assert "other part: Bass, 1 note\n" in text
