"""The local engine, with a real child process whose composer and player are fake."""

from __future__ import annotations

import asyncio
import fcntl
import io
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mst_core.engine import Engine, wire
from mst_core.engine.child import WORKER_COMMAND
from mst_core.engine.local import LocalEngine
from mst_core.errors import (
    EngineBusy,
    EngineFault,
    EngineLost,
    JobTimeout,
    MstError,
    NoSoundFont,
    NoSuchTune,
)
from mst_core.jobs import Compose, Event, Job, Progress, Rendition

FAKE_WORKER = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))

OpenEngine = Callable[..., Any]


@pytest.fixture
def open_engine(tmp_path: Path) -> OpenEngine:
    @asynccontextmanager
    async def opened(**settings: Any) -> AsyncIterator[LocalEngine]:
        engine = make_engine(tmp_path, **settings)
        await engine.start()
        try:
            yield engine
        finally:
            await engine.close()

    return opened


def make_engine(models: Path, **changes: Any) -> LocalEngine:
    settings: dict[str, Any] = {"worker_command": FAKE_WORKER, "first_pause_s": 0.01, **changes}
    return LocalEngine(models, Path("some.sf2"), "cpu", **settings)


def ask(style: str = "folk", seed: int = 1, formats: tuple[str, ...] = ("abc",)) -> Job:
    return Job(f"{style}-{seed}", Compose(style, style, seed), formats)


async def perform(engine: LocalEngine, job: Job) -> Rendition:
    """Run a job to its end."""
    async with aclosing(engine.run(job)) as events:
        *_, last = [event async for event in events]
    assert isinstance(last, Rendition)
    return last


async def begin(engine: LocalEngine, job: Job) -> AsyncGenerator[Event, None]:
    """Run a job until it tells its first progress."""
    events = engine.run(job)
    assert isinstance(await anext(events), Progress)
    return events


def births(models: Path) -> int:
    return len((models / "births").read_text().splitlines())


async def test_a_job_tells_its_progress_and_ends_with_one_rendition(
    open_engine: OpenEngine,
) -> None:
    async with open_engine() as engine:
        *progress, rendition = [event async for event in engine.run(ask(seed=5))]
        told = [(event.stage, event.share) for event in progress if isinstance(event, Progress)]
        assert len(told) == len(progress) > 5
        assert told == sorted(told, key=lambda stage_and_share: stage_and_share[1])
        assert {stage for stage, _ in told} == {"composing", "drawing"}
        assert isinstance(rendition, Rendition)
        assert rendition.receipt.seed == 5
        assert rendition.files["abc"].startswith(b"X:1\n")
        assert engine.capacity().running == 0


async def test_eight_jobs_at_once_give_what_each_gives_alone(open_engine: OpenEngine) -> None:
    jobs = [ask(seed=seed) for seed in range(8)]
    async with open_engine() as engine:
        together = await asyncio.gather(*[perform(engine, job) for job in jobs])
        alone = [await perform(engine, job) for job in jobs]
    assert together == alone
    assert len({rendition.files["abc"] for rendition in together}) == 8


async def test_megabytes_of_sound_come_through_while_nobody_hurries(
    open_engine: OpenEngine,
) -> None:
    async with open_engine() as engine:
        jobs = [ask(seed=seed, formats=("wav",)) for seed in range(3)]
        waiting = [await begin(engine, job) for job in jobs]
        for events in waiting:
            *_, rendition = [event async for event in events]
            assert isinstance(rendition, Rendition)
            assert len(rendition.files["wav"]) > 5_000_000


async def test_what_a_library_prints_does_not_break_the_protocol(
    open_engine: OpenEngine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with open_engine() as engine:
            await perform(engine, ask("printing"))
    assert "and one in C writes this" in caplog.text


async def test_an_error_that_the_asker_can_mend_comes_back_as_itself(
    open_engine: OpenEngine,
) -> None:
    async with open_engine() as engine:
        with pytest.raises(NoSuchTune) as caught:
            await perform(engine, ask("unwilling"))
        assert caught.value.arguments == ("it is never content",)


async def test_a_bug_comes_back_as_a_reference_under_which_the_log_has_the_traceback(
    open_engine: OpenEngine, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_engine() as engine:
        with pytest.raises(EngineFault) as caught:
            await perform(engine, ask("failing"))
        await perform(engine, ask())
    [reference] = caught.value.arguments
    told = [record for record in caplog.records if reference in record.message]
    assert [record.levelname for record in told] == ["ERROR"]
    assert "ZeroDivisionError: a bug in the composer" in caplog.text


async def test_a_job_that_kills_the_worker_is_lost_and_those_that_waited_are_not(
    open_engine: OpenEngine, tmp_path: Path
) -> None:
    async with open_engine() as engine:
        first = await begin(engine, ask("patient"))
        guilty = asyncio.create_task(perform(engine, ask("crashing")))
        innocent = asyncio.create_task(perform(engine, ask()))
        await asyncio.sleep(0)
        (tmp_path / "go").touch()
        with pytest.raises(EngineLost, match="exit status 3") as caught:
            await guilty
        assert caught.value.retryable
        assert (await innocent).receipt.pitch == "folk"
        assert births(tmp_path) == 2
        await first.aclose()


async def test_a_job_that_kills_every_worker_is_told_so_each_time(
    open_engine: OpenEngine, tmp_path: Path
) -> None:
    async with open_engine() as engine:
        for _ in range(4):
            with pytest.raises(EngineLost):
                await perform(engine, ask("crashing"))
        await perform(engine, ask())
        assert births(tmp_path) == 5
        assert engine.capacity().running == 0


async def test_a_worker_killed_from_outside_is_replaced_once(
    open_engine: OpenEngine, tmp_path: Path
) -> None:
    async with open_engine() as engine:
        events = await begin(engine, ask("patient"))
        os.kill(int((tmp_path / "births").read_text()), signal.SIGKILL)
        with pytest.raises(EngineLost, match="SIGKILL"):
            [event async for event in events]
        await perform(engine, ask())
        assert births(tmp_path) == 2


async def test_the_pauses_between_workers_that_die_again_and_again_grow_to_a_limit(
    tmp_path: Path,
) -> None:
    engine = make_engine(tmp_path, first_pause_s=0.5)
    pauses = []
    for engine._deaths in range(1, 12):
        pauses.append(engine._pause())
    assert pauses[:4] == [0, 0.5, 1, 2]
    assert pauses[-1] == 30


async def test_jobs_are_lost_while_no_worker_can_start_and_done_when_one_can_again(
    open_engine: OpenEngine, tmp_path: Path
) -> None:
    async with open_engine() as engine:
        (tmp_path / "dead").touch()
        with pytest.raises(EngineLost):
            await perform(engine, ask("crashing"))
        with pytest.raises(EngineLost, match=r"cannot be started again.*exit status 7"):
            await perform(engine, ask())
        (tmp_path / "dead").unlink()
        while True:  # one attempt to start may still be on its way to its death
            try:
                await perform(engine, ask())
            except EngineLost:
                continue
            break


async def test_a_job_that_hangs_is_given_up_for_good_and_its_neighbour_is_done(
    open_engine: OpenEngine, tmp_path: Path
) -> None:
    async with open_engine(job_timeout_s=3) as engine:
        hanging = asyncio.create_task(perform(engine, ask("hanging")))
        neighbour = asyncio.create_task(perform(engine, ask()))
        with pytest.raises(JobTimeout) as caught:
            await hanging
        assert not caught.value.retryable
        await neighbour
        assert births(tmp_path) == 2


async def test_a_full_engine_says_so(open_engine: OpenEngine) -> None:
    async with open_engine(places=2) as engine:
        jobs = [await begin(engine, ask("patient"))]
        waiting = asyncio.create_task(perform(engine, ask()))
        await asyncio.sleep(0)
        assert engine.capacity().free == 0
        with pytest.raises(EngineBusy) as caught:
            await perform(engine, ask(seed=2))
        assert caught.value.retryable
        await jobs[0].aclose()
        await waiting


async def test_a_cancelled_job_stops_and_gives_its_place_back(open_engine: OpenEngine) -> None:
    async with open_engine(places=2) as engine:
        begun = await begin(engine, ask("patient", seed=1))
        waiting = asyncio.create_task(perform(engine, ask("patient", seed=2)))
        await asyncio.sleep(0)
        await engine.cancel("patient-2")
        await engine.cancel("nobody-7")
        with pytest.raises(EngineLost, match="cancelled"):
            await waiting
        await engine.cancel("patient-1")
        with pytest.raises(EngineLost, match="cancelled"):
            [event async for event in begun]
        await emptied(engine)
        await perform(engine, ask())


@pytest.mark.parametrize("way", ["closing the iterator", "cancelling the task"])
async def test_who_stops_listening_cancels_the_job(way: str, open_engine: OpenEngine) -> None:
    async with open_engine(places=1) as engine:
        if way == "closing the iterator":
            async with aclosing(engine.run(ask("patient"))) as events:
                await anext(events)
        else:
            listening = asyncio.create_task(perform(engine, ask("patient")))
            await asyncio.sleep(0)
            listening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await listening
        await emptied(engine)
        await perform(engine, ask())


async def emptied(engine: Engine) -> None:
    """Wait until the worker has let every job go."""
    while engine.capacity().running:  # noqa: ASYNC110  there is no sign but this figure
        await asyncio.sleep(0.01)


async def test_closing_the_engine_tells_its_jobs(tmp_path: Path) -> None:
    engine = make_engine(tmp_path)
    await engine.start()
    events = await begin(engine, ask("patient"))
    await engine.close()
    with pytest.raises(EngineLost, match="closed"):
        [event async for event in events]
    with pytest.raises(EngineLost, match="not running"):
        await perform(engine, ask())
    await engine.close()


@pytest.mark.parametrize(
    ("sign", "error", "words"),
    [
        ("bare", NoSoundFont, "some.sf2"),
        ("broken", EngineFault, "the log has it"),
        ("dead", EngineLost, "exit status 7"),
        ("deaf", EngineLost, "not ready"),
    ],
)
async def test_an_engine_that_cannot_start_says_why(
    sign: str, error: type[MstError], words: str, tmp_path: Path
) -> None:
    (tmp_path / sign).touch()
    engine = make_engine(tmp_path, ready_within_s=0.5 if sign == "deaf" else 60)
    with pytest.raises(error, match=words):
        await engine.start()
    await engine.close()
    assert sign == "deaf" or births(tmp_path) == 1


async def test_a_worker_that_speaks_another_language_is_ended(tmp_path: Path) -> None:
    for noise in (
        "print('hello')",
        "import os; os.write(1, bytes([0, 0, 0, 1, 193]) * 9); input()",
    ):
        engine = make_engine(tmp_path, worker_command=(sys.executable, "-c", noise))
        with pytest.raises(EngineLost, match="before it was ready"):
            await engine.start()
        await engine.close()
    engine = make_engine(tmp_path, worker_command=("no-such-program",))
    with pytest.raises(EngineLost, match="cannot be started"):
        await engine.start()
    await engine.close()


async def test_control_c_and_sigterm_leave_the_worker_to_its_owner(
    open_engine: OpenEngine, tmp_path: Path
) -> None:
    async with open_engine() as engine:
        worker = int((tmp_path / "births").read_text())
        for sign in (signal.SIGINT, signal.SIGTERM):
            os.kill(worker, sign)
        await perform(engine, ask())
        assert os.getpgid(worker) == worker  # a terminal's Ctrl-C does not even reach it
        assert births(tmp_path) == 1


OWNER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_engine import ask, begin, make_engine

async def own():
    engine = make_engine(Path(sys.argv[2]))
    await engine.start()
    job = await begin(engine, ask("hanging"))
    print("working", flush=True)
    await asyncio.Event().wait()

asyncio.run(own())
"""


def test_the_worker_ends_when_its_owner_is_killed_even_in_the_middle_of_a_job(
    tmp_path: Path,
) -> None:
    here = str(Path(__file__).parent)
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, here, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "working\n"
        owner.kill()
    with (tmp_path / "alive").open() as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)  # comes only when the worker is gone


def test_the_owner_of_an_engine_loads_nothing_heavy() -> None:
    program = (
        "import sys; import mst_core.engine.local; "
        "print({'torch', 'music21', 'verovio', 'fluidsynth', 'numpy'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


def test_the_real_worker_has_one_thread_a_network() -> None:
    *prefix, python, _module, name = WORKER_COMMAND
    program = "import os; print(os.environ['OMP_NUM_THREADS'])"
    done = subprocess.run([*prefix, python, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"1\n"
    assert name == "mst_core.engine.worker"


orders = st.one_of(
    st.builds(wire.Setup, st.text(), st.none() | st.text(), st.text()),
    st.builds(
        wire.Run,
        st.integers(0, 2**60),
        st.builds(Job, st.text(), st.builds(Compose, st.text(), st.text(), st.integers(0, 2**31))),
    ),
    st.builds(wire.Cancel, st.integers(0, 2**60)),
)


@given(st.lists(orders), st.integers(1, 9))
def test_orders_cross_the_wire_unchanged_and_a_torn_one_is_the_end(
    sent: list[wire.ToWorker], torn: int
) -> None:
    frames = b"".join(wire.pack(order) for order in sent)
    stream = io.BytesIO(frames + wire.pack(wire.Cancel(1))[:-torn])
    received = []
    while (order := wire.read_order(stream)) is not None:
        received.append(order)
    assert received == sent


@pytest.mark.parametrize("noise", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc1"])
def test_noise_is_no_order(noise: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.read_order(io.BytesIO(noise))
