"""The end of what a program writes, however much it writes.

Knows how to read without holding the program up or growing without limit. Does not know what the
text is kept for.
"""

from __future__ import annotations

import os
import threading
from types import TracebackType
from typing import IO

KEPT = 1_000_000
"""Bytes that are kept: the last ones."""

_PATIENCE = 5.0
"""Seconds to wait for the end of the stream: a stray process may hold it open."""


class Tail:
    """Reads ``stream`` in a thread from entering the context to leaving it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._read = bytearray()
        self._thread = threading.Thread(target=self._follow, daemon=True, name="module output")

    def __enter__(self) -> Tail:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.join(_PATIENCE)

    @property
    def content(self) -> bytes:
        """What was kept."""
        return bytes(self._read[-KEPT:])

    def last_lines(self, count: int) -> list[str]:
        """The last lines that are not blank, as text."""
        lines = self.content.decode("utf-8", "replace").splitlines()
        return [line for line in lines if line.strip()][-count:]

    def _follow(self) -> None:
        with self._stream:
            while chunk := os.read(self._stream.fileno(), 1 << 16):
                self._read += chunk
                if len(self._read) > 2 * KEPT:
                    del self._read[:-KEPT]
