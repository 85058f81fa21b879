"""The files of a command: formats, names, and writing all or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from mst_core.cli.files import OutputSpec, parse_outputs, unique_stems, write_all_or_none
from mst_core.errors import BadOption


def test_files_with_the_same_stem_get_the_lowest_free_number() -> None:
    paths = [Path(name) for name in ("a/reel.mid", "b/reel.abc", "reel-2.mid", "c/reel.xml")]
    assert unique_stems(paths) == ["reel", "reel-3", "reel-2", "reel-4"]


def test_named_files_are_written_in_the_format_of_their_ending(tmp_path: Path) -> None:
    paths = [tmp_path / "a.mid", tmp_path / "b.ABC", tmp_path / "c.mid"]
    outputs = parse_outputs(paths, None, None)
    assert outputs.formats == ("mid", "abc")
    assert outputs.files_for("any", "1.00") == dict(zip(paths, ("mid", "abc", "mid"), strict=True))
    assert parse_outputs([], None, None) == OutputSpec({}, None, ("abc",))


def test_files_in_a_folder_are_named_by_input_and_variant(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    outputs = parse_outputs([], folder, " MID, .mp3,mid")
    assert outputs.files_for("reel", "0.50.v2") == {
        folder / "reel.0.50.v2.mid": "mid",
        folder / "reel.0.50.v2.mp3": "mp3",
    }
    (folder / "reel.1.00.mid").mkdir(parents=True)
    with pytest.raises(BadOption, match="it is a folder"):
        outputs.files_for("reel", "1.00")


def test_outputs_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for outputs, folder, formats, words in (
        ([tmp_path / "a.flac"], None, None, "the name must end in one of .mp3"),
        ([tmp_path / "gone" / "a.mid"], None, None, "there is no folder"),
        ([tmp_path / "a.mid"], tmp_path, None, "either -o or --out-dir"),
        ([tmp_path / "a.mid"], None, "mid", "they go with --out-dir"),
        ([], tmp_path, "mid,flac", "choose from mp3"),
        ([], tmp_path / "file" / "new", None, "is not a folder"),
    ):
        with pytest.raises(BadOption, match=words):
            parse_outputs(outputs, folder, formats)


def test_when_one_file_cannot_be_written_none_is(tmp_path: Path) -> None:
    (tmp_path / "there.abc").write_text("an older tune")
    with pytest.raises(FileNotFoundError):
        write_all_or_none({tmp_path / "there.abc": b"new", tmp_path / "gone" / "a.mid": b"new"})
    assert [path.read_text() for path in tmp_path.iterdir()] == ["an older tune"]
