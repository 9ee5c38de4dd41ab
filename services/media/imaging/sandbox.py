"""What a worker process gives up before it sees a stranger's byte."""

from __future__ import annotations

import math
import resource
import signal

from services.media.imaging import seccomp
from services.media.imaging.rendered import Limits

_OPEN_FILES = 3
"""Standard input, output and error: with this limit nothing more can be opened, on any system."""


def confine(limits: Limits) -> list[str]:
    """Give up files, sockets, processes and unlimited memory; the names of what is in force.

    Every module and codec that a render needs must be loaded by now.
    """
    wanted = {
        "address-space": (resource.RLIMIT_AS, limits.memory_bytes),
        "core": (resource.RLIMIT_CORE, 0),
        "file-size": (resource.RLIMIT_FSIZE, 0),
        "open-files": (resource.RLIMIT_NOFILE, _OPEN_FILES),
    }
    in_force = [name for name, (what, value) in wanted.items() if _limited(what, value)]
    return [*in_force, "seccomp"] if seccomp.confine() else in_force


def allow_one_render(limits: Limits) -> None:
    """Grant the processor time and the wall clock of one render; overrunning either ends the process.

    The wall clock is the parent's to watch; this one, a second later, is for a parent that is gone.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(usage.ru_utime + usage.ru_stime) + limits.cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds + 1)


def rest() -> None:
    """Between renders no clock runs."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def _limited(what: int, value: int) -> bool:
    try:
        resource.setrlimit(what, (value, value))
    except (OSError, ValueError):
        return False
    return True
