"""Memory for blocks of files, of which one is read after the other."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8
"""Parameters of glibc's `mallopt` (malloc.h)."""
_LARGEST = 32 << 20
"""The largest threshold that glibc takes on 64 bits; larger than any block."""


@cache
def reuse() -> None:
    """From now on a block takes the memory of an earlier one, instead of new pages from the system.

    To have a page made and cleared takes longer than to read into it. Other C libraries than glibc go on as
    they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST)
        mallopt(_TRIM_THRESHOLD, _LARGEST)
        mallopt(_ARENA_MAX, 1)
