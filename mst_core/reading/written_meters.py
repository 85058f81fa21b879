"""Finds the meters of written measures: of free meter, of misnamed ones, of slips of the writer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby

from mst_core.music import Meter
from mst_core.reading.measures import WrittenMeasure, meter_of_length

DEFAULT_METER = Meter(4, 4)
MAX_FREE_BAR = 8
"""Longest bar that free meter is given, in quarter notes."""
MIN_MEASURES_OF_METER = 4
"""Fewest measures, none of them as long as their meter, that have the meter of most of them."""
ROUNDING = Fraction(1, 24)
"""A measure that misses its bar by no more was rounded by its writer, in quarter notes."""
MAX_SLIP = Fraction(1, 4)
"""A length that no meter has is that of a bar if it misses it by no more, in quarter notes."""


def round_to_bars(length: Fraction, last_onset: Fraction, meter: Meter) -> Fraction:
    """Return a length as whole bars where it only misses them by a slip of its writer.

    Args:
        length: Quarter notes.
        last_onset: Where its last note begins, in quarter notes; none may begin after the bars.
        meter: The meter of the bars.

    Returns:
        A multiple of the bar's length, else ``length``.
    """
    bars = max(1, round(length / meter.bar_length)) * meter.bar_length
    miss = abs(length - bars)
    slip = miss <= MAX_SLIP and (8 * length).denominator > 1 and last_onset < bars - ROUNDING
    return bars if slip or (miss <= ROUNDING and last_onset < bars) else length


def find_meters(
    measures: Sequence[WrittenMeasure],
) -> tuple[list[Meter], dict[Meter, Meter]]:
    """Find the meter of each measure.

    Args:
        measures: All measures of a file.

    Returns:
        The meters, as many as measures; and for each written meter that its measures contradict
        the one that they have.
    """
    free = _most_common_meter(measures)
    meters: list[Meter] = []
    misnamed: dict[Meter, Meter] = {}
    for written, run in groupby(measures, key=lambda each: each.meter):
        run_of_meter = list(run)
        meter = written or free
        own = _meter_of_most(run_of_meter, meter) if written else None
        if own:
            misnamed[meter] = own
        meters += [own or meter] * len(run_of_meter)
    return meters, misnamed


def _meter_of_most(measures: Sequence[WrittenMeasure], meter: Meter) -> Meter | None:
    """The meter of most of the measures where none of them has the length that is written."""
    lengths = Counter(each.length for each in measures if each.length)
    if sum(lengths.values()) < MIN_MEASURES_OF_METER:
        return None
    if any(abs(length % meter.bar_length) <= ROUNDING for length in lengths):
        return None
    (length, count), *_ = lengths.most_common(1)
    own = meter_of_length(length, meter)
    if own is None or 2 * count <= sum(lengths.values()):
        return None
    if own.numerator == 1:
        # Bars of one beat are rare: of a half note they are 2/4, shorter ones are parts of bars.
        return Meter(2, 2 * own.denominator) if length >= 2 else None
    return own


def _most_common_meter(measures: Sequence[WrittenMeasure]) -> Meter:
    """The meter for measures in free meter: that of their most common length."""
    lengths = Counter(each.length for each in measures if each.length and each.meter is None)
    if lengths:
        length = max(lengths, key=lambda each: (lengths[each], each))
        return (length <= MAX_FREE_BAR and meter_of_length(length, DEFAULT_METER)) or DEFAULT_METER
    return DEFAULT_METER
