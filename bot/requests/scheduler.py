"""The scheduler: leases stored requests to the engine, and passes their outcome to the outbox.

Its only state is the running jobs; whatever must survive a crash is in the request store.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from bot.errors import Cancelled, TooLarge
from bot.monitoring.logs import REQUEST_ID
from bot.requests.erasure import delete_requests, forget_files, restart_all
from bot.requests.notifier import Notifier, ProgressThrottle, spawn
from bot.requests.outbox import Outbox
from bot.requests.record import RequestRecord
from bot.requests.result_files import ResultFiles
from bot.requests.store import DOWNLOAD, MAX_ATTEMPTS_KEPT, RequestStore
from bot.requests.time_to_go import TimeToGo
from bot.requests.uploads import Uploads, write_uncancelled
from mst_core.engine import Engine
from mst_core.errors import EngineBusy, EngineFault, EngineLost, JobTimeout, MstError
from mst_core.job_cost import LONG_JOB_S, estimate_seconds
from mst_core.jobs import Job, Progress, Rendition
from mst_core.reading.serialization import measure_score
from mst_core.requests import Request

if TYPE_CHECKING:
    from bot.monitoring.metrics import Metrics

log = logging.getLogger(__name__)

WORKER = "bot"
"""Holder of all leases. The same for every process, so that a restart releases them at once."""
LEASE_S = 90.0
"""Seconds that a lease lasts without a heartbeat."""
HEARTBEAT_S = 30.0
"""Seconds between two heartbeats: renewals of the leases and retries of the outbox."""
STORE_RETRY_S = 5.0
"""Seconds between two tries to return a request whose outcome could not be stored."""
MAX_PAUSE_S = 30.0
"""Seconds without leases at most, after an engine was lost again and again."""
MAX_STARTS = 5
"""First starts of the engine in a row, after which the bot ends; errors of its setup end it at
once."""
SHOWN_POSITIONS = 10
"""Positions in the queue that are updated one by one; later ones once for as many places."""
LEARNED_FROM = 10
"""Latest results of an earlier process from which the time to go is first estimated."""
MAX_PAGES = 3
"""Pages of a score that are made, and that one message shows."""
COMPARISON: dict[str, Any] = {
    "formats": ("mp3", "png"),
    "show_original": True,
    "play_original": True,
    "max_pages": 1,
}
"""Options of the job of a private request: the score and the sound before and after."""
MEGABYTE = 2**20


class Scheduler:
    """Runs stored requests on the engine, as many at a time as it has capacity for.

    Args:
        store: The requests.
        results: The files of finished requests.
        uploads: The uploaded files, for the parsed scores of a request.
        engine: What runs the jobs.
        notifier: What informs users.
        tries: How often a request runs before it fails, when the engine dies during it.
        job_timeout_s: Seconds after which a job is cancelled.
        retry_s: Seconds without leases after a job that may be run again.
        clock: Returns the time in seconds since 1970.
        metrics: What counts outcomes; None counts nothing.
    """

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
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics
        self._store, self._results, self._uploads = store, results, uploads
        self._engine, self._notifier = engine, notifier
        self._tries, self._job_timeout_s, self._retry_s = tries, job_timeout_s, retry_s
        self._running: dict[int, asyncio.Task[None]] = {}
        self._outbox = Outbox(store, results, notifier, clock, self.wake, metrics)
        self._throttles: dict[int, ProgressThrottle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_engine: dict[int, RequestRecord] = {}
        self._time_to_go = TimeToGo()
        self._started = self._closing = self._leasing = self._wake_pending = False
        self._paused_until = 0.0
        self._deaths_at_success = 0  # of the engine, when a job was last done

    async def start(self, on_engine_failure: Callable[[MstError], None]) -> None:
        """Resume unfinished requests and deliveries, and start the engine in the background.

        Args:
            on_engine_failure: Called when the engine cannot start, so that no request can run.
        """
        await self._store.release_all(WORKER, "the bot ended meanwhile", count_try=True)
        self._time_to_go.learn(await self._store.recently_made(LEARNED_FROM))
        await self._outbox.sweep()
        await self._outbox.resume()
        self._spawn(self._heartbeat())
        self._engine.watch(self.wake)  # also informs those who wait
        # Last, because an engine that cannot start closes the bot, and the store with it.
        self._spawn(self._start_engine(on_engine_failure))
        self.wake()

    async def close(self, grace_s: float) -> None:
        """Lease nothing more, wait ``grace_s`` for running jobs, return the others to the queue."""
        self._closing = True
        if self._running:
            await asyncio.wait(self._running.values(), timeout=grace_s)
        for task in self._running.values():
            task.cancel()
        await self._outbox.close(grace_s)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._store.release_all(WORKER, None, count_try=False)
        await self._engine.close()

    def wake(self) -> None:
        """Lease requests in the background: to be called after any new request or free capacity."""
        self._wake_pending = True
        if not self._leasing and not self._closing:
            self._leasing = True
            self._spawn(self._lease_ready())

    async def fail_download(self, request_id: int, error: MstError) -> bool:
        """Store and deliver why the files of an acknowledged request did not come.

        Args:
            request_id: A request that `DOWNLOAD` holds.
            error: Why.

        Returns:
            False when its message is not known yet, or it is deleted.
        """
        record = await self._store.find(request_id)
        if record is None or not record.message_id:
            return False
        ended = await self._store.mark_failed(DOWNLOAD, request_id, error.code, error.arguments)
        if ended is None:
            return False
        if self._metrics:
            self._metrics.request_ended(error.code, {})
        self._outbox.enqueue(request_id)
        return True

    async def cancel(self, request_id: int) -> bool:
        """Cancel a request: one that waits at once, a running one at the engine's next step.

        Returns:
            False when it has its outcome already; that is delivered, and nothing is cancelled.
        """
        if not await self._store.cancel(request_id):
            return False
        log.info("request %d: cancelled by its user", request_id)
        if self._metrics:
            self._metrics.request_ended(Cancelled.__name__, {})
        self._spawn(self._end_cancelled(request_id))
        return True

    async def _end_cancelled(self, request_id: int) -> None:
        """End the job of a cancelled request, and deliver that it was cancelled."""
        throttle = self._throttles.pop(request_id, None)
        await self._end_jobs([request_id])
        self._outbox.enqueue(request_id, throttle.drain if throttle else None)
        self.wake()

    async def delete_user(self, user_id: int) -> tuple[int, int]:
        """Delete a user's requests, jobs and uploads; return how many requests and uploads."""
        gone = await delete_requests(self._store.database, user_id)
        await self._end_jobs(gone)
        n_uploads, files = await self._uploads.delete_user(user_id)
        # Requests of others that use these files would write their notes again: they run anew, and
        # fail because the file is gone.
        others = await forget_files(self._store.database, files, user_id)
        await self._end_jobs(others)
        await restart_all(self._store.database, others)
        await self._store.database.purge()
        self.wake()
        return len(gone), n_uploads

    async def _end_jobs(self, request_ids: Sequence[int]) -> None:
        """Cancel jobs and deliveries, and delete the files of their results."""
        for one in request_ids:
            self._throttles.pop(one, None)
        tasks = [self._running[one] for one in request_ids if one in self._running]
        for task in tasks:
            task.cancel()
        # Wait for their end, else a job would still write its files.
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._outbox.discard(request_ids)

    @property
    def engine_ready(self) -> bool:
        """Whether the engine takes jobs."""
        return self._engine_state == "ready" and not self._closing

    @property
    def engine_problem(self) -> str:
        """Why the engine takes no jobs, where that is known; empty while it takes them."""
        return "" if self.engine_ready else self._engine.status().problem

    @property
    def _engine_state(self) -> str:
        if not self._started:
            return "starting"
        return "ready" if self._engine.status().ready else "restarting"

    @property
    def _free_places(self) -> int:
        """Requests that may be leased now."""
        if (
            self._engine_state != "ready"
            or self._closing
            or asyncio.get_running_loop().time() < self._paused_until
        ):
            return 0
        capacity = self._engine.capacity()
        return max(0, min(capacity.free, capacity.total - len(self._running)))

    def _may_be_long(self, free: int) -> bool:
        """Whether a long request may take one of ``free`` places: never the last of several."""
        return free > 1 or self._engine.capacity().total == 1

    async def _lease_ready(self) -> None:
        REQUEST_ID.set(None)  # whichever request it was that woke this up
        try:
            while self._wake_pending:
                self._wake_pending = False
                while (free := self._free_places) and (
                    record := await self._store.lease(WORKER, LEASE_S, long=self._may_be_long(free))
                ):
                    self._time_to_go.begin(record.id, record.expected_s)
                    self._running[record.id] = self._spawn(self._process(record))
                await self._announce_positions()
        finally:
            self._leasing = False

    async def _announce_positions(self) -> None:
        engine, waiting = self._engine_state, await self._store.queue()
        if engine != "ready":  # then those that it was to make, or made, wait too
            waiting = [*self._at_engine.values(), *waiting]
        times = self._time_to_go.estimate([record.expected_s for record in waiting])
        for position, (record, wait_s) in enumerate(zip(waiting, times, strict=True), start=1):
            edit = self._notifier.show_position(record, position, engine=engine, wait_s=wait_s)
            near = position <= SHOWN_POSITIONS
            key = (position, wait_s, engine) if near else (position // SHOWN_POSITIONS, engine)
            self._throttle(record).submit(edit, key)

    def _throttle(self, record: RequestRecord) -> ProgressThrottle:
        return self._throttles.setdefault(record.id, ProgressThrottle(self._spawn))

    async def _start_engine(self, on_engine_failure: Callable[[MstError], None]) -> None:
        for attempt in range(1, MAX_STARTS + 1):
            try:
                await self._engine.start()
            except MstError as error:
                log.error("the engine cannot start: %s", error)
                if not error.retryable or attempt == MAX_STARTS:
                    on_engine_failure(error)
                    return
                await asyncio.sleep(self._pause_s(attempt))
            except Exception:
                log.exception("the engine cannot start")
                on_engine_failure(EngineFault("the engine cannot start"))
                return
            else:
                self._started = True
                self._deaths_at_success = self._engine.status().deaths
                self.wake()
                return

    def _pause_s(self, losses: int) -> float:
        """Return the seconds before the next try: they double with each loss up to a limit.

        Up to half of it is taken away by chance: bots that lost an engine together do not come back
        together.
        """
        longest = min(MAX_PAUSE_S, self._retry_s * 2.0 ** min(losses - 1, 10))
        return longest * (1 - secrets.randbelow(500) / 1000)

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                await self._store.renew_leases(WORKER, LEASE_S, list(self._running))
                await self._outbox.resume(self._running)
            except Exception:  # such as a full disk: the next heartbeat may succeed
                log.exception("a heartbeat of the scheduler failed")
            self.wake()

    async def _process(self, record: RequestRecord) -> None:
        REQUEST_ID.set(record.id)
        ended: RequestRecord | None = None
        throttle = self._throttle(record)
        try:
            ended = await self._run_job(record, throttle)
        except Exception:  # such as a full disk
            log.exception("the outcome of request %d could not be stored", record.id)
            self._spawn(self._give_back(record.id))
        finally:
            self._running.pop(record.id, None)
            self._throttles.pop(record.id, None)
            self._time_to_go.end(record.id, done=ended is not None and ended.state == "done")
            if ended:
                if self._metrics:
                    self._metrics.request_ended(ended.error_code, ended.stage_seconds)
                self._outbox.enqueue(ended.id, throttle.drain)
            self.wake()

    async def _give_back(self, request_id: int) -> None:
        """Return a request to the queue as soon as that can be stored, before its lease ends.

        It runs again from the same seed, and what could not be stored is reported then.
        """
        while True:
            await asyncio.sleep(STORE_RETRY_S)
            if request_id in self._running:  # its lease has ended meanwhile
                return
            with suppress(Exception):  # the disk is still full
                await self._store.release(WORKER, request_id, None, count_try=False)
                self.wake()
                return

    async def _run_job(
        self, record: RequestRecord, throttle: ProgressThrottle
    ) -> RequestRecord | None:
        """Run the job and store its outcome; None when it is deleted or will run again."""
        loop = asyncio.get_running_loop()
        since = loop.time()
        begun = asyncio.Event()
        try:
            if record.tries > self._tries or len(record.attempts) >= MAX_ATTEMPTS_KEPT:
                # The reason of the last attempt is the one that the user is given.
                raise EngineLost(record.attempts[-1][1] if record.attempts else "every try failed")
            followed = await self._follow_job(record, throttle, begun)
            if followed is None:
                await self._store.release(WORKER, record.id, None, count_try=False)
                return None
            rendition, seconds = followed
            self._deaths_at_success = self._engine.status().deaths
            await write_uncancelled(self._results.write, record.id, rendition.files)
            ended = await self._store.mark_done(WORKER, record.id, rendition.receipt, seconds)
            outcome = "done"
        except MstError as error:
            if self._may_run_again(record, error, begun=begun.is_set()):
                log.warning("request %d runs again: %s", record.id, error)
                if self._metrics:
                    self._metrics.request_repeated(error.code)
                losses = max(1, self._engine.status().deaths - self._deaths_at_success)
                pause_s = self._pause_s(losses)
                self._paused_until = loop.time() + pause_s
                loop.call_later(pause_s * 1.05, self.wake)
                lost = isinstance(error, EngineLost)  # a busy engine has not tried it
                reason = str(error.arguments[0]) if lost else None
                await self._store.release(WORKER, record.id, reason, count_try=lost)
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
        log.info("request %d: %s after %.1f s", record.id, outcome, loop.time() - since)
        return ended

    def _may_run_again(self, record: RequestRecord, error: MstError, *, begun: bool) -> bool:
        """Return whether a request runs again: always, unless it may be what ends the engine."""
        if not error.retryable:
            return False
        if isinstance(error, EngineBusy):
            return True
        if record.tries > self._tries or len(record.attempts) >= MAX_ATTEMPTS_KEPT:
            return False
        return not begun or record.tries < self._tries

    async def _follow_job(
        self, record: RequestRecord, throttle: ProgressThrottle, begun: asyncio.Event
    ) -> tuple[Rendition, dict[str, float]] | None:
        """Run the job, show its progress, and return its result and the seconds of each stage.

        None for one that turns out to be long and must wait for the turn of the long ones.

        ``begun`` is set, and stored, when the engine begins with the job.
        """
        loop = asyncio.get_running_loop()
        seconds: dict[str, float] = {}
        stage, since = "reading" if record.names else "starting", loop.time()

        def end_stage() -> None:
            nonlocal since
            now = loop.time()
            seconds[stage] = round(seconds.get(stage, 0.0) + now - since, 3)
            since = now

        def show(progress: Progress) -> None:
            nonlocal stage
            end_stage()
            stage = progress.stage
            self._time_to_go.note_share(record.id, progress.share)
            throttle.submit(self._notifier.show_progress(record, progress))

        throttle.submit(self._notifier.show_progress(record, Progress(stage, 0.0)))
        scores = await self._uploads.encoded_scores(record.request, record.names)

        async def note_begin() -> None:
            begun.set()
            await self._store.mark_begun(WORKER, record.id)

        options = COMPARISON if record.private else {"max_pages": MAX_PAGES}
        expected_s = record.expected_s
        if scores:
            expected_s = estimate_work(record.request, scores)
            await self._store.set_expected(record.id, expected_s)
        is_long = expected_s >= LONG_JOB_S
        if is_long and not self._has_room_for_long(record):
            return None
        job = Job(str(record.id), record.request, encoded_scores=scores, is_long=is_long, **options)
        self._time_to_go.begin(record.id, expected_s)
        self._at_engine[record.id] = replace(record, expected_s=expected_s)
        try:
            rendition = await self._rendition(job, show, note_begin)
        finally:
            del self._at_engine[record.id]
        end_stage()
        if record.private:  # the picture alone also answers
            rendition = _without_large_audio(rendition, record.file_limit_bytes)
        _check_size(rendition, record.file_limit_bytes)
        return rendition, seconds

    def _has_room_for_long(self, record: RequestRecord) -> bool:
        """Whether a leased request that turned out to be long may run now."""
        if record.expected_s >= LONG_JOB_S:
            return True  # it was leased as one
        others = self._at_engine.values()
        free = self._engine.capacity().total - len(self._running) + 1
        return self._may_be_long(free) and all(one.expected_s < LONG_JOB_S for one in others)

    async def _rendition(
        self,
        job: Job,
        on_progress: Callable[[Progress], None] = lambda _: None,
        on_begin: Callable[[], Awaitable[None]] | None = None,
    ) -> Rendition:
        """Run a job on the engine and return its result. Raises JobTimeout, EngineLost."""
        try:
            async with asyncio.timeout(self._job_timeout_s):
                async for event in self._engine.run(job):
                    if on_begin:
                        await on_begin()
                        on_begin = None
                    if isinstance(event, Rendition):
                        return event
                    on_progress(event)
        except TimeoutError as error:
            await self._engine.cancel(job.id)
            raise JobTimeout(f"{self._job_timeout_s:g}") from error
        raise EngineLost("it ended without a result")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = spawn(work, "a task of the scheduler", self._tasks.discard)
        self._tasks.add(task)
        return task


def estimate_work(request: Request, scores: Mapping[str, bytes]) -> float:
    """Return the CPU seconds that a request is expected to take, now that its files are read.

    Args:
        request: The request.
        scores: Its encoded scores by SHA-256.
    """
    sizes = {}
    for sha256, data in scores.items():
        with suppress(msgspec.DecodeError):  # the worker says what is wrong with it
            sizes[sha256] = measure_score(data)
    return estimate_seconds(request, sizes)


def _without_large_audio(rendition: Rendition, limit_bytes: int) -> Rendition:
    """Return a rendition without audio that Discord does not accept."""
    files = {
        name: content
        for name, content in rendition.files.items()
        if name != "mp3" or len(content) <= limit_bytes
    }
    return Rendition(rendition.receipt, files)


def _check_size(rendition: Rendition, limit_bytes: int) -> None:
    """Check that Discord accepts the files of a result.

    Raises:
        TooLarge: with both sizes in megabytes.
    """
    largest = max((len(content) for content in rendition.files.values()), default=0)
    if largest > limit_bytes:
        raise TooLarge(f"{largest / MEGABYTE:.1f}", f"{limit_bytes / MEGABYTE:.1f}")
