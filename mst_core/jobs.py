"""What crosses from a front end to the engine and back: requests, progress, renditions.

They are frozen msgspec structs, so that the same value goes through msgpack to the engine process,
through JSON to the ledger and to ``mst --json``. Nothing here loads a network.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

import msgspec

from mst_core.errors import BadOption
from mst_core.music import Key, Meter
from mst_core.styles import StyleCard, require_style

AUDIO_FORMATS = ("mp3", "ogg", "wav")
PICTURE_FORMATS = ("png", "svg")
SCORE_FORMATS = ("mid", "musicxml", "abc")
FORMATS = AUDIO_FORMATS + PICTURE_FORMATS + SCORE_FORMATS

BARS_RANGE = (4, 64)
TEMPO_RANGE = (40.0, 320.0)  # quarter notes per minute
MAX_SEED = 2**31 - 1


class Compose(msgspec.Struct, frozen=True, tag="compose"):
    """A new tune: the melody language of one style, the rhythm of another, or of the same.

    Options that are None are chosen by the style and the seed.
    """

    pitch: str
    rhythm: str
    seed: int
    bars: int = 16
    meter: str | None = None
    key: str | None = None
    tempo: float | None = None


class Restyle(msgspec.Struct, frozen=True, tag="rerhythm"):
    """A given tune changed: the rhythm of a style or of one other tune, or its melody language.

    What neither ``rhythm`` nor ``like`` names is the tune's own rhythm, and so with the pitches.
    ``source``, ``like`` and ``pitch_like`` are the SHA-256 of uploaded files, whose readings the
    job carries.
    """

    source: str
    seed: int
    rhythm: str | None = None
    like: str | None = None
    strength: float = 1.0
    """Of the rhythm: 0 is the original note for note, 1 the whole way."""
    meter: str | None = None
    keep_bars: str | None = None
    """Bars left alone, such as ``1-4,9``, counted from 1."""
    track: int | None = None
    """The track of a MIDI file that holds the melody, counted from 1; None finds it."""
    pitch: str | None = None
    pitch_like: str | None = None
    pitch_strength: float = 1.0


class Mashup(msgspec.Struct, frozen=True, tag="mashup"):
    """The pitches and the form of one given tune on the very rhythm of another."""

    source: str
    """SHA-256 of the file whose pitches sound."""
    like: str
    """SHA-256 of the file whose rhythm they take."""
    seed: int
    track: int | None = None
    """The track of the first file that holds the melody, counted from 1; None finds it."""


Request = Compose | Restyle | Mashup


class Job(msgspec.Struct, frozen=True):
    """One request on its way through an engine, with the files that are wanted of it."""

    id: str
    request: Request
    formats: tuple[str, ...] = ("mp3", "png", "mid")
    readings: dict[str, bytes] = {}
    """What the parser made of uploaded files, by SHA-256 (`mst_core.reading.parsed_score`)."""
    performed: bool = False
    """Whether the MIDI file is to hold swing and feel, as the sound does, instead of the score."""
    compared: bool = False
    """Whether the pictures are to show the given tune too, before and after."""


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How far a job is: a stage (composing, playing, drawing) and the share done, 0 to 1."""

    stage: str
    share: float


class Receipt(msgspec.Struct, frozen=True):
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
    strength: float | None = None
    changed: float | None = None
    """Share of the given tune's notes whose onset in the bar or duration is another now."""
    closeness: float | None = None
    """Of its rhythm to the target's: 1 is alike. It never falls as the strength rises."""
    pitch_strength: float | None = None
    repitched: float | None = None
    """Share of the given tune's notes whose pitch is another now."""
    pitch_closeness: float | None = None
    repeats: tuple[int, int] | None = None
    """How many bars of the given tune come again note for note, and how many of them still do."""
    closer_than: tuple[int, int] | None = None
    """Nearer to its target than so many of so many other tunes."""
    longest_copy: int | None = None
    """Notes in a row that some tune of the style, or the target tune, has too."""
    usual_copy: int | None = None
    """What two unrelated tunes of the style share at the most, nineteen times in twenty."""
    remarks: tuple[str, ...] = ()
    """Plain sentences about the given file and what was done."""


class Rendition(msgspec.Struct, frozen=True, tag="rendition"):
    """The finished answer: the receipt and the files by format."""

    receipt: Receipt
    files: dict[str, bytes]


JobEvent = Progress | Rendition


# Whether a request makes sense, told before anything heavy is loaded.
#
# The bot asks here before its public answer, the command line before it opens the networks, and the
# studio once more, because it trusts nobody.

MAX_BAR_LENGTH = 12
"""Quarter notes: longer bars are no music that a style has."""
_MAX_DRAWN_SEED = 999_999  # six digits: a person can read one out and type it again


def draw_seed() -> int:
    """Return a seed for someone who gave none."""
    return secrets.randbelow(_MAX_DRAWN_SEED + 1)


def next_seed(seed: int, offset: int) -> int:
    """Return the seed so many steps on; behind the largest comes 0."""
    return (seed + offset) % (MAX_SEED + 1)


def validate(request: Request, styles: Mapping[str, StyleCard]) -> None:
    """Do nothing, when the request can be met as far as its options go.

    Raises:
        UnknownStyle: when one of its styles is not there.
        BadOption: when an option cannot be; it says what would be accepted.
    """
    _check_range("seed", request.seed, (0, MAX_SEED))
    if isinstance(request, Compose):
        _validate_compose(request, dict(styles))
    elif isinstance(request, Restyle):
        _check_restyle(request, dict(styles))


def _validate_compose(request: Compose, styles: dict[str, StyleCard]) -> None:
    require_style(request.pitch, styles)
    rhythm = require_style(request.rhythm, styles)
    _check_range("bars", request.bars, BARS_RANGE)
    if request.tempo is not None:
        _check_range("tempo", request.tempo, TEMPO_RANGE, " quarter notes per minute")
    if request.key is not None:
        Key.parse(request.key)
    if request.meter is not None and str(Meter.parse(request.meter)) not in rhythm.meters:
        there_are = ", ".join(rhythm.meters)
        raise BadOption("meter", request.meter, f"the meters of {request.rhythm} are {there_are}")


def _check_restyle(request: Restyle, styles: dict[str, StyleCard]) -> None:
    for side, style, like in (
        ("rhythm", request.rhythm, request.like),
        ("pitch", request.pitch, request.pitch_like),
    ):
        if style is not None and like is not None:
            raise BadOption(f"{side} and like", "both", "name a style, or one tune to be like")
        if style is not None:
            require_style(style, styles)
    if not any((request.rhythm, request.like, request.pitch, request.pitch_like)):
        raise BadOption("rhythm or like", "neither", "name a style, or one tune to be like")
    for name, value in (("strength", request.strength), ("pitch strength", request.pitch_strength)):
        if not 0 <= value <= 1:
            raise BadOption(name, value, "choose 0 (as it is) to 1 (the whole way)")
    if request.meter is not None and Meter.parse(request.meter).bar_length > MAX_BAR_LENGTH:
        raise BadOption("meter", request.meter, f"a bar has at most {MAX_BAR_LENGTH} quarter notes")
    parse_bar_ranges(request.keep_bars)


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
