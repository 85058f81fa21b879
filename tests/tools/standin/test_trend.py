"""The verdict of a soak: a leak within the lives of processes is found, noise is none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.tools.standin.trend import HOUR_S, fit_trend

NOISE = np.random.default_rng(5).normal(0, 0.5, 360)


def lives(growth: Callable[[float], float], *, n_lives: int = 6) -> list[list[tuple[float, float]]]:
    """An hour of samples, each 10 s, of processes that begin anew at about 100."""
    length = len(NOISE) // n_lives
    return [
        [
            (10.0 * place, 100 + life + growth(10.0 * (place - life * length)) + NOISE[place])
            for place in range(life * length, (life + 1) * length)
        ]
        for life in range(n_lives)
    ]


def test_noise_is_flat_though_each_process_begins_higher() -> None:
    assert fit_trend(lives(lambda age_s: 0.0)).verdict == "flat"


def test_a_leak_that_each_restart_hides_rises() -> None:
    trend = fit_trend(lives(lambda age_s: 30 * age_s / HOUR_S))
    assert trend.verdict == "rises"
    assert trend.slope == pytest.approx(30, abs=3 * trend.margin)


def test_a_few_samples_say_nothing() -> None:
    assert fit_trend([[(0.0, 1.0), (10.0, 2.0)]]).verdict == "unsure"
