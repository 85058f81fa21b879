"""The studio: from a job to a rendition. The one front door of the core.

Composing, then two things at once: playing (synthesizer, mastering, encoding) and drawing (score
files and pictures). Only what a job asks for is made, and only what is made is imported: a tune
asked for as ABC loads neither SoundFont nor engraver.

`compose` and `finish` are the two halves of `perform`, so that an engine can compose the next tune
while this one plays. Compose in one thread at a time; finish in as many as you like.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol, Self

from mst_core.generation.composition import Composition
from mst_core.jobs import (
    AUDIO_FORMATS,
    PICTURE_FORMATS,
    Compose,
    Job,
    Mashup,
    Progress,
    Rendition,
    Transfer,
    validate,
    validate_formats,
)
from mst_core.music import Melody
from mst_core.report import make_receipt, title_of
from mst_core.sound.synth import Synth
from mst_core.styles import StyleCard

if TYPE_CHECKING:
    from mst_core.reading.parsed_score import ParsedScore

# Who plays: the synthesizer in the process, or else the one behind a command.

log = logging.getLogger(__name__)


def open_synth(soundfont: Path) -> Synth:
    """Open FluidSynth in the process; where its library is missing, behind midi2audio.

    Raises:
        NoSoundFont: when the SoundFont is missing or cannot be read.
        NoSound: when neither the library nor the command is installed.
    """
    try:
        from mst_core.sound.fluidsynth import FluidSynth
    except (ImportError, OSError, AttributeError) as error:
        log.warning("the FluidSynth library cannot be loaded (%s); its command plays", error)
    else:
        return FluidSynth(soundfont)
    from mst_core.sound.fluidsynth_cli import CommandLineSynth

    return CommandLineSynth(soundfont)


# How far a job is, told from several threads and never falling.

COMPOSING_SHARE = 0.5
"""Share of a job that is done when its tune is composed."""


class MonotoneProgress:
    """Tells a share that never falls, whoever calls and in whatever order."""

    def __init__(self, on_progress: Callable[[Progress], None]) -> None:
        self._report = on_progress
        self._highest = 0.0
        self._lock = Lock()

    def __call__(self, stage: str, share: float) -> None:
        """Tell a stage and the share of the whole."""
        with self._lock:
            self._highest = min(1.0, max(self._highest, share))
            self._report(Progress(stage, self._highest))


class FileProgress:
    """Counts the files of the second half, which two threads make."""

    def __init__(self, on_progress: Callable[[Progress], None], total: int) -> None:
        self._report = MonotoneProgress(on_progress)
        self._total = max(1, total)
        self._done = 0
        self._lock = Lock()

    def file_done(self, stage: str) -> None:
        """Note that one more is made."""
        with self._lock:
            self._done += 1
            share = self._done / self._total
        self._report(stage, COMPOSING_SHARE + (1 - COMPOSING_SHARE) * share)


class ComposerProtocol(Protocol):
    """Who writes the tunes."""

    @property
    def styles(self) -> Mapping[str, StyleCard]:
        """The styles it knows, by name."""

    def compose(self, request: Compose, on_progress: Callable[[float], None]) -> Composition:
        """Write one tune, telling the share done from 0 to 1."""

    def transfer(
        self,
        request: Transfer,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None],
    ) -> Composition:
        """Change a given tune, telling the share done from 0 to 1."""

    def mashup(
        self,
        request: Mashup,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None],
    ) -> Composition:
        """Join the pitches of one given tune and the rhythm of another."""


class Studio:
    """Owns a composer and, from the first tune that must sound, a player."""

    def __init__(self, composer: ComposerProtocol, open_synth: Callable[[], Synth]) -> None:
        self._composer = composer
        self._open_synth = open_synth
        self._synth: Synth | None = None
        self._synth_lock = Lock()
        # music21 is not made for threads, and the others hold the interpreter anyway.
        self._drawing_lock = Lock()

    @classmethod
    def open(cls, models_dir: Path, soundfont: Path | None, device: str) -> Self:
        """Load the networks of every style below ``models``; the SoundFont waits for `warm`.

        Raises:
            StyleError: when a style cannot be loaded.
        """
        from mst_core.composing.composer import Composer as NetworkComposer

        def open_player() -> Synth:
            from mst_core.sound.soundfont import find_soundfont

            return open_synth(find_soundfont(soundfont))

        return cls(NetworkComposer.open(models_dir, device), open_player)

    @property
    def styles(self) -> Mapping[str, StyleCard]:
        """The styles it composes in, by name."""
        return self._composer.styles

    def warm(self) -> None:
        """Open the synthesizer now rather than with the first tune.

        Raises:
            NoSoundFont: when there are no instruments.
        """
        self._require_synth()

    def run(self, job: Job, on_progress: Callable[[Progress], None]) -> Rendition:
        """Do a job from its first note to its last file.

        ``tell`` hears the stage and the share of the whole job, which only rises; it may be called
        from another thread, and whatever it raises ends the job.

        Raises:
            RequestError, StyleError: when the request cannot be met.
            SoundError: when the tune could not be made to sound.
        """
        return self.render(job, self.compose(job, on_progress), on_progress)

    def compose(self, job: Job, on_progress: Callable[[Progress], None]) -> Composition:
        """Do the first half of `perform`: the tune."""
        validate(job.request, self.styles)
        validate_formats(job.formats)
        rising = MonotoneProgress(on_progress)
        rising("composing", 0.0)

        def told(share: float) -> None:
            rising("composing", share * COMPOSING_SHARE)

        if isinstance(job.request, Compose):
            return self._composer.compose(job.request, told)
        if isinstance(job.request, Mashup):
            return self._composer.mashup(job.request, job.scores, told)
        return self._composer.transfer(job.request, job.scores, told)

    def render(
        self, job: Job, composition: Composition, on_progress: Callable[[Progress], None]
    ) -> Rendition:
        """Do the second half of `perform`: the sound and the score of a tune."""
        audio = [format for format in job.formats if format in AUDIO_FORMATS]
        score = [format for format in job.formats if format not in AUDIO_FORMATS]
        steps = FileProgress(on_progress, len(score) + len(audio) + bool(audio))
        title = self._title_for(job, composition.melody)
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="drawing") as pool:
            drawn = pool.submit(self._render_scores, job, composition, score, title, steps)
            files = self._render_audio(composition, audio, steps) | drawn.result()
        return Rendition(
            receipt=make_receipt(job, composition),
            files={format: files[format] for format in job.formats},
        )

    def close(self) -> None:
        """Give the synthesizer back."""
        with self._synth_lock:
            if self._synth is not None:
                self._synth.close()
                self._synth = None

    def _require_synth(self) -> Synth:
        with self._synth_lock:
            if self._synth is None:
                self._synth = self._open_synth()
            return self._synth

    def _render_audio(
        self, composition: Composition, formats: Iterable[str], steps: FileProgress
    ) -> dict[str, bytes]:
        if not formats:
            return {}
        from mst_core.sound.encoding import encode
        from mst_core.sound.mastering import master
        from mst_core.sound.mix import render_with_parts
        from mst_core.sound.performance import perform

        performance = perform(composition.melody, swing=composition.swing)
        player = self._require_synth()
        samples = render_with_parts(
            player,
            performance,
            program=composition.program,
            melody=composition.melody,
            parts=composition.parts,
        )
        samples = master(samples)
        steps.file_done("playing")
        files = {}
        for format in formats:
            files[format] = encode(samples, format)
            steps.file_done("playing")
        return files

    def _render_scores(
        self,
        job: Job,
        composition: Composition,
        formats: Iterable[str],
        title: str,
        steps: FileProgress,
    ) -> dict[str, bytes]:
        files = {}
        for format in formats:
            with self._drawing_lock:
                if job.performed_midi and format == "mid":
                    files[format] = _performance_file(composition, title)
                elif job.show_original and format in PICTURE_FORMATS and composition.original:
                    files[format] = _comparison_picture(
                        composition.original, composition.melody, format
                    )
                else:
                    files[format] = _score_file(composition, format, title)
            steps.file_done("drawing")
        return files

    def _title_for(self, job: Job, melody: Melody) -> str:
        request = job.request
        if not isinstance(request, Compose):
            return title_of(job)
        # ASCII alone, since a track name in MIDI has no other letters that every player can show.
        meter = self.styles[request.rhythm].meters.get(str(melody.meter))
        name = meter.name if meter and meter.name else "tune"
        key = f"{melody.key.tonic_name} {melody.key.mode}"
        return f"{name[:1].upper()}{name[1:]} in {key}, no. {request.seed}"


def _performance_file(composition: Composition, title: str) -> bytes:
    """The MIDI file of the performance that the sound is made of."""
    from mst_core.sound.performance import perform
    from mst_core.sound.performance_midi import write_performance_midi

    performance = perform(composition.melody, swing=composition.swing)
    return write_performance_midi(
        performance, program=composition.program, title=title, parts=composition.parts
    )


def _comparison_picture(before: Melody, after: Melody, format: str) -> bytes:
    """The picture of a tune before and after."""
    from mst_core.notation.before_after import draw_before_after_png, draw_before_after_svg

    if format == "png":
        return draw_before_after_png(before, after)
    return draw_before_after_svg(before, after).encode()


def _score_file(composition: Composition, format: str, title: str) -> bytes:
    melody = composition.melody
    match format:
        case "abc":
            from mst_core.notation.abc import write_abc

            return write_abc(melody, title=title).encode()
        case "mid":
            from mst_core.notation.midi import write_midi

            return write_midi(
                melody, program=composition.program, title=title, parts=composition.parts
            )
        case "musicxml":
            from mst_core.notation.musicxml import write_musicxml

            return write_musicxml(melody, title=title)
        case "png":
            from mst_core.notation.picture import draw_png

            return draw_png(melody)
        case "svg":
            from mst_core.notation.picture import draw_svg

            return draw_svg(melody).encode()
        case _:
            raise ValueError(f"no room writes {format}")
