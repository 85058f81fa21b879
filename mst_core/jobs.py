"""The messages between a front end and an engine: requests, jobs, progress, renditions.

A front end (the bot, the command line, a script) puts a `Request` into a `Job`; an engine answers
with `Progress` and at last a `Rendition`, which holds the `Receipt` and the files. All are frozen
msgspec structs: the same values go through msgpack to the engine process and through JSON to the
bot's database and ``mst --json``. Nothing here loads a network.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Literal, Self

import msgspec
from msgspec import structs

from mst_core.errors import BadOption, ParserStopped, RequestError
from mst_core.music import Key, Meter
from mst_core.pages import list_pages
from mst_core.reading.parsed_score import ParsedScore, Selection
from mst_core.reading.serialization import decode_score
from mst_core.styles import StyleCard, require_style

AUDIO_FORMATS = ("mp3", "ogg", "wav")
PICTURE_FORMATS = ("png", "svg", "pdf")
SCORE_FORMATS = ("mid", "musicxml", "abc")
FORMATS = AUDIO_FORMATS + PICTURE_FORMATS + SCORE_FORMATS

BARS_RANGE = (4, 64)
"""Bars of a new tune, lowest and highest."""
TEMPO_RANGE = (40.0, 320.0)
"""Quarter notes per minute, lowest and highest."""
MAX_SEED = 2**31 - 1
MAX_BAR_LENGTH = 12
"""Quarter notes: no style has longer bars."""
_MAX_DRAWN_SEED = 999_999  # six digits: a person can read one out and type it again
_EITHER = "name a style, or one tune to imitate"

SideName = Literal["pitch", "rhythm"]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """The target of one side of a tune, its pitches or its rhythm: a style or one other tune.

    Exactly one of `style` and `like` is given; `validate` refuses anything else.
    """

    style: str | None = None
    """Name of a style."""
    like: str | None = None
    """SHA-256 of an uploaded file: one single tune is the target."""
    strength: float = 1.0
    """How far the side changes, 0 to 1: 0 keeps every note, 1 is the full change."""

    @classmethod
    def of(cls, style: str | None, like: str | None, strength: float = 1.0) -> Self | None:
        """Return the side with this target; None when neither a style nor a tune is given.

        Args:
            style: name of a style, or None.
            like: SHA-256 of an uploaded file, or None.
            strength: how far the side changes, 0 to 1.
        """
        if style is None and like is None:
            return None
        return cls(style=style, like=like, strength=strength)


class _RequestBase(msgspec.Struct, frozen=True, kw_only=True):
    """The questions that every kind of request answers; `Request` is the union of the kinds."""

    @property
    def sides(self) -> dict[SideName, Side]:
        """Where the pitches and the rhythm come from; an unchanged side is left out."""
        raise NotImplementedError

    @property
    def sources(self) -> dict[str, Selection]:
        """SHA-256 of the uploaded files that the request needs, with the tune and part of each.

        The tune that is changed comes last.
        """
        return {}

    @property
    def styles(self) -> dict[SideName, str]:
        """Names of the styles by side."""
        return {name: side.style for name, side in self.sides.items() if side.style is not None}

    @property
    def strengths(self) -> dict[SideName, float]:
        """Strengths, 0 to 1, of the sides that a transfer changes; empty for other kinds."""
        return {}

    def _check_options(self, styles: Mapping[str, StyleCard], max_bars: int) -> None:
        """Raise BadOption or UnknownStyle when an option is invalid; see `validate`."""

    def with_seed(self, seed: int) -> Self:
        """Return the request with another seed."""
        return structs.replace(self, seed=seed)

    def with_strength(self, strength: float, *, pitch_strength: float | None = None) -> Self:
        """Return the request with another strength (0 to 1) on each side that it changes.

        Args:
            strength: strength of both sides.
            pitch_strength: strength of the pitches, when it differs from that of the rhythm.

        Returns:
            The changed request; a request that is no transfer is returned as it is.
        """
        return self

    def with_sources(self, sources: Mapping[str, str]) -> Self:
        """Return the request with its files renamed.

        Args:
            sources: new name of each file by its old one; a front end uses placeholders until it
                has the SHA-256 of every file.
        """
        return self

    def with_selection(self, selection: Selection) -> Self:
        """Return the request with another part or tune of its file; a new tune as it is.

        Args:
            selection: the part that is the melody, and the tune of a book.
        """
        return self

    def swapped(self) -> Self:
        """Return a mashup with its two tunes exchanged; any other request as it is."""
        return self


class Compose(_RequestBase, frozen=True, kw_only=True, tag="compose"):
    """A new tune with the melodic style of one style and the rhythm of another or the same.

    An option that is None is drawn from the statistics of the style.
    """

    pitch: str
    """Name of the style of the pitches."""
    rhythm: str
    """Name of the style of the rhythm."""
    seed: int
    bars: int = 16
    meter: str | None = None
    key: str | None = None
    tempo: float | None = None
    """Quarter notes per minute."""

    @property
    def sides(self) -> dict[SideName, Side]:
        """The two styles."""
        return {"pitch": Side(style=self.pitch), "rhythm": Side(style=self.rhythm)}

    def _check_options(self, styles: Mapping[str, StyleCard], max_bars: int) -> None:
        require_style(self.pitch, styles)
        rhythm = require_style(self.rhythm, styles)
        _check_range("bars", self.bars, (BARS_RANGE[0], max_bars))
        if self.tempo is not None:
            _check_range("tempo", self.tempo, TEMPO_RANGE, " quarter notes per minute")
        if self.key is not None:
            Key.parse(self.key)
        if self.meter is not None and str(Meter.parse(self.meter)) not in rhythm.meters:
            there_are = ", ".join(rhythm.meters)
            raise BadOption("meter", self.meter, f"the meters of {self.rhythm} are {there_are}")


class Transfer(_RequestBase, frozen=True, kw_only=True, tag="rerhythm"):
    """A given tune whose rhythm, pitches or both are changed towards a style or one other tune.

    Databases and exports hold it in the flat form of version 0.1, see `encode_request`.
    """

    source: str
    """SHA-256 of the file with the tune."""
    seed: int
    rhythm: Side | None = None
    """None keeps the rhythm."""
    pitch: Side | None = None
    """None keeps the pitches."""
    meter: str | None = None
    keep_bars: str | None = None
    """Bars that are kept, such as ``1-4,9``, counted from 1."""
    track: int | None = None
    """The track, part or voice that holds the melody, counted from 1; None finds it."""
    tune: int | None = None
    """The tune of a book of tunes, counted from 1; None takes the first."""

    @property
    def sides(self) -> dict[SideName, Side]:
        """The sides that change."""
        sides: dict[SideName, Side | None] = {"pitch": self.pitch, "rhythm": self.rhythm}
        return {name: side for name, side in sides.items() if side is not None}

    @property
    def sources(self) -> dict[str, Selection]:
        """The single tunes that are targets, then the tune that is changed."""
        sides = (side for side in (self.rhythm, self.pitch) if side is not None)
        likes = [side.like for side in sides if side.like not in (None, self.source)]
        others = {like: Selection() for like in likes if like is not None}
        return others | {self.source: Selection(self.track, self.tune)}

    @property
    def strengths(self) -> dict[SideName, float]:
        """Strengths of the sides that change."""
        return {name: side.strength for name, side in self.sides.items()}

    def with_strength(self, strength: float, *, pitch_strength: float | None = None) -> Transfer:
        """Return the request with another strength (0 to 1) on each side that it changes.

        Args:
            strength: of the rhythm, and of the pitches unless they have one of their own.
            pitch_strength: of the pitches; None for the same as ``strength``.
        """
        pitch = strength if pitch_strength is None else pitch_strength
        return structs.replace(
            self,
            rhythm=self.rhythm and structs.replace(self.rhythm, strength=strength),
            pitch=self.pitch and structs.replace(self.pitch, strength=pitch),
        )

    def with_sources(self, sources: Mapping[str, str]) -> Transfer:
        """Return the request with its files renamed, ``sources[old]`` being the new name."""

        def renamed(side: Side | None) -> Side | None:
            if side is None or side.like is None:
                return side
            return structs.replace(side, like=sources[side.like])

        return structs.replace(
            self,
            source=sources[self.source],
            rhythm=renamed(self.rhythm),
            pitch=renamed(self.pitch),
        )

    def with_selection(self, selection: Selection) -> Transfer:
        """Return the request with another part or tune of its file.

        Args:
            selection: the part that is the melody, and the tune of a book.
        """
        return structs.replace(self, track=selection.track, tune=selection.tune)

    def _check_options(self, styles: Mapping[str, StyleCard], max_bars: int) -> None:
        for name, side in (("rhythm", self.rhythm), ("pitch", self.pitch)):
            if side is None:
                continue
            if side.style is not None and side.like is not None:
                raise BadOption(f"{name} and like", "both", _EITHER)
            if side.style is None and side.like is None:
                noun = "rhythm" if name == "rhythm" else "melodic style"
                raise RequestError(f"choose a {noun}: {_EITHER}")
            if side.style is not None:
                require_style(side.style, styles)
        if not self.sides:
            raise RequestError(f"choose a rhythm: {_EITHER}")
        for name, side in (("strength", self.rhythm), ("pitch strength", self.pitch)):
            if side is not None and not 0 <= side.strength <= 1:
                # Where only the pitches change, people call theirs the strength.
                option = "strength" if self.rhythm is None else name
                raise BadOption(option, side.strength, "choose 0 (no change) to 1 (full change)")
        if self.meter is not None and Meter.parse(self.meter).bar_length > MAX_BAR_LENGTH:
            raise BadOption(
                "meter", self.meter, f"a bar has at most {MAX_BAR_LENGTH} quarter notes"
            )
        parse_bar_ranges(self.keep_bars)


class Mashup(_RequestBase, frozen=True, kw_only=True, tag="mashup"):
    """The pitches and the form of one given tune on the rhythm of another. It is deterministic."""

    source: str
    """SHA-256 of the file with the pitches."""
    like: str
    """SHA-256 of the file with the rhythm."""
    seed: int = 0
    """Has no effect."""
    track: int | None = None
    """The track of the first file that holds the melody, counted from 1; None finds it."""
    tune: int | None = None
    """The tune of the first file, where that is a book, counted from 1; None takes the first."""

    @property
    def sides(self) -> dict[SideName, Side]:
        """The two tunes."""
        return {"pitch": Side(like=self.source), "rhythm": Side(like=self.like)}

    @property
    def sources(self) -> dict[str, Selection]:
        """The two tunes."""
        return {self.like: Selection()} | {self.source: Selection(self.track, self.tune)}

    def with_sources(self, sources: Mapping[str, str]) -> Mashup:
        """Return the request with its files renamed, ``sources[old]`` being the new name."""
        return structs.replace(self, source=sources[self.source], like=sources[self.like])

    def swapped(self) -> Mashup:
        """Return the mashup with its two tunes exchanged."""
        return Mashup(source=self.like, like=self.source, seed=self.seed)


Request = Compose | Transfer | Mashup


class _StoredTransfer(msgspec.Struct, frozen=True, tag="rerhythm"):
    """The flat form of a transfer on disk; a name without prefix belongs to the rhythm."""

    source: str
    seed: int
    rhythm: str | None = None
    like: str | None = None
    strength: float = 1.0
    meter: str | None = None
    keep_bars: str | None = None
    track: int | None = None
    pitch: str | None = None
    pitch_like: str | None = None
    pitch_strength: float = 1.0
    tune: int | None = None


def encode_request(request: Request) -> str:
    """Return a request as JSON in the form that databases and exports have had since 0.1.0."""
    if not isinstance(request, Transfer):
        return _without_tune(request)
    rhythm, pitch = request.rhythm or Side(), request.pitch or Side()
    stored = _StoredTransfer(
        source=request.source,
        seed=request.seed,
        rhythm=rhythm.style,
        like=rhythm.like,
        strength=rhythm.strength,
        meter=request.meter,
        keep_bars=request.keep_bars,
        track=request.track,
        pitch=pitch.style,
        pitch_like=pitch.like,
        pitch_strength=pitch.strength,
        tune=request.tune,
    )
    return _without_tune(stored)


def _without_tune(stored: msgspec.Struct) -> str:
    """The JSON of a struct; a ``tune`` that is not named is left out, as before books were read."""
    fields = msgspec.to_builtins(stored)
    if fields.get("tune") is None:
        fields.pop("tune", None)
    return msgspec.json.encode(fields).decode()


def decode_request(text: str) -> Request:
    """Return the request that `encode_request` wrote, in this version or in 0.1.0.

    Raises:
        msgspec.DecodeError: when the text is no request.
    """
    stored = msgspec.json.decode(text, type=Compose | _StoredTransfer | Mashup)
    if not isinstance(stored, _StoredTransfer):
        return stored
    return Transfer(
        source=stored.source,
        seed=stored.seed,
        rhythm=Side.of(stored.rhythm, stored.like, stored.strength),
        pitch=Side.of(stored.pitch, stored.pitch_like, stored.pitch_strength),
        meter=stored.meter,
        keep_bars=stored.keep_bars,
        track=stored.track,
        tune=stored.tune,
    )


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
    light: bool = False
    """Draw pictures in black on white, for paper; a PDF file always is."""
    max_pages: int | None = None
    """Pages of a PNG that are made, at most; None makes all."""

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
    notes: int
    form: str
    """A letter for each section, such as AABB; empty for a given tune."""
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


def draw_seed() -> int:
    """Return a random seed, 0 to 999,999, for a request that names none."""
    return secrets.randbelow(_MAX_DRAWN_SEED + 1)


def next_seed(seed: int, offset: int) -> int:
    """Return the seed ``offset`` places after ``seed``; 0 comes after the largest one.

    Args:
        seed: 0 to `MAX_SEED`.
        offset: how many places to go on.
    """
    return (seed + offset) % (MAX_SEED + 1)


def validate(
    request: Request, styles: Mapping[str, StyleCard], *, max_bars: int = BARS_RANGE[1]
) -> None:
    """Check the options of a request without loading anything heavy.

    This is the only place where options are checked. The bot calls it before its public answer and
    the command line before it loads a network, so that a person sees the error early; the studio
    calls it for every job.

    Args:
        request: any request.
        styles: the available styles by name.
        max_bars: highest number of bars of a new tune here, at most that of `BARS_RANGE`.

    Raises:
        UnknownStyle: when one of its styles is not there.
        BadOption: when an option is invalid; it says what would be accepted.
    """
    _check_range("seed", request.seed, (0, MAX_SEED))
    request._check_options(styles, max_bars)


def parse_bar_ranges(text: str | None, bars: int = 10**6) -> frozenset[int]:
    """Return the bar indices, from 0, of a list such as ``1-4,9``, which counts from 1.

    Args:
        text: bar numbers and ranges with commas between them; None is no bar.
        bars: number of bars of the tune.

    Raises:
        BadOption: when the list is written otherwise or names a bar after the last one.
    """
    found: set[int] = set()
    for piece in (text or "").split(","):
        if not piece.strip():
            continue
        first, _, last = (part.strip() for part in piece.partition("-"))
        numbers = [first, last or first]
        if not all(number.isascii() and number.isdigit() and len(number) < 6 for number in numbers):
            raise BadOption("keep-bars", text, "write bars as 1-4,9")
        start, end = int(numbers[0]), int(numbers[1])
        if not 1 <= start <= end:
            raise BadOption("keep-bars", text, "count bars from 1, the lower one first")
        if end > bars:
            raise BadOption("keep-bars", text, f"the tune has bars 1 to {bars}")
        found |= set(range(start - 1, end))
    return frozenset(found)


def validate_formats(formats: Iterable[str]) -> None:
    """Check that every format is one of `FORMATS`.

    Raises:
        BadOption: for the first that is not.
    """
    for format in formats:
        if format not in FORMATS:
            raise BadOption("format", format, f"choose from {', '.join(FORMATS)}")


def _check_range(option: str, value: float, span: tuple[float, float], unit: str = "") -> None:
    lowest, highest = span
    if not lowest <= value <= highest:
        raise BadOption(option, value, f"choose {lowest:.0f} to {highest:.0f}{unit}")
