"""Whether a figure of processes that come and go rises with time: a regression with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

HOUR_S = 3600.0
INTERVAL = 1.96
"""Standard errors on each side of an interval of 95 %."""
FLAT_SHARE = 0.1
"""Change within an hour, as a share of the mean, up to which a figure counts as flat."""
MIN_SAMPLES = 6
"""Samples of one life below which it says nothing of a trend."""


@dataclass(frozen=True)
class Trend:
    """The slope of a figure with an interval of 95 %."""

    mean: float
    slope: float
    """Change in an hour."""
    margin: float
    """Half of the width of the interval."""

    @property
    def verdict(self) -> str:
        """``flat``, ``rises`` or ``falls``; ``no trend`` when the interval is wider but holds 0.

        ``unsure`` when the interval lies on one side of 0 and reaches beyond what is flat, or when
        there are too few samples.
        """
        if not np.isfinite(self.margin):
            return "unsure"
        limit = FLAT_SHARE * abs(self.mean)
        low, high = self.slope - self.margin, self.slope + self.margin
        if -limit <= low and high <= limit:
            return "flat"
        if low > limit:
            return "rises"
        if high < -limit:
            return "falls"
        return "no trend" if low <= 0 <= high else "unsure"


def fit_trend(lives: Sequence[Sequence[tuple[float, float]]]) -> Trend:
    """Fit one slope to the lives of several processes, each with a level of its own.

    Least squares with a fixed effect for each life. Neighbouring samples resemble each other, so
    the standard error is widened by the correlation of neighbouring residuals (the effective sample
    size of a first-order autoregression).

    Args:
        lives: for each life of a process its samples: time in seconds, and the figure.

    Returns:
        The slope; its margin is infinite where there are too few samples.
    """
    kept = [np.array(life, dtype=float) for life in lives if len(life) >= MIN_SAMPLES]
    if not kept:
        values = [value for life in lives for _, value in life]
        return Trend(float(np.mean(values)) if values else 0.0, 0.0, float("inf"))
    times = [life[:, 0] - life[:, 0].mean() for life in kept]
    figures = [life[:, 1] - life[:, 1].mean() for life in kept]
    spread = sum(float(time @ time) for time in times)
    slope = sum(float(time @ y) for time, y in zip(times, figures, strict=True)) / spread
    residuals = [y - slope * time for time, y in zip(times, figures, strict=True)]
    squares = sum(float(one @ one) for one in residuals)
    n_free = sum(map(len, kept)) - len(kept) - 1
    neighbours = sum(float(one[:-1] @ one[1:]) for one in residuals)
    likeness = min(0.99, max(0.0, neighbours / squares)) if squares else 0.0
    error = (squares / n_free / spread * (1 + likeness) / (1 - likeness)) ** 0.5
    mean = float(np.concatenate([life[:, 1] for life in kept]).mean())
    return Trend(mean, slope * HOUR_S, INTERVAL * error * HOUR_S)
