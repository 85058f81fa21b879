"""A running preview: a process of its own, with the real engine or a slow one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.paths import PROJECT

REAL_COMMAND = (sys.executable, "-m", "bot")
SLOW_COMMAND = (sys.executable, "-m", "tests.support.slow_preview")
"""The same with an engine that takes seconds for a job and reports every step."""
GRACE_S = 20.0


class RunningPreview:
    """A running preview: its process, and the address that it printed."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, line: str) -> None:
        self.process = process
        self.folder = folder
        self.line = line
        self.address = re.findall(r"http://127\.0\.0\.1:\d+/", line)[0]

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit status.

        Raises:
            AssertionError: when a process that it started outlives it.
        """
        started = descendants(self.process.pid)
        self.process.send_signal(number)
        self.process.communicate(timeout=GRACE_S)
        assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]
        return self.process.returncode

    @contextmanager
    def jobs_held(self) -> Iterator[None]:
        """Let no job of the slow engine end in this context."""
        (self.folder / "held").touch()
        yield
        (self.folder / "held").unlink()


def descendants(pid: int) -> set[int]:
    """The ids of all descendants of a process."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    children = {int(child) for path in lists for child in path.read_text().split()}
    return children.union(*map(descendants, children))


@contextmanager
def running_preview(command: tuple[str, ...], folder: Path) -> Iterator[RunningPreview]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        "DISCORD_TOKEN": "",
        "MST_DATA_DIR": str(folder / "data"),
        "MST_TRYOUT_PORT": "0",
        "MST_COOLDOWN_S": "0",
        "MST_DRAIN_S": "1",
    }
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    with process:
        try:
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
            yield RunningPreview(process, folder, line)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
