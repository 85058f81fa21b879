"""Bars that one target tune lends: its own rhythms, for bars with about as many notes."""

from __future__ import annotations

from mst_core.corpora.tunes import TICKS
from mst_core.errors import NoSuchTune
from mst_core.music import Melody, Meter
from mst_core.transfer.mashup import fit, rhythms_of
from mst_core.transfer.rhythm_interpolation import Rhythm

MOST_LENT = 60
"""Rhythms for one class of bars."""
MOST_FITTED = 4
"""Notes that a lent bar may have more or fewer."""


def lent_rhythms(
    lender: Melody, meter: Meter, bars: int, notes: int, grain: int = 1
) -> list[Rhythm]:
    """The lender's rhythms of so many bars with so many notes; the best fitting first.

    None when it stands in bars of another length; only those in whole multiples of ``grain`` ticks.
    """
    if lender.meter.bar != meter.bar or lender.changes:
        return []
    single = rhythms_of(lender, lender.meter)
    found: dict[Rhythm, int] = {}
    for first in range(len(single) - bars + 1):
        joined = tuple(
            (onset + place * meter.bar, duration)
            for place, rhythm in enumerate(single[first : first + bars])
            for onset, duration in rhythm
        )
        off = abs(len(joined) - notes)
        if not joined or off > MOST_FITTED:
            continue
        try:
            fitted = fit(joined, notes, meter)
        except NoSuchTune:
            continue
        if all((time * TICKS / grain).denominator == 1 for note in fitted for time in note):
            found[fitted] = min(off, found.get(fitted, off))
    ranked = sorted(found, key=lambda rhythm: found[rhythm])
    return ranked[:MOST_LENT]
