"""The memory of studies that have gone on.

Knows the files in ``studies/.gone-on``. Does not know what is done with a latecomer.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from mroute.models import ForcedCompletion
from mroute.spool.files import Files
from mroute.spool.goneon import (
    forget,
    forget_old,
    recall,
    recall_recent,
    remember,
    remember_task,
)
from mroute.spool.layout import Spool
from mroute.testing import NOW
from mroute.types import GoneOn, StudyEnd

DAY = timedelta(days=1)
NAME = "1.2.3#spine"
GONE = GoneOn("claim", NOW, "it was 'late'\n", ForcedCompletion.DISCARD, "task", StudyEnd.DISCARD)


def test_what_is_remembered_is_recalled_until_it_is_forgotten(spool: Spool, files: Files) -> None:
    assert recall(spool, NAME) is None
    remember(spool, files, NAME, GONE)
    assert recall(spool, NAME) == GONE
    later = GoneOn("another", NOW + DAY, "all there")
    remember(spool, files, NAME, later)
    assert recall(spool, NAME) == later
    forget(spool, NAME)
    forget(spool, NAME)
    assert recall(spool, NAME) is None


def test_only_what_went_on_lately_counts(spool: Spool, files: Files) -> None:
    remember(spool, files, NAME, GONE)
    assert recall_recent(spool, NAME, NOW + DAY, DAY) == GONE
    assert recall_recent(spool, NAME, NOW + DAY, DAY / 2) is None
    assert recall_recent(spool, NAME, NOW, timedelta(0)) is None
    # The clock was set back since: it went on in the future, and that is not long ago.
    assert recall_recent(spool, NAME, NOW - DAY, DAY) == GONE


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b"null", b'{"claim_id": 1, "at": "soon"}', b"\xff\xfe"],
)
def test_a_memory_that_cannot_be_read_is_as_if_it_were_forgotten(
    spool: Spool, files: Files, content: bytes
) -> None:
    remember(spool, files, NAME, GONE)
    (spool.gone_on / NAME).write_bytes(content)
    assert recall(spool, NAME) is None


def test_a_time_without_a_zone_is_no_time(spool: Spool, files: Files) -> None:
    remember(spool, files, NAME, GONE)
    path = spool.gone_on / NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), "at": "2026-01-01T12:00:00"}))
    assert recall(spool, NAME) is None


def test_old_memories_are_thrown_away_by_the_clock_of_the_router(
    spool: Spool, files: Files
) -> None:
    assert forget_old(spool, NOW, DAY) == 0
    for days in range(5):
        remember(spool, files, f"1.{days}#spine", GoneOn("claim", NOW + days * DAY, ""))
    assert forget_old(spool, NOW + 4 * DAY, 2 * DAY) == 2
    left = sorted(path.name for path in spool.gone_on.iterdir())
    assert left == ["1.2#spine", "1.3#spine", "1.4#spine"]


def test_what_a_study_became_is_noted_unless_another_has_gone_on_since(
    spool: Spool, files: Files
) -> None:
    first = GoneOn("first", NOW, "all there")
    remember_task(spool, files, NAME, first)
    assert recall(spool, NAME) == first
    noted = replace(first, task_id="task")
    remember_task(spool, files, NAME, noted)
    assert recall(spool, NAME) == noted
    second = GoneOn("second", NOW + DAY, "all there again")
    remember(spool, files, NAME, second)
    remember_task(spool, files, NAME, noted)
    assert recall(spool, NAME) == second
