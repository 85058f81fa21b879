"""``mst rerhythm`` with real files, the real parser and the shipped styles."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import mido
import pytest
from click.testing import CliRunner, Result

from mst_core.__main__ import main
from mst_core.generation.composition import Composition
from mst_core.jobs import Job, Progress
from mst_core.music import Melody, Note
from mst_core.notation.midi import write_midi
from mst_core.reading.abc.read import read_abc_score
from mst_core.reading.midi.read import read_midi
from mst_core.studio import Studio
from mst_core.styles import default_models_dir

REEL = """X:1
T:A Reel of Ours
M:4/4
L:1/8
Q:1/4=180
K:D
A2 | d2fd Adfd | e2c2 z2 A2 | d2fd gfed | e2c2 d2 |]
"""
JIG = """X:1
T:A Jig of Ours
M:6/8
L:1/8
Q:3/8=110
K:G
D | GBd gdB | cec ABc | BcB AGF | G3 G2 |]
"""

pytestmark = pytest.mark.usefixtures("studio")


@pytest.fixture(scope="session")
def _opened() -> Studio:
    return Studio.open(default_models_dir(), None, "cpu")


@pytest.fixture
def studio(_opened: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The studio with the shipped styles, opened once for all tests."""
    monkeypatch.setattr(Studio, "open", lambda models, soundfont, device: _opened)
    monkeypatch.delenv("MST_MODELS_DIR", raising=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two tunes and a file that is none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reel.mid").write_bytes(
        write_midi(read_abc_score(REEL).melody, program=73, title="A Reel")
    )
    (tmp_path / "jig.abc").write_text(JIG)
    (tmp_path / "torn.mid").write_bytes((tmp_path / "reel.mid").read_bytes()[:40])
    return tmp_path


def mst(typed: str) -> Result:
    return CliRunner().invoke(main, typed.split())


def made(folder: Path) -> list[str]:
    """Return the files of the folder, hidden ones too, without the three inputs."""
    files = (path for path in folder.rglob("*") if path.is_file())
    names = {str(path.relative_to(folder)) for path in files}
    return sorted(names - {"reel.mid", "jig.abc", "torn.mid"})


def objects(call: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in call.stdout.splitlines()]


def melody_of(path: Path) -> Melody:
    return read_midi(path.read_bytes()).melody


def test_a_tune_keeps_its_pitches_and_its_bars_and_gets_another_rhythm(folder: Path) -> None:
    call = mst("rerhythm reel.mid --rhythm jazz --seed 7 -o jazzed.mid -o jazzed.abc")
    assert (call.exit_code, call.stderr) == (0, "")
    assert made(folder) == ["jazzed.abc", "jazzed.mid"]
    before, after = melody_of(folder / "reel.mid"), melody_of(folder / "jazzed.mid")
    assert after.pitches == before.pitches
    assert after.notes != before.notes
    assert (after.bar_count, after.meter, after.key) == (before.bar_count, before.meter, before.key)
    assert call.stdout.startswith("reel.mid: jazz rhythm, strength 1.00: 4 bars of 4/4 in D major")
    assert call.stdout.endswith("jazzed.mid\njazzed.abc\n")


@pytest.mark.parametrize("file", ["reel.mid", "jig.abc"])
def test_strength_0_is_the_original_note_for_note(file: str, folder: Path) -> None:
    call = mst(f"rerhythm {file} --rhythm jazz --strength 0 --json -o same.mid")
    assert objects(call)[0]["changed"] == 0
    original = melody_of(folder / file) if file == "reel.mid" else read_abc_score(JIG).melody
    same = melody_of(folder / "same.mid")
    assert same.notes == original.notes
    assert (same.meter, same.bar_count, same.key) == (
        original.meter,
        original.bar_count,
        original.key,
    )
    assert same.tempo == pytest.approx(original.tempo, rel=1e-5)


def test_files_strengths_and_variants_are_named_in_the_folder(folder: Path) -> None:
    call = mst(
        "rerhythm reel.mid jig.abc --rhythm jazz --strength 0,0.5 --variants 2 --seed 7 "
        "--out-dir new/tunes --formats mid,abc --json"
    )
    assert (call.exit_code, call.stderr) == (0, "")
    assert made(folder) == sorted(
        f"new/tunes/{stem}.{strength}.v{variant}.{format}"
        for stem in ("reel", "jig")
        for strength in ("0.00", "0.50")
        for variant in (1, 2)
        for format in ("mid", "abc")
    )
    reported = objects(call)
    assert [(each["input"], each["strength"], each["seed"]) for each in reported[:4]] == [
        ("reel.mid", 0, 7),
        ("reel.mid", 0, 8),
        ("reel.mid", 0.5, 7),
        ("reel.mid", 0.5, 8),
    ]
    assert reported[0]["files"] == ["new/tunes/reel.0.00.v1.mid", "new/tunes/reel.0.00.v1.abc"]
    assert [each["source"] for each in reported[::4]] == ["A Reel", "A Jig of Ours"]


def test_good_files_are_written_and_bad_ones_reported(folder: Path) -> None:
    call = mst("rerhythm torn.mid jig.abc gone.mid --rhythm folk --out-dir new")
    assert call.exit_code == 2
    assert made(folder) == ["new/jig.1.00.mid"]
    torn, gone, count = call.stderr.splitlines()
    assert torn.startswith("error: torn.mid")
    assert gone.startswith("error: gone.mid: no such file or directory; MIDI (.mid")
    assert count == "1 of 3 files done"
    assert call.stdout.endswith("new/jig.1.00.mid\n")


def test_of_two_files_with_one_name_the_second_gets_a_number(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "jig.abc").write_text(JIG)
    (folder / "jig-2.abc").write_text(JIG)
    call = mst(
        "rerhythm jig.abc other/jig.abc jig-2.abc --rhythm jazz --strength 0 --out-dir new --json"
    )
    assert [(each["input"], each["files"]) for each in objects(call)] == [
        ("jig.abc", ["new/jig.0.00.mid"]),
        ("other/jig.abc", ["new/jig-3.0.00.mid"]),
        ("jig-2.abc", ["new/jig-2.0.00.mid"]),
    ]


def test_the_rhythm_of_one_tune_can_be_the_target_and_kept_bars_are_unchanged(folder: Path) -> None:
    call = mst("rerhythm reel.mid --like reel.mid --keep-bars 1,3-4 --seed 2 --json -o a.mid")
    (reported,) = objects(call)
    assert (reported["rhythm"], reported["notes"]) == (
        "",
        len(melody_of(folder / "reel.mid").notes),
    )
    before, after = melody_of(folder / "reel.mid").notes, melody_of(folder / "a.mid").notes

    def kept(note: Note) -> bool:
        return 0 <= note.onset < 4 or note.onset >= 8

    assert [n for n in after if kept(n)] == [n for n in before if kept(n)]


def test_without_an_output_the_tune_is_printed_as_abc(folder: Path) -> None:
    call = mst("rerhythm reel.mid --rhythm jazz --seed 7")
    assert call.stdout.startswith("X:1\nT:A Reel\nM:4/4\n")
    assert "seed 7" in call.stderr
    assert made(folder) == []


def test_the_same_call_gives_the_same_files(folder: Path) -> None:
    for name in ("a", "b"):
        mst(f"rerhythm reel.mid --rhythm jazz --seed 7 --out-dir {name} --formats mid,abc")
    for file in (folder / "a").iterdir():
        assert file.read_bytes() == (folder / "b" / file.name).read_bytes()
    assert len(made(folder)) == 4


def test_a_performed_file_swings_and_the_written_one_does_not(folder: Path) -> None:
    for option, name in (("", "score"), ("--performed", "played")):
        assert (
            mst(f"rerhythm reel.mid --rhythm jazz --seed 7 {option} -o {name}.mid").exit_code == 0
        )
    places: dict[str, list[int]] = {}
    for name in ("score", "played"):
        file = mido.MidiFile(file=BytesIO((folder / f"{name}.mid").read_bytes()))
        now, places[name] = 0, []
        for message in file.tracks[0]:
            now += message.time
            if message.type == "note_on" and message.velocity:
                places[name].append(now * 960 // file.ticks_per_beat % 960)
    written, played = places["score"], places["played"]
    assert len(written) == len(played)
    offbeats = [b for a, b in zip(written, played, strict=True) if a == 480]
    assert max(offbeats) > 500
    assert not any(place % 40 for place in written)


def test_other_tracks_stay(folder: Path) -> None:
    file = mido.MidiFile(folder / "reel.mid")
    bass = mido.MidiTrack([mido.MetaMessage("track_name", name="Bass")])
    bass.append(mido.Message("program_change", channel=2, program=32))
    for pitch in (38, 38, 45, 38):
        bass.append(mido.Message("note_on", channel=2, note=pitch, velocity=70))
        bass.append(mido.Message("note_off", channel=2, note=pitch, time=960))
    band = mido.MidiFile(type=1, ticks_per_beat=480, tracks=[*file.tracks, bass])
    band.save(folder / "band.mid")
    for name, option in (("new", ""), ("played", "--performed")):
        mst(f"rerhythm band.mid --track 1 --rhythm jazz --strength 0 {option} -o {name}.mid")
        tracks = mido.MidiFile(folder / f"{name}.mid").tracks
        (found,) = (track for track in tracks if track.name == "Bass")
        pitches = [each.note for each in found if each.type == "note_on" and each.velocity]
        assert pitches == [38, 38, 45, 38]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("reel.mid --rhythm jazz --strength 1.5 -o a.mid", "strength cannot be '1.5': choose 0"),
        ("reel.mid --rhythm jazz --strength 0,half -o a.mid", "several as 0,0.5,1"),
        ("reel.mid --rhythm jazz --strength nan -o a.mid", "strength cannot be 'nan'"),
        ("reel.mid --rhythm jazz --strength 0.501,0.502 --out-dir new", "two of them are 0.50"),
        ("reel.mid --rhythm jazz --strength 0,1 -o a.mid", "to write 2 versions, name a folder"),
        ("reel.mid jig.abc --rhythm jazz -o a.mid", "to write 2 files, name a folder"),
        ("reel.mid --rhythm jazz --like jig.abc -o a.mid", "rhythm and like cannot be 'both'"),
        ("reel.mid -o a.mid", "choose a rhythm: name a style, or one tune to imitate"),
        ("reel.mid --rhythm polka -o a.mid", "there are: chorale, folk, jazz, strathspey"),
        ("reel.mid --like gone.mid -o a.mid", "gone.mid: no such file"),
        ("reel.mid --rhythm jazz --keep-bars 3-5 -o a.mid", "the tune has bars 1 to 4"),
        ("reel.mid jig.abc --rhythm jazz --keep-bars one --out-dir new", "write bars as 1-4,9"),
        ("reel.mid --rhythm jazz --track 2 -o a.mid", "reel.mid: track cannot be '2'"),
        ("jig.abc --rhythm jazz --track 2 -o a.mid", "jig.abc: track cannot be '2'"),
        ("reel.mid --rhythm jazz --meter waltz -o a.mid", "write it as 4/4"),
        ("reel.mid --rhythm jazz --meter 5/3 -o a.mid", "write it as 4/4"),
        ("reel.mid --rhythm jazz --seed -1 -o a.mid", "seed cannot be '-1'"),
        ("reel.mid --rhythm jazz --variants 0 -o a.mid", "--variants"),
        ("reel.mid --rhythm jazz -o a.flac", "the name must end in one of .mp3"),
        ("reel.mid --rhythm jazz --out-dir reel.mid/new", "is not a folder"),
        ("reel.mid --rhythm jazz --out-dir new --formats mid,flac", "choose from mp3"),
        ("reel.mid --rhythm jazz --out-dir new -o a.mid", "either -o or --out-dir"),
        ("reel.mid --rhythm jazz --formats mid", "they go with --out-dir"),
        ("reel.mid --rhythm jazz --performed -o a.abc", "it is about MIDI files"),
        ("torn.mid --rhythm jazz --out-dir new", "torn.mid"),
        ("--rhythm jazz -o a.mid", "Missing argument 'FILE...'"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_file(typed: str, words: str, folder: Path) -> None:
    call = mst(f"rerhythm {typed}")
    assert call.exit_code == 2
    assert re.fullmatch(r"error: .+\n", call.stderr)
    assert words in call.stderr
    assert call.stdout == ""
    assert made(folder) == []
    assert not (folder / "new").exists()


def test_a_late_failure_leaves_no_file_and_does_not_stop_the_others(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = tmp_path_factory.mktemp("logs")
    monkeypatch.setattr("tempfile.tempdir", str(logs))
    (folder / "new" / "reel.1.00.abc").mkdir(parents=True)
    compose = Studio.compose

    def fail(studio: Studio, job: Job, on_progress: Callable[[Progress], None]) -> Composition:
        if job.scores["source"].title.startswith("A Jig"):
            raise ZeroDivisionError("a bug")
        return compose(studio, job, on_progress)

    monkeypatch.setattr(Studio, "compose", fail)
    (folder / "third.mid").write_bytes((folder / "reel.mid").read_bytes())
    call = mst("rerhythm reel.mid jig.abc third.mid --rhythm jazz --out-dir new --formats mid,abc")
    assert call.exit_code == 1
    assert made(folder) == ["new/third.1.00.abc", "new/third.1.00.mid", "third.mid"]
    occupied, bug, count = call.stderr.splitlines()
    assert "it is a folder" in occupied
    log = re.fullmatch(r"error: jig\.abc: internal error: .* in (\S+\.log)", bug)
    assert log
    assert "ZeroDivisionError: a bug" in Path(log[1]).read_text()
    assert count == "1 of 3 files done"


def test_the_real_command_makes_sound_and_shows_a_bar_at_a_terminal(folder: Path) -> None:
    ours, theirs = pty.openpty()
    typed = "rerhythm reel.mid torn.mid --rhythm jazz --seed 7 --out-dir new --formats mid,ogg"
    done = subprocess.run(
        [sys.executable, "-m", "mst_core", *typed.split()],
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=False,
    )
    os.close(theirs)
    output = b""
    with suppress(OSError):  # raised when no process has the other end open any more
        while chunk := os.read(ours, 65_536):
            output += chunk
    os.close(ours)
    shown = output.decode()
    assert done.returncode == 2
    assert (folder / "new" / "reel.1.00.ogg").read_bytes()[:4] == b"OggS"
    assert "█" in shown
    assert "1 of 2: " in shown
    assert "composing" in shown
    assert "error: torn.mid" in shown
    assert b"\r" not in done.stdout
    assert done.stdout.endswith(b"new/reel.1.00.mid\nnew/reel.1.00.ogg\n")
