"""From a transcribed beat to a written one: swung pairs become even eighths, the rest plain values.

The Weimar Jazz Database divides each beat as finely as its player did, in up to twenty parts. A
score writes the same beat in halves, thirds, quarters, sixths or at most twelfths, and leaves swing
to the performance.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

FINEST = 12
"""Parts of a beat at most: so many notes fit into one."""
_PRICES = {2: 0.0, 3: 0.01, 4: 0.035, 6: 0.166, 12: 0.223}
"""What writing a beat in so many parts costs, in beats of mean shift that it must save."""
_SWUNG = {
    # a pair long and short, a pair that comes late, and the late one alone
    (Fraction(0), Fraction(2, 3)): (Fraction(0), Fraction(1, 2)),
    (Fraction(1, 4), Fraction(3, 4)): (Fraction(0), Fraction(1, 2)),
    (Fraction(3, 4),): (Fraction(1, 2),),
}


def straighten(places: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Write the notes of one beat: rising places of 0 to less than 1 beat, as many come back.

    Raises:
        ValueError: for more than `FINEST` notes in the beat.
    """
    if len(places) > FINEST:
        raise ValueError(f"{len(places)} notes in a beat")
    return _straighten(tuple(places))


@lru_cache(maxsize=4096)
def _straighten(places: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    if not places or places in _SWUNG:
        return _SWUNG.get(places, ())
    written = [_fit(places, parts) for parts in _PRICES if parts >= len(places)]
    return min(written)[1]


def _fit(places: tuple[Fraction, ...], parts: int) -> tuple[float, tuple[Fraction, ...]]:
    """The nearest places among so many parts of a beat, in order and apart, and their cost."""
    grid = [Fraction(part, parts) for part in range(parts)]
    shift, chosen = min(
        (sum(abs(a - b) for a, b in zip(places, some, strict=True)), some)
        for some in combinations(grid, len(places))
    )
    return float(shift) / len(places) + _PRICES[parts], chosen
