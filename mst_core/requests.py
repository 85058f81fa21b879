"""The requests: a new tune, a transfer of a given tune, a mashup of two.

A request is what a person asks for, without the files that it names. All are frozen msgspec
structs; `mst_core.request_json` has their form in databases. `validate` is the only place where
options are checked. Nothing here loads a network.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Literal, Self

import msgspec
from msgspec import structs

from mst_core.errors import BadOption, RequestError
from mst_core.music import Key, Meter
from mst_core.reading.parsed_score import Selection
from mst_core.styles import StyleCard, require_meter, require_style

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
        if self.meter is not None:
            require_meter(self.meter, self.rhythm, rhythm)


class Transfer(_RequestBase, frozen=True, kw_only=True, tag="rerhythm"):
    """A given tune whose rhythm, pitches or both are changed towards a style or one other tune.

    Databases and exports hold it in the flat form of version 0.1, see `request_json`.
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


def _check_range(option: str, value: float, span: tuple[float, float], unit: str = "") -> None:
    lowest, highest = span
    if not lowest <= value <= highest:
        raise BadOption(option, value, f"choose {lowest:.0f} to {highest:.0f}{unit}")
