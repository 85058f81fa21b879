"""``mst read``: what is found is told, what is bad is named."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mst_core.__main__ import main
from mst_core.cli.files import read_bytes
from mst_core.errors import UnreadableScore
from tests.tools.hostile.files import GOOD


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good file of each kind, in which a person works."""
    for suffix, data in GOOD.items():
        (tmp_path / f"tune.{suffix}").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["read", *arguments])


def test_the_contents_of_each_format_are_shown(desk: Path) -> None:
    told = read(*(f"tune.{suffix}" for suffix in GOOD))
    assert (told.exit_code, told.stderr) == (0, "")
    assert "tune.mid (MIDI)" in told.stdout
    assert "tune.mxl (compressed MusicXML): Tune" in told.stdout
    assert "41 notes in 9 bars of 4/4, D major, 120 quarter notes a minute, 18 s" in told.stdout


def test_json_is_an_object_a_file(desk: Path) -> None:
    rows = [json.loads(line) for line in read("--json", "tune.mid", "tune.abc").stdout.splitlines()]
    assert [row["file"] for row in rows] == ["tune.mid", "tune.abc"]
    assert [row["format"] for row in rows] == ["MIDI", "ABC"]
    assert rows[1]["title"] == "Tune"
    assert rows[1]["repeats"] == 2
    assert rows[0]["notes"] == 32


def test_good_files_are_shown_and_bad_ones_reported(desk: Path) -> None:
    (desk / "broken.mid").write_bytes(b"MThd")
    (desk / "folder.mid").mkdir()
    told = read("broken.mid", "tune.mid", "folder.mid", "gone.abc", "notes.txt", "tune.abc")
    assert told.exit_code == 2
    assert [line for line in told.stdout.splitlines() if line[0] != " "] == [
        "tune.mid (MIDI)",
        "tune.abc (ABC): Tune",
    ]
    errors = told.stderr.splitlines()
    assert [re.findall(r"\w+\.\w+", line)[0] for line in errors] == [
        "broken.mid", "folder.mid", "gone.abc", "notes.txt",
    ]  # fmt: skip
    assert all(line.startswith("error: ") for line in errors)
    assert "is not a file; MIDI (.mid, .midi)" in errors[1]
    assert "no such file or directory" in errors[2]


def test_a_file_name_that_is_no_text_is_shown(desk: Path) -> None:
    Path(os.fsdecode(b"\xff.mid")).write_bytes(GOOD["mid"])
    Path(os.fsdecode(b"\xfe.mid")).write_bytes(b"MThd")
    told = read("--json", os.fsdecode(b"\xff.mid"), os.fsdecode(b"\xfe.mid"))
    assert told.exit_code == 2
    assert r'"file": "\udcff.mid"' in told.stdout
    assert told.stderr.startswith("error: ")
    assert "(MIDI)" in read(os.fsdecode(b"\xff.mid")).stdout


def test_a_track_that_is_not_there_is_one_line(desk: Path) -> None:
    for file, words in (("tune.mid", "track"), ("tune.abc", "this is ABC")):
        told = read("--track", "77", file)
        assert (told.exit_code, told.stdout, told.stderr.count("\n")) == (2, "", 1)
        assert words in told.stderr


def test_a_pipe_or_a_device_is_not_read(desk: Path) -> None:
    os.mkfifo("pipe.mid")
    for place in (Path("pipe.mid"), Path("/dev/zero"), desk):
        with pytest.raises(UnreadableScore, match="is not a file"):
            read_bytes(place)
    with pytest.raises(UnreadableScore, match="a name that no file can have"):
        read_bytes(Path("a\0b.mid"))


def test_a_file_above_the_limit_is_not_read_into_memory(desk: Path) -> None:
    with (desk / "vast.mid").open("wb") as file:
        file.truncate(10**10)
    told = read("vast.mid")
    assert (told.exit_code, told.stderr.count("\n")) == (2, 1)
    assert "vast.mid: too long: more than 5.0 MB, where at most 5.0 MB" in told.stderr


def test_the_real_command_prints_one_line_when_the_parser_crashes(desk: Path) -> None:
    """What the process writes to its log is not shown to a person at the command line."""
    program = """
import sys
import mst_core.reading.sandbox.process
from mst_core.reading.sandbox import process
process.COMMAND = (sys.executable, "-c", "raise KeyError('a bug')")
process.run_parser.__defaults__ = (process.COMMAND,)
from mst_core.__main__ import main
main(["read", "tune.mid"])
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (told.returncode, told.stdout) == (2, "")
    assert re.fullmatch(r"error: tune\.mid: reading this file was given up: .*\n", told.stderr)
