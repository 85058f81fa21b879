"""The command line with a fake composer: options, output, errors, help."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import click
import pytest
from click.testing import CliRunner, Result

from mst_core import __version__
from mst_core.__main__ import main
from tests.support.fake_composer import FakeComposer
from tests.support.paths import PROJECT

CARD = """
title = "{title}"
description = "Scales, up and down."
instrument = "a tin whistle"
program = 78
lowest = 60
highest = 84
meters."4/4" = {{ weight = 0.4, tempo = 120.0, name = "reel" }}
meters."6/8" = {{ weight = 0.6, tempo = 150.0, name = "jig" }}
keys = {{ D = 1.0 }}
forms = {{ AABB = 1.0 }}
"""


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    for name in ("folk", "jazz", "failing", "unwilling"):
        (folder / name).mkdir(parents=True)
        (folder / name / "style.toml").write_text(CARD.format(title=name.capitalize()))
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    path = tmp_path / "folder"
    path.mkdir()
    monkeypatch.chdir(path)
    return path


@pytest.fixture
def mst(models: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> type[Mst]:
    module = ModuleType("mst_core.composing.composer")
    module.Composer = SimpleNamespace(open=lambda models, device, on_stage: FakeComposer(models))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setenv("MST_MODELS_DIR", str(models))
    return Mst


class Mst:
    """A call of the command."""

    def __init__(self, *arguments: str) -> None:
        self.result: Result = CliRunner().invoke(main, arguments)
        self.status = self.result.exit_code
        self.out = self.result.stdout
        self.err = self.result.stderr


def test_without_an_output_the_tune_is_printed_as_abc(mst: type[Mst], folder: Path) -> None:
    call = mst("compose", "folk", "--key", "G", "--seed", "7")
    assert call.status == 0
    assert call.out.startswith("X:1\nT:Reel in G major, no. 7\n")
    assert "seed 7" in call.err
    assert not [*folder.iterdir()]


def test_the_ending_picks_the_format_and_all_files_are_written(
    mst: type[Mst], folder: Path
) -> None:
    call = mst("compose", "folk", "--bars", "4", "-o", "a.mid", "-o", "a.ABC", "-o", "b.mid")
    assert call.status == 0
    assert sorted(path.name for path in folder.iterdir()) == ["a.ABC", "a.mid", "b.mid"]
    assert (folder / "a.mid").read_bytes() == (folder / "b.mid").read_bytes()
    assert (folder / "a.mid").read_bytes()[:4] == b"MThd"
    assert call.err == ""


def test_a_long_score_is_written_as_numbered_pages_and_as_one_pdf(
    mst: type[Mst], folder: Path
) -> None:
    call = mst(
        *("compose", "folk", "--bars", "64", "--meter", "4/4"),
        *("-o", "a.png", "-o", "a.svg", "-o", "a.pdf", "-o", "a.mid"),
    )
    assert call.status == 0
    written = ["a.mid", "a.pdf", "a.png", "a.svg", "a-2.png", "a-2.svg"]
    assert {path.name for path in folder.iterdir()} == {*written}
    assert {*call.out.splitlines()[-6:]} == {*written}
    assert "a.png: the score has 2 pages, up to a-2.png\n" in call.err
    assert (folder / "a.pdf").read_bytes().count(b"/Type /Page ") == 2


def test_a_page_never_replaces_a_file_that_was_asked_for(mst: type[Mst], folder: Path) -> None:
    mst("compose", "folk", "--bars", "64", "--meter", "4/4", "-o", "a.svg", "-o", "a-2.svg")
    assert (folder / "a.svg").read_bytes() == (folder / "a-2.svg").read_bytes()


def test_a_light_picture_is_black_on_white(mst: type[Mst], folder: Path) -> None:
    mst("compose", "folk", "--seed", "1", "-o", "dark.svg")
    mst("compose", "folk", "--seed", "1", "--light", "-o", "light.svg")
    dark, light = ((folder / name).read_text() for name in ("dark.svg", "light.svg"))
    assert "fill:#ffffff" in light
    assert "fill:#1e1f22" in dark
    assert dark != light


def test_written_files_have_the_permissions_of_the_umask(mst: type[Mst], folder: Path) -> None:
    before = os.umask(0o027)
    try:
        mst("compose", "folk", "-o", "a.abc")
    finally:
        os.umask(before)
    assert (folder / "a.abc").stat().st_mode & 0o777 == 0o640


def test_json_is_one_object_with_receipt_and_files(mst: type[Mst]) -> None:
    call = mst("transfer", "--pitch", "jazz", "--rhythm", "folk", "--json", "-o", "a.abc")
    receipt = json.loads(call.out)
    assert (receipt["pitch"], receipt["rhythm"], receipt["bars"]) == ("jazz", "folk", 16)
    assert (receipt["files"], receipt["version"]) == (["a.abc"], __version__)
    assert call.err == ""


def test_json_without_an_output_holds_the_tune(mst: type[Mst]) -> None:
    receipt = json.loads(mst("compose", "folk", "--json").out)
    assert receipt["files"] == []
    assert receipt["abc"].startswith("X:1\n")


def test_a_random_seed_is_reported_and_gives_the_same_tune_again(mst: type[Mst]) -> None:
    first = json.loads(mst("compose", "folk", "--json").out)
    again = json.loads(mst("compose", "folk", "--json", "--seed", str(first["seed"])).out)
    assert again == first


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("compose polka -o a.abc", "there are: failing, folk, jazz, unwilling"),
        ("compose folk --bars 3 -o a.abc", "choose 4 to 64"),
        ("compose folk --bars many -o a.abc", "not a valid integer"),
        ("compose folk --meter 5/4 -o a.abc", "the meters of folk are 4/4, 6/8"),
        ("compose folk --key H -o a.abc", "write it as D, Em"),
        ("compose folk --tempo 1000 -o a.abc", "choose 40 to 320"),
        ("compose folk --seed -1 -o a.abc", "seed cannot be"),
        ("compose folk -o a.abc -o a.flac", "the name must end in one of .mp3"),
        ("compose folk -o a.abc -o nowhere/a.mid", "there is no folder nowhere"),
        ("compose folk -o a.abc -o ../models", "the name must end in one of"),
        ("compose folk --colour red -o a.abc", "No such option"),
        ("compose unwilling -o a.abc", "never content"),
        ("compose", "Missing argument 'STYLE'"),
        ("compose folk --models nowhere", "does not exist"),
        ("transfer --pitch folk", "--rhythm STYLE is missing: a new tune needs both"),
        ("transfer --rhythm folk", "--pitch STYLE is missing: a new tune needs both"),
        ("transfer --pitch folk --rhythm jazz --strength 0.5", "--strength is about a tune of"),
        ("transfer --pitch folk --rhythm jazz --keep-bars 1", "--keep-bars is about a tune of"),
        ("transfer --pitch folk --rhythm jazz --variants 2", "--variants is about a tune of"),
        ("transfer tune.mid --pitch folk --bars 8 -o a.abc", "--bars is for new tunes"),
        ("transfer tune.mid -o a.abc", "name a target: --pitch"),
        ("transfer tune.mid --pitch folk -o a.abc", "tune.mid: no such file"),
        ("mashup tune.mid -o a.abc", "Missing argument 'RHYTHM_FILE'"),
        ("mashup a.mid b.mid -o a.abc", "b.mid: no such file"),
        ("sing", "No such command 'sing'"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_file(
    typed: str, words: str, mst: type[Mst], folder: Path
) -> None:
    call = mst(*typed.split())
    assert call.status == 2
    assert re.fullmatch(r"error: .+\n", call.err)
    assert words in call.err
    assert call.out == ""
    assert not [*folder.iterdir()]


def test_style_names_are_case_insensitive(mst: type[Mst]) -> None:
    call = mst("transfer", "--pitch", "JAZZ", "--rhythm", "Folk", "--json")
    receipt = json.loads(call.out)
    assert (receipt["pitch"], receipt["rhythm"]) == ("jazz", "folk")


def test_a_folder_is_refused_as_output(mst: type[Mst], folder: Path) -> None:
    (folder / "album.mid").mkdir()
    call = mst("compose", "folk", "-o", "album.mid")
    assert (call.status, call.err.count("\n")) == (2, 1)
    assert "it is a folder" in call.err


def test_a_bug_is_one_line_that_names_a_log_with_the_traceback(
    mst: type[Mst], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    call = mst("compose", "failing", "-o", "a.abc")
    assert call.status == 1
    found = re.fullmatch(r"error: internal error: .*in (\S+\.log)\n", call.err)
    assert found
    assert "ZeroDivisionError: a bug in the composer" in Path(found[1]).read_text()
    assert not [*folder.iterdir()]


def test_a_missing_soundfont_has_status_1(
    mst: type[Mst], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "empty.sf2").touch()
    call = mst("compose", "folk", "--soundfont", str(tmp_path / "empty.sf2"), "-o", "a.wav")
    assert call.status == 1
    assert re.fullmatch(r"error: no SoundFont was found at .*empty\.sf2.*\.log\)\n", call.err)
    assert not [*folder.iterdir()]


def test_control_c_exits_with_status_130(mst: type[Mst], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeComposer, "compose", interrupt)
    call = mst("compose", "folk")
    assert (call.status, call.out) == (130, "")


def test_the_styles_are_listed_with_their_most_frequent_meter_first(mst: type[Mst]) -> None:
    call = mst("styles")
    assert call.status == 0
    assert "folk: Folk. Scales, up and down." in call.out
    assert "6/8 (jig), 4/4 (reel); played on a tin whistle" in call.out
    receipt = json.loads(mst("styles", "--json").out)
    assert [*receipt["styles"]] == ["failing", "folk", "jazz", "unwilling"]


def test_a_broken_style_is_named(mst: type[Mst], models: Path) -> None:
    (models / "folk" / "style.toml").write_text("title = 1")
    call = mst("compose", "folk")
    assert (call.status, call.err.count("\n")) == (2, 1)
    assert "the style 'folk' cannot be loaded" in call.err


def test_a_broken_style_does_not_hide_the_others(mst: type[Mst], models: Path) -> None:
    (models / "folk" / "style.toml").write_text("title = 1")
    call = mst("styles")
    assert call.status == 0
    assert "jazz" in call.out
    assert "folk" not in call.out


def test_every_command_has_help_with_an_example(mst: type[Mst]) -> None:
    assert isinstance(main, click.Group)
    for call in (mst(), mst("--help")):
        assert call.status == 0
        assert "mst compose folk -o tune.mp3" in call.out
    for command in ("compose", "transfer", "mashup", "styles"):
        call = mst(command, "--help")
        assert call.status == 0
        assert f"    mst {command}" in call.out
    assert mst("--version").out == f"mst {__version__}\n"


def run_mst(*arguments: str, models: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mst_core", *arguments],
        env=os.environ | {"MST_MODELS_DIR": str(models)},
        capture_output=True,
        text=True,
    )


def test_the_real_command_lists_styles_and_refuses_bad_input(models: Path) -> None:
    listed = run_mst("styles", models=models)
    assert (listed.returncode, listed.stderr) == (0, "")
    refused = run_mst("compose", "folk", "--bars", "1000", models=models)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert re.fullmatch(r"error: bars cannot be '1000'.*\n", refused.stderr)


def test_help_and_styles_load_nothing_heavy(models: Path) -> None:
    program = """
import sys
from mst_core.__main__ import main
try:
    main(sys.argv[1:])
finally:
    print({"torch", "music21", "verovio", "fluidsynth", "numpy"} & {*sys.modules})
"""
    for arguments in (["--help"], ["styles", "--models", str(models)], ["compose", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
        )
        assert done.stdout.endswith("set()\n")


FAKE_MST = """
import sys
from types import ModuleType, SimpleNamespace
sys.path.insert(0, sys.argv.pop(1))
from tests.support.fake_composer import FakeComposer
module = ModuleType("mst_core.composing.composer")
module.Composer = SimpleNamespace(open=lambda models, device, on_stage: FakeComposer(models))
sys.modules[module.__name__] = module
from mst_core.__main__ import main
main()
"""


def test_progress_is_shown_on_a_terminal(models: Path) -> None:
    ours, theirs = pty.openpty()
    here = str(PROJECT)
    done = subprocess.run(
        [sys.executable, "-c", FAKE_MST, here, "compose", "folk", "--models", str(models)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    assert "50%  composing" in shown
    assert "100%  drawing" in shown
    assert done.stdout.startswith(b"X:1\n")
