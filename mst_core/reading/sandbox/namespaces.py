"""Moves the parser process to namespaces of its own, with a root folder that holds only Python.

Linux gives both to root, and to everybody where user namespaces are allowed. Each function raises
OSError where the machine refuses; the caller goes on without that protection.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from collections.abc import Sequence
from pathlib import Path

UNUSED_ID = 1_900_000_117
"""User and group of the parser process when root starts it: no account has this number, and
systemd gives none above 1,879,048,191 away."""
_NEW_MOUNTS, _NEW_NAMES, _NEW_IPC, _NEW_USERS, _NEW_NETWORK = (
    0x00020000,
    0x04000000,
    0x08000000,
    0x10000000,
    0x40000000,
)
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _REMOUNT = 0x1, 0x2, 0x4, 0x20
_BIND, _RECURSIVE, _PRIVATE, _DETACH = 0x1000, 0x4000, 0x40000, 0x2
_SET_PARENT_DEATH_SIGNAL = 1
_ROOT_BYTES = 64 * 1024  # of the new root folder, which has folders only
_MOUNT_POINT = "/proc"  # any folder that is always there and from which nothing is imported


def call_libc(name: str, *arguments: int | bytes | None) -> int:
    """Call a function of the C library, and return its result.

    Args:
        name: of the function.
        arguments: integers of 64 bits and texts that end in a zero byte.

    Raises:
        OSError: when it failed, with its error number.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    plain = [
        ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments
    ]
    function = getattr(libc, name, None)
    if function is None:
        raise OSError(errno.ENOSYS, f"{name}: this system is not Linux")
    result = int(function(*plain))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def separate(*, as_root: bool) -> None:
    """Enter new namespaces for network, mounts, IPC and host names; without root, for users too.

    Args:
        as_root: whether this process has root's right to do so without a namespace for users.

    Raises:
        OSError: when the machine allows none of this.
    """
    spaces = _NEW_MOUNTS | _NEW_NAMES | _NEW_IPC | _NEW_NETWORK
    if as_root:
        call_libc("unshare", spaces)
        return
    user, group = os.geteuid(), os.getegid()
    call_libc("unshare", spaces | _NEW_USERS)
    for file, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        _write_proc(file, text)


def _write_proc(name: str, text: str) -> None:
    """Write a file about this process; the limit on written bytes concerns other file systems."""
    number = os.open(f"/proc/self/{name}", os.O_WRONLY)
    try:
        os.write(number, text.encode())
    finally:
        os.close(number)


def enter_empty_root(visible: Sequence[Path]) -> None:
    """Replace the root folder by one in which only some folders exist, read-only.

    Needs a mount namespace of its own (`separate`).

    Args:
        visible: absolute paths of folders and files; each keeps its path. A folder within another
            one of them needs not be named.

    Raises:
        OSError: when the machine does not allow it.
    """
    os.umask(0o022)  # another user walks through these folders
    call_libc("mount", b"none", b"/", None, _RECURSIVE | _PRIVATE, None)
    options = f"size={_ROOT_BYTES},mode=755".encode()
    call_libc("mount", b"none", os.fsencode(_MOUNT_POINT), b"tmpfs", _NO_SETUID, options)
    for path in visible:
        place = Path(_MOUNT_POINT + str(path))
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        target = os.fsencode(place)
        # With what is mounted beneath: without root the kernel gives both or none. Nor may a flag
        # of the mount be dropped then.
        call_libc("mount", os.fsencode(path), target, None, _BIND | _RECURSIVE, None)
        flags = _REMOUNT | _BIND | _READ_ONLY | _NO_SETUID | _NO_DEVICES
        flags |= os.statvfs(path).f_flag & os.ST_NOEXEC
        call_libc("mount", b"none", target, None, flags, None)
    os.chdir(_MOUNT_POINT)
    call_libc("pivot_root", b".", b".")
    call_libc("umount2", b".", _DETACH)
    os.chdir("/")
    call_libc("mount", b"none", b"/", None, _REMOUNT | _READ_ONLY | _NO_SETUID | _NO_DEVICES, None)


def become_nobody() -> None:
    """Give up root: this process gets a user and a group that nothing on the machine belongs to.

    Raises:
        OSError: when this process is not root, or the number means nothing in its container.
    """
    os.setgroups([])
    os.setresgid(UNUSED_ID, UNUSED_ID, UNUSED_ID)
    os.setresuid(UNUSED_ID, UNUSED_ID, UNUSED_ID)


def end_with_parent() -> None:
    """Let the kernel end this process as soon as the process that started it has ended.

    A bot that was killed ends nothing, and a process that sleeps uses up no CPU seconds. A change
    of users or namespaces takes this back, so it comes after them.

    Raises:
        OSError: when the kernel refuses.
    """
    call_libc("prctl", _SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def drop_capabilities() -> None:
    """Drop every capability: those of a user namespace would still mount and trace within it.

    Raises:
        OSError: when the kernel refuses.
    """
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"capset: {os.strerror(number)}")
