"""The MIDI, MusicXML and ABC files that one run writes agree note for note."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner

from mst_core.__main__ import main
from mst_core.music import Melody
from mst_core.studio import Studio
from mst_core.styles import default_models_dir
from tests.support.one_reading import bars_and_notes, form, read_files

HEAD = "X:1\nT:{title}\nM:{meter}\nL:1/8\nQ:1/4=120\nK:{key}\n{music}\n"
TUNES = {
    "bracket": (
        "12/8", "C",
        "|:E3 EFG AGF EDC|GAB cBA GFE DEC|E3 EFG AGF EDC|GAB cBA [1 G3 C3:|[2 C3 C2 z|]",
    ),
    "pickup": (
        "6/8", "G",
        "|: D | GBd gdB | cec ABc | BcB AGF | G3 G2 :|: d | gfe dcB | cec ABc | BcB AGF | G3 G2 :|",
    ),
    "endings": (
        "4/4", "D",
        "A2 |: d2fd Adfd | e2c2 z2 A2 |1 d2fd gfed | e2c2 d2A2 :|2 d2fd gfed | e2c2 d4 |]",
    ),
    "padded": (
        "4/4", "D", "|: d2fd Adfd | e2c2 A2 :|: d2fd gfed | e2c2 d2 :| A2 | d2fd gfed | e2c2 d2 |]",
    ),
    "three": (
        "4/4", "G", "|: G2AB c2BA | G2D2 [1 B4 :|2 A4 :|3 G4 || c2ec B2dB | A2F2 G4 |]",
    ),
    "meters": ("3/4", "C", "e2d2c2 | g6 | [M:4/4] cdef g4 | agfe d4 | [M:3/4] e2d2c2 | c6 |]"),
}  # fmt: skip
RUNS = {
    "unchanged": ["--rhythm", "folk", "--strength", "0"],
    "jazz": ["--rhythm", "jazz", "--strength", "1", "--seed", "7"],
    "march": ["--rhythm", "folk", "--strength", "0.6", "--meter", "2/4", "--seed", "8"],
}


@pytest.fixture(scope="module")
def opened() -> Studio:
    return Studio.open(default_models_dir(), None, "cpu")


@pytest.fixture(autouse=True)
def studio(opened: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The studio with the shipped styles, opened once for all tests."""
    monkeypatch.setattr(Studio, "open", lambda models, soundfont, device: opened)
    monkeypatch.delenv("MST_MODELS_DIR", raising=False)


def run(folder: Path, command: Sequence[str]) -> None:
    """Run a command and check that its three files agree."""
    out = [folder / f"out.{suffix}" for suffix in ("mid", "musicxml", "abc")]
    options = [each for path in out for each in ("-o", str(path))]
    done = CliRunner().invoke(main, [*command, *options])
    assert done.exit_code == 0, done.output
    read = read_files(*(path.read_bytes() for path in out))
    assert bars_and_notes(read.abc) == bars_and_notes(read.musicxml)
    assert form(read.abc) == form(read.musicxml)
    if read.musicxml.notes[0].onset <= 0:
        assert bars_and_notes(read.midi) == bars_and_notes(read.musicxml)
    else:
        # Silence at the beginning of a MIDI file may be a rest or the bar of a pickup.
        assert from_first_note(read.midi) == from_first_note(read.musicxml)


def from_first_note(tune: Melody) -> list[tuple[Fraction, Fraction, int]]:
    """The notes, with onsets counted from the first."""
    return [(note.onset - tune.notes[0].onset, note.duration, note.pitch) for note in tune.notes]


@pytest.mark.parametrize("how", RUNS)
@pytest.mark.parametrize("name", TUNES)
def test_a_changed_tune_is_the_same_in_all_three_files(name: str, how: str, tmp_path: Path) -> None:
    meter, key, music = TUNES[name]
    tune = tmp_path / "tune.abc"
    tune.write_text(HEAD.format(title=name, meter=meter, key=key, music=music))
    run(tmp_path, ["rerhythm", str(tune), *RUNS[how]])


@pytest.mark.parametrize("style", ["folk", "jazz", "chorale"])
@pytest.mark.parametrize("seed", range(1, 5))
def test_a_new_tune_is_the_same_in_all_three_files(style: str, seed: int, tmp_path: Path) -> None:
    run(tmp_path, ["compose", style, "--bars", "8", "--seed", str(seed)])
