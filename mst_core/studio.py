"""The studio turns a job into a rendition: it is the entry point of the core.

It composes, and then works on two things at once: audio (synthesizer, mastering, encoding) and
scores (files and pictures). It makes only the formats that the job names and imports only what they
need: a tune asked for as ABC loads neither SoundFont nor engraver.

`Studio.compose` and `Studio.render` are the two halves of `Studio.run`, so that an engine can
compose the next tune while it renders this one. Both may be called from several threads at once;
the result of a job does not depend on the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol, Self

from mst_core.generation.composition import Composition
from mst_core.jobs import (
    AUDIO_FORMATS,
    COMPARED_BARS,
    PICTURE_FORMATS,
    Job,
    Progress,
    Rendition,
    validate_formats,
)
from mst_core.music import Melody
from mst_core.pages import name_page
from mst_core.report import make_receipt
from mst_core.requests import Compose, Mashup, Transfer, validate
from mst_core.sound.synth import Synth
from mst_core.styles import StyleCard

if TYPE_CHECKING:
    from mst_core.reading.parsed_score import ParsedScore
    from mst_core.sound.performance import Performance

log = logging.getLogger(__name__)

MAX_WAIT_S = 1.0
"""Seconds between two reports of a drawing that waits for another one."""
COMPOSING_SHARE = 0.5
"""Share of a job that is done when its tune is composed, 0 to 1."""


def open_synth(soundfont: Path) -> Synth:
    """Return a synthesizer: the FluidSynth library, or its command where that cannot be loaded.

    Args:
        soundfont: path of an .sf2 file.

    Raises:
        NoSoundFont: when the SoundFont is missing or cannot be read.
        NoSound: when neither the library nor the command is installed.
    """
    try:
        from mst_core.sound.fluidsynth import FluidSynth
    except (ImportError, OSError, AttributeError) as error:
        log.warning("the FluidSynth library cannot be loaded (%s); using its command", error)
    else:
        return FluidSynth(soundfont)
    from mst_core.sound.fluidsynth_cli import CommandLineSynth

    return CommandLineSynth(soundfont)


class ProgressReporter:
    """Reports the share of a job that is done, which never falls. Any thread may call it."""

    def __init__(
        self, on_progress: Callable[[Progress], None], *, steps: int = 1, start: float = 0.0
    ) -> None:
        """Prepare to report.

        Args:
            on_progress: receives the reports.
            steps: how often `step_done` will be called.
            start: share of the whole job that is done already, 0 to 1.
        """
        self._on_progress = on_progress
        self._steps = max(1, steps)
        self._steps_done = 0
        self._highest = start
        self._lock = Lock()

    def report(self, stage: str, share: float) -> None:
        """Report a stage and the share of the whole job, 0 to 1; also that work just goes on.

        Args:
            stage: ``composing``, ``playing`` or ``drawing``.
            share: what is done; a share below an earlier one counts as that one.
        """
        with self._lock:
            self._highest = min(1.0, max(self._highest, share))
            self._on_progress(Progress(stage, self._highest))

    def step_done(self, stage: str) -> None:
        """Report that one more step of the second half is done."""
        with self._lock:
            self._steps_done += 1
            share = self._steps_done / self._steps
        self.report(stage, COMPOSING_SHARE + (1 - COMPOSING_SHARE) * share)


class ComposerProtocol(Protocol):
    """What the studio needs of a composer; `mst_core.composing.composer.Composer` is the real one.

    ``on_progress`` receives the share of the composing that is done, 0 to 1.
    """

    @property
    def styles(self) -> Mapping[str, StyleCard]:
        """The available styles by name."""

    def compose(self, request: Compose, on_progress: Callable[[float], None]) -> Composition:
        """Compose a new tune.

        Args:
            request: styles, seed and options.
            on_progress: receives the share of the composing that is done, 0 to 1.

        Raises:
            RequestError, StyleError: when the request cannot be met.
        """

    def transfer(
        self,
        request: Transfer,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None],
    ) -> Composition:
        """Change a given tune; ``scores`` are the parsed files by SHA-256.

        Args:
            request: the sides that change, seed and options.
            scores: the parsed scores that the request names, by SHA-256.
            on_progress: receives the share of the composing that is done, 0 to 1.

        Returns:
            The changed tune, with one side result a side.

        Raises:
            RequestError, StyleError: when the request cannot be met.
        """

    def mashup(
        self,
        request: Mashup,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None],
    ) -> Composition:
        """Combine the pitches of one given tune with the rhythm of another.

        Args:
            request: which file gives the pitches and which the rhythm.
            scores: both parsed scores, by SHA-256.
            on_progress: receives the share of the composing that is done, 0 to 1.

        Raises:
            RequestError: when the notes of the one fit into no bars of the other.
        """


class Studio:
    """Owns a composer and, from the first audio file on, a synthesizer."""

    def __init__(self, composer: ComposerProtocol, open_synth: Callable[[], Synth]) -> None:
        self._composer = composer
        self._open_synth = open_synth
        self._synth: Synth | None = None
        self._synth_lock = Lock()
        # music21 is not thread-safe, and the other engravers hold the interpreter lock anyway.
        self._drawing_lock = Lock()

    @classmethod
    def open(
        cls,
        models_dir: Path,
        soundfont: Path | None = None,
        device: str = "auto",
        on_stage: Callable[[str], None] = lambda stage: None,
    ) -> Self:
        """Load the networks of every style; the SoundFont is opened by `warm` or the first audio.

        Args:
            models_dir: folder with one folder for each style.
            soundfont: path of an .sf2 file; None finds one of the system.
            device: where the networks run: auto, cpu or cuda.
            on_stage: receives the name of each stage when it begins.

        Raises:
            StyleError: when a style cannot be loaded.
        """
        on_stage("the libraries")
        from mst_core.composing.composer import Composer

        def open_system_synth() -> Synth:
            from mst_core.sound.soundfont import find_soundfont

            return open_synth(find_soundfont(soundfont))

        return cls(Composer.open(models_dir, device, on_stage=on_stage), open_system_synth)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    @property
    def styles(self) -> Mapping[str, StyleCard]:
        """The available styles by name."""
        return self._composer.styles

    def warm(self) -> None:
        """Open the synthesizer now instead of with the first audio file.

        Raises:
            NoSoundFont: when no SoundFont is found.
        """
        self._require_synth()

    def run(
        self, job: Job, on_progress: Callable[[Progress], None] = lambda progress: None
    ) -> Rendition:
        """Do a job: compose its tune and make its files.

        Args:
            job: the request, the formats and the parsed files of the request.
            on_progress: receives the stage and the share of the job that is done, which never
                falls. It may be called from another thread, and an exception that it raises ends
                the job.

        Returns:
            The receipt, and the content of every file by format, in the order of ``job.formats``.

        Raises:
            RequestError, StyleError: when the request cannot be met.
            SoundError: when the audio could not be made.
            UnwritableRhythm: when a note is off the grid of a score format.
        """
        return self.render(job, self.compose(job, on_progress), on_progress)

    def compose(self, job: Job, on_progress: Callable[[Progress], None]) -> Composition:
        """Do the first half of `run`: validate the job and compose or transfer its tune.

        Args:
            job: the request, the formats and the parsed scores of the request.
            on_progress: as in `run`; the share ends at `COMPOSING_SHARE`.

        Returns:
            The finished melody, not rendered.

        Raises:
            RequestError, StyleError: when the request cannot be met.
        """
        validate(job.request, self.styles)
        validate_formats(job.formats)
        progress = ProgressReporter(on_progress)
        progress.report("composing", 0.0)

        def report(share: float) -> None:
            progress.report("composing", share * COMPOSING_SHARE)

        match job.request:
            case Compose() as request:
                return self._composer.compose(request, report)
            case Transfer() as request:
                return self._composer.transfer(request, job.scores, report)
            case Mashup() as request:
                return self._composer.mashup(request, job.scores, report)

    def render(
        self, job: Job, composition: Composition, on_progress: Callable[[Progress], None]
    ) -> Rendition:
        """Do the second half of `run`: make the audio, the scores and the receipt of a tune.

        Args:
            job: the job that `compose` got; its formats are rendered.
            composition: what `compose` returned.
            on_progress: as in `run`; the share begins at `COMPOSING_SHARE`.

        Returns:
            The receipt, and the content of every file by format, in the order of ``job.formats``.

        Raises:
            SoundError: when the audio could not be made.
            UnwritableRhythm: when a note is off the grid of a score format.
        """
        audio = [format for format in job.formats if format in AUDIO_FORMATS]
        scores = [format for format in job.formats if format not in AUDIO_FORMATS]
        # Synthesis and mastering, which all audio formats share, are one step more.
        steps = len(scores) + len(audio) + bool(audio)
        progress = ProgressReporter(on_progress, steps=steps, start=COMPOSING_SHARE)
        title = self._title_for(job, composition.melody)
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="drawing") as pool:
            drawn = pool.submit(self._render_scores, job, composition, scores, title, progress)
            made = self._render_audio(job, composition, audio, progress)
            pictures, page_count = drawn.result()
            made |= pictures
        # The pages of a picture follow each other.
        files = {
            name: content
            for format in job.formats
            for name, content in made.items()
            if name.rpartition(".")[2] == format
        }
        return Rendition(
            receipt=make_receipt(
                job.request,
                composition,
                title if job.scores else "",
                _source_of(job),
                repeats=job.repeats,
                pages=page_count,
            ),
            files=files,
        )

    def close(self) -> None:
        """Close the synthesizer; it is opened again when it is needed again."""
        with self._synth_lock:
            if self._synth is not None:
                self._synth.close()
                self._synth = None

    def _require_synth(self) -> Synth:
        """Return the synthesizer, opened now if it is not open yet."""
        with self._synth_lock:
            if self._synth is None:
                self._synth = self._open_synth()
            return self._synth

    def _render_audio(
        self,
        job: Job,
        composition: Composition,
        formats: Iterable[str],
        progress: ProgressReporter,
    ) -> dict[str, bytes]:
        """Return the content of the audio files by format."""
        if not formats:
            return {}
        from mst_core.sound.band import start_at_zero
        from mst_core.sound.encoding import encode_in_turn
        from mst_core.sound.mastering import master
        from mst_core.sound.mix import render_band

        def note_step() -> None:
            progress.report("playing", 0.0)

        if job.play_original and composition.original is not None:
            performed = _perform_both(composition, _source_of(job))
        else:
            performed = [_perform(composition, job.repeats)]
        with ExitStack() as opened:
            recordings = [
                master(
                    opened.enter_context(
                        render_band(self._require_synth(), voices, on_step=note_step)
                    )
                )
                for voices in map(start_at_zero, performed)
            ]
            progress.step_done("playing")
            files = {}
            for format in formats:
                files[format] = encode_in_turn(recordings, format)
                progress.step_done("playing")
        return files

    def _render_scores(
        self,
        job: Job,
        composition: Composition,
        formats: Iterable[str],
        title: str,
        progress: ProgressReporter,
    ) -> tuple[dict[str, bytes], int | None]:
        """Return the content of the score files and pictures by format.

        Also the number of pages of the score, where not all of them were made.
        """
        files: dict[str, bytes] = {}
        page_count = None
        for format in formats:
            with self._drawing(progress):
                if job.performed_midi and format == "mid":
                    files[format] = _performance_file(composition, title, job.repeats)
                elif format in PICTURE_FORMATS:
                    pages, drawn = _draw_pages(composition, format, title, job)
                    files |= {name_page(format, n): page for n, page in enumerate(pages, start=1)}
                    if format == "png" and drawn > len(pages):
                        page_count = drawn
                else:
                    files[format] = _score_file(composition, format, title)
            progress.step_done("drawing")
        return files, page_count

    @contextmanager
    def _drawing(self, progress: ProgressReporter) -> Iterator[None]:
        """Hold the lock of drawing; who waits for another job's page counts as going on."""
        progress.report("drawing", 0.0)
        while not self._drawing_lock.acquire(timeout=MAX_WAIT_S):
            progress.report("drawing", 0.0)
        try:
            yield
        finally:
            self._drawing_lock.release()

    def _title_for(self, job: Job, melody: Melody) -> str:
        """Return the title of the given tune, of both, or of a new one: Reel in D major, no. 7."""
        match job.request:
            case Transfer(source=source):
                return job.scores[source].title
            case Mashup(source=source, like=like):
                return f"{job.scores[source].title} x {job.scores[like].title}"
            case Compose(rhythm=rhythm, seed=seed):
                meter = self.styles[rhythm].meters.get(str(melody.meter))
        # ASCII alone: not every player shows other letters in the track name of a MIDI file.
        name = meter.name if meter and meter.name else "tune"
        key = f"{melody.key.tonic_name} {melody.key.mode}"
        return f"{name[:1].upper()}{name[1:]} in {key}, no. {seed}"


def _perform(composition: Composition, repeats: bool) -> tuple[Performance, ...]:
    """Return the performances of the melody and of its parts."""
    from mst_core.sound.band import perform_band

    return perform_band(
        composition.melody,
        composition.parts,
        swing=composition.swing,
        program=composition.program,
        controls=composition.controls,
        velocity=composition.velocity,
        repeats=repeats,
    )


def _perform_both(
    composition: Composition, source: ParsedScore | None
) -> list[tuple[Performance, ...]]:
    """Return the performances of the first bars of the given tune, then of the result."""
    from mst_core.sound.band import perform_beginning
    from mst_core.sound.playback_clock import STRAIGHT

    if composition.original is None:
        raise ValueError("a new tune has no original")
    given = replace(
        composition,
        melody=composition.original,
        swing=(source and source.swing) or STRAIGHT,
        parts=source.parts if source else (),
        controls=source.controls if source else (),
    )
    return [
        perform_beginning(each.melody, _perform(each, False), each.swing, COMPARED_BARS)
        for each in (given, composition)
    ]


def _source_of(job: Job) -> ParsedScore | None:
    """Return the file that a transfer changes; None for other jobs."""
    match job.request:
        case Transfer(source=source):
            return job.scores[source]
        case _:
            return None


def _performance_file(composition: Composition, title: str, repeats: bool) -> bytes:
    """Return the MIDI file of the performance that the audio is made from."""
    from mst_core.sound.performance_midi import write_performance_midi

    return write_performance_midi(_perform(composition, repeats), title=title)


def _draw_pages(
    composition: Composition, format: str, title: str, job: Job
) -> tuple[Sequence[bytes], int]:
    """Return the pages of a picture of the tune, or of it before and after, and how many it has.

    Of a PNG at most ``job.max_pages`` are rasterized, which is most of the work.
    """
    from mst_core.notation.before_after import MAX_HEIGHT, draw_before_after_svg
    from mst_core.notation.engraving import DARK, LIGHT, rasterize
    from mst_core.notation.picture import draw_svg_pages

    theme = LIGHT if job.light or format == "pdf" else DARK
    melody, original = composition.melody, composition.original
    pages: tuple[str, ...]
    if job.show_original and original:
        pages = (draw_before_after_svg(original, melody, title=title, theme=theme),)
    else:
        pages = draw_svg_pages(melody, title=title, theme=theme)
    if format == "pdf":
        from mst_core.notation.pdf import write_pdf

        return [write_pdf(pages, title=title)], 1
    if format == "png":
        made = pages[: job.max_pages]
        return [rasterize(page, height=MAX_HEIGHT) for page in made], len(pages)
    return [page.encode() for page in pages], len(pages)


def _score_file(composition: Composition, format: str, title: str) -> bytes:
    """Return the score as a file of a format."""
    melody = composition.melody
    match format:
        case "abc":
            from mst_core.notation.abc import write_abc

            return write_abc(melody, title=title).encode()
        case "mid":
            from mst_core.notation.midi import write_midi

            return write_midi(
                melody,
                program=composition.program,
                title=title,
                parts=composition.parts,
                controls=composition.controls,
            )
        case "musicxml":
            from mst_core.notation.musicxml import write_musicxml

            return write_musicxml(melody, title=title)
        case _:
            raise ValueError(f"no module writes {format}")
