"""Beats follow a player: an even pulse, a change of tempo, an unsteady hand, any length."""

from __future__ import annotations

import itertools
import random

import pytest

from mst_core.reading.midi.beat_tracking import track_beats


def near(beats: list[float], time: float) -> float:
    """Distance in seconds from a time to the nearest beat."""
    return min(abs(beat - time) for beat in beats)


def pulse(count: int, period: float, *, change: float = 0.0, jitter: float = 0.0) -> list[float]:
    """Times of beats whose tempo changes by a share ``change`` on the way, with eighths."""
    rng = random.Random(1)
    now, times = 0.5, []
    for beat in range(count):
        length = period / (1 + change * beat / count)
        times += [now, now + length / 2] if beat % 3 else [now]
        now += length
    return [time + rng.gauss(0, jitter) for time in times]


@pytest.mark.parametrize("period", [0.35, 0.5, 0.72, 0.95])
def test_the_beats_of_an_even_pulse_are_its_beats(period: float) -> None:
    onsets = pulse(60, period)
    beats = track_beats(onsets, [1.0] * len(onsets), named_period=period)
    lengths = sorted(after - beat for beat, after in itertools.pairwise(beats))
    assert lengths[len(lengths) // 2] == pytest.approx(period, rel=0.02)


def test_beats_follow_an_accelerando() -> None:
    onsets = pulse(80, 0.6, change=0.3, jitter=0.015)
    weights = [2.0 if index % 5 in (0, 1, 3) else 1.0 for index in range(len(onsets))]
    beats = track_beats(onsets, weights, named_period=0.55)
    first, last = beats[5] - beats[4], beats[-5] - beats[-6]
    assert first == pytest.approx(0.6, rel=0.08)
    assert last == pytest.approx(0.6 / 1.3, rel=0.08)


def test_beats_are_steadier_than_the_hand() -> None:
    onsets = pulse(60, 0.5, jitter=0.02)
    beats = track_beats(onsets, [1.0] * len(onsets), named_period=0.5)
    ideal = pulse(60, 0.5)
    errors = sorted(near(beats, time) for time in ideal if near(ideal, time) == 0)
    on_beat = [near(beats, 0.5 + 0.5 * beat) for beat in range(60)]
    off_beat = [near(beats, 0.75 + 0.5 * beat) for beat in range(59)]
    best = min(on_beat, off_beat, key=sum)
    assert sum(best) / len(best) < 0.012
    assert errors


def test_the_beats_cover_all_onsets_and_rise() -> None:
    onsets = [10.0, 10.4, 10.9, 25.0, 25.5, 26.1, 26.4, 40.0]
    beats = track_beats(onsets, [1.0] * len(onsets))
    assert beats[0] <= 10.3
    assert beats[-1] >= 40.0
    assert all(after > beat for beat, after in itertools.pairwise(beats))


def test_two_onsets_are_enough() -> None:
    assert len(track_beats([1.0, 1.5], [1.0, 1.0])) >= 2
