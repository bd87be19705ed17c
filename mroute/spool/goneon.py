"""Remembers the studies that have gone on, for the series that come too late for them.

Knows where that is kept and for how long. Does not know what becomes of such a series.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from mroute.models import ForcedCompletion
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.locks import study_lock
from mroute.spool.taskfile import aware_time
from mroute.types import GoneOn, StudyEnd


def remember(spool: Spool, files: Files, name: str, gone: GoneOn) -> None:
    """Remember that the collecting study ``studies/<name>`` has gone on."""
    path = _path(spool, name)
    path.parent.mkdir(exist_ok=True)
    content = {
        "claim_id": gone.claim_id,
        "at": gone.at.isoformat(),
        "because": gone.because,
        "forced": gone.forced,
        "task_id": gone.task_id,
        "outcome": gone.outcome.value,
    }
    files.write_json(path, content)
    # By this time it is forgotten: the clock of the spool is that of the router.
    os.utime(path, (gone.at.timestamp(), gone.at.timestamp()))


def remember_task(spool: Spool, files: Files, name: str, gone: GoneOn) -> None:
    """As `remember`, unless another study of that name has gone on since: that one is remembered.

    Takes the lock of the study.
    """
    with study_lock(spool, name):
        known = recall(spool, name)
        if known is None or known.claim_id == gone.claim_id:
            remember(spool, files, name, gone)


def recall(spool: Spool, name: str) -> GoneOn | None:
    """What is remembered of the study ``studies/<name>``; None where it never went on.

    What cannot be read is as if it had been forgotten.
    """
    try:
        content = json.loads(_path(spool, name).read_bytes())
        forced = content["forced"]
        return GoneOn(
            claim_id=str(content["claim_id"]),
            at=aware_time(content["at"]),
            because=str(content["because"]),
            forced=ForcedCompletion(forced) if forced else None,
            task_id=str(content["task_id"]),
            outcome=StudyEnd(content["outcome"]),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def recall_recent(spool: Spool, name: str, now: datetime, within: timedelta) -> GoneOn | None:
    """As `recall`, where the study went on not longer than ``within`` ago; None otherwise."""
    gone = recall(spool, name) if within else None
    return gone if gone is not None and now - gone.at <= within else None


def forget(spool: Spool, name: str) -> None:
    """Forget that a study has gone on: it has not."""
    _path(spool, name).unlink(missing_ok=True)


def forget_old(spool: Spool, now: datetime, within: timedelta) -> int:
    """Forget what went on longer ago than ``within``; returns how many that were."""
    forgotten = 0
    with suppress(FileNotFoundError), os.scandir(spool.gone_on) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if now.timestamp() - entry.stat().st_mtime > within.total_seconds():
                    Path(entry.path).unlink()
                    forgotten += 1
    return forgotten


def _path(spool: Spool, name: str) -> Path:
    return spool.gone_on / name
