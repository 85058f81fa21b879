"""Confines the parser process before it sees a byte of the file: every layer that the machine has.

Whoever takes over a reader is left with a process that can compute and write its one answer. No
layer is needed by another one; each that the machine refuses is named with its reason, for
``mst-bot doctor`` and the log.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mst_core.reading.sandbox.landlock import restrict_files
from mst_core.reading.sandbox.namespaces import (
    UNUSED_ID,
    become_nobody,
    drop_capabilities,
    end_with_parent,
    enter_empty_root,
    separate,
)
from mst_core.reading.sandbox.seccomp import forbid_new_privileges, restrict_calls

PROTECTIONS = ("namespaces", "empty root", "own user", "no capabilities", "landlock", "seccomp")
"""The layers, in the order in which they are put on."""
_SYSTEM_LIBRARIES = ("/usr/lib", "/lib", "/usr/lib64", "/lib64", "/etc/ld.so.cache")
_PACKAGE = Path(__file__).parents[2]  # mst_core


def confine() -> dict[str, str]:
    """Put every layer on this process that the machine allows; none can be taken off again.

    Returns:
        The reasons, by the name in `PROTECTIONS`, of those that it does not have.
    """
    missing: dict[str, str] = {}

    def attempt(name: str, layer: Callable[[], object]) -> bool:
        try:
            layer()
        except OSError as error:
            missing[name] = error.strerror or str(error)
        return name not in missing

    readable = find_imported_folders()
    root = os.geteuid() == 0
    forbid_new_privileges()
    # Root in a container may lack the right, yet have user namespaces.
    if (root and attempt("namespaces", lambda: separate(as_root=True))) or attempt(
        "namespaces", lambda: separate(as_root=False)
    ):
        missing.pop("namespaces", None)
        attempt("empty root", lambda: enter_empty_root(readable))
    else:
        missing["empty root"] = "it needs namespaces"
    if root:
        attempt("own user", lambda: _leave_root(readable))
    else:
        missing["own user"] = "only root can give one"
    attempt("no capabilities", drop_capabilities)
    with suppress(OSError):  # every Linux has it; elsewhere there is no confinement at all
        end_with_parent()
    attempt("landlock", lambda: restrict_files(readable))
    attempt("seccomp", restrict_calls)
    return missing


def find_imported_folders() -> list[Path]:
    """Return what an import may read: Python's library, installed packages, and `mst_core`.

    The folder of the project is not among them, because `.env` and the data may be in it.
    """
    library = Path(os.__file__).parent
    found = [library, _PACKAGE]
    for entry in map(Path, sys.path):
        installed = entry.name in ("site-packages", "dist-packages") or entry.suffix == ".zip"
        if installed and entry.is_absolute() and entry.exists():
            found.append(entry)
    found += [Path(name) for name in _SYSTEM_LIBRARIES if Path(name).exists()]
    # What is beneath another one needs no mount of its own.
    return [
        path
        for number, path in enumerate(found)
        if path not in found[:number]
        and not any(path != other and path.is_relative_to(other) for other in found)
    ]


def _leave_root(readable: list[Path]) -> None:
    """Become another user, unless it could import nothing (in a home that only root may enter)."""
    os.seteuid(UNUSED_ID)
    try:
        for path in readable:
            if path.is_dir():
                os.listdir(path)
    finally:
        os.seteuid(0)
    become_nobody()
