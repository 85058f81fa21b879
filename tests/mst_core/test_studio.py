"""The studio with real sound and real scores; only the composer is fake."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import wave
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import mido
import numpy as np
import pytest

from mst_core import __version__
from mst_core.errors import BadOption, NoSound, NoSoundFont, UnknownStyle
from mst_core.generation.composition import Composition
from mst_core.jobs import FORMATS, Compose, Job, Progress, draw_seed, validate
from mst_core.reading.abc.read import read_abc_score
from mst_core.sound.fluidsynth import FluidSynth
from mst_core.sound.performance import Performance
from mst_core.sound.soundfont import find_soundfont
from mst_core.sound.synth import SAMPLE_RATE, Samples, Synth
from mst_core.studio import Studio
from tests.support.fake_composer import CARD, FakeComposer, write_scale
from tests.support.paths import PROJECT

SHORT = Compose(pitch="folk", rhythm="jazz", seed=3, bars=4, meter="6/8", key="Em", tempo=180.0)
STYLES = {"folk": CARD, "jazz": CARD}


def make_studio(player: Synth | None = None) -> Studio:
    def open_player() -> Synth:
        if player is None:
            raise NoSoundFont("nowhere")
        return player

    return Studio(FakeComposer(Path()), open_player)


def silent(progress: Progress) -> None:
    """Hear progress and say nothing."""


class Tone:
    """A player that is always ready with a tone."""

    def __init__(self) -> None:
        self.closed = False

    def render(self, performance: Performance, *, program: int) -> Samples:
        return np.full((int(performance.seconds * SAMPLE_RATE), 2), 0.1, dtype=np.float32)

    def close(self) -> None:
        self.closed = True


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    studio = make_studio(FluidSynth(find_soundfont(None)))
    rendition = studio.run(Job("all", SHORT, FORMATS), silent)
    studio.close()
    return rendition.files


def test_every_format_is_made_in_the_order_of_asking(files: dict[str, bytes]) -> None:
    assert tuple(files) == FORMATS


def test_the_recording_sounds_for_as_long_as_the_tune(files: dict[str, bytes]) -> None:
    melody = write_scale(SHORT)
    with wave.open(io.BytesIO(files["wav"])) as recording:
        assert (recording.getnchannels(), recording.getframerate()) == (2, 48_000)
        frames = np.frombuffer(recording.readframes(recording.getnframes()), "<i2")
    assert melody.seconds - 0.5 < len(frames) / 2 / 48_000 < melody.seconds + 5
    assert abs(frames).max() > 3_000
    assert files["mp3"][:3] == b"ID3" or files["mp3"][0] == 0xFF
    assert files["ogg"].startswith(b"OggS")


def test_every_score_holds_the_same_notes(files: dict[str, bytes]) -> None:
    melody = write_scale(SHORT)
    assert read_abc_score(files["abc"].decode()).melody.pitches == melody.pitches
    midi = mido.MidiFile(file=io.BytesIO(files["mid"]))
    struck = [event.note for event in midi if event.type == "note_on" and event.velocity]
    assert tuple(struck) == melody.pitches
    sheet = ElementTree.fromstring(files["musicxml"])  # noqa: S314  our own file
    assert len(sheet.findall(".//note/pitch")) == len(melody.notes)
    assert files["png"].startswith(b"\x89PNG")
    assert files["svg"].startswith((b"<?xml", b"<svg"))


def test_a_score_is_titled_by_its_dance_its_key_and_its_number(files: dict[str, bytes]) -> None:
    assert "T:Jig in E minor, no. 3\n" in files["abc"].decode()


def test_the_receipt_tells_what_was_made_and_how_to_make_it_again() -> None:
    receipt = make_studio().run(Job("one", SHORT, ("abc",)), silent).receipt
    assert (receipt.pitch, receipt.rhythm, receipt.seed) == ("folk", "jazz", 3)
    assert (receipt.meter, receipt.key, receipt.tempo) == ("6/8", "E minor", 180.0)
    assert (receipt.bars, receipt.notes, receipt.form) == (4, 24, "AABB")
    assert (receipt.seconds, receipt.version) == (4.0, __version__)


def test_progress_rises_through_the_stages_to_the_whole() -> None:
    told: list[Progress] = []
    make_studio(Tone()).run(Job("one", SHORT, ("wav", "abc", "mid")), told.append)
    shares = [progress.share for progress in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert told[0] == Progress("composing", 0)
    assert {progress.stage for progress in told} == {"composing", "playing", "drawing"}


def test_progress_does_not_fall_with_a_composer_who_starts_again() -> None:
    class Hesitant(FakeComposer):
        def compose(self, request: Compose, tell: Callable[[float], None]) -> Composition:
            tell(0.8)
            tell(0.1)
            return super().compose(request, tell)

    told: list[float] = []
    studio = Studio(Hesitant(Path()), Tone)
    studio.run(Job("one", SHORT, ("abc",)), lambda progress: told.append(progress.share))
    assert told == sorted(told)


def test_the_score_is_drawn_while_the_tune_plays() -> None:
    drawn = threading.Event()

    class Patient(Tone):
        def render(self, performance: Performance, *, program: int) -> Samples:
            assert drawn.wait(60)
            return super().render(performance, program=program)

    def tell(progress: Progress) -> None:
        if progress.stage == "drawing":
            drawn.set()

    rendition = make_studio(Patient()).run(Job("one", SHORT, ("wav", "abc")), tell)
    assert set(rendition.files) == {"wav", "abc"}


def test_tunes_that_are_finished_at_the_same_time_give_what_each_gives_alone() -> None:
    studio = make_studio(FluidSynth(find_soundfont(None)))
    jobs = [
        Job(
            str(seed),
            Compose(pitch="folk", rhythm="folk", seed=seed, bars=4),
            ("mp3", "png", "mid"),
        )
        for seed in range(3)
    ]
    alone = [studio.run(job, silent) for job in jobs]
    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(lambda job: studio.run(job, silent), jobs))
    assert together == alone


def test_no_instruments_are_needed_until_a_tune_must_sound() -> None:
    studio = make_studio()
    studio.run(Job("one", SHORT, ("mid",)), silent)
    with pytest.raises(NoSoundFont):
        studio.run(Job("two", SHORT, ("mid", "mp3")), silent)
    with pytest.raises(NoSoundFont):
        studio.warm()


def test_the_instruments_are_opened_once_and_given_back() -> None:
    tone = Tone()
    opened: list[Tone] = []

    def open_player() -> Synth:
        opened.append(tone)
        return tone

    studio = Studio(FakeComposer(Path()), open_player)
    studio.warm()
    studio.run(Job("one", SHORT, ("wav",)), silent)
    studio.close()
    assert len(opened) == 1
    assert tone.closed


def test_silence_is_an_error_and_no_rendition() -> None:
    class Mute(Tone):
        def render(self, performance: Performance, *, program: int) -> Samples:
            return super().render(performance, program=program) * 0

    with pytest.raises(NoSound):
        make_studio(Mute()).run(Job("one", SHORT, ("wav", "abc")), silent)


def test_whoever_listens_can_end_the_job() -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == "drawing":
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        make_studio().run(Job("one", SHORT, ("abc", "mid")), stop)


def test_what_is_not_asked_for_is_not_loaded() -> None:
    program = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.support.fake_composer import FakeComposer
from mst_core.jobs import Compose, Job
from mst_core.studio import Studio
job = Job("one", Compose(pitch="folk", rhythm="folk", seed=1), ("abc", "mid"))
Studio(FakeComposer(Path()), exit).run(job, lambda progress: None)
print({"torch", "music21", "verovio", "fluidsynth", "pydub"} & {*sys.modules})
"""
    here = str(PROJECT)
    done = subprocess.run([sys.executable, "-c", program, here], capture_output=True, check=True)
    assert done.stdout == b"set()\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bars": 3}, "bars cannot be '3': choose 4 to 64"),
        ({"bars": 65}, "bars cannot be '65'"),
        ({"seed": -1}, "seed cannot be '-1'"),
        ({"seed": 2**31}, "choose 0 to 2147483647"),
        ({"tempo": 39.9}, "choose 40 to 320 quarter notes per minute"),
        ({"tempo": float("nan")}, "tempo cannot be 'nan'"),
        ({"meter": "5/4"}, "the meters of jazz are 4/4, 6/8"),
        ({"meter": "waltz"}, "write it as 4/4"),
        ({"key": "H"}, "write it as D, Em"),
    ],
)
def test_an_option_that_cannot_be_is_refused_with_what_can(
    change: dict[str, object], words: str
) -> None:
    values = {name: getattr(SHORT, name) for name in SHORT.__struct_fields__} | change
    request = Compose(**values)
    with pytest.raises(BadOption) as caught:
        validate(request, STYLES)
    assert words in str(caught.value)
    with pytest.raises(BadOption):
        make_studio().run(Job("one", request, ("abc",)), silent)


@pytest.mark.parametrize(
    "request_",
    [Compose(pitch="polka", rhythm="folk", seed=1), Compose(pitch="folk", rhythm="polka", seed=1)],
)
def test_a_style_that_is_not_there_is_refused_with_those_that_are(request_: Compose) -> None:
    with pytest.raises(UnknownStyle, match="folk, jazz"):
        validate(request_, STYLES)


def test_a_format_that_nobody_writes_is_refused_before_the_work() -> None:
    with pytest.raises(BadOption, match="flac"):
        make_studio().run(Job("one", SHORT, ("abc", "flac")), silent)


def test_common_time_is_four_four() -> None:
    validate(Compose(pitch="folk", rhythm="folk", seed=1, meter="C"), STYLES)


def test_drawn_seeds_differ_and_can_be_asked_for_again() -> None:
    seeds = {draw_seed() for _ in range(50)}
    assert len(seeds) > 40
    for seed in seeds:
        validate(Compose(pitch="folk", rhythm="folk", seed=seed), STYLES)
