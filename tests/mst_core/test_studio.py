"""The studio with real audio and real scores; only the composer is fake."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import mido
import numpy as np
import pytest
from msgspec import structs

from mst_core import __version__
from mst_core.errors import BadOption, NoSound, NoSoundFont
from mst_core.generation.composition import Composition
from mst_core.jobs import FORMATS, Job, Progress
from mst_core.music import Part, PartNote
from mst_core.reading.abc.read import read_abc_score
from mst_core.reading.parsed_score import ParsedScore
from mst_core.requests import Compose, Mashup, Request, Side, Transfer
from mst_core.sound.fluidsynth import FluidSynth
from mst_core.sound.performance import Performance
from mst_core.sound.soundfont import find_soundfont
from mst_core.sound.synth import SAMPLE_RATE, Samples, Synth
from mst_core.studio import Studio
from tests.support.fake_composer import FakeComposer, write_scale
from tests.support.paths import PROJECT

SHORT = Compose(pitch="folk", rhythm="jazz", seed=3, bars=4, meter="6/8", key="Em", tempo=180.0)


def make_studio(synth: Synth | None = None) -> Studio:
    """Return a studio with a fake composer; without a synthesizer no SoundFont is found."""

    def open_synth() -> Synth:
        if synth is None:
            raise NoSoundFont("nowhere")
        return synth

    return Studio(FakeComposer(Path()), open_synth)


class Tone:
    """A synthesizer without instruments."""

    def __init__(self) -> None:
        self.closed = False

    def stream(self, voices: Sequence[Performance]) -> Iterator[Samples]:
        yield np.full((int(voices[0].seconds * SAMPLE_RATE), 2), 0.1, dtype=np.float32)

    def close(self) -> None:
        self.closed = True


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    studio = make_studio(FluidSynth(find_soundfont(None)))
    rendition = studio.run(Job("all", SHORT, FORMATS))
    studio.close()
    return rendition.files


@pytest.mark.slow
def test_every_format_is_made_in_the_order_of_asking(files: dict[str, bytes]) -> None:
    assert tuple(files) == FORMATS


@pytest.mark.slow
def test_the_audio_is_as_long_as_the_tune(files: dict[str, bytes]) -> None:
    melody = write_scale(SHORT)
    with wave.open(io.BytesIO(files["wav"])) as recording:
        assert (recording.getnchannels(), recording.getframerate()) == (2, 48_000)
        frames = np.frombuffer(recording.readframes(recording.getnframes()), "<i2")
    assert melody.seconds - 0.5 < len(frames) / 2 / 48_000 < melody.seconds + 5
    assert abs(frames).max() > 3_000
    assert files["mp3"][:3] == b"ID3" or files["mp3"][0] == 0xFF
    assert files["ogg"].startswith(b"OggS")


@pytest.mark.slow
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
    assert files["pdf"].startswith(b"%PDF")


@pytest.mark.slow
def test_the_title_of_a_new_tune_names_its_dance_its_key_and_its_seed(
    files: dict[str, bytes],
) -> None:
    assert "T:Jig in E minor, no. 3\n" in files["abc"].decode()


def test_the_receipt_describes_the_tune_and_holds_its_seed() -> None:
    receipt = make_studio().run(Job("one", SHORT, ("abc",))).receipt
    assert (receipt.pitch, receipt.rhythm, receipt.seed) == ("folk", "jazz", 3)
    assert (receipt.meter, receipt.key, receipt.tempo) == ("6/8", "E minor", 180.0)
    assert (receipt.bars, receipt.notes, receipt.form) == (4, 24, "AABB")
    assert (receipt.seconds, receipt.version) == (4.0, __version__)


def test_progress_rises_through_the_stages_to_1() -> None:
    reported: list[Progress] = []
    make_studio(Tone()).run(Job("one", SHORT, ("wav", "abc", "mid")), reported.append)
    shares = [progress.share for progress in reported]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert reported[0] == Progress("composing", 0)
    assert {progress.stage for progress in reported} == {"composing", "playing", "drawing"}


def test_progress_does_not_fall_when_the_composer_starts_again() -> None:
    class Hesitant(FakeComposer):
        def compose(self, request: Compose, on_progress: Callable[[float], None]) -> Composition:
            on_progress(0.8)
            on_progress(0.1)
            return super().compose(request, on_progress)

    reported: list[float] = []
    studio = Studio(Hesitant(Path()), Tone)
    studio.run(Job("one", SHORT, ("abc",)), lambda progress: reported.append(progress.share))
    assert reported == sorted(reported)


def test_the_score_is_drawn_while_the_audio_is_made() -> None:
    drawn = threading.Event()

    class Patient(Tone):
        def stream(self, voices: Sequence[Performance]) -> Iterator[Samples]:
            assert drawn.wait(60)
            return super().stream(voices)

    def on_progress(progress: Progress) -> None:
        if progress.stage == "drawing":
            drawn.set()

    rendition = make_studio(Patient()).run(Job("one", SHORT, ("wav", "abc")), on_progress)
    assert set(rendition.files) == {"wav", "abc"}


@pytest.mark.slow
def test_tunes_rendered_at_the_same_time_are_the_same_as_alone() -> None:
    studio = make_studio(FluidSynth(find_soundfont(None)))
    jobs = [
        Job(
            str(seed),
            Compose(pitch="folk", rhythm="folk", seed=seed, bars=4),
            ("mp3", "png", "mid"),
        )
        for seed in range(3)
    ]
    alone = [studio.run(job) for job in jobs]
    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(lambda job: studio.run(job), jobs))
    assert together == alone


def test_no_soundfont_is_needed_without_audio() -> None:
    studio = make_studio()
    studio.run(Job("one", SHORT, ("mid",)))
    with pytest.raises(NoSoundFont):
        studio.run(Job("two", SHORT, ("mid", "mp3")))
    with pytest.raises(NoSoundFont):
        studio.warm()


def test_the_synthesizer_is_opened_once_and_closed() -> None:
    tone = Tone()
    opened: list[Tone] = []

    def open_synth() -> Synth:
        opened.append(tone)
        return tone

    studio = Studio(FakeComposer(Path()), open_synth)
    studio.warm()
    studio.run(Job("one", SHORT, ("wav",)))
    studio.close()
    assert len(opened) == 1
    assert tone.closed


def test_silence_is_an_error_and_no_rendition() -> None:
    class Mute(Tone):
        def stream(self, voices: Sequence[Performance]) -> Iterator[Samples]:
            return (samples * 0 for samples in super().stream(voices))

    with pytest.raises(NoSound):
        make_studio(Mute()).run(Job("one", SHORT, ("wav", "abc")))


def test_an_exception_of_the_progress_callback_ends_the_job() -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == "drawing":
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        make_studio().run(Job("one", SHORT, ("abc", "mid")), stop)


def test_libraries_of_other_formats_are_not_loaded() -> None:
    program = """
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.support.fake_composer import FakeComposer
from mst_core.jobs import Job
from mst_core.requests import Compose
from mst_core.studio import Studio
job = Job("one", Compose(pitch="folk", rhythm="folk", seed=1), ("abc", "mid"))
Studio(FakeComposer(Path()), exit).run(job, lambda progress: None)
print({"torch", "music21", "verovio", "fluidsynth", "pydub"} & {*sys.modules})
"""
    here = str(PROJECT)
    done = subprocess.run([sys.executable, "-c", program, here], capture_output=True, check=True)
    assert done.stdout == b"set()\n"


def test_an_unknown_format_is_refused_before_composing() -> None:
    with pytest.raises(BadOption, match="flac"):
        make_studio().run(Job("one", SHORT, ("abc", "flac")))


def test_an_invalid_request_is_refused_before_composing() -> None:
    with pytest.raises(BadOption, match="bars"):
        make_studio().run(Job("one", structs.replace(SHORT, bars=3), ("abc",)))


def test_a_transfer_is_titled_like_its_source_and_a_mashup_like_both() -> None:
    def title(request: Request, *titles: str) -> str:
        scores = {name: ParsedScore(name, write_scale(SHORT)) for name in titles}
        rendition = make_studio().run(Job("one", request, ("abc",), scores))
        assert f"T:{rendition.receipt.source or 'Untitled'}\n" in rendition.files["abc"].decode()
        return rendition.receipt.source

    side = Side(style="jazz")
    assert title(Transfer(source="A reel", seed=1, rhythm=side), "A reel") == "A reel"
    assert title(Transfer(source="", seed=1, rhythm=side), "") == ""
    assert title(Mashup(source="A", like="B"), "A", "B") == "A x B"


class Transposing(FakeComposer):
    """Changes a tune by an octave, and plays the result with swing."""

    def transfer(
        self,
        request: Transfer,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None],
    ) -> Composition:
        result = super().transfer(request, scores, on_progress)
        notes = tuple(replace(note, pitch=note.pitch + 12) for note in result.melody.notes)
        melody = replace(result.melody, notes=notes)
        return replace(result, melody=melody, original=result.melody, swing=0.6)


def test_a_comparison_plays_eight_bars_of_the_given_tune_and_then_of_the_result() -> None:
    played: list[Performance] = []

    class Listener(Tone):
        def stream(self, voices: Sequence[Performance]) -> Iterator[Samples]:
            played.extend(voices)
            return super().stream(voices)

    drone = Part("Drone", 70, False, (PartNote(Fraction(0), Fraction(400), 38),))
    score = ParsedScore("A", write_scale(structs.replace(SHORT, bars=16)), parts=(drone,))
    request = Transfer(source="A", seed=1, rhythm=Side(style="jazz"))
    job = Job("one", request, ("wav",), {"A": score}, play_original=True)
    with Studio(Transposing(Path()), Listener) as studio:
        sound = studio.run(job).files["wav"]
    before, band, after = played
    notes = [note for note in score.melody.notes if note.onset < 8 * score.melody.meter.bar_length]
    assert [note.pitch for note in before.notes] == [note.pitch for note in notes]
    assert [note.pitch for note in after.notes] == [note.pitch + 12 for note in notes]
    assert max(note.end for note in band.notes) == pytest.approx(before.seconds) == 8 * 3 * 60 / 180
    with wave.open(io.BytesIO(sound)) as file:
        assert file.getnframes() / SAMPLE_RATE == pytest.approx(2 * before.seconds + 0.7, abs=0.3)


def test_a_closed_studio_opens_its_synthesizer_again() -> None:
    opened: list[Tone] = []

    def open_tone() -> Tone:
        opened.append(Tone())
        return opened[-1]

    with Studio(FakeComposer(Path()), open_tone) as studio:
        studio.warm()
    studio.run(Job("one", SHORT, ("wav",)))
    assert [tone.closed for tone in opened] == [True, False]


def test_no_more_pages_are_made_than_are_asked_for_and_the_receipt_has_their_number() -> None:
    long = structs.replace(SHORT, bars=64)
    whole = make_studio().run(Job("one", long, ("png",)))
    first = make_studio().run(Job("one", long, ("png",), max_pages=1))
    assert len(whole.files) > 1
    assert whole.receipt.pages is None
    assert first.files == {"png": whole.files["png"]}
    assert first.receipt.pages == len(whole.files)
