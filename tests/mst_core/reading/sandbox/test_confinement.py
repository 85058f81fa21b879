"""What hostile code in the parser process can do: nothing but compute and answer.

Each ability is tried as a reader that was taken over would: by the real process, in place of the
reader. The parent process plays the bot, with a token in its environment and a data folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mst_core.reading.sandbox.confinement import PROTECTIONS, find_imported_folders
from tests.support.paths import PROJECT

# Runs in place of the reader, in the confined process. An ability is there when no error comes and
# what it gives is true. The modules are imported before, as a reader's own would be.
HOSTILE = """
import ctypes, fcntl, json, os, resource, signal, socket, subprocess, sys, threading, time
folder, bot = sys.argv.pop(), int(sys.argv.pop())
project, parent = {project!r}, os.getppid()
libc = ctypes.CDLL(None, use_errno=True)

def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)
    return True

def reach(expected, name, *arguments):
    return getattr(libc, name)(*arguments) < 0 and ctypes.get_errno() == expected

def read(path):
    with open(path, "rb") as file:
        return file.read(50) or True

def write(path):
    with open(path, "wb") as file:
        return file.write(b"x")

def start_thread():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    return True

def fork():
    pid = os.fork()
    if not pid:
        os._exit(0)
    return True

def ask(kind, address):
    with socket.socket(kind, socket.SOCK_STREAM) as one:
        one.connect(address)
        return True

def truth(value):
    if not value:
        raise ValueError("no")
    return True

ABILITIES = {{
    "read .env": lambda: read(folder + "/.env"),
    "read the token in the environment of the bot": lambda: read(f"/proc/{{bot}}/environ"),
    "read the memory of the bot": lambda: read(f"/proc/{{bot}}/maps"),
    "read what processes run": lambda: os.listdir("/proc"),
    "read the ledger": lambda: read(folder + "/data/ledger.sqlite3"),
    "read uploads": lambda: os.listdir(folder + "/data/uploads"),
    "learn whether a file exists": lambda: os.stat(folder + "/data/ledger.sqlite3"),
    "read the accounts of the machine": lambda: read("/etc/passwd"),
    "read the project": lambda: read(project + "/README.md"),
    "read the folder of temporary files": lambda: os.listdir("/tmp"),
    "find a secret in its own environment": lambda: truth(
        [name for name in os.environ if "TOKEN" in name]),
    "connect to the internet": lambda: ask(socket.AF_INET, ("127.0.0.1", int({port}))),
    "open a socket of the machine": lambda: ask(socket.AF_UNIX, folder + "/socket"),
    "write a file": lambda: write(folder + "/new"),
    "write into the data folder": lambda: write(folder + "/data/ledger.sqlite3"),
    "delete a file": lambda: os.unlink(folder + "/data/uploads/a") or True,
    "change the mode of a file": lambda: os.chmod(folder + "/.env", 0o777) or True,
    "trace the bot": lambda: call("ptrace", 0x4206, bot, 0, 0),  # seizing stops nothing
    "write into the memory of the bot": lambda: call("process_vm_writev", bot, 0, 0, 0, 0, 0),
    "send the bot a signal": lambda: os.kill(bot, 0) or True,
    "let a pipe send the bot a signal": lambda: fcntl.fcntl(0, fcntl.F_SETOWN, bot) or True,
    "open a ring of system calls": lambda: call("syscall", 425, 1, b"0" * 120),
    "limit the bot": lambda: truth(resource.prlimit(bot, resource.RLIMIT_NOFILE)),
    "start a process": fork,
    "start a program": lambda: subprocess.run(["/bin/true"]) and True,
    "start a thread": start_thread,
    "more than a GiB of memory": lambda: truth(len(bytearray(1 << 30))),
    "raise its limits": lambda: resource.setrlimit(
        resource.RLIMIT_NOFILE, (999, 999)) or True,
    "become root of a namespace": lambda: call("unshare", 0x10000000),
    # Nothing is mounted there: who has the right learns that, and who has not is refused.
    "mount": lambda: reach(22, "umount2", folder.encode(), 0),
    "become root": lambda: os.setuid(0) or True,
}}

def attack(*_, **__):
    able = []
    for name, ability in ABILITIES.items():
        try:
            if ability():
                able.append(name)
        except (OSError, ValueError, MemoryError, RuntimeError):
            pass
    print("tried:", len(ABILITIES), *["able:" + name for name in able], sep="\\n", file=sys.stderr)
    raise SystemExit

import mst_core.reading.sandbox.worker as worker
worker.load_score = attack
"""

# The parent process: does what the bot does, then starts the process through the real code.
BOT = """
import asyncio, logging, os, socket, sys
from pathlib import Path
from mst_core.errors import ParserStopped
from mst_core.reading.parsed_score import Limits, Selection
from mst_core.reading.sandbox.process import run_parser
from mst_core.reading.sandbox.protocol import ParseRequest
folder = Path(sys.argv[1])
inet = socket.create_server(("127.0.0.1", 0))
unix = socket.socket(socket.AF_UNIX); unix.bind(str(folder / "socket")); unix.listen()
script = (folder / "hostile").read_text().replace("int(PORT)", str(inet.getsockname()[1]))
script = script.replace("sys.argv.pop(), int(sys.argv.pop())",
    repr(str(folder)) + ", " + str(os.getpid()))
logging.basicConfig(format="%(message)s", stream=sys.stdout)
request = ParseRequest(name="a.abc", selection=Selection(), limits=Limits(), data=b"X:1")
try:
    asyncio.run(run_parser(request, 30, 1024, (sys.executable, "-E", "-s", "-B", "-c", script)))
except ParserStopped:
    pass
"""
CONFINED = 'import runpy; runpy.run_module("mst_core.reading.sandbox", run_name="__main__")\n'
LIMITED = """
from mst_core.reading.sandbox.rlimits import apply_rlimits
apply_rlimits(memory_mib=1024, cpu_s=30)
worker.main()
"""


def attack(folder: Path, start: str) -> tuple[int, list[str]]:
    """Run the hostile code; return how many abilities it tried, and those that it had."""
    uploads = folder / "data" / "uploads"
    uploads.mkdir(parents=True)
    for path in (folder / ".env", folder / "data" / "ledger.sqlite3", uploads / "a"):
        path.write_text("DISCORD_TOKEN=a secret")
    hostile = HOSTILE.format(project=str(PROJECT), port="PORT")
    (folder / "hostile").write_text(hostile + start)
    done = subprocess.run(
        [sys.executable, "-c", BOT, folder],
        cwd=PROJECT,
        timeout=60,
        env={**os.environ, "DISCORD_TOKEN": "a secret"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert lines[:1] == ["tried:"], done.stdout + done.stderr
    return int(lines[1]), [line[5:] for line in lines if line.startswith("able:")]


def report() -> dict[str, str]:
    """The protections that this machine lacks."""
    done = subprocess.run(
        [sys.executable, "-m", "mst_core.reading.sandbox", "1024", "15", "report"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_code_in_a_reader_that_was_taken_over_can_do_nothing(tmp_path: Path) -> None:
    missing = report()
    if {"seccomp", "landlock"} & set(missing):
        pytest.skip(f"this machine lacks {missing}")
    tried, able = attack(tmp_path, CONFINED)
    assert tried == 31
    # Only the empty root hides that a file exists.
    assert set(able) <= ({"learn whether a file exists"} if "empty root" in missing else set())
    assert (tmp_path / "data" / "uploads" / "a").exists()


def test_the_same_code_under_limits_alone_can_do_most_of_it(tmp_path: Path) -> None:
    # So the test above can fail: the abilities are real.
    _, able = attack(tmp_path, LIMITED)
    assert {
        "read .env",
        "read the ledger",
        "read uploads",
        "connect to the internet",
        "open a socket of the machine",
        "delete a file",
        "send the bot a signal",
        "let a pipe send the bot a signal",
    } <= set(able)


def test_the_mask_of_new_files_takes_no_protection_away() -> None:
    # The bot lets nobody else read its new files; the folders of the empty root must be open to the
    # user that the process becomes.
    found = []
    for mask in (0o022, 0o077):
        before = os.umask(mask)
        try:
            found.append(report())
        finally:
            os.umask(before)
    assert found[0] == found[1]


def test_what_is_reported_is_a_protection_with_a_reason() -> None:
    missing = report()
    assert set(missing) <= set(PROTECTIONS)
    assert all(missing.values())


def test_what_an_import_may_read_holds_no_setting_and_no_data() -> None:
    readable = find_imported_folders()
    for private in (PROJECT, PROJECT / ".env", PROJECT / "data", Path.home()):
        assert not any(private.is_relative_to(folder) for folder in readable), private
