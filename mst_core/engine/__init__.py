"""The interface of an engine, which turns jobs into renditions.

`local` is the only engine: one warm process on this machine. The interface promises little, so that
there can be others. It does not promise that a job survives a crash: the caller keeps requests
(the bot in its database) and runs a job again when its error says ``retryable``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
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


class Engine(Protocol):
    """Runs jobs. Errors are `MstError`s.

    EngineBusy and EngineLost may be tried again, EngineFault is a bug, and every other MstError is
    a mistake in the request.
    """

    async def start(self) -> None:
        """Start the engine and return when it is ready for jobs."""

    def run(self, job: Job) -> AsyncIterator[Progress | Rendition]:
        """Run one job: yield its progress and at last one rendition, or raise an MstError.

        The parsed files of the job cross as `Job.encoded_scores`.

        Closing the iterator early cancels the job.
        """

    async def cancel(self, job_id: str) -> None:
        """Cancel a job; its `run` raises EngineLost. An unknown job is ignored."""

    def capacity(self) -> Capacity:
        """Return how many jobs the engine takes and has at this moment."""

    async def close(self) -> None:
        """Stop the engine and every process that it started."""
