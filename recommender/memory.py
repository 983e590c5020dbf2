"""Memory that is free, given back to the system."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any


def give_back() -> None:
    """Let glibc's malloc return what no object uses; elsewhere nothing happens. Takes milliseconds.

    A process that makes arrays of all sizes, and keeps a few of them each time, otherwise holds on to what lies between.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
