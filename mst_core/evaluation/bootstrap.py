"""Bootstrap estimates: a mean over tunes with the interval of 95 % of resampled means."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

N_RESAMPLES = 1000


class Estimate(msgspec.Struct, frozen=True):
    """A statistic with the interval that holds 95 % of its bootstrap resamples."""

    mean: float
    low: float
    high: float
    tunes: int


def bootstrap_mean(values: Sequence[float | None]) -> Estimate | None:
    """Estimate the mean over tunes.

    Args:
        values: one value a tune; None where the metric is undefined, which is left out.

    Returns:
        None when no tune has a value.
    """
    known = np.array([value for value in values if value is not None], dtype=float)
    if not len(known):
        return None
    return bootstrap(lambda pick: known[pick].mean(axis=-1), len(known))


def bootstrap(
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]], *sizes: int
) -> Estimate:
    """Bootstrap a statistic of one or several independent samples of tunes.

    Args:
        statistic: maps indices ``(R, n)``, the samples side by side in order, to values ``(R,)``.
        sizes: number of tunes of each sample; n is their sum.

    Returns:
        The statistic of the samples themselves, with its 2.5th and 97.5th percentile over
        `N_RESAMPLES` resamples. The resampling has a fixed seed.
    """
    rng = np.random.default_rng(0)
    whole = np.concatenate([np.arange(size) for size in sizes])[None]
    drawn = np.concatenate([rng.integers(0, size, (N_RESAMPLES, size)) for size in sizes], axis=1)
    resampled = statistic(drawn)
    low, high = np.nanpercentile(resampled, (2.5, 97.5))
    return Estimate(float(statistic(whole)[0]), float(low), float(high), sizes[0])


def gap_closure(after: Sequence[float], before: Sequence[float], real: Sequence[float]) -> Estimate:
    """Estimate (mean after - mean before) / (mean real - mean before).

    Args:
        after: a classifier's log-odds of the transferred tunes, ``(N,)``.
        before: the same of their sources, ``(N,)``.
        real: the same of real tunes of the target style, ``(M,)``.

    Returns:
        0 where nothing changed, 1 where the transferred tunes score as real ones do.
    """
    a, b, r = (np.array(values, dtype=float) for values in (after, before, real))

    def closure(pick: NDArray[np.int64]) -> NDArray[np.float64]:
        # (R, N + M) indices of resamples to (R,) ratios.
        tunes, others = pick[:, : len(a)], pick[:, len(a) :]
        old = b[tunes].mean(axis=-1)
        gap: NDArray[np.float64] = (a[tunes].mean(axis=-1) - old) / (r[others].mean(axis=-1) - old)
        return gap

    return bootstrap(closure, len(a), len(r))


def share_between(ours: Sequence[float], start: Sequence[float], end: Sequence[float]) -> Estimate:
    """Estimate (mean ours - mean start) / (mean end - mean start) over the same N tunes.

    Args:
        ours: a metric of each tune after the change, (N,).
        start: the same of each original tune, (N,).
        end: the same of what a full change should reach, (N,).

    Returns:
        The ratio with its interval from resampled tunes: 0 where nothing moved, 1 where ``ours``
        reaches ``end``.
    """
    o, a, b = (np.array(values, dtype=float) for values in (ours, start, end))

    def share(pick: NDArray[np.int64]) -> NDArray[np.float64]:
        # (R, N) indices of resamples to (R,) ratios.
        first = a[pick].mean(axis=-1)
        ratio: NDArray[np.float64] = (o[pick].mean(axis=-1) - first) / (
            b[pick].mean(axis=-1) - first
        )
        return ratio

    return bootstrap(share, len(o))
