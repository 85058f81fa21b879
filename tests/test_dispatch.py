"""The dispatcher sees every accepted request answered once, whatever dies on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine, make_ask

from bot.dispatch import DELIVERIES, WORKER, Dispatcher
from bot.ledger import Entry, Ledger
from bot.shelf import Shelf
from bot.telling import NotDelivered, Words
from mst_core.engine import Engine
from mst_core.errors import EngineBusy, EngineLost, MstError, NoSoundFont, NoSuchTune
from mst_core.jobs import Progress


class Notebook:
    """A teller that writes down what it would say."""

    def __init__(self) -> None:
        self.places: list[tuple[int, int, bool]] = []
        self.shares: list[float] = []
        self.answers: dict[int, list[dict[str, bytes]]] = {}
        self.refusals: dict[int, list[MstError]] = {}
        self.errors: list[Exception] = []
        """Raised by the next answers or refusals, one each."""

    async def waiting(self, entry: Entry, place: int, *, awake: bool) -> None:
        self.places.append((entry.id, place, awake))

    async def progress(self, entry: Entry, progress: Progress) -> None:
        self.shares.append(progress.share)

    async def answer(self, entry: Entry, files: Mapping[str, bytes]) -> None:
        self._stumble()
        self.answers.setdefault(entry.id, []).append(dict(files))

    async def refuse(self, entry: Entry, error: MstError) -> None:
        self._stumble()
        self.refusals.setdefault(entry.id, []).append(error)

    def _stumble(self) -> None:
        if self.errors:
            raise self.errors.pop(0)


class House:
    """The parts around a dispatcher."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.ledger = ledger
        self.shelf = Shelf(folder / "results")
        self.notebook = Notebook()
        self.engine = FakeEngine()
        self.broken: list[MstError] = []

    @asynccontextmanager
    async def dispatching(
        self, engine: Engine | None = None, **changes: Any
    ) -> AsyncIterator[Dispatcher]:
        values: dict[str, Any] = {"tries": 3, "job_timeout_s": 60, "retry_s": 0.01} | changes
        dispatcher = Dispatcher(
            self.ledger, self.shelf, engine or self.engine, self.notebook, **values
        )
        await dispatcher.start(self.broken.append)
        yield dispatcher
        await dispatcher.close(0)

    async def accept(self, dispatcher: Dispatcher | None = None, **changes: Any) -> Entry:
        entry = await self.ledger.accept(make_ask(**changes))
        if dispatcher:
            dispatcher.wake()
        return entry

    async def answered(self, *entries: Entry) -> list[Entry]:
        """Wait until all of them are answered, and return them as they are now."""

        async def all_answered() -> bool:
            found = [await self.ledger.find(entry.id) for entry in entries]
            return all(entry and entry.answered_at for entry in found)

        await until(all_answered)
        return [entry for one in entries if (entry := await self.ledger.find(one.id))]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    while not await condition():
        await asyncio.sleep(0.005)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    ledger = await Ledger.open(tmp_path / "ledger.sqlite3")
    yield House(tmp_path, ledger)
    await ledger.close()


async def test_a_request_is_made_kept_and_answered_once(house: House) -> None:
    async with house.dispatching() as dispatcher:
        entry = await house.accept(dispatcher)
        (answered,) = await house.answered(entry)
        dispatcher.wake()
    files = {suffix: f"{suffix} of {entry.id}".encode() for suffix in ("mp3", "png", "mid")}
    assert house.notebook.answers == {entry.id: [files]}
    assert house.shelf.take(entry.id) == files
    assert answered.state == "done"
    assert set(answered.stage_seconds) == {"starting", "composing"}
    assert house.notebook.refusals == {}


async def test_no_more_jobs_run_than_the_engine_has_places(house: House) -> None:
    house.engine.places = 3
    async with house.dispatching() as dispatcher:
        entries = [await house.accept(dispatcher, user_id=user) for user in range(12)]
        await house.answered(*entries)
    assert 1 <= house.engine.most_running <= 3
    assert len(house.engine.jobs) == 12


async def test_who_waits_is_told_the_place(house: House) -> None:
    house.engine.places = 1
    house.engine.hold = True
    async with house.dispatching() as dispatcher:
        entries = [await house.accept(dispatcher, user_id=user) for user in range(3)]

        async def told() -> bool:
            return {(entry, place) for entry, place, _ in house.notebook.places} >= {
                (entries[1].id, 1),
                (entries[2].id, 2),
            }

        await until(told)
        house.engine.release()
        await house.answered(*entries)


async def test_requests_wait_while_the_engine_wakes(house: House) -> None:
    awake = asyncio.Event()

    class Sleepy(FakeEngine):
        async def start(self) -> None:
            await awake.wait()

    engine = Sleepy()
    async with house.dispatching(engine) as dispatcher:
        entry = await house.accept(dispatcher)

        async def told() -> bool:
            return (entry.id, 1, False) in house.notebook.places

        await until(told)
        assert engine.jobs == []
        awake.set()
        await house.answered(entry)


async def test_an_engine_that_cannot_start_is_told_to_the_owner(house: House) -> None:
    house.engine.start_error = NoSoundFont("/nowhere")
    async with house.dispatching():

        async def told() -> bool:
            return bool(house.broken)

        await until(told)
    assert [error.code for error in house.broken] == ["NoSoundFont"]


async def test_a_job_that_lost_its_engine_runs_again(house: House) -> None:
    house.engine.errors = [EngineLost("killed"), EngineLost("killed again")]
    async with house.dispatching() as dispatcher:
        (answered,) = await house.answered(await house.accept(dispatcher))
    assert (answered.state, answered.tries) == ("done", 3)
    assert len(house.notebook.answers[answered.id]) == 1


async def test_a_job_that_kills_every_engine_fails_plainly(house: House) -> None:
    house.engine.errors = [EngineLost("killed")] * 3
    async with house.dispatching() as dispatcher:
        (answered,) = await house.answered(await house.accept(dispatcher))
    assert (answered.state, answered.error_code) == ("failed", "EngineLost")
    assert len(house.engine.jobs) == 3
    assert [error.code for error in house.notebook.refusals[answered.id]] == ["EngineLost"]


async def test_a_busy_engine_costs_no_try(house: House) -> None:
    house.engine.errors = [EngineBusy(8)] * 5
    async with house.dispatching() as dispatcher:
        (answered,) = await house.answered(await house.accept(dispatcher))
    assert (answered.state, answered.tries) == ("done", 1)


async def test_what_the_asker_must_mend_is_not_tried_again(house: House) -> None:
    house.engine.errors = [NoSuchTune("5 bars of AABB")]
    async with house.dispatching() as dispatcher:
        (answered,) = await house.answered(await house.accept(dispatcher))
    assert len(house.engine.jobs) == 1
    (refusal,) = house.notebook.refusals[answered.id]
    assert (refusal.code, refusal.arguments) == ("NoSuchTune", ("5 bars of AABB",))


async def test_a_bug_is_told_by_a_reference_and_logged_whole(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.engine.errors = [ZeroDivisionError("a bug")]
    async with house.dispatching() as dispatcher:
        (answered,) = await house.answered(await house.accept(dispatcher))
    (refusal,) = house.notebook.refusals[answered.id]
    assert refusal.code == "EngineFault"
    assert f"reference {refusal.arguments[0]}" in caplog.text
    assert "ZeroDivisionError: a bug" in caplog.text


async def test_an_engine_that_falls_silent_is_given_up(house: House) -> None:
    house.engine.hold = True
    async with house.dispatching(job_timeout_s=0.05) as dispatcher:
        (answered,) = await house.answered(await house.accept(dispatcher))
    assert answered.error_code == "JobTimeout"


async def test_a_sound_that_discord_would_refuse_is_refused_before(house: House) -> None:
    async with house.dispatching() as dispatcher:
        (answered,) = await house.answered(await house.accept(dispatcher, file_limit_bytes=5))
    assert answered.error_code == "TooLarge"


async def test_what_a_dead_bot_had_running_runs_again_at_once(house: House) -> None:
    entry = await house.accept()
    await house.ledger.lease(WORKER, 3600)
    async with house.dispatching():
        (answered,) = await house.answered(entry)
    assert (answered.state, answered.tries) == ("done", 2)


async def test_what_killed_the_bot_each_time_is_not_begun_again(house: House) -> None:
    entry = await house.accept()
    for _ in range(3):
        await house.ledger.lease(WORKER, 3600)
        await house.ledger.give_back_all(WORKER, count_try=True)
    async with house.dispatching():
        (answered,) = await house.answered(entry)
    assert answered.error_code == "EngineLost"
    assert house.engine.jobs == []


async def test_what_was_done_but_not_told_is_told_after_a_restart(house: House) -> None:
    house.notebook.errors = [NotDelivered("Discord is away")]
    async with house.dispatching() as dispatcher:
        entry = await house.accept(dispatcher)

        async def tried() -> bool:
            return not house.notebook.errors

        await until(tried)
    assert house.notebook.answers == {}
    async with house.dispatching():
        await house.answered(entry)
    assert len(house.engine.jobs) == 1, "the result was kept; it is not made twice"
    assert len(house.notebook.answers[entry.id]) == 1


async def test_nobody_is_pursued_for_ever(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.notebook.errors = [NotDelivered("away")] * DELIVERIES
    entry = await house.accept()
    for _ in range(DELIVERIES):
        async with house.dispatching():

            async def tried(left: int = len(house.notebook.errors)) -> bool:
                return len(house.notebook.errors) < left

            await until(tried)
    (answered,) = await house.answered(entry)
    assert answered.deliveries == DELIVERIES
    assert "stays unanswered" in caplog.text


async def test_an_answer_that_cannot_be_shaped_becomes_a_refusal(house: House) -> None:
    house.notebook.errors = [KeyError("a text that is missing")]
    async with house.dispatching() as dispatcher:
        (answered,) = await house.answered(await house.accept(dispatcher))
    assert [error.code for error in house.notebook.refusals[answered.id]] == ["EngineFault"]


async def test_closing_gives_running_jobs_time_to_end(house: House) -> None:
    house.engine.hold = True
    async with house.dispatching() as dispatcher:
        entry = await house.accept(dispatcher)

        async def begun() -> bool:
            return bool(house.engine.running)

        await until(begun)
        closing = asyncio.create_task(dispatcher.close(30))
        await asyncio.sleep(0)
        late = await house.accept(dispatcher, user_id=2)
        house.engine.release()
        await closing
        await house.answered(entry)
        waiting = await house.ledger.find(late.id)
    assert waiting is not None
    assert waiting.state == "waiting", "nothing is leased while it closes"


async def test_closing_gives_back_what_does_not_end(house: House) -> None:
    house.engine.hold = True
    async with house.dispatching() as dispatcher:
        entry = await house.accept(dispatcher)

        async def begun() -> bool:
            return bool(house.engine.running)

        await until(begun)
    assert house.engine.closed
    assert house.engine.running == set()
    left = await house.ledger.find(entry.id)
    assert left is not None
    assert (left.state, left.tries) == ("waiting", 0)


async def test_forgetting_a_person_stops_their_jobs_and_removes_their_files(house: House) -> None:
    async with house.dispatching() as dispatcher:
        done = await house.accept(dispatcher)
        await house.answered(done)
        house.engine.hold = True
        await house.accept(dispatcher)

        async def begun() -> bool:
            return bool(house.engine.running)

        await until(begun)
        assert await dispatcher.forget(1) == 2

        async def stopped() -> bool:
            return not house.engine.running

        await until(stopped)
    assert await house.ledger.history(1) == []
    assert house.shelf.take(done.id) == {}
    assert list(house.notebook.answers) == [done.id]


async def test_words_are_said_one_at_a_time_and_at_most_once_a_second() -> None:
    said: list[str] = []
    way = asyncio.Event()

    async def edit(word: str) -> None:
        await way.wait()
        said.append(word)

    words = Words(asyncio.create_task)
    for word in ("first", "second", "third"):
        words.say(edit(word))
    way.set()
    await words.quiet()
    words.say(edit("too soon"))
    await words.quiet()
    assert said == ["first"]


async def test_a_result_is_on_the_shelf_whole_or_not_at_all(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.keep(1, {"mp3": b"old", "mid": b"old"})
    shelf.keep(1, {"mp3": b"new"})
    assert shelf.take(1) == {"mp3": b"new"}
    shelf.discard(1)
    shelf.discard(1)
    assert shelf.take(1) == {}
    assert list(tmp_path.iterdir()) == []
