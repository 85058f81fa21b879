"""What crosses from a front end to the engine and back: requests, progress, renditions.

They are frozen msgspec structs, so that the same value goes through msgpack to the engine process,
through JSON to the ledger and to ``mst --json``. Nothing here loads a network.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Literal, Self

import msgspec
from msgspec import structs

from mst_core.errors import BadOption
from mst_core.music import Key, Meter
from mst_core.reading.parsed_score import ParsedScore
from mst_core.styles import StyleCard, require_style

AUDIO_FORMATS = ("mp3", "ogg", "wav")
PICTURE_FORMATS = ("png", "svg")
SCORE_FORMATS = ("mid", "musicxml", "abc")
FORMATS = AUDIO_FORMATS + PICTURE_FORMATS + SCORE_FORMATS

BARS_RANGE = (4, 64)
TEMPO_RANGE = (40.0, 320.0)  # quarter notes per minute
MAX_SEED = 2**31 - 1


SideName = Literal["pitch", "rhythm"]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What one side of a tune, its pitches or its rhythm, is taken from or changed towards.

    Exactly one of `style` and `like` is given; `validate` refuses anything else.
    """

    style: str | None = None
    """Name of a style."""
    like: str | None = None
    """SHA-256 of an uploaded file: one single tune is the target."""
    strength: float = 1.0
    """How far the side changes, 0 to 1: 0 keeps it note for note, 1 goes all the way."""

    @classmethod
    def of(cls, style: str | None, like: str | None, strength: float = 1.0) -> Self | None:
        """Return the side that a style or a tune is named for; None where neither is."""
        if style is None and like is None:
            return None
        return cls(style=style, like=like, strength=strength)


class _RequestBase(msgspec.Struct, frozen=True, kw_only=True):
    """What every kind of request can be asked; `Request` is the union of the kinds."""

    @property
    def sides(self) -> dict[SideName, Side]:
        """Where the pitches and the rhythm come from; a side that stays as it is is left out."""
        raise NotImplementedError

    @property
    def sources(self) -> dict[str, int | None]:
        """SHA-256 of the files that the request needs, the changed tune last.

        The value is the track with the melody, counted from 1; None: it is found automatically.
        """
        return {}

    @property
    def styles(self) -> dict[SideName, str]:
        """Names of the styles by side."""
        return {name: side.style for name, side in self.sides.items() if side.style is not None}

    @property
    def strengths(self) -> dict[SideName, float]:
        """Strengths, 0 to 1, of the sides that a transfer changes; empty for other requests."""
        return {}

    def _check_options(self, styles: Mapping[str, StyleCard], max_bars: int) -> None:
        """Raise BadOption or UnknownStyle when an option is invalid; see `validate`."""

    def with_seed(self, seed: int) -> Self:
        """Return the request with another seed."""
        return structs.replace(self, seed=seed)

    def with_strength(self, strength: float, *, pitch_strength: float | None = None) -> Self:
        """Return the request with another strength (0 to 1) on each side that it changes.

        Args:
            strength: of both sides.
            pitch_strength: of the pitches, where it is not that of the rhythm.
        """
        return self

    def with_sources(self, sources: Mapping[str, str]) -> Self:
        """Return the request about other files: ``sources`` maps old names to new ones."""
        return self

    def swapped(self) -> Self:
        """Return a mashup with its two tunes exchanged; any other request as it is."""
        return self


class Compose(_RequestBase, frozen=True, kw_only=True, tag="compose"):
    """A new tune: the melodic style of one style, the rhythm of another or of the same.

    Options that are None are chosen by the style and the seed.
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

    In databases and exports it has the flat form of version 0.1, see `encode_request`.
    """

    source: str
    """SHA-256 of the file with the tune."""
    seed: int
    rhythm: Side | None = None
    """None: the rhythm stays as it is."""
    pitch: Side | None = None
    """None: the pitches stay as they are."""
    meter: str | None = None
    keep_bars: str | None = None
    """Bars that stay as they are, such as ``1-4,9``, counted from 1."""
    track: int | None = None
    """The track of a MIDI file that holds the melody, counted from 1; None finds it."""

    @property
    def sides(self) -> dict[SideName, Side]:
        """The sides that change."""
        sides: dict[SideName, Side | None] = {"pitch": self.pitch, "rhythm": self.rhythm}
        return {name: side for name, side in sides.items() if side is not None}

    @property
    def sources(self) -> dict[str, int | None]:
        """The tunes that it is to be like, and the tune itself."""
        likes = (side.like for side in (self.rhythm, self.pitch) if side is not None)
        return dict.fromkeys(like for like in likes if like is not None) | {self.source: self.track}

    @property
    def strengths(self) -> dict[SideName, float]:
        """Strengths of the sides that change."""
        return {name: side.strength for name, side in self.sides.items()}

    def with_strength(self, strength: float, *, pitch_strength: float | None = None) -> Transfer:
        """Return the request with another strength (0 to 1) on each side that it changes."""
        pitch = strength if pitch_strength is None else pitch_strength
        return structs.replace(
            self,
            rhythm=self.rhythm and structs.replace(self.rhythm, strength=strength),
            pitch=self.pitch and structs.replace(self.pitch, strength=pitch),
        )

    def with_sources(self, sources: Mapping[str, str]) -> Transfer:
        """Return the request about other files: ``sources`` maps old names to new ones."""

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

    def _check_options(self, styles: Mapping[str, StyleCard], max_bars: int) -> None:
        for name, side in (("rhythm", self.rhythm), ("pitch", self.pitch)):
            if side is None:
                continue
            if side.style is not None and side.like is not None:
                raise BadOption(f"{name} and like", "both", "name a style, or one tune to be like")
            if side.style is not None:
                require_style(side.style, styles)
        if not any(side.style or side.like for side in self.sides.values()):
            raise BadOption("rhythm or like", "neither", "name a style, or one tune to be like")
        for name, side in (("strength", self.rhythm), ("pitch strength", self.pitch)):
            if side is not None and not 0 <= side.strength <= 1:
                # Where only the pitches change, people call theirs the strength.
                option = "strength" if self.rhythm is None else name
                raise BadOption(option, side.strength, "choose 0 (as it is) to 1 (the whole way)")
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

    @property
    def sides(self) -> dict[SideName, Side]:
        """The two tunes."""
        return {"pitch": Side(like=self.source), "rhythm": Side(like=self.like)}

    @property
    def sources(self) -> dict[str, int | None]:
        """The two tunes."""
        return {self.like: None} | {self.source: self.track}

    def with_sources(self, sources: Mapping[str, str]) -> Mashup:
        """Return the request about other files: ``sources`` maps old names to new ones."""
        return structs.replace(self, source=sources[self.source], like=sources[self.like])

    def swapped(self) -> Mashup:
        """Return the mashup with its two tunes exchanged."""
        return Mashup(source=self.like, like=self.source, seed=self.seed)


Request = Compose | Transfer | Mashup


class _StoredTransfer(msgspec.Struct, frozen=True, tag="rerhythm"):
    """A transfer as databases and exports hold it: an unprefixed name belongs to the rhythm."""

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


def encode_request(request: Request) -> str:
    """Return a request as JSON, in the form that databases and exports have had since 0.1.0."""
    if not isinstance(request, Transfer):
        return msgspec.json.encode(request).decode()
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
    )
    return msgspec.json.encode(stored).decode()


def decode_request(text: str) -> Request:
    """Return the request that `encode_request` wrote, also one of version 0.1.0.

    Raises:
        msgspec.DecodeError: when the text is something else.
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
    )


class Job(msgspec.Struct, frozen=True):
    """One request on its way through an engine, with the files that are wanted of it."""

    id: str
    request: Request
    formats: tuple[str, ...] = ("mp3", "png", "mid")
    scores: dict[str, ParsedScore] = {}
    """The uploaded files of the request as they were parsed, by SHA-256."""
    performed_midi: bool = False
    """Whether the MIDI file is to hold swing and feel, as the sound does, instead of the score."""
    show_original: bool = False
    """Whether the pictures are to show the given tune too, before and after."""


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How far a job is: a stage (composing, playing, drawing) and the share done, 0 to 1."""

    stage: str
    share: float


_RECEIPT_KEYS = {
    "rhythm_strength": "strength",
    "rhythm_changed": "changed",
    "rhythm_similarity": "closeness",
    "pitch_changed": "repitched",
    "pitch_similarity": "pitch_closeness",
    "rank_among": "closer_than",
    "longest_shared_run": "longest_copy",
    "p95_shared_run": "usual_copy",
}
"""Fields of a receipt whose JSON key is another: databases and scripts rely on the keys."""


class Receipt(msgspec.Struct, frozen=True, rename=_RECEIPT_KEYS):
    """What was made, in words and figures: shown in the channel, printed by ``mst --json``."""

    pitch: str
    """The style of its pitches; empty where they are a given tune's own."""
    rhythm: str
    """The style of its rhythm; empty where that is one other tune's."""
    seed: int
    key: str
    meter: str
    tempo: float
    bars: int
    notes: int
    form: str
    seconds: float
    version: str
    source: str = ""
    """The title of the given tune."""
    rhythm_strength: float | None = None
    rhythm_changed: float | None = None
    """Share of the given tune's notes whose onset in the bar or duration is another now."""
    rhythm_similarity: float | None = None
    """Of its rhythm to the target's: 1 is alike. It never falls as the strength rises."""
    pitch_strength: float | None = None
    pitch_changed: float | None = None
    """Share of the given tune's notes whose pitch is another now."""
    pitch_similarity: float | None = None
    repeats: tuple[int, int] | None = None
    """How many bars of the given tune come again note for note, and how many of them still do."""
    rank_among: tuple[int, int] | None = None
    """Nearer to its target than so many of so many other tunes."""
    longest_shared_run: int | None = None
    """Notes in a row that some tune of the style, or the target tune, has too."""
    p95_shared_run: int | None = None
    """What two unrelated tunes of the style share at the most, nineteen times in twenty."""
    remarks: tuple[str, ...] = ()
    """Plain sentences about the given file and what was done."""


class Rendition(msgspec.Struct, frozen=True, tag="rendition"):
    """The finished answer: the receipt and the files by format."""

    receipt: Receipt
    files: dict[str, bytes]


JobEvent = Progress | Rendition


MAX_BAR_LENGTH = 12
"""Quarter notes: longer bars are no music that a style has."""
_MAX_DRAWN_SEED = 999_999  # six digits: a person can read one out and type it again


def draw_seed() -> int:
    """Return a seed for someone who gave none."""
    return secrets.randbelow(_MAX_DRAWN_SEED + 1)


def next_seed(seed: int, offset: int) -> int:
    """Return the seed so many steps on; behind the largest comes 0."""
    return (seed + offset) % (MAX_SEED + 1)


def validate(
    request: Request, styles: Mapping[str, StyleCard], *, max_bars: int = BARS_RANGE[1]
) -> None:
    """Check the options of a request before anything heavy is loaded.

    This is the only place where requests are validated. The bot calls it before its public answer
    and the command line before it opens the networks, so that a person gets the error early; the
    studio calls it for every job.

    Args:
        request: the request.
        styles: the styles that there are, by name.
        max_bars: most bars that a new tune may have here, at most 64.

    Raises:
        UnknownStyle: when one of its styles is not there.
        BadOption: when an option is invalid; it says what would be accepted.
    """
    _check_range("seed", request.seed, (0, MAX_SEED))
    request._check_options(styles, max_bars)


def parse_bar_ranges(text: str | None, bars: int = 10**6) -> frozenset[int]:
    """Read bars such as ``1-4,9`` (counted from 1) as numbers counted from 0.

    Raises:
        BadOption: when it is written otherwise, or names more than the ``bars`` that there are.
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
    """Do nothing, when all of them can be made.

    Raises:
        BadOption: at the first that cannot.
    """
    for format in formats:
        if format not in FORMATS:
            raise BadOption("format", format, f"choose from {', '.join(FORMATS)}")


def _check_range(option: str, value: float, span: tuple[float, float], unit: str = "") -> None:
    lowest, highest = span
    if not lowest <= value <= highest:
        raise BadOption(option, value, f"choose {lowest:.0f} to {highest:.0f}{unit}")
