"""The bot as a process of its own: started, killed, and its child processes watched."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.support.fakes import write_styles
from tests.support.paths import PROJECT
from tests.tools.standin.server import StandIn

PATIENCE_S = 90.0
"""Seconds until what must happen counts as not happening, also on a machine that is busy."""
POLL_S = 0.01
DISCORD_TOKEN = "a.token.of.the-stand-in"  # noqa: S105 - of nobody
ENGINE = "tests.tools.standin.worker"
REAL_ENGINE = "tests.tools.standin.real_worker"
PARSER = "mst_core.reading.sandbox"


async def until(condition: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> None:
    """Wait until a condition holds.

    Args:
        condition: Looked at every few milliseconds.
        what: What is waited for, for the error.
        within_s: Seconds that it may take.

    Raises:
        TimeoutError: when it takes longer.
    """
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s:.0f} s: {what}")
        await asyncio.sleep(POLL_S)


class BotProcess:
    """The bot in a folder, one process after the other."""

    def __init__(
        self, folder: Path, discord: StandIn, *, engine: str = ENGINE, **environment: str
    ) -> None:
        """Prepare a bot; `start` starts it.

        Args:
            folder: Holds its data, its log and its styles, which are made unless they are there.
            discord: What it connects to.
            engine: The module that its engine process runs.
            **environment: Settings.
        """
        self.data = folder / "data"
        self.log = folder / "bot.log"
        self.engine = engine
        self._folder, self._discord = folder, discord
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self.children: set[tuple[int, str]] = set()
        """Process id and start time of every child that was seen."""
        models = folder / "models"
        if not models.exists():
            write_styles(models)
        self._soundfont = folder / "silent.sf2"
        self._soundfont.write_bytes(b"RIFF\x04\x00\x00\x00sfbk")

    @property
    def running(self) -> bool:
        """Whether a process runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The id of its process; 0 while none runs."""
        return self._process.pid if self._process and self.running else 0

    async def start(self, *, wait: bool = True) -> None:
        """Start the bot; wait until Discord has it, unless told otherwise."""
        sessions = self._discord.identified
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "STANDIN_ADDRESS": self._discord.address,
            "STANDIN_ENGINE": self.engine,
            "DISCORD_TOKEN": DISCORD_TOKEN,
            "MST_DATA_DIR": str(self.data),
            "MST_MODELS_DIR": str(self._folder / "models"),
            "MST_SOUNDFONT": str(self._soundfont),
            "MST_COOLDOWN_S": "0",
            **self._environment,
        }
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "tests.tools.standin.run_bot"),
                cwd=self._folder,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if wait:
            await until(
                lambda: self._discord.identified > sessions or not self.running, "the bot connects"
            )
            if not self.running:
                raise RuntimeError(f"the bot ended: {self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """Kill the bot this moment, and leave its children alone."""
        self.watch()
        if self._process and self.running:
            # Its own method might take the status away from the loop that waits for it.
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def wait(self) -> int:
        """Wait until the process has ended; return its status."""
        if self._process is None:
            raise RuntimeError("there is no process to wait for")
        return await self._process.wait()

    async def stop(self) -> int:
        """End the bot by SIGTERM; return its status."""
        self.watch()
        if self._process and self.running:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGTERM)
        return await self.wait()

    def find_children(self, module: str) -> list[int]:
        """Return the ids of the children that run a module."""
        return [pid for pid, _ in self.watch() if module in _command_line(pid)]

    def kill_child(self, module: str) -> bool:
        """Kill a child that runs a module; return whether there was one."""
        victims = self.find_children(module)
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:  # it ended by itself
                continue
        return bool(victims)

    def watch(self) -> set[tuple[int, str]]:
        """Note the processes below the bot, and return them."""
        if self._process is None or not self.running:
            return set()
        found = _descendants(self._process.pid)
        self.children |= found
        return found

    def orphans(self) -> list[int]:
        """The children that were seen once and still run, though the bot has ended."""
        return [pid for pid, began in self.children if _stat(pid)[1:] == ("", began)]


def _stat(pid: int) -> tuple[str, str, str]:
    """Return the parent of a process, "Z" unless it runs, and its start time; all text."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "0", "Z", ""
    return fields[1], "Z" if fields[0] in "ZX" else "", fields[19]


def _descendants(root: int) -> set[tuple[int, str]]:
    """Return process id and start time of every process below one."""
    below: dict[int, list[tuple[int, str]]] = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            found = _stat(int(name))
            below.setdefault(int(found[0]), []).append((int(name), found[2]))
    seen: set[tuple[int, str]] = set()
    waiting = [root]
    while waiting:
        for child in below.get(waiting.pop(), []):
            if child not in seen:
                seen.add(child)
                waiting.append(child[0])
    return seen


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
