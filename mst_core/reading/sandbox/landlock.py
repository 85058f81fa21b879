"""Landlock: the parser process may read Python's own files, and nothing else by a path.

The kernel enforces it for this process and whatever it could start, and it cannot be taken back
(Linux 5.13 and newer; rules for connections since 6.7, for signals since 6.12). Three system calls
by ctypes: the kept packages for it need Rust or Python 3.12, or know only the first version.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mst_core.reading.sandbox.namespaces import call_libc

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_ONLY = 1
_PATH_BENEATH = 1
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights on files each version of Landlock has, as the lowest bits of a number."""
_TCP_RIGHTS = 0b11  # bind and connect
_SCOPES = 0b11  # abstract sockets and signals


def restrict_files(readable: Iterable[Path]) -> int:
    """Refuse this process every access to files, except to read some; return Landlock's version.

    `PR_SET_NO_NEW_PRIVS` must be set.

    Args:
        readable: folders, with all beneath, and files. One that is not there is left out.

    Raises:
        OSError: when the kernel has no Landlock or it is switched off.
    """
    version = call_libc("syscall", _CREATE_RULESET, 0, 0, _VERSION_ONLY)
    # The kernel's struct landlock_ruleset_attr: what is refused unless a rule allows it.
    refused = struct.pack(
        "=QQQ",
        (1 << _FILE_RIGHTS[min(version, 5)]) - 1,
        _TCP_RIGHTS if version >= 4 else 0,
        _SCOPES if version >= 6 else 0,
    )
    # An older kernel knows only the first fields.
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = call_libc("syscall", _CREATE_RULESET, refused, size, 0)
    try:
        for path in readable:
            with suppress(FileNotFoundError):
                _allow_reading(rules, path)
        call_libc("syscall", _RESTRICT_SELF, rules, 0)
    finally:
        os.close(rules)
    return version


def _allow_reading(rules: int, path: Path) -> None:
    """Add a rule that a folder with all beneath, or a file, may be read."""
    rights = _READ_FILE | _READ_FOLDER if path.is_dir() else _READ_FILE
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", rights, opened)  # struct landlock_path_beneath_attr
        call_libc("syscall", _ADD_RULE, rules, _PATH_BENEATH, rule, 0)
    finally:
        os.close(opened)
