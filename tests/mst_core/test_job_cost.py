"""The estimated work of a job: more music is more work, and it is near what was measured."""

from __future__ import annotations

import pytest

from mst_core.job_cost import LONG_JOB_S, estimate_seconds
from mst_core.requests import Compose, Mashup, Request, Side, Transfer

RHYTHM = Transfer(source="a", seed=1, rhythm=Side(style="folk"))
PITCH = Transfer(source="a", seed=1, pitch=Side(style="jazz"))


@pytest.mark.parametrize(
    ("request_", "size", "measured_s"),
    [
        (Compose(pitch="folk", rhythm="folk", seed=5, bars=16), (0, 0, 0), 1.32),
        (Compose(pitch="jazz", rhythm="folk", seed=5, bars=64), (0, 0, 0), 11.52),
        (RHYTHM, (126, 22, 0), 2.57),
        (PITCH, (126, 22, 0), 1.47),
        (RHYTHM, (367, 211, 3), 13.27),
        (RHYTHM, (600, 1125, 3), 34.19),
        (PITCH, (374, 117, 4), 5.07),
    ],
)
def test_the_estimate_is_within_a_factor_of_two_of_what_was_measured(
    request_: Request, size: tuple[float, float, float], measured_s: float
) -> None:
    expected_s = estimate_seconds(request_, {"a": size})
    assert measured_s / 2 < expected_s < 2 * measured_s


def test_more_notes_seconds_and_parts_are_more_work() -> None:
    tune = (100.0, 60.0, 0.0)
    work = estimate_seconds(RHYTHM, {"a": tune})
    for place in range(3):
        more = tuple(value + 10 * (index == place) for index, value in enumerate(tune))
        assert estimate_seconds(RHYTHM, {"a": (more[0], more[1], more[2])}) > work
    both = Transfer(source="a", seed=1, rhythm=Side(style="folk"), pitch=Side(style="jazz"))
    mashup = estimate_seconds(Mashup(source="a", like="b"), {"a": tune})
    assert mashup < work < estimate_seconds(both, {"a": tune}) < LONG_JOB_S
