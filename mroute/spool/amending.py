"""What is changed about a collecting study without a series joining it.

Knows that it is forced to be complete, and that times of a clock which was set back since are not
waited for. Does not know who asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from mroute.errors import RedriveError
from mroute.spool.files import Files
from mroute.spool.layout import FORCE_COMPLETE_FILE, Spool
from mroute.spool.locks import study_lock
from mroute.spool.studies import read_study
from mroute.spool.taskfile import aware_time, journal_entry, write_task

FORCED = "forced"
"""In a journal: an administrator said that the study is complete."""

DATED = "dated"
"""In a journal: a time of the study lay in the future."""

_TIMES = ("creation_time", "last_receive_time")

_AHEAD = timedelta(seconds=1)
"""By how much a time of this machine may be ahead of its clock, which is always being adjusted."""


def force_study(spool: Spool, files: Files, name: str, now: datetime, actor: str) -> bool:
    """Let the collecting study ``studies/<name>`` go on as it is; false where that was said before.

    ``actor`` is who says so in the journal. Raises `RedriveError` where the study has gone on, and
    `TaskFileError` where its task file is damaged.
    """

    def force(content: dict[str, Any]) -> dict[str, Any]:
        if content["study"].get("complete_force") is True:
            return content
        entry = journal_entry(now, actor, FORCED, "the study goes on as it is")
        study = {**content["study"], "complete_force": True}
        return {**content, "study": study, "journal": [*content["journal"], entry]}

    changed = _amend(spool, files, name, force)
    # The file goes last: it is what asks for it.
    (spool.studies / name / FORCE_COMPLETE_FILE).unlink(missing_ok=True)
    return changed


def date_now(spool: Spool, files: Files, name: str, now: datetime) -> None:
    """Give the times of a study that lie in the future the time ``now``, where there are some.

    So the study waits once more, and not until the clock catches up. Raises as `force_study` does.
    """

    def date(content: dict[str, Any]) -> dict[str, Any]:
        dated = {key: now.isoformat() for key in _ahead(content["study"], now)}
        if not dated:
            return content
        said = f"{' and '.join(dated)} lay in the future, for the clock was set back"
        entry = journal_entry(now, "router", DATED, said)
        study = {**content["study"], **dated}
        return {**content, "study": study, "journal": [*content["journal"], entry]}

    if _ahead(read_study(spool.studies / name)["study"], now):
        _amend(spool, files, name, date)


def _ahead(section: Mapping[str, Any], now: datetime) -> list[str]:
    """The times in the section of a study that lie in the future, by their keys."""
    found = []
    for key in _TIMES:
        with suppress(KeyError, TypeError, ValueError):  # whoever needs it says what is wrong
            if aware_time(section[key]) - now > _AHEAD:
                found.append(key)
    return found


def _amend(
    spool: Spool, files: Files, name: str, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> bool:
    """Change the task file of a study while nothing joins it; says whether it was another one."""
    folder = spool.studies / name
    with study_lock(spool, name):
        if not folder.exists():
            raise RedriveError(f"'{name}' is not collected any more: the study has gone on")
        content = read_study(folder)
        changed = change(content)
        if changed is not content:
            write_task(files, folder, changed)
        return changed is not content
