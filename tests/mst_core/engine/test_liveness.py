"""What is idle hangs after eight looks; what computes, or waits for what does, goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from mst_core.engine.liveness import (
    MAX_BLIND_LOOKS,
    MAX_IDLE_LOOKS,
    MAX_STEP_S,
    HangWatch,
    process_work_s,
    thread_work_s,
    waits_for_disk,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


def looks_until_hung(steps: list[object], work: list[float | None]) -> tuple[int, str]:
    """Look at steps and CPU seconds in turn; how often until it hangs, and the words for it."""
    watch = HangWatch()
    for number, (step, work_s) in enumerate(zip(steps, work, strict=True)):
        if hang := watch.look(step, work_s):
            return number, hang
    return len(steps), ""


def test_what_neither_steps_nor_computes_hangs_after_eight_seconds() -> None:
    assert looks_until_hung([7] * 20, [3.0] * 20) == (MAX_IDLE_LOOKS, "for 8 seconds")
    assert MAX_IDLE_LOOKS < 10


def test_the_signs_of_life_of_an_idle_process_are_no_computing() -> None:
    work: list[float | None] = [3.0 + 0.002 * look for look in range(20)]
    assert looks_until_hung([7] * 20, work) == (MAX_IDLE_LOOKS, "for 8 seconds")


def test_each_step_and_each_bit_of_computing_begins_the_eight_seconds_anew() -> None:
    assert looks_until_hung([look // 6 for look in range(60)], [3.0] * 60) == (60, "")
    work: list[float | None] = [3.0 + look // 6 for look in range(60)]
    assert looks_until_hung([7] * 60, work) == (60, "")


def test_an_endless_loop_hangs_after_its_share_of_computing() -> None:
    work: list[float | None] = [float(look) for look in range(200)]
    looks, words = looks_until_hung([7] * 200, work)
    assert looks == MAX_STEP_S
    assert words == "for 20 seconds of computing"
    slow: list[float | None] = [look / 4 for look in range(200)]
    assert looks_until_hung([7] * 200, slow)[0] == 4 * MAX_STEP_S, "a busy machine makes no hang"


def test_where_the_system_says_nothing_of_computing_a_hang_takes_longer() -> None:
    assert looks_until_hung([7] * 99, [None] * 99)[0] == MAX_BLIND_LOOKS


@linux
def test_the_work_of_a_thread_counts_the_program_that_it_waits_for() -> None:
    """As in the sound, where a thread waits for ffmpeg, or for a program that waits for another."""
    loop = [sys.executable, "-c", "for _ in iter(int, 1): pass"]
    busy = [sys.executable, "-c", f"import subprocess; subprocess.run({loop})"]
    found: list[float] = []

    def wait_for_program() -> None:
        with subprocess.Popen(busy, start_new_session=True) as program:
            until_s = time.monotonic() + 20
            while time.monotonic() < until_s:
                found.append(thread_work_s(threading.get_native_id()) or 0.0)
                if found[-1] > found[0] + 0.5:  # more than Python takes to start
                    break
                time.sleep(0.05)
            os.killpg(program.pid, signal.SIGKILL)

    thread = threading.Thread(target=wait_for_program)
    thread.start()
    thread.join()
    assert found[-1] > found[0] + 0.5
    assert thread_work_s(2**30) is None


@linux
def test_the_work_of_a_process_grows_and_one_that_is_gone_has_none() -> None:
    before = process_work_s(os.getpid())
    assert before is not None
    until_s = time.process_time() + 0.1
    while time.process_time() < until_s:
        pass
    assert (process_work_s(os.getpid()) or 0.0) >= before + 0.05
    assert process_work_s(2**30) is None
    assert not waits_for_disk(os.getpid())
    assert not waits_for_disk(2**30)
