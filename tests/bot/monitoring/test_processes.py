"""Resident memory of the bot and of its engine."""

from __future__ import annotations

import subprocess
import sys
import threading

from bot.monitoring.processes import ENGINE_MODULE, resident_bytes


def wait_for_input(*words: str) -> subprocess.Popen[bytes]:
    """Start a process that says that it runs and then waits, with words in its command line."""
    script = "import sys; print('.', flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", script, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b".\n"
    return child


def test_the_memory_of_an_engine_that_any_thread_started_is_found() -> None:
    before = resident_bytes()
    assert set(before) == {"bot"}
    started: list[subprocess.Popen[bytes]] = []
    done = threading.Event()

    def start() -> None:
        started.append(wait_for_input(ENGINE_MODULE.decode()))
        done.wait()

    thread = threading.Thread(target=start)
    thread.start()
    with wait_for_input("another program"):
        while not started:
            pass
        sizes = resident_bytes()
        done.set()
        thread.join()
        with started[0] as engine:
            assert set(sizes) == {"bot", "engine"}
            assert 1_000_000 < sizes["engine"] < sizes["bot"] * 10
            engine.communicate()
    assert set(resident_bytes()) == {"bot"}
