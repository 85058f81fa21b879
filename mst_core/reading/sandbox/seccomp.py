"""Seccomp: the parser process may make the few system calls that reading a file takes.

A list of what is allowed, so that a new system call of a newer kernel is refused too. The filter is
a program for the kernel's packet filter, built here: the kept packages for it need libseccomp and
its headers, which no supported system installs by itself. It cannot be taken back.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from mst_core.reading.sandbox.namespaces import call_libc

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER_MODE = 38, 22, 2
_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = (
    0,
    4,
    16,
    24,
)  # offsets in what a filter sees
_X32_NUMBERS = 0x40000000  # x86-64's second set of numbers

_ANY_ARGUMENT = {
    # name: number on x86-64, on 64-bit ARM; None where that has no such call
    "read": (0, 63),
    "write": (1, 64),
    "open": (2, None),
    "close": (3, 57),
    "stat": (4, None),
    "fstat": (5, 80),
    "lstat": (6, None),
    "poll": (7, None),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "readv": (19, 65),
    "writev": (20, 66),
    "access": (21, None),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "dup": (32, 23),
    "dup2": (33, None),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "exit": (60, 93),
    "uname": (63, 160),
    "getcwd": (79, 17),
    "readlink": (89, None),
    "gettimeofday": (96, 169),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "getuid": (102, 174),
    "getgid": (104, 176),
    "geteuid": (107, 175),
    "getegid": (108, 177),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "getdents64": (217, 61),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "openat": (257, 56),
    "newfstatat": (262, 79),
    "readlinkat": (267, 78),
    "faccessat": (269, 48),
    "ppoll": (271, 73),
    "dup3": (292, 24),
    "getrandom": (318, 278),
    "statx": (332, 291),
    "faccessat2": (439, 439),
}
_OWN_PROCESS = {"kill": (62, 129), "tgkill": (234, 131)}
"""Calls whose first argument must be this process: `abort` ends it by a signal."""
_ZERO = {"prlimit64": (302, 261)}
"""Calls whose first argument must be 0, which means this process."""
_PLAIN_COMMANDS = (0, 1, 2, 3, 1030)
"""F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC: with F_SETOWN and F_SETSIG, a pipe would
send any process of the same user any signal."""
_FCNTL = {"fcntl": (72, 25)}
"""Calls whose second argument must be one of `_PLAIN_COMMANDS`."""
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""By machine: the column of the tables, and the kernel's number of the architecture."""


def forbid_new_privileges() -> None:
    """Let no program that this process starts gain rights, as Landlock and seccomp demand.

    Raises:
        OSError: when the kernel refuses.
    """
    call_libc("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def restrict_calls() -> None:
    """Refuse this process every system call but those of the tables.

    `PR_SET_NO_NEW_PRIVS` must be set. A refused call fails with EPERM.

    Raises:
        OSError: when the kernel refuses, or the machine is neither x86-64 nor 64-bit ARM.
    """
    machine = os.uname().machine
    if machine not in _ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"there is no filter for {machine}")
    steps = _build_filter(*_ARCHITECTURES[machine], os.getpid())
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)  # struct sock_filter
    array = ctypes.create_string_buffer(code)
    program = struct.pack("@HP", len(steps), ctypes.addressof(array))  # struct sock_fprog
    call_libc("prctl", _SET_SECCOMP, _FILTER_MODE, program, 0, 0)


def _build_filter(column: int, architecture: int, pid: int) -> list[tuple[int, int, int, int]]:
    """Return the instructions: code, jump if true, jump if false, operand."""
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_GREATER_EQUAL, 0, 1, _X32_NUMBERS),
        (_RETURN, 0, 0, _REFUSE),
    ]
    checked = (
        (_OWN_PROCESS, _FIRST_ARGUMENT, (pid,)),
        (_ZERO, _FIRST_ARGUMENT, (0,)),
        (_FCNTL, _SECOND_ARGUMENT, _PLAIN_COMMANDS),
    )
    for table, offset, values in checked:
        for numbers in table.values():
            # Only the lower half of the argument: the kernel ignores the rest of these.
            steps += [
                (_JUMP_EQUAL, 0, 2 + 2 * len(values), numbers[column]),
                (_LOAD, 0, 0, offset),
            ]
            for value in values:
                steps += [(_JUMP_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW)]
            steps.append((_RETURN, 0, 0, _REFUSE))
    for pair in _ANY_ARGUMENT.values():
        number = pair[column]
        if number is not None:
            steps += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    return [*steps, (_RETURN, 0, 0, _REFUSE)]
