"""The time until a waiting request is made: the work before it, at the pace measured lately.

The work of a request is its ``expected_s``, CPU seconds of one core. The pace is how many seconds
the engine takes for each of them, over all the jobs that it runs at once. So an estimate needs no
knowledge of the machine; it is never a promise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

FIRST_WORK_S = 5.0
"""Seconds of work that the first guess, a pace of 1, counts for beside what is measured."""
MEMORY = 0.9
"""What each request that ends leaves of the weight of those before it: the last ten count."""
LEAST_WORK_S = 0.5
"""Seconds of work of the shortest request; rows of older versions say 0."""
PACE_LIMITS = (0.05, 20.0)
"""Seconds for a second of work that are believed, lowest and highest."""


class TimeToGo:
    """Estimates how long waiting requests still wait, from those that run and have ended."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._work = self._seconds = FIRST_WORK_S
        self._expected: dict[int, float] = {}  # of the running requests, by id
        self._shares: dict[int, float] = {}
        self._counted: dict[int, float] = {}  # the shares that are in self._work already
        self._since = 0.0  # when they were counted

    def learn(self, made: Iterable[tuple[float, float, float]]) -> None:
        """Begin with the pace of requests that an earlier process has made.

        Args:
            made: For each when it began and when it ended, in seconds, and its seconds of work.
        """
        latest = float("-inf")
        for began, ended, expected_s in sorted(made):
            self._seconds += max(0.0, ended - max(began, latest))  # several run at once
            self._work += max(LEAST_WORK_S, expected_s)
            latest = max(latest, ended)

    def begin(self, request_id: int, expected_s: float) -> None:
        """Note that a request runs.

        Args:
            request_id: The request; again with a better estimate when it is known.
            expected_s: Seconds of work.
        """
        if not self._expected:
            self._since = self._clock()  # an idle engine says nothing of its pace
        self._expected[request_id] = max(LEAST_WORK_S, expected_s)
        self._shares[request_id] = self._counted[request_id] = 0.0

    def note_share(self, request_id: int, share: float) -> None:
        """Note how much of a running request is done.

        Args:
            request_id: The request.
            share: Share of its work, 0 to 1.
        """
        if request_id in self._expected:
            self._shares[request_id] = share

    def end(self, request_id: int, *, done: bool) -> None:
        """Note that a request runs no more.

        Args:
            request_id: The request.
            done: Whether it has a result: all its work is done, else what was noted.
        """
        if request_id not in self._expected:
            return
        if done:
            self._shares[request_id] = 1.0
        seconds, work = self._uncounted()
        self._seconds = MEMORY * self._seconds + seconds
        self._work = MEMORY * self._work + work
        self._since += seconds
        self._counted = dict(self._shares)
        for values in (self._expected, self._shares, self._counted):
            del values[request_id]

    def _uncounted(self) -> tuple[float, float]:
        """Return the seconds since the last count, and the work that was done in them."""
        seconds = self._clock() - self._since if self._expected else 0.0
        work = sum(
            work * (self._shares[one] - self._counted[one]) for one, work in self._expected.items()
        )
        return seconds, work

    @property
    def pace(self) -> float:
        """Seconds for each second of expected work; more while those that run take longer."""
        seconds, work = self._uncounted()
        counted = self._seconds / self._work
        slowest = (self._seconds + seconds) / (self._work + work)
        lowest, highest = PACE_LIMITS
        return min(highest, max(lowest, counted, slowest))

    def estimate(self, expected_s: Sequence[float]) -> list[int]:
        """Return the seconds until each waiting request is made, rounded up.

        Args:
            expected_s: Seconds of work of the waiting requests, in the order of the queue.

        Returns:
            Multiples of 5 s up to a minute, of 30 s up to two, and whole minutes from there.
        """
        running = sum(work * (1 - self._shares[one]) for one, work in self._expected.items())
        work_until = accumulate((max(LEAST_WORK_S, each) for each in expected_s), initial=running)
        return [_round_up(self.pace * work) for work in list(work_until)[1:]]


def _round_up(seconds: float) -> int:
    step = 5 if seconds <= 60 else 30 if seconds <= 120 else 60
    return max(step, -int(-seconds // step) * step)
