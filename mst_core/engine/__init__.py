"""The interface of an engine, which turns jobs into renditions.

`local` is the only engine: one warm process on this machine. The interface promises little, so that
there can be others. It does not promise that a job survives a crash: the caller keeps requests
(the bot in its database) and runs a job again when its error says ``retryable``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from mst_core.jobs import Job, Progress, Rendition


@dataclass(frozen=True, slots=True)
class Capacity:
    """Number of jobs that an engine takes at once, and number that it has now."""

    total: int
    running: int

    @property
    def free(self) -> int:
        """Number of jobs that it would take now, at least 0."""
        return max(0, self.total - self.running)


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """Whether an engine takes jobs now, and its history."""

    ready: bool
    problem: str = ""
    """Why it last ended or could not start; empty when neither has happened."""
    deaths: int = 0
    """Ends and failed starts since the engine was made."""
    silent_s: float = 0.0
    """Seconds since its last sign of life, 0 or 1 for a healthy one; 0 while it is not ready."""


class Engine(Protocol):
    """Runs jobs. Errors are `MstError`s.

    EngineBusy and EngineLost may be tried again, EngineFault is a bug, and every other MstError is
    a mistake in the request.
    """

    async def start(self) -> None:
        """Start the engine and return when it is ready for jobs; again after a failed start."""

    def run(self, job: Job) -> AsyncIterator[Progress | Rendition]:
        """Run one job: yield its progress and at last one rendition, or raise an MstError.

        The first progress comes when the engine begins with the job: one that raises EngineLost
        before was only waiting, and is not to blame.
        The parsed files of the job cross as `Job.encoded_scores`.

        Closing the iterator early cancels the job.
        """

    async def cancel(self, job_id: str) -> None:
        """Cancel a job; its `run` raises EngineLost. An unknown job is ignored."""

    def capacity(self) -> Capacity:
        """Return how many jobs the engine takes and has at this moment."""

    def status(self) -> EngineStatus:
        """Return whether the engine takes jobs now, and why not."""

    def watch(self, on_change: Callable[[], None]) -> None:
        """Have a function called whenever the engine begins or ceases to take jobs."""

    async def close(self) -> None:
        """Stop the engine and every process that it started."""
