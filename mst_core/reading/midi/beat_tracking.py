"""Finds the beats of a performance without a click: the times at which a listener taps a foot.

After D. Ellis, "Beat tracking by dynamic programming" (2007), for onsets that are known instead of
sound: an accent curve of the onsets; its local period by autocorrelation, one smooth path through
all windows; the beats that gather the most accent at that period; and a local regression, which
takes the unsteadiness of single notes out of the beats. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BeatTrackingConfig:
    """What a listener expects of beats."""

    frame: float = 0.02
    """Seconds between two values of the accent curve."""
    accent_width: float = 0.03
    """Seconds (standard deviation) over which an onset spreads on the accent curve."""
    periods: tuple[float, float] = (0.26, 1.5)
    """Shortest and longest beat in seconds."""
    usual_period: float = 0.58
    """Seconds of the beat that is likeliest where nothing is known."""
    period_spread: float = 0.55
    """Octaves (standard deviation) around the usual period."""
    named_spread: float = 0.2
    """Octaves (standard deviation) around the period that the file names."""
    usual_pace: float = 1.6
    """Onsets per beat that are likeliest."""
    pace_spread: float = 1.0
    """Octaves (standard deviation) around the usual pace."""
    window: float = 8.0
    """Seconds of each window in which a period is looked for."""
    hop: float = 1.0
    """Seconds between windows."""
    period_stiffness: float = 60.0
    """Cost of a change of period between windows, by the square of octaves."""
    beat_stiffness: float = 40.0
    """Cost of a beat that is not one period long, by the square of octaves."""
    bandwidths: tuple[float, ...] = (0.8, 1.5, 3.0, 6.0)
    """Beats (standard deviation) over which the beats are smoothed; the best of them is taken."""


_CONFIG = BeatTrackingConfig()
_PERIOD_STEPS_PER_OCTAVE = 24
_HALVES = ((0.0, 1.0), (0.5, 0.8), (0.25, 0.4), (0.75, 0.4), (1 / 3, 0.4), (2 / 3, 0.4))
_THIRDS = ((0.0, 1.0), (1 / 3, 0.8), (2 / 3, 0.8))
"""Positions in a beat, and how much an onset near them says about the beat."""
_CALM = 0.92
"""Error of a wider window, against the next narrower one, up to which the wider one is better."""
_MAX_TRIALS = 1_000
"""Onsets at which the bandwidths are compared."""
_SNAP, _WIDE_SNAP = 0.09, 0.15
"""Of a beat, within which an onset belongs to a position; the positions of thirds are fewer."""


def track_beats(
    onsets: Sequence[float],
    weights: Sequence[float],
    *,
    named_period: float | None = None,
    named_weight: float = 4.0,
    division: int | None = None,
    config: BeatTrackingConfig = _CONFIG,
) -> list[float]:
    """Find the beats of a performance.

    Args:
        onsets: seconds, rising; of all notes or chords, two or more.
        weights: accent of each onset, above 0.
        named_period: seconds of a beat that the file names; None for none.
        named_weight: logarithm of the favor of that period over others.
        division: parts into which a beat divides, 2 or 3; None where that is unknown.
        config: what is expected of beats.

    Returns:
        Times of beats in seconds, rising, from the first onset or before to the last or after.
    """
    times, accents = np.asarray(onsets, float), np.asarray(weights, float)
    start = float(times[0]) - config.periods[1]
    curve = _accent_curve(times - start, accents, config)
    prior = _prior(times, named_period, named_weight, config)
    periods = _local_periods(curve, prior, division, config)
    beats = np.asarray(_best_beats(curve, periods, config), float) * config.frame + start
    beats = _cover(beats, float(times[0]), float(times[-1]))
    return steady_beats([float(each) for each in beats], onsets, weights, division=division)


def steady_beats(
    beats: Sequence[float],
    onsets: Sequence[float],
    weights: Sequence[float],
    *,
    division: int | None = None,
    config: BeatTrackingConfig = _CONFIG,
) -> list[float]:
    """Take the unsteadiness of single notes out of beats.

    Args:
        beats: seconds, rising.
        onsets: seconds, rising; two or more.
        weights: accent of each onset, above 0.
        division: parts into which a beat divides, 2 or 3; None where that is unknown.
        config: over how many beats they are smoothed.

    Returns:
        Times of beats in seconds, rising, which cover the onsets.
    """
    times, accents = np.asarray(onsets, float), np.asarray(weights, float)
    steady = np.asarray(beats, float)
    for _ in range(2):
        steady = _smooth(steady, times, accents, division, config)
        steady = _cover(steady, float(times[0]), float(times[-1]))
    return [float(each) for each in steady]


def _accent_curve(times: Array, weights: Array, config: BeatTrackingConfig) -> Array:
    """Accent of each frame: the onsets, each spread by `accent_width`; mean square 1."""
    length = int(times[-1] / config.frame) + int(config.periods[1] / config.frame) + 2
    curve = np.zeros(length)
    reach = int(3 * config.accent_width / config.frame) + 1
    nearest = np.round(times / config.frame).astype(int)
    for shift in range(-reach, reach + 1):
        frames = np.clip(nearest + shift, 0, length - 1)
        distance = (frames * config.frame - times) / config.accent_width
        np.add.at(curve, frames, weights * np.exp(-(distance**2) / 2))
    scale = float(np.sqrt(np.mean(curve**2)))
    return curve / scale if scale > 0 else curve


def _period_grid(config: BeatTrackingConfig) -> Array:
    """The periods that are tried, in seconds, evenly spaced in octaves."""
    shortest, longest = config.periods
    count = int(np.log2(longest / shortest) * _PERIOD_STEPS_PER_OCTAVE) + 1
    return np.asarray(shortest * 2 ** (np.arange(count) / _PERIOD_STEPS_PER_OCTAVE), float)


def _prior(
    times: Array, named_period: float | None, named_weight: float, config: BeatTrackingConfig
) -> Array:
    """Log probability of each period of the grid before any onset is known."""
    grid = _period_grid(config)
    prior = -((np.log2(grid / config.usual_period) / config.period_spread) ** 2) / 2
    pace = grid / max(float(np.median(np.diff(times))), 1e-3)
    prior = prior - ((np.log2(pace / config.usual_pace) / config.pace_spread) ** 2) / 2
    if named_period:
        near = -((np.log2(grid / named_period) / config.named_spread) ** 2) / 2
        prior = prior + named_weight * np.exp(near)
    return np.asarray(prior, float)


def _local_periods(
    curve: Array, prior: Array, division: int | None, config: BeatTrackingConfig
) -> Array:
    """The period at each frame, in frames: the smoothest likely path through all windows."""
    grid = _period_grid(config)
    lags = grid / config.frame
    size, hop = int(config.window / config.frame), int(config.hop / config.frame)
    taper = np.hanning(size)
    multiples = [(1.0, 1.0), (2.0, 0.5), (4.0, 0.25)]
    if division:
        multiples += [(1 / division, 0.4), (1 / (5 - division), -0.4)]
    padded = np.concatenate([np.zeros(size // 2), curve, np.zeros(size)])
    starts = range(0, len(curve), hop)
    likelihoods = np.zeros((len(starts), len(grid)))
    for row, start in enumerate(starts):
        window = padded[start : start + size]
        window = (window - window.mean()) * taper
        spectrum = np.fft.rfft(window, 4 * size)
        correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: 2 * size]
        correlation /= max(float(correlation[0]), 1e-9)
        values = np.zeros(len(grid))
        for multiple, weight in multiples:
            places = np.minimum(lags * multiple, size - 1.0)
            values += weight * np.interp(places, np.arange(2 * size), correlation)
        likelihoods[row] = 4 * values
    # The level of the beat is that of the whole piece; each window only bends it.
    overall = likelihoods.mean(axis=0)
    total = likelihoods + 2 * overall + 3 * prior / 2
    octaves = np.log2(grid)
    change = config.period_stiffness * (octaves[:, None] - octaves[None, :]) ** 2
    best, pointers = total[0], np.zeros(total.shape, int)
    for row in range(1, len(total)):
        options = best[:, None] - change
        pointers[row] = options.argmax(axis=0)
        best = options.max(axis=0) + total[row]
    path = [int(best.argmax())]
    for row in range(len(total) - 1, 0, -1):
        path.append(int(pointers[row][path[-1]]))
    centers = np.asarray(list(starts), float)
    return np.asarray(np.interp(np.arange(len(curve)), centers, lags[path[::-1]]), float)


def _best_beats(curve: Array, periods: Array, config: BeatTrackingConfig) -> list[int]:
    """Frames of the beats that gather the most accent at the local period."""
    length = len(curve)
    score, pointers = curve.copy(), np.full(length, -1)
    log_steps = np.log2(np.arange(1, 2 * int(periods.max()) + 3))
    for frame in range(length):
        period = float(periods[frame])
        shortest, longest = max(1, int(period / 1.7)), int(period * 1.7) + 1
        first = frame - longest
        if frame - shortest < 0:
            continue
        steps = np.arange(max(first, 0), frame - shortest + 1)
        cost = config.beat_stiffness * (log_steps[frame - steps - 1] - np.log2(period)) ** 2
        values = score[steps] - cost
        best = int(values.argmax())
        if values[best] > 0:
            score[frame] = curve[frame] + values[best]
            pointers[frame] = steps[best]
    tail = max(0, length - 1 - int(periods[-1] * 1.5))
    frame = tail + int(score[tail:].argmax())
    beats = [frame]
    while pointers[frame] >= 0:
        frame = int(pointers[frame])
        beats.append(frame)
    return beats[::-1]


def _cover(beats: Array, first: float, last: float) -> Array:
    """Add beats of the nearest length until all onsets lie between the first and the last."""
    if len(beats) < 2:
        period = _CONFIG.usual_period
        beats = np.asarray([first, first + period])
    slack = 0.25
    earlier, later = [], []
    period = float(np.median(np.diff(beats[:6])))
    time = float(beats[0])
    while time > first + slack * period:
        time -= period
        earlier.append(time)
    period = float(np.median(np.diff(beats[-6:])))
    time = float(beats[-1])
    while time <= last:
        time += period
        later.append(time)
    begin = 0
    while begin + 2 < len(beats) and beats[begin + 1] <= first + slack * (
        beats[begin + 1] - beats[begin]
    ):
        begin += 1
    kept = beats[begin:]
    return np.concatenate([np.asarray(earlier[::-1], float), kept, np.asarray(later, float)])


def _smooth(
    beats: Array, times: Array, weights: Array, division: int | None, config: BeatTrackingConfig
) -> Array:
    """Move each beat to where a line through the onsets around it puts the beat."""
    index = np.clip(np.searchsorted(beats, times, side="right") - 1, 0, len(beats) - 2)
    position = (times - beats[index]) / (beats[index + 1] - beats[index])
    subdivisions = _THIRDS if division == 3 else _HALVES
    places = np.asarray([place for place, _ in subdivisions] + [1.0])
    values = np.asarray([value for _, value in subdivisions] + [1.0])
    distance = np.abs(position[:, None] - places[None, :])
    slot = (distance - 0.04 * values[None, :]).argmin(axis=1)
    reach = _WIDE_SNAP if division == 3 else _SNAP
    good = distance[np.arange(len(times)), slot] <= reach
    if good.sum() < 4:
        return beats
    x = (index + places[slot])[good]
    y, w = times[good], (np.minimum(weights, 3.0) * values[slot])[good]
    some = slice(None, None, len(x) // _MAX_TRIALS + 1)
    fits = [_local_lines(x, y, w, x[some], each, leave_out=True) for each in config.bandwidths]
    errors = [_mean_distance(fit, y[some]) for fit in fits]
    # A wider window is calmer: a narrower one must be clearly nearer to the onsets.
    best = min(range(len(errors)), key=lambda each: errors[each] * _CALM**each)
    numbers = np.arange(len(beats), dtype=float)
    moved = _local_lines(x, y, w, numbers, config.bandwidths[best])
    known = np.isfinite(moved) & (np.abs(moved - beats) < 0.3 * np.gradient(beats))
    moved = np.where(known, moved, beats)
    return beats if np.any(np.diff(moved) <= 0.05) else np.asarray(moved, float)


def _mean_distance(fit: Array, values: Array) -> float:
    """Mean distance of values from a fit, where it is known; infinite where it never is."""
    known = np.isfinite(fit)
    return float(np.abs(fit - values)[known].mean()) if known.any() else np.inf


def _local_lines(
    x: Array, y: Array, w: Array, at: Array, bandwidth: float, *, leave_out: bool = False
) -> Array:
    """Values at ``at`` of lines fitted around each place; NaN where too few points are near.

    ``x`` rises. ``leave_out`` fits each line without the points at its own place.
    """
    reach = 3 * bandwidth
    lows, highs = np.searchsorted(x, at - reach), np.searchsorted(x, at + reach, side="right")
    result = np.full(len(at), np.nan)
    for number, (low, high) in enumerate(zip(lows, highs, strict=True)):
        near = x[low:high] - at[number]
        kernel = w[low:high] * np.exp(-((near / bandwidth) ** 2) / 2)
        if leave_out:
            kernel = np.where(np.abs(near) < 1e-6, 0.0, kernel)
        total = kernel.sum()
        if high - low < 3 or total <= 1e-9:
            continue
        mean = (kernel * near).sum() / total
        spread = (kernel * (near - mean) ** 2).sum()
        value = (kernel * y[low:high]).sum() / total
        if spread > 1e-6:
            slope = (kernel * (near - mean) * (y[low:high] - value)).sum() / spread
            value -= slope * mean
        result[number] = value
    return result
