"""The messages between a front end and an engine: jobs, progress, renditions.

A front end (the bot, the command line, a script) puts a `Request` into a `Job`; an engine answers
with `Progress` and at last a `Rendition`, which holds the `Receipt` and the files. All are frozen
msgspec structs: the same values go through msgpack to the engine process and through JSON to the
bot's database and ``mst --json``. Nothing here loads a network.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import structs

from mst_core.errors import BadOption, ParserStopped
from mst_core.pages import list_pages
from mst_core.reading.parsed_score import ParsedScore
from mst_core.reading.serialization import decode_score
from mst_core.requests import Request

AUDIO_FORMATS = ("mp3", "ogg", "wav")
PICTURE_FORMATS = ("png", "svg", "pdf")
SCORE_FORMATS = ("mid", "musicxml", "abc")
FORMATS = AUDIO_FORMATS + PICTURE_FORMATS + SCORE_FORMATS

COMPARED_BARS = 8
"""Bars of each of two tunes in audio that compares them."""


class Job(msgspec.Struct, frozen=True):
    """A request and the files to be made for it: the unit of work of an engine."""

    id: str
    """Any text that no other job of the engine has at the same time."""
    request: Request
    formats: tuple[str, ...] = ("mp3", "png", "mid")
    """Each one of `FORMATS`."""
    scores: dict[str, ParsedScore] = {}
    """The parsed files of the request by SHA-256, one for each of `Request.sources`."""
    encoded_scores: dict[str, bytes] = {}
    """The same as the parser process wrote them, for an engine in another process; the worker
    decodes them (`decode_scores`)."""
    performed_midi: bool = False
    """Write swing and feel into the MIDI file, as in the audio, instead of the straight score."""
    repeats: bool = True
    """Play the repeats that the score draws, in the audio and in performed MIDI."""
    show_original: bool = False
    """Draw the given tune above the result in every picture."""
    play_original: bool = False
    """Play in the audio the first `COMPARED_BARS` bars of the given tune, then those of the
    result, instead of the whole result."""
    light: bool = False
    """Draw pictures in black on white, for paper; a PDF file always is."""
    max_pages: int | None = None
    """Pages of a PNG that are made, at most; None makes all."""
    is_long: bool = False
    """Whether much work is expected: then it lets other jobs go first."""

    def decode_scores(self) -> Job:
        """Return the job with its parsed files decoded and checked, for the studio.

        Raises:
            ParserStopped: when the bytes of one are no score: its parser process wrote nonsense.
        """
        try:
            decoded = {name: decode_score(data) for name, data in self.encoded_scores.items()}
        except msgspec.DecodeError as error:
            raise ParserStopped(f"its reader wrote no score ({error})") from error
        return structs.replace(self, scores=self.scores | decoded, encoded_scores={})


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How much of a job is done."""

    stage: str
    """composing, playing or drawing."""
    share: float
    """Share of the whole job, 0 to 1; it never falls."""


MAX_CANDIDATES = 5
"""Parts that a receipt names as the possible melody."""
MAX_RECEIPT_TUNES = 25
"""Tunes of a book that a receipt names; as many as a list on Discord holds."""

_RECEIPT_KEYS = {
    "rhythm_strength": "strength",
    "rhythm_changed": "changed",
    "rhythm_similarity": "closeness",
    "pitch_changed": "repitched",
    "pitch_similarity": "pitch_closeness",
    "rank_among": "closer_than",
    "longest_shared_run": "longest_copy",
    "p95_shared_run": "usual_copy",
    "warnings": "remarks",
}
"""JSON key of the fields that have another name in code; databases and scripts rely on the keys."""


class Receipt(msgspec.Struct, frozen=True, rename=_RECEIPT_KEYS):
    """A description of the result in words and figures, for a message or ``mst --json``.

    It is flat because its JSON is: `mst_core.report.make_receipt` builds it from the two
    `SideResult` values of a composition. None: not measured, or not part of the request.
    """

    pitch: str
    """Name of the style of the pitches; empty when the target is a tune or there is none."""
    rhythm: str
    """Name of the style of the rhythm; empty when the target is a tune or there is none."""
    seed: int
    key: str
    meter: str
    tempo: float
    """Quarter notes per minute."""
    bars: int
    """As written; of a new tune the bars that were asked for: a first ending is not counted."""
    notes: int
    form: str
    """A letter for each section as it is played, such as AABB; empty for a given tune."""
    seconds: float
    version: str
    """Version of `mst_core`."""
    source: str = ""
    """Title of the given tune, or of both."""
    rhythm_strength: float | None = None
    rhythm_changed: float | None = None
    """Share of the notes whose onset in the bar or duration differs from the original, 0 to 1."""
    rhythm_similarity: float | None = None
    """Similarity of the rhythm to the target, 0 to 1; it never falls with a higher strength."""
    pitch_strength: float | None = None
    pitch_changed: float | None = None
    """Share of the notes whose pitch differs from the original, 0 to 1."""
    pitch_similarity: float | None = None
    repeats: tuple[int, int] | None = None
    """(bars of the given tune that repeat an earlier bar, how many of them still do)."""
    rank_among: tuple[int, int] | None = None
    """(other tunes that are less similar to the target than the result, all of them)."""
    longest_shared_run: int | None = None
    """Notes in a row that some tune of the style, or the target tune, has too."""
    p95_shared_run: int | None = None
    """Notes: 95 of 100 pairs of unrelated tunes of the style share no longer run."""
    warnings: tuple[str, ...] = ()
    """Sentences about the given file and what was done with it."""
    track: int | None = None
    """Number of the part of the given file that was taken as the melody, from 1."""
    candidates: tuple[tuple[int, str], ...] = ()
    """Number and name of the parts that may be the melody, the most likely first; one or none is
    nothing to choose."""
    tune: int | None = None
    """Number of the tune that was taken from a book, from 1."""
    tunes: tuple[tuple[int, str], ...] = ()
    """Number and title of up to `MAX_RECEIPT_TUNES` tunes of the book, around the one taken."""
    pages: int | None = None
    """Pages of the score, where `Job.max_pages` left some out."""


class Rendition(msgspec.Struct, frozen=True, tag="rendition"):
    """The result of a job: the receipt and the files by format."""

    receipt: Receipt
    files: dict[str, bytes]
    """By format; the second page of a picture is ``2.png``, and so on."""

    def pages(self, format: str) -> list[bytes]:
        """Return the pages of a picture in order; of another file, the file alone.

        Args:
            format: one of the formats of the job.
        """
        return list_pages(self.files, format)


def validate_formats(formats: Iterable[str]) -> None:
    """Check that every format is one of `FORMATS`.

    Raises:
        BadOption: for the first that is not.
    """
    for format in formats:
        if format not in FORMATS:
            raise BadOption("format", format, f"choose from {', '.join(FORMATS)}")
