"""Start, crash, restart and end of a worker process with a fake composer and synthesizer."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec import structs

from mst_core.engine.local import LocalEngine
from mst_core.engine.process import WORKER_COMMAND
from mst_core.errors import (
    EngineFault,
    EngineLost,
    MstError,
    NoSoundFont,
)
from mst_core.jobs import Rendition
from tests.support.engines import ask, begin, make_engine, opened, perform, starts
from tests.support.paths import MODELS, PROJECT


async def test_a_job_that_kills_the_worker_is_lost_and_those_that_waited_are_not(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as engine:
        first = await begin(engine, ask("patient"))
        crashing = asyncio.create_task(perform(engine, ask("crashing")))
        waiting = asyncio.create_task(perform(engine, ask()))
        await asyncio.sleep(0)
        (tmp_path / "go").touch()
        with pytest.raises(EngineLost, match="exit status 3") as caught:
            await crashing
        assert caught.value.retryable
        assert (await waiting).receipt.pitch == "folk"
        assert starts(tmp_path) == 2
        await first.aclose()


async def test_a_job_that_kills_every_worker_is_lost_each_time(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        for _ in range(4):
            with pytest.raises(EngineLost):
                await perform(engine, ask("crashing"))
        await perform(engine, ask())
        assert starts(tmp_path) == 5
        assert engine.capacity().running == 0


async def test_a_worker_killed_from_outside_is_replaced_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        events = await begin(engine, ask("patient"))
        os.kill(int((tmp_path / "starts").read_text()), signal.SIGKILL)
        with pytest.raises(EngineLost, match="SIGKILL"):
            [event async for event in events]
        await perform(engine, ask())
        assert starts(tmp_path) == 2


async def test_a_stopped_worker_is_noticed_and_only_the_job_at_work_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mst_core.engine.process.TICK_S", 0.5)
    async with opened(tmp_path) as engine:
        at_work = await begin(engine, ask("patient"))
        waiting = asyncio.create_task(perform(engine, ask()))
        await asyncio.sleep(0)
        os.kill(int((tmp_path / "starts").read_text()), signal.SIGSTOP)
        with pytest.raises(EngineLost, match="no sign of life for 8 seconds"):
            [event async for event in at_work]
        assert (await waiting).receipt.pitch == "folk"
        assert starts(tmp_path) == 2
        assert engine.status().ready
        assert (engine.status().deaths, engine.status().silent_s) == (1, 0)
        assert "no sign of life" in engine.status().problem


async def test_a_job_that_holds_the_interpreter_for_good_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mst_core.engine.process.TICK_S", 0.5)
    async with opened(tmp_path) as engine:
        with pytest.raises(EngineLost, match="no sign of life"):
            await perform(engine, ask("frozen"))
        await perform(engine, ask())


async def test_a_busy_worker_is_alive_also_after_its_owner_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mst_core.engine.process.TICK_S", 0.3)
    async with opened(tmp_path) as engine:
        events = await begin(engine, ask("patient"))
        for _ in range(2):
            time.sleep(3)  # noqa: ASYNC251 - as a machine that sleeps
            await asyncio.sleep(1.2)
        (tmp_path / "go").touch()
        *_, last = [event async for event in events]
        assert isinstance(last, Rendition)
        assert starts(tmp_path) == 1


async def test_a_start_that_hangs_or_is_stopped_is_noticed_and_one_that_computes_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mst_core.engine.process.TICK_S", 0.5)
    (tmp_path / "hanging").touch()
    with pytest.raises(EngineLost, match=r"start \(the fake composer\) made no step for 8"):
        await make_engine(tmp_path).start()
    (tmp_path / "hanging").unlink()
    (tmp_path / "computing").touch()
    engine = make_engine(tmp_path)
    starting = asyncio.create_task(engine.start())
    while starts(tmp_path) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await asyncio.sleep(5)
    assert not starting.done(), "a slow start is no frozen one"
    os.kill(int((tmp_path / "starts").read_text().splitlines()[-1]), signal.SIGSTOP)
    with pytest.raises(EngineLost, match="made no step"):
        await starting
    (tmp_path / "computing").unlink()
    await engine.start()
    await perform(engine, ask())
    await engine.close()


async def test_a_job_that_hangs_while_the_process_lives_is_noticed_and_alone_to_blame(
    tmp_path: Path,
) -> None:
    (tmp_path / "fast").touch()
    async with opened(tmp_path) as engine:
        long = structs.replace(ask("patient"), is_long=True)
        at_work = await begin(engine, long)
        hanging = asyncio.create_task(perform(engine, ask("hanging")))
        waiting = asyncio.create_task(perform(engine, ask()))
        with pytest.raises(EngineLost, match="it made no step for 8 seconds") as caught:
            await hanging
        assert caught.value.retryable
        assert (await waiting).receipt.pitch == "folk"
        (tmp_path / "go").touch()
        *_, last = [event async for event in at_work]
        assert isinstance(last, Rendition), "the job that took steps went to the next worker"
        assert starts(tmp_path) == 2
        assert "hanging-1" in engine.status().problem


async def test_the_restart_delay_grows_to_a_limit(
    tmp_path: Path,
) -> None:
    engine = make_engine(tmp_path, first_restart_delay_s=0.5)
    delays = []
    for engine._restarts in range(1, 12):
        delays.append(engine._restart_delay_s())
    assert delays[:4] == [0, 0.5, 1, 2]
    assert delays[-1] == 30


async def test_jobs_are_lost_while_no_worker_can_start_and_done_when_one_can_again(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as engine:
        (tmp_path / "crashing").touch()
        with pytest.raises(EngineLost):
            await perform(engine, ask("crashing"))
        with pytest.raises(EngineLost, match=r"cannot be started again.*exit status 7"):
            await perform(engine, ask())
        (tmp_path / "crashing").unlink()
        while True:  # an attempt to start may still be failing
            try:
                await perform(engine, ask())
            except EngineLost:
                continue
            break


async def test_closing_the_engine_ends_its_jobs(tmp_path: Path) -> None:
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
        ("no_soundfont", NoSoundFont, "some.sf2"),
        ("broken", EngineFault, "the log has it"),
        ("crashing", EngineLost, "exit status 7"),
        ("hanging", EngineLost, "not ready"),
    ],
)
async def test_an_engine_that_cannot_start_raises_the_reason(
    sign: str, error: type[MstError], words: str, tmp_path: Path
) -> None:
    (tmp_path / sign).touch()
    engine = make_engine(tmp_path, startup_timeout_s=0.5 if sign == "hanging" else 60)
    with pytest.raises(error, match=words):
        await engine.start()
    await engine.close()
    assert sign == "hanging" or starts(tmp_path) == 1


async def test_a_worker_that_sends_an_invalid_frame_is_killed(tmp_path: Path) -> None:
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


async def test_a_worker_that_is_killed_leaves_no_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be the sound of a user's tune, which nobody would delete."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = "import tempfile, time; tempfile.mkstemp(); time.sleep(99)"
    engine = make_engine(tmp_path, worker_command=(sys.executable, "-c", code))
    starting = asyncio.create_task(engine.start())
    while len(found(tmp_path)) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await engine.close()
    assert found(tmp_path) == []


def found(folder: Path) -> list[Path]:
    """The folder of the temporary files of a worker, and what is in it."""
    return [*folder.glob("mst-engine-*"), *folder.glob("mst-engine-*/*")]


async def test_the_worker_ignores_control_c_and_sigterm(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        worker = int((tmp_path / "starts").read_text())
        for sign in (signal.SIGINT, signal.SIGTERM):
            os.kill(worker, sign)
        await perform(engine, ask())
        assert os.getpgid(worker) == worker  # the Ctrl-C of a terminal does not reach it
        assert starts(tmp_path) == 1


@pytest.mark.slow
async def test_the_real_engine_makes_a_tune_with_audio_and_score() -> None:
    engine = LocalEngine(MODELS, None, "cpu")
    await engine.start()
    try:
        alone = [
            # The first with cold caches, the others with warm ones.
            await perform(engine, ask(style, seed, ("mp3", "png", "mid")))
            for style, seed in (("folk", 1), ("jazz", 2), ("folk", 3))
        ]
        jobs = [ask("folk", 1, ("mp3", "png", "mid")), ask("folk", 3, ("mp3", "png", "mid"))]
        long = structs.replace(ask("jazz", 2, ("mp3", "png", "mid")), is_long=True)
        first, second, beside = await asyncio.gather(
            *(perform(engine, job) for job in (jobs[0], long, jobs[1]))
        )
        assert [first, second, beside] == alone, "both lanes give bit for bit what each gives alone"
        for rendition in alone:
            assert rendition.receipt.seconds > 15
            assert len(rendition.files["mp3"]) > 16_000 * 15  # bytes a second at 128 kbit
            assert rendition.files["png"].startswith(b"\x89PNG")
            assert rendition.files["mid"].startswith(b"MThd")
    finally:
        await engine.close()


OWNER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.support.engines import ask, begin, make_engine

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
    here = str(PROJECT)
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, here, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "working\n"
        owner.kill()
    with (tmp_path / "alive").open() as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)  # free only when the worker has ended


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
