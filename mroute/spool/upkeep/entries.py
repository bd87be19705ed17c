"""What is in the spool, as the file system says, whatever it is.

Knows how far to look: the upper folders first, and not at everything of a large spool. Does not
know what anything is.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mroute.spool.layout import PROBE_PREFIX

_MOST_OF_A_FOLDER = 1_000
_MOST = 20_000
"""Entries that are looked at; that takes about half a second."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, link or folder; ``status`` is its own, ``folder`` that of the folder it is in."""

    path: Path
    status: os.stat_result
    folder: os.stat_result


def entries(root: Path) -> Iterator[Entry]:
    """What is below ``root``, the upper folders first; of large folders a part.

    What disappears during the look, or cannot be looked into, is passed over. Links are followed
    where they stand for a folder of the spool.
    """
    return islice(_below(root), _MOST)


def _below(root: Path) -> Iterator[Entry]:
    waiting = deque([root])
    while waiting:
        folder = waiting.popleft()
        with suppress(OSError), os.scandir(folder) as found:
            status = folder.stat()
            for each in islice(found, _MOST_OF_A_FOLDER):
                if each.name.startswith(PROBE_PREFIX):
                    continue
                with suppress(OSError):
                    yield Entry(Path(each.path), each.stat(follow_symlinks=False), status)
                    if each.is_dir(follow_symlinks=folder == root):
                        waiting.append(Path(each.path))
