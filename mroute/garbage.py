"""Spares the interpreter from looking for garbage where there is none.

Knows Python's collector. Does not know who makes so many objects.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """Many small objects are made, none of which is garbage: looking for some takes longest."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
