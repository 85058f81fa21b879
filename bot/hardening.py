"""Protects the process and the files of the bot, and says which protections a machine lacks.

The parser process confines itself (`mst_core.reading.sandbox.confinement`). This module does the
same for the bot: nobody else reads its memory or its files.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from mst_core.errors import ParserStopped
from mst_core.reading.sandbox.confinement import PROTECTIONS
from mst_core.reading.sandbox.namespaces import call_libc
from mst_core.reading.sandbox.process import find_missing_protections

log = logging.getLogger(__name__)

DOTENV = Path(".env")
LEDGER = "ledger.sqlite3"
_OTHERS = 0o077
"""The rights of everybody but the owner."""
_GET_DUMPABLE, _SET_DUMPABLE = 3, 4

EXPECTED_WITHOUT_ROOT = frozenset({"own user"})
"""Protections of the parser that only root could give: the bot is safer without root."""
MEANINGS: Mapping[str, tuple[str, str]] = {
    "namespaces": (
        "a parser has no network and no view of other processes' mounts",
        "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, and on Ubuntu"
        " kernel.apparmor_restrict_unprivileged_userns=0; in a container see deploy/SECURITY.md",
    ),
    "empty root": ("a parser sees no file but Python's", "as for namespaces"),
    "own user": ("a parser is a user that owns nothing", "not needed where the others are there"),
    "no capabilities": ("a parser has no right of root", "update the kernel"),
    "landlock": (
        "a parser opens no file but Python's, and connects to nothing",
        "use Linux 5.13 or newer, with landlock in the kernel's parameter lsm=",
    ),
    "seccomp": (
        "a parser starts nothing, signals nothing, and opens no socket",
        "use a kernel with seccomp, on x86-64 or 64-bit ARM",
    ),
}
"""Of each protection of the parser: what it does, and how a machine gets it."""


def protect_process() -> None:
    """Close this process to others of the same user, and its new files to everybody else.

    Where it is not dumpable, no debugger reads its memory, `/proc/PID/environ` is closed, and a
    crash writes no core.
    """
    os.umask(_OTHERS)
    try:
        call_libc("prctl", _SET_DUMPABLE, 0, 0, 0, 0)
    except OSError as error:
        log.warning("the memory of the bot is open to processes of its user: %s", error.strerror)


def protect_files(data_dir: Path) -> None:
    """Close the data folder to everybody but its owner, and warn about a ``.env`` that is open.

    A folder that holds files of something else, and no ledger, keeps its mode: closing ``/tmp``
    would break the machine.

    Args:
        data_dir: The data folder; it is made where it is missing.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = data_dir.stat().st_mode
        ours = (data_dir / LEDGER).exists() or not any(data_dir.iterdir())
        if ours and not mode & stat.S_ISVTX:
            _close(data_dir)
        for path in data_dir.glob(LEDGER + "*"):
            _close(path)
    except OSError as error:
        log.warning("%s cannot be closed to other users: %s", data_dir, error.strerror)
    if is_open(DOTENV):
        log.warning("%s can be read by others: run chmod 600 %s", DOTENV, DOTENV.absolute())


def is_open(path: Path) -> bool:
    """Return whether somebody else than its owner has a right on a file or folder that exists."""
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False


def log_missing_protections() -> None:
    """Log how the parser process is confined on this machine. It blocks for half a second."""
    try:
        missing = find_missing_protections()
    except ParserStopped as error:
        log.error("no file of a user can be read: %s", error)
        return
    had = [name for name in PROTECTIONS if name not in missing]
    log.info("the parser of users' files is confined by: %s", ", ".join(had) or "limits only")
    for name, reason in missing.items():
        if name not in EXPECTED_WITHOUT_ROOT:
            log.warning(
                "the parser lacks the protection %r (%s); mst-bot doctor says more", name, reason
            )


def examine(data_dir: Path) -> list[str]:
    """Return a line for each protection, with ``yes`` or ``no`` and how to get it. It blocks.

    Args:
        data_dir: The data folder.

    Raises:
        ParserStopped: when no parser process can be started.
    """
    missing = find_missing_protections()
    lines = []
    for name in PROTECTIONS:
        effect, remedy = MEANINGS[name]
        reason = f" [{missing[name]}; {remedy}]" if name in missing else ""
        lines.append(_line(name not in missing, f"{name}: {effect}{reason}"))
    try:
        closed = call_libc("prctl", _GET_DUMPABLE, 0, 0, 0, 0) == 0
    except OSError:
        closed = False
    lines.append(_line(closed, "the memory and the environment of the bot are closed to others"))
    for is_safe, words, remedy in (
        (os.geteuid() != 0, "the bot is not root", "run it as a user of its own"),
        (not is_open(DOTENV), "only its owner reads .env", f"chmod 600 {DOTENV.absolute()}"),
        (
            not is_open(data_dir),
            "only its owner reads the data",
            f"chmod 700 {data_dir.absolute()}",
        ),
    ):
        lines.append(_line(is_safe, words if is_safe else f"{words} [{remedy}]"))
    return lines


def _line(is_safe: bool, words: str) -> str:
    return f"{'yes' if is_safe else 'NO ':3}  {words}"


def _close(path: Path) -> None:
    """Take every right on a path from all but its owner, unless nobody else has one."""
    mode = path.stat().st_mode
    if mode & _OTHERS:
        path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
        log.warning("%s was open to other users; now it is not", path)
