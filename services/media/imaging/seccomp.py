"""A system-call allow-list for a process that needs nothing but memory, threads and open pipes.

No file can be opened, no socket made, no program or process started, no other process touched; all
of that fails with EPERM. Linux on x86-64 and AArch64 only: elsewhere the resource limits stand alone.
Numbers from the kernel's unistd_64.h and asm-generic/unistd.h, layouts from seccomp(2).
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_CLONE_THREAD = 0x00010000

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Which column of the table below, and the kernel's AUDIT_ARCH value."""

_ALLOWED = {
    "read": (0, 63),
    "write": (1, 64),
    "futex": (202, 98),
    "mmap": (9, 222),
    "munmap": (11, 215),
    "madvise": (28, 233),
    "mremap": (25, 216),
    "mprotect": (10, 226),
    "brk": (12, 214),
    "clock_gettime": (228, 113),
    "readv": (19, 65),
    "writev": (20, 66),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "getrandom": (318, 278),
    "gettid": (186, 178),
    "getpid": (39, 172),
    "getrusage": (98, 165),
    "setitimer": (38, 103),
    "membarrier": (324, 283),
    "restart_syscall": (219, 128),
}
_CLONE, _CLONE3, _PRLIMIT = (56, 220), (435, 435), (302, 261)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def confine() -> bool:
    """Apply the allow-list to this thread and all that it starts, for ever; False where it cannot be applied."""
    machine = _MACHINES.get(platform.machine())
    if not sys.platform.startswith("linux") or machine is None:
        return False
    instructions = _filter(*machine)
    program = _Program(len(instructions) // 8, instructions)
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    if prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    pointer = ctypes.cast(ctypes.pointer(program), ctypes.c_void_p).value
    return bool(prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, pointer, 0, 0) == 0)


def _filter(column: int, architecture: int) -> bytes:
    code = [
        _instruction(_LOAD, _ARCH_AT),
        _instruction(_EQUAL, architecture, skip_if_true=1),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER_AT),
    ]
    for numbers in _ALLOWED.values():
        code += [_instruction(_EQUAL, numbers[column], skip_if_false=1), _instruction(_RETURN, _ALLOW)]
    # glibc falls back from clone3, whose flags a filter cannot see, to clone: which may start threads only.
    code += [_instruction(_EQUAL, _CLONE3[column], skip_if_false=1), _instruction(_RETURN, _ERRNO | errno.ENOSYS)]
    code += _if_first_argument(_CLONE[column], _instruction(_ANY_BIT, _CLONE_THREAD, skip_if_false=1))
    # Its own limits it may tighten, those of another process never.
    code += _if_first_argument(_PRLIMIT[column], _instruction(_EQUAL, 0, skip_if_false=1))
    return b"".join([*code, _instruction(_RETURN, _ERRNO | errno.EPERM)])


def _if_first_argument(number: int, test: bytes) -> list[bytes]:
    return [
        _instruction(_EQUAL, number, skip_if_false=4),
        _instruction(_LOAD, _FIRST_ARGUMENT_AT),
        test,
        _instruction(_RETURN, _ALLOW),
        _instruction(_RETURN, _ERRNO | errno.EPERM),
    ]


def _instruction(code: int, value: int, *, skip_if_true: int = 0, skip_if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, skip_if_true, skip_if_false, value)
