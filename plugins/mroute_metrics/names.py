"""Values of labels: names out of the configuration, and never too many of them.

Knows that every value of a label is a time series for Prometheus, for ever. Does not know metrics.
"""

from __future__ import annotations

import re
import threading

MOST = 1_000
"""Values that a label has at most, beside `OTHER`."""

OTHER = "other"
"""Stands for all names beyond those, and for what should be no name."""

_UID = re.compile(r"\d(?:\.\d+){4}")
"""Within a name: it may be a DICOM unique identifier, which leads to a patient."""


class Names:
    """The values of one label, in the order in which they are first seen."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._adding = threading.Lock()
        self._known: set[str] = set()

    def __call__(self, name: str) -> str:
        """The name, or `OTHER` in its place."""
        if name in self._known:
            return name
        if not name.isprintable() or _UID.search(name):
            return OTHER
        with self._adding:
            if len(self._known) < self._most:
                self._known.add(name)
        return name if name in self._known else OTHER
