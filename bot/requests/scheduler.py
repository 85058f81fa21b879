"""The dispatcher: brings requests from the ledger to the engine, and hands them over for answering.

It owns the running jobs and nothing else: what must survive is in the ledger. It does not know
Discord; a `Teller` speaks for it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from bot.errors import TooLarge
from bot.requests.notifier import Teller, Words
from bot.requests.outbox import Answering
from bot.requests.result_files import Shelf
from bot.requests.store import Entry, Ledger
from bot.requests.uploads import Uploads
from mst_core.engine import Engine
from mst_core.errors import EngineBusy, EngineFault, EngineLost, JobTimeout, MstError
from mst_core.jobs import Job, Progress, Rendition, Request

log = logging.getLogger(__name__)

WORKER = "bot"
"""One name for this process and the one before it: what the dead one had leased is ours at once."""
LEASE_S = 90.0
BEAT_S = 30.0
MEGABYTE = 2**20


class Dispatcher:
    """Leases requests to the engine while it has room, and sees every one of them answered."""

    def __init__(
        self,
        ledger: Ledger,
        shelf: Shelf,
        uploads: Uploads,
        engine: Engine,
        teller: Teller,
        *,
        tries: int,
        job_timeout_s: float,
        retry_s: float = 2.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger, self._shelf, self._uploads = ledger, shelf, uploads
        self._engine, self._teller = engine, teller
        self._tries, self._job_timeout_s, self._retry_s = tries, job_timeout_s, retry_s
        self._running: dict[int, asyncio.Task[None]] = {}
        self._answering = Answering(ledger, shelf, teller, clock)
        self._words: dict[int, Words] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._awake = self._closing = self._pumping = self._wanted = False
        self._resume_at = 0.0

    async def start(self, on_broken: Callable[[MstError], None]) -> None:
        """Take up what was left, and wake the engine in the background.

        ``on_broken`` is called when the engine cannot start: then no request will ever run.
        """
        await self._ledger.give_back_all(WORKER, count_try=True)
        await self._answering.sweep()
        await self._answering.take_up()
        self._spawn(self._beat())
        # Last: an engine that cannot start closes the bot, and the ledger with it.
        self._spawn(self._wake_engine(on_broken))
        self.wake()

    async def close(self, grace_s: float) -> None:
        """Lease nothing more, let running jobs end for a while, give back the rest."""
        self._closing = True
        if self._running:
            await asyncio.wait(self._running.values(), timeout=grace_s)
        for task in self._running.values():
            task.cancel()
        await self._answering.close(grace_s)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._ledger.give_back_all(WORKER, count_try=False)
        await self._engine.close()

    def wake(self) -> None:
        """Look for requests to lease: call it when there may be one, or room for one."""
        self._wanted = True
        if not self._pumping and not self._closing:
            self._pumping = True
            self._spawn(self._pump())

    async def forget(self, user_id: int) -> tuple[int, int]:
        """Remove everything of a person, running jobs too; count requests and uploaded files."""
        gone = await self._ledger.forget(user_id)
        tasks = [self._running[one] for one in gone if one in self._running]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # a file of theirs would stay
        await self._answering.forget(gone)
        return len(gone), await self._uploads.forget(user_id)

    async def compare(self, request: Request, names: Mapping[str, str]) -> bytes:
        """Draw the score of a given tune before and after: a look in passing, kept nowhere.

        Raises:
            EngineBusy: when the engine has no place for it now.
            MstError: what else stands in the way, as with the request itself.
        """
        if not self._awake or self._closing:
            raise EngineBusy(len(self._running))
        readings = await self._uploads.readings(request, names)
        job = Job(f"look-{secrets.token_hex(4)}", request, ("png",), readings, compared=True)
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
    def _room(self) -> bool:
        if not self._awake or self._closing or asyncio.get_running_loop().time() < self._resume_at:
            return False
        capacity = self._engine.capacity()
        return min(capacity.free, capacity.total - len(self._running)) > 0

    async def _pump(self) -> None:
        try:
            while self._wanted:
                self._wanted = False
                while self._room and (entry := await self._ledger.lease(WORKER, LEASE_S)):
                    self._running[entry.id] = self._spawn(self._work(entry))
                await self._tell_places()
        finally:
            self._pumping = False

    async def _tell_places(self) -> None:
        for place, entry in enumerate(await self._ledger.queue(), start=1):
            words = self._words.setdefault(entry.id, Words(self._spawn))
            teller = self._teller.waiting(entry, place, awake=self._awake)
            words.say(teller, once_for=(place, self._awake) if place <= 10 else "far")

    async def _wake_engine(self, on_broken: Callable[[MstError], None]) -> None:
        try:
            await self._engine.start()
        except MstError as error:
            log.error("the engine cannot start: %s", error)
            on_broken(error)
        except Exception:
            log.exception("the engine cannot start")
            on_broken(EngineFault("the engine cannot start"))
        else:
            self._awake = True
            self.wake()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                await self._ledger.renew(WORKER, LEASE_S, list(self._running))
                await self._answering.take_up()
            except Exception:  # such as a full disk: the heart goes on beating
                log.exception("a beat of the dispatcher failed")
            self.wake()

    # One job

    async def _work(self, entry: Entry) -> None:
        words = self._words.setdefault(entry.id, Words(self._spawn))
        ended: Entry | None = None
        try:
            ended = await self._run(entry, words)
        finally:
            self._running.pop(entry.id, None)
            self._words.pop(entry.id, None)
            if ended:
                self._answering.soon(ended.id)
            self.wake()

    async def _run(self, entry: Entry, words: Words) -> Entry | None:
        """Work until the ledger has the outcome; None when there is none yet."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            if entry.tries > self._tries:
                raise EngineLost("every try ended so")
            rendition, seconds = await self._listen(entry, words)
            await _to_its_end(self._shelf.keep, entry.id, rendition.files)
            ended = await self._ledger.finish(WORKER, entry.id, rendition.receipt, seconds)
            outcome = "done"
        except MstError as error:
            if error.retryable and (isinstance(error, EngineBusy) or entry.tries < self._tries):
                log.warning("request %d runs again: %s", entry.id, error)
                self._resume_at = loop.time() + self._retry_s
                loop.call_later(self._retry_s * 1.05, self.wake)
                busy = isinstance(error, EngineBusy)
                await self._ledger.give_back(WORKER, entry.id, count_try=not busy)
                return None
            ended = await self._ledger.fail(WORKER, entry.id, error.code, error.arguments)
            outcome = error.code
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("request %d failed, reference %s", entry.id, reference)
            ended = await self._ledger.fail(WORKER, entry.id, EngineFault.__name__, [reference])
            outcome = EngineFault.__name__
        await words.quiet()
        log.info("request %d: %s after %.1f s", entry.id, outcome, loop.time() - begun)
        return ended

    async def _listen(self, entry: Entry, words: Words) -> tuple[Rendition, dict[str, float]]:
        loop = asyncio.get_running_loop()
        seconds: dict[str, float] = {}
        stage, since = "reading" if entry.names else "starting", loop.time()
        words.say(self._teller.progress(entry, Progress(stage, 0.0)))
        readings = await self._uploads.readings(entry.request, entry.names)
        job = Job(str(entry.id), entry.request, readings=readings)
        try:
            async with asyncio.timeout(self._job_timeout_s):
                async for event in self._engine.run(job):
                    now = loop.time()
                    seconds[stage] = round(seconds.get(stage, 0.0) + now - since, 3)
                    since = now
                    if isinstance(event, Progress):
                        stage = event.stage
                        words.say(self._teller.progress(entry, event))
                    else:
                        _check_size(event, entry.file_limit_bytes)
                        return event, seconds
        except TimeoutError as error:
            await self._engine.cancel(str(entry.id))
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


async def _to_its_end(write: Callable[..., None], *arguments: object) -> None:
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
