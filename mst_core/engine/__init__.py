"""An engine turns jobs into renditions. It promises little, so that there can be several kinds.

The promise that a request is not lost is the ledger's, above: a job that fails with an error whose
class says ``retryable`` may simply be run again. Kinds: `local`, one warm process on this machine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from mst_core.jobs import Job, JobEvent


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many jobs an engine takes at once, and how many it has."""

    total: int
    running: int

    @property
    def free(self) -> int:
        """How many more it would take now."""
        return max(0, self.total - self.running)


class Engine(Protocol):
    """Five methods. ``run`` yields progress and ends with one rendition, or raises an MstError.

    EngineBusy and EngineLost may be tried again; EngineFault is a bug; every other MstError is
    the asker's to mend.
    """

    async def start(self) -> None:
        """Make it ready to take jobs; returns when it is."""

    def run(self, job: Job) -> AsyncIterator[JobEvent]:
        """Work on one job. Closing the iterator early cancels the job."""

    async def cancel(self, job_id: str) -> None:
        """Stop working on a job, if it is still there; its ``run`` raises EngineLost."""

    def capacity(self) -> Capacity:
        """Say how much more it could take at this moment."""

    async def close(self) -> None:
        """End it and everything it started."""
