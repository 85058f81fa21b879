"""Intervals over tunes: what another sample of as many tunes could have given."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

N_RESAMPLES = 1000


class Estimate(msgspec.Struct, frozen=True):
    """A mean with the interval that holds 95 % of the means of other samples."""

    mean: float
    low: float
    high: float
    tunes: int


def bootstrap_mean(values: Sequence[float | None]) -> Estimate | None:
    """Mean over tunes; those without a value are left out. None when there is none."""
    known = np.array([value for value in values if value is not None], dtype=float)
    if not len(known):
        return None
    return interval(lambda pick: known[pick].mean(axis=-1), len(known))


def interval(
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]], *sizes: int
) -> Estimate:
    """Bootstrap a statistic of index arrays (draws, n), one for each sample of tunes.

    With several sizes the statistic gets the arrays side by side in one, the samples in order.
    """
    rng = np.random.default_rng(0)
    whole = np.concatenate([np.arange(size) for size in sizes])[None]
    drawn = np.concatenate([rng.integers(0, size, (N_RESAMPLES, size)) for size in sizes], axis=1)
    found = statistic(drawn)
    low, high = np.nanpercentile(found, (2.5, 97.5))
    return Estimate(float(statistic(whole)[0]), float(low), float(high), sizes[0])


def gap_closure(after: Sequence[float], before: Sequence[float], real: Sequence[float]) -> Estimate:
    """Gap closure: (mean after - mean before) / (mean real - mean before), over tunes."""
    a, b, r = (np.array(values, dtype=float) for values in (after, before, real))

    def share(pick: NDArray[np.int64]) -> NDArray[np.float64]:
        tunes, others = pick[:, : len(a)], pick[:, len(a) :]
        old = b[tunes].mean(axis=-1)
        gap: NDArray[np.float64] = (a[tunes].mean(axis=-1) - old) / (r[others].mean(axis=-1) - old)
        return gap

    return interval(share, len(a), len(r))


def share_between(ours: Sequence[float], start: Sequence[float], end: Sequence[float]) -> Estimate:
    """How far ours lies on the way from start to end, all three measured on the same tunes."""
    o, a, b = (np.array(values, dtype=float) for values in (ours, start, end))

    def share(pick: NDArray[np.int64]) -> NDArray[np.float64]:
        begin = a[pick].mean(axis=-1)
        way: NDArray[np.float64] = (o[pick].mean(axis=-1) - begin) / (b[pick].mean(axis=-1) - begin)
        return way

    return interval(share, len(o))
