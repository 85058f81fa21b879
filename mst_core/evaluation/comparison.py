"""Comparison of metrics with those of real tunes, each with the range that is wanted.

A wanted range is absolute, or relative to the mean of real tunes of the target style. It is printed
beside the result with "met" or "missed": goals of the project, no laws of music.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from mst_core.evaluation.bootstrap import Estimate, bootstrap, bootstrap_mean

Wanted = tuple[str, Literal["from", "times", "above"], float | None, float | None]
"""Words of a metric; its lowest and highest wanted value: ``from`` 0, as a multiple of real tunes'
mean (``times``), or ``above`` it (negative: below). None is no bound."""
_SLACK = 0.01
"""Added to a bound that is a multiple of real tunes' mean, which may be next to nothing."""
_MIN_GAP = 0.1
"""A tune whose own gap is less than this share of the mean gap has no closure of its own."""

TRANSFER: Mapping[str, Wanted] = {
    "closure by 3-gram": ("gap closure by 3-gram", "from", 0.85, 1.1),
    "closure by regression": ("gap closure by regression", "from", 0.7, 1.1),
    "closure below .4": ("tunes with a closure below .4", "from", None, 0.1),
    "closure within .5 to 1.5": ("tunes with a closure within .5 to 1.5", "from", 0.6, None),
    "closure within .85 to 1.1": ("tunes with a closure within .85 to 1.1", "from", None, None),
    "closure above 1.5": ("tunes with a closure above 1.5", "from", None, None),
    "spread": ("spread of log-odds, times real", "from", None, 1.3),
    "entropy": ("entropy of note values, bits", "above", -0.1, 0.1),
    "short": ("notes shorter than a sixteenth", "times", None, 1.5),
    "syncopated": ("syncopated notes", "times", 0.7, None),
    "held": ("barlines held by a note", "times", 0.4, None),
    "sounded": ("barlines with an onset", "from", None, None),
    "distinct": ("distinct bar rhythms, of bars", "times", 0.8, 1.25),
    "rests": ("share of time in rests", "from", None, None),
    "repeats": ("repeats kept", "from", 0.99, None),
    "precision": ("repeats that were repeats", "from", 0.95, None),
    "barlines": ("barlines that keep a note", "from", 0.9, None),
    "phrases": ("phrase starts kept", "from", 1.0, None),
    "last note": ("last note keeps beat and length", "from", 1.0, None),
    "final short": ("last note under a quarter", "from", None, None),
    "final off beat": ("last note between beats", "from", None, None),
    "jumps": ("tunes with a jump of D", "from", None, 0.0),
    "spearman": ("Spearman of strength, a tune", "from", 0.93, None),
}
"""Of a transfer at full strength."""
FEWER_RHYTHMS = {"closure by 3-gram": 0.75}
"""Lowest wanted values toward a style with fewer rhythms a tune than the source, which 0.85 would
have to be caricature."""
ONE_TUNE: Mapping[str, Wanted] = {
    "way": ("share of the way to copied", "from", 0.75, None),
    "barlines": ("barlines that keep a note", "from", 0.95, None),
    "phrases": ("phrase starts kept", "from", 1.0, None),
    "run": ("longest run shared with the target", "from", None, None),
    "copied": ("runs above 95 % of unrelated tunes'", "times", None, 1.0),
    "last note": ("last note keeps beat and length", "from", 1.0, None),
}
"""Of a transfer to one tune. Real runs: of two unrelated tunes of the target's style."""
NEW_TUNES: Mapping[str, Wanted] = {
    "final leap": ("end with a leap of a fourth or more", "times", None, 1.5),
    "final tonic": ("end on the tonic", "above", -0.1, 0.1),
    "final long": ("end with a note of half a bar or more", "above", -0.05, 0.05),
    "has pickup": ("begin with a pickup", "above", -0.1, 0.1),
    "compass": ("compass, semitones", "above", -1.5, 1.5),
    "density": ("notes a bar", "times", 0.8, 1.25),
    "eighths": ("eighths in a row, at most", "times", 0.8, 1.25),
    "rests": ("share of time in rests", "times", 0.75, 1.33),
    "breath": ("phrases that end with a rest or long note", "above", -0.15, 0.15),
    "distinct": ("distinct bar rhythms, of bars", "times", 0.8, 1.25),
    "repeats": ("two-bar phrases that repeat an earlier one", "above", -0.15, 0.15),
    "short": ("notes shorter than a sixteenth", "times", None, 1.5),
    "syncopated": ("syncopated notes", "times", 0.7, 1.4),
    "held": ("barlines held by a note", "times", 0.4, 1.5),
    "sounded": ("barlines with an onset", "above", -0.1, 0.1),
    "entropy": ("entropy of note values, bits", "above", -0.1, 0.1),
    "leading": ("raised sevenths of minor tunes", "above", -0.15, 0.15),
    "key": ("key label fits the notes", "above", -0.1, None),
}
"""Of new tunes."""


class ComparedMetric(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of results beside real tunes, with the range that is wanted."""

    name: str
    ours: Estimate
    source: float | None = None
    """Mean of the source tunes; None where it means nothing."""
    real: float | None = None
    """Mean of real tunes of the target style; None where it means nothing."""
    low: float | None = None
    """Lowest wanted value; None for no bound."""
    high: float | None = None
    """Highest wanted value; None for no bound."""

    @property
    def is_met(self) -> bool | None:
        """Whether the mean, as printed, is in the wanted range; None where none is wanted."""
        if self.low is None and self.high is None:
            return None
        mean = round(self.ours.mean, 3)
        above = self.low is None or round(self.low, 3) <= mean
        return above and (self.high is None or mean <= round(self.high, 3))


def compare(
    columns: Mapping[str, Wanted],
    ours: Mapping[str, Estimate | None],
    real: Mapping[str, float | None],
    source: Mapping[str, float | None] | None = None,
    lowest: Mapping[str, float] | None = None,
) -> tuple[ComparedMetric, ...]:
    """Compare means with real tunes.

    Args:
        columns: the metrics, in order, with their wanted ranges.
        ours: the estimate of each; one that is None or missing is left out.
        real: means of real tunes of the target style.
        source: means of the source tunes.
        lowest: lowest wanted values that replace those of ``columns``.

    Returns:
        One value a metric. A range relative to real tunes is none where their mean is unknown.
    """
    found = []
    for name, (words, kind, low, high) in columns.items():
        if (estimate := ours.get(name)) is None:
            continue
        mean = real.get(name)
        low = (lowest or {}).get(name, low)
        if kind != "from":
            low, high = _bound(kind, low, mean, -_SLACK), _bound(kind, high, mean, _SLACK)
        found.append(
            ComparedMetric(
                name=words,
                ours=estimate,
                source=(source or {}).get(name),
                real=mean,
                low=low,
                high=high,
            )
        )
    return tuple(found)


def means(rows: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """Compute the mean of each metric over tunes; None where no tune has it.

    Args:
        rows: the metrics of each tune, by name.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    known = {name: [v for row in rows if (v := row.get(name)) is not None] for name in names}
    return {name: fmean(values) if values else None for name, values in known.items()}


def estimate_means(rows: Sequence[Mapping[str, float | None]]) -> dict[str, Estimate | None]:
    """Estimate the mean of each metric over tunes, with its interval.

    Args:
        rows: the metrics of each tune, by name.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: bootstrap_mean([row.get(name) for row in rows]) for name in names}


def closure_spread(
    after: Sequence[float], before: Sequence[float], real: Sequence[float]
) -> dict[str, Estimate | None]:
    """Estimate how the gap closure, and the log-odds themselves, spread over tunes.

    Args:
        after: a classifier's log-odds of N transferred tunes.
        before: the same of their sources, (N,).
        real: the same of real tunes of the target style, (M,).

    Returns:
        The shares of tunes whose own closure, (after - before) / (mean real - before), is below
        .4, within .5 to 1.5, within .85 to 1.1, and above 1.5; and the standard deviation of
        ``after`` in multiples of that of ``real``. A tune that scores nearly as real ones do before
        it is transferred has no closure.
    """
    goal = fmean(real)
    least = _MIN_GAP * abs(goal - fmean(before))
    closures = [
        (new - old) / (goal - old)
        for new, old in zip(after, before, strict=True)
        if abs(goal - old) > least
    ]

    def share(low: float, high: float) -> Estimate | None:
        return bootstrap_mean([float(low <= closure <= high) for closure in closures])

    ours, theirs = (np.array(values, dtype=float) for values in (after, real))

    def spread(pick: NDArray[np.int64]) -> NDArray[np.float64]:
        # (R, N + M) indices of resamples to (R,) ratios.
        wide = theirs[pick[:, len(ours) :]].std(axis=-1)
        ratio: NDArray[np.float64] = ours[pick[:, : len(ours)]].std(axis=-1) / np.where(
            wide > 0, wide, np.nan
        )
        return ratio

    return {
        "closure below .4": share(-np.inf, 0.4),
        "closure within .5 to 1.5": share(0.5, 1.5),
        "closure within .85 to 1.1": share(0.85, 1.1),
        "closure above 1.5": share(1.5, np.inf),
        "spread": bootstrap(spread, len(ours), len(theirs)) if len(set(real)) > 1 else None,
    }


def comparison_lines(metrics: Sequence[ComparedMetric], target: str) -> Iterator[str]:
    """Format metrics beside real tunes, one a line.

    Args:
        metrics: to format; none gives no line.
        target: whose real tunes they are compared with.
    """
    if not metrics:
        return
    with_source = any(metric.source is not None for metric in metrics)
    heads = [*(["source"] if with_source else []), "ours", "", f"real {target}", "wanted"]
    yield _line("", heads)
    for metric in metrics:
        ours = metric.ours
        met = {None: "", True: "met", False: "missed"}[metric.is_met]
        cells = [
            *([_number(metric.source)] if with_source else []),
            _number(ours.mean),
            f"[{ours.low:.3f}, {ours.high:.3f}]",
            _number(metric.real),
            f"{_range(metric)}  {met}".rstrip(),
        ]
        yield _line(metric.name, cells)


def _line(name: str, cells: Sequence[str]) -> str:
    *numbers, wanted = cells
    return f"  {name:<42}" + "".join(f"{cell:>17}" for cell in numbers) + f"   {wanted}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _range(metric: ComparedMetric) -> str:
    low, high = metric.low, metric.high
    if low is None and high is None:
        return ""
    if low is None:
        return f"at most {high:.3f}"
    return f"at least {low:.3f}" if high is None else f"{low:.3f} to {high:.3f}"


def _bound(kind: str, bound: float | None, mean: float | None, slack: float) -> float | None:
    """A bound relative to the mean of real tunes; ``slack`` widens a multiple of it."""
    if bound is None or mean is None:
        return None
    return max(0.0, mean * bound + slack) if kind == "times" else mean + bound
