"""Whose turn it is: the order of the tasks that are due in a queue.

Knows priorities. Does not know what a task is, or which ones must wait for something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from mroute.models import Priority

T = TypeVar("T")

URGENT_IN_A_ROW = 2
"""Urgent tasks that are started for each normal one while both wait, so that neither starves."""


def in_turn(due: Mapping[Priority, Sequence[T]], in_a_row: int) -> Iterator[T]:
    """Two urgent ones for each normal one, then the off-peak ones; each kind in its own order.

    ``in_a_row`` is how many urgent ones were started since the last normal one.
    """
    urgent = iter(due.get(Priority.URGENT, ()))
    normal = iter(due.get(Priority.NORMAL, ()))
    next_urgent, next_normal = next(urgent, None), next(normal, None)
    while next_urgent is not None or next_normal is not None:
        normals_turn = next_urgent is None or in_a_row >= URGENT_IN_A_ROW
        if next_normal is not None and normals_turn:
            yield next_normal
            next_normal, in_a_row = next(normal, None), 0
        else:
            assert next_urgent is not None
            yield next_urgent
            next_urgent, in_a_row = next(urgent, None), in_a_row + 1
    yield from due.get(Priority.OFFPEAK, ())
