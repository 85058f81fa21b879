"""The dispatcher: brings requests from the ledger to the engine, and hands them over for answering.

It owns the running jobs and nothing else: what must survive is in the ledger. It does not know
Discord; a `Notifier` speaks for it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from bot.errors import TooLarge
from bot.requests.notifier import Notifier, ProgressThrottle
from bot.requests.outbox import Outbox
from bot.requests.result_files import ResultFiles
from bot.requests.store import RequestRecord, RequestStore
from bot.requests.uploads import Uploads
from mst_core.engine import Engine
from mst_core.errors import EngineBusy, EngineFault, EngineLost, JobTimeout, MstError
from mst_core.jobs import Job, Progress, Rendition, Request

log = logging.getLogger(__name__)

WORKER = "bot"
"""One name for this process and the one before it: what the dead one had leased is ours at once."""
LEASE_S = 90.0
HEARTBEAT_S = 30.0
MEGABYTE = 2**20


class Scheduler:
    """Leases requests to the engine while it has room, and sees every one of them answered."""

    def __init__(
        self,
        store: RequestStore,
        results: ResultFiles,
        uploads: Uploads,
        engine: Engine,
        notifier: Notifier,
        *,
        tries: int,
        job_timeout_s: float,
        retry_s: float = 2.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._results, self._uploads = store, results, uploads
        self._engine, self._notifier = engine, notifier
        self._tries, self._job_timeout_s, self._retry_s = tries, job_timeout_s, retry_s
        self._running: dict[int, asyncio.Task[None]] = {}
        self._outbox = Outbox(store, results, notifier, clock)
        self._throttles: dict[int, ProgressThrottle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._engine_ready = self._closing = self._leasing = self._wake_pending = False
        self._paused_until = 0.0

    async def start(self, on_engine_failure: Callable[[MstError], None]) -> None:
        """Take up what was left, and wake the engine in the background.

        ``on_engine_failure`` is called when the engine cannot start: then no request will ever run.
        """
        await self._store.release_all(WORKER, count_try=True)
        await self._outbox.sweep()
        await self._outbox.resume()
        self._spawn(self._heartbeat())
        # Last: an engine that cannot start closes the bot, and the ledger with it.
        self._spawn(self._start_engine(on_engine_failure))
        self.wake()

    async def close(self, grace_s: float) -> None:
        """Lease nothing more, let running jobs end for a while, give back the rest."""
        self._closing = True
        if self._running:
            await asyncio.wait(self._running.values(), timeout=grace_s)
        for task in self._running.values():
            task.cancel()
        await self._outbox.close(grace_s)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._store.release_all(WORKER, count_try=False)
        await self._engine.close()

    def wake(self) -> None:
        """Look for requests to lease: call it when there may be one, or room for one."""
        self._wake_pending = True
        if not self._leasing and not self._closing:
            self._leasing = True
            self._spawn(self._lease_ready())

    async def delete_user(self, user_id: int) -> tuple[int, int]:
        """Remove everything of a person, running jobs too; count requests and uploaded files."""
        gone = await self._store.delete_user(user_id)
        tasks = [self._running[one] for one in gone if one in self._running]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # a file of theirs would stay
        await self._outbox.discard(gone)
        return len(gone), await self._uploads.delete_user(user_id)

    async def draw_comparison(self, request: Request, names: Mapping[str, str]) -> bytes:
        """Draw the score of a given tune before and after: a look in passing, kept nowhere.

        Raises:
            EngineBusy: when the engine has no place for it now.
            MstError: what else stands in the way, as with the request itself.
        """
        if not self._engine_ready or self._closing:
            raise EngineBusy(len(self._running))
        scores = await self._uploads.parsed_scores(request, names)
        job = Job(f"look-{secrets.token_hex(4)}", request, ("png",), scores, show_original=True)
        try:
            async with asyncio.timeout(self._job_timeout_s):
                async for event in self._engine.run(job):
                    if isinstance(event, Rendition):
                        return event.files["png"]
        except TimeoutError as error:
            await self._engine.cancel(job.id)
            raise JobTimeout(f"{self._job_timeout_s:g}") from error
        raise EngineLost("it ended without a result")

    # Leasing

    @property
    def _has_capacity(self) -> bool:
        if (
            not self._engine_ready
            or self._closing
            or asyncio.get_running_loop().time() < self._paused_until
        ):
            return False
        capacity = self._engine.capacity()
        return min(capacity.free, capacity.total - len(self._running)) > 0

    async def _lease_ready(self) -> None:
        try:
            while self._wake_pending:
                self._wake_pending = False
                while self._has_capacity and (entry := await self._store.lease(WORKER, LEASE_S)):
                    self._running[entry.id] = self._spawn(self._process(entry))
                await self._announce_positions()
        finally:
            self._leasing = False

    async def _announce_positions(self) -> None:
        for place, entry in enumerate(await self._store.queue(), start=1):
            words = self._throttles.setdefault(entry.id, ProgressThrottle(self._spawn))
            teller = self._notifier.show_position(entry, place, engine_ready=self._engine_ready)
            words.submit(teller, key=(place, self._engine_ready) if place <= 10 else "far")

    async def _start_engine(self, on_engine_failure: Callable[[MstError], None]) -> None:
        try:
            await self._engine.start()
        except MstError as error:
            log.error("the engine cannot start: %s", error)
            on_engine_failure(error)
        except Exception:
            log.exception("the engine cannot start")
            on_engine_failure(EngineFault("the engine cannot start"))
        else:
            self._engine_ready = True
            self.wake()

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                await self._store.renew_leases(WORKER, LEASE_S, list(self._running))
                await self._outbox.resume()
            except Exception:  # such as a full disk: the heart goes on beating
                log.exception("a beat of the dispatcher failed")
            self.wake()

    # One job

    async def _process(self, record: RequestRecord) -> None:
        words = self._throttles.setdefault(record.id, ProgressThrottle(self._spawn))
        ended: RequestRecord | None = None
        try:
            ended = await self._run_job(record, words)
        finally:
            self._running.pop(record.id, None)
            self._throttles.pop(record.id, None)
            if ended:
                self._outbox.enqueue(ended.id)
            self.wake()

    async def _run_job(
        self, record: RequestRecord, words: ProgressThrottle
    ) -> RequestRecord | None:
        """Work until the ledger has the outcome; None when there is none yet."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            if record.tries > self._tries:
                raise EngineLost("every try ended so")
            rendition, seconds = await self._follow_job(record, words)
            await _write_uncancelled(self._results.write, record.id, rendition.files)
            ended = await self._store.mark_done(WORKER, record.id, rendition.receipt, seconds)
            outcome = "done"
        except MstError as error:
            if error.retryable and (isinstance(error, EngineBusy) or record.tries < self._tries):
                log.warning("request %d runs again: %s", record.id, error)
                self._paused_until = loop.time() + self._retry_s
                loop.call_later(self._retry_s * 1.05, self.wake)
                busy = isinstance(error, EngineBusy)
                await self._store.release(WORKER, record.id, count_try=not busy)
                return None
            ended = await self._store.mark_failed(WORKER, record.id, error.code, error.arguments)
            outcome = error.code
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("request %d failed, reference %s", record.id, reference)
            ended = await self._store.mark_failed(
                WORKER, record.id, EngineFault.__name__, [reference]
            )
            outcome = EngineFault.__name__
        await words.drain()
        log.info("request %d: %s after %.1f s", record.id, outcome, loop.time() - begun)
        return ended

    async def _follow_job(
        self, record: RequestRecord, words: ProgressThrottle
    ) -> tuple[Rendition, dict[str, float]]:
        loop = asyncio.get_running_loop()
        seconds: dict[str, float] = {}
        stage, since = "reading" if record.names else "starting", loop.time()
        words.submit(self._notifier.show_progress(record, Progress(stage, 0.0)))
        scores = await self._uploads.parsed_scores(record.request, record.names)
        job = Job(str(record.id), record.request, scores=scores)
        try:
            async with asyncio.timeout(self._job_timeout_s):
                async for event in self._engine.run(job):
                    now = loop.time()
                    seconds[stage] = round(seconds.get(stage, 0.0) + now - since, 3)
                    since = now
                    if isinstance(event, Progress):
                        stage = event.stage
                        words.submit(self._notifier.show_progress(record, event))
                    else:
                        _check_size(event, record.file_limit_bytes)
                        return event, seconds
        except TimeoutError as error:
            await self._engine.cancel(str(record.id))
            raise JobTimeout(f"{self._job_timeout_s:g}") from error
        raise EngineLost("it ended without a result")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._reap)
        return task

    def _reap(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a task of the dispatcher failed", exc_info=error)


async def _write_uncancelled(write: Callable[..., None], *arguments: object) -> None:
    """Write in a thread; who is cancelled meanwhile leaves when it is written."""
    writing = asyncio.create_task(asyncio.to_thread(write, *arguments))
    try:
        await asyncio.shield(writing)
    finally:
        await asyncio.wait([writing])


def _check_size(rendition: Rendition, limit_bytes: int) -> None:
    """Refuse what Discord would refuse.

    Raises:
        TooLarge: with both sizes in megabytes.
    """
    largest = max((len(content) for content in rendition.files.values()), default=0)
    if largest > limit_bytes:
        raise TooLarge(f"{largest / MEGABYTE:.1f}", f"{limit_bytes / MEGABYTE:.1f}")
