"""Gives the buffers of uploads back to the system."""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3  # <malloc.h>
_BYTES = 1024 * 1024


def return_large_buffers() -> None:
    """Have glibc map every block of 1 MiB or more by itself, so that it is gone once it is freed.

    Left alone, glibc raises that bound to the size of what was freed last and then keeps parts of 5 MiB in the heap
    of every thread that ever held one. Holds for the whole process; may be repeated; elsewhere than on glibc it
    changes nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _BYTES)
