"""Whether a request makes sense, told before anything heavy is loaded.

The bot asks here before its public answer, the command line before it opens the networks, and the
studio once more, because it trusts nobody.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

from mst_core.errors import BadOption
from mst_core.jobs import BARS_RANGE, FORMATS, LARGEST_SEED, TEMPO_RANGE, Compose
from mst_core.music import Key, Meter
from mst_core.styles import StyleCard, require_style

_LARGEST_DRAWN_SEED = 999_999  # six digits: a person can read one out and type it again


def draw_seed() -> int:
    """Return a seed for someone who gave none."""
    return secrets.randbelow(_LARGEST_DRAWN_SEED + 1)


def check(request: Compose, styles: Mapping[str, StyleCard]) -> None:
    """Do nothing, when the request can be met as far as its options go.

    Raises:
        UnknownStyle: when one of its styles is not there.
        BadOption: when bars, seed, tempo, key or meter cannot be; it says what would be accepted.
    """
    cards = dict(styles)
    require_style(request.pitch, cards)
    rhythm = require_style(request.rhythm, cards)
    _check_range("bars", request.bars, BARS_RANGE)
    _check_range("seed", request.seed, (0, LARGEST_SEED))
    if request.tempo is not None:
        _check_range("tempo", request.tempo, TEMPO_RANGE, " quarter notes per minute")
    if request.key is not None:
        Key.parse(request.key)
    if request.meter is not None and str(Meter.parse(request.meter)) not in rhythm.meters:
        there_are = ", ".join(rhythm.meters)
        raise BadOption("meter", request.meter, f"the rhythms of {request.rhythm} are {there_are}")


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
