"""Whether a request makes sense, told before anything heavy is loaded.

The bot asks here before its public answer, the command line before it opens the networks, and the
studio once more, because it trusts nobody.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

from mst_core.errors import BadOption
from mst_core.jobs import (
    BARS_RANGE,
    FORMATS,
    LARGEST_SEED,
    TEMPO_RANGE,
    Compose,
    Request,
    Restyle,
)
from mst_core.music import Key, Meter
from mst_core.styles import StyleCard, require_style

LONGEST_BAR = 12
"""Quarter notes: longer bars are no music that a style has."""
_LARGEST_DRAWN_SEED = 999_999  # six digits: a person can read one out and type it again


def draw_seed() -> int:
    """Return a seed for someone who gave none."""
    return secrets.randbelow(_LARGEST_DRAWN_SEED + 1)


def next_seed(seed: int, step: int) -> int:
    """Return the seed so many steps on; behind the largest comes 0."""
    return (seed + step) % (LARGEST_SEED + 1)


def check(request: Request, styles: Mapping[str, StyleCard]) -> None:
    """Do nothing, when the request can be met as far as its options go.

    Raises:
        UnknownStyle: when one of its styles is not there.
        BadOption: when an option cannot be; it says what would be accepted.
    """
    _check_range("seed", request.seed, (0, LARGEST_SEED))
    if isinstance(request, Compose):
        _check_compose(request, dict(styles))
    elif isinstance(request, Restyle):
        _check_restyle(request, dict(styles))


def _check_compose(request: Compose, styles: dict[str, StyleCard]) -> None:
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
    if request.meter is not None and Meter.parse(request.meter).bar > LONGEST_BAR:
        raise BadOption("meter", request.meter, f"a bar has at most {LONGEST_BAR} quarter notes")
    parse_bars(request.keep_bars)


def parse_bars(text: str | None, bars: int = 10**6) -> frozenset[int]:
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


def check_formats(formats: Iterable[str]) -> None:
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
