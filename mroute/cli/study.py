"""What is told about a study: what arrived, what it waits for, what becomes of it then.

Knows a study in memory, and where more about it is found in the spool. Does not know how it is
shown. Nothing on disk changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mroute.cli.planned import in_words, written
from mroute.spool.taskfile import COMPLETED
from mroute.verdicts import is_study_complete

if TYPE_CHECKING:
    from mroute.expr import Outcome
    from mroute.spool.layout import Spool
    from mroute.types import Study

Facts = dict[str, Any]


def series_of(collection: Any) -> list[Facts]:
    """The series that joined a study, as its task file says; none where it does not."""
    found = collection.get("series") if isinstance(collection, dict) else None
    keys = ("uid", "description", "images", "received_at")
    return [
        {key: each.get(key) for key in keys}
        for each in (found if isinstance(found, list) else ())
        if isinstance(each, dict)
    ]


def still_arriving(spool: Spool, study_uid: str) -> tuple[str, ...]:
    """The series of a study that are on their way: in ``incoming/``, or being routed."""
    from mroute.spool.arrivals.incoming import Incoming

    try:
        names = sorted(path.name for path in spool.incoming.iterdir() if path.is_dir())
        return Incoming(spool).pending_by_study(names).get(study_uid, ())
    except OSError:
        return ()


def facts_of_collecting(
    study: Study, pending: Sequence[str], now: datetime, rule_now: str, wanted: Outcome | None
) -> Facts:
    """All that is known of a collecting study.

    ``wanted`` is what ``study.when`` comes to now. Raises `PluginError` where its condition fails.
    """
    condition = study.condition
    verdict = is_study_complete(study, now, pending)
    forced = None
    if condition.after is not None:
        at = (study.created_at + condition.after).isoformat()
        forced = {"at": at, "after": written(condition.after), "to": condition.otherwise.value}
    return {
        "state": "collecting",
        "series": series_of(study.collection),
        "images": len(study.images),
        "arriving": list(pending),
        "condition": in_words(condition),
        "complete": verdict.complete,
        "because": verdict.because,
        "forced": forced,
        "when": condition.when,
        "wanted": None if wanted is None else {"value": wanted.value, "because": wanted.because},
        "latecomers": condition.latecomers.value,
        "rule_now": rule_now,
        "trouble": list(study.trouble),
    }


def facts_of_completed(content: Mapping[str, Any]) -> Facts | None:
    """What the task file of a task says of the study that it was; None where it was none."""
    collection, journal = content.get("collection"), content.get("journal")
    if not isinstance(collection, dict):
        return None
    entries = [each for each in (journal if isinstance(journal, list) else ()) if each]
    because = [each["outcome"] for each in entries if each.get("action") == COMPLETED]
    trouble = collection.get("trouble")
    return {
        "state": "gone on",
        "series": series_of(collection),
        "because": because[-1] if because else "",
        "trouble": trouble if isinstance(trouble, list) else [],
    }


def lines(facts: Facts) -> Iterator[tuple[str, str]]:
    """What is told of a study, each with what it is called."""
    yield "series", f"{len(facts['series'])} arrived"
    if facts["state"] == "collecting":
        yield "complete", f"{'yes' if facts['complete'] else 'no'}: {facts['because']}"
        yield "condition", facts["condition"]
        if facts["arriving"]:
            yield "arriving", ", ".join(facts["arriving"])
        if facts["forced"]:
            yield "forced", f"{facts['forced']['to']} at {facts['forced']['at']}"
        if facts["wanted"]:
            value = {True: "true", False: "false", None: "unknown"}[facts["wanted"]["value"]]
            yield "when", f"{value}: {facts['wanted']['because']}"
        yield "latecomers", facts["latecomers"]
        if facts["rule_now"] != "same":
            yield "rule", f"{facts['rule_now']} since the first series joined; it holds as it was"
    elif facts["because"]:
        yield "went on", facts["because"]
    for each in facts["trouble"]:
        yield "trouble", each


def rows(facts: Facts) -> Iterator[tuple[str, ...]]:
    """The series of a study as a table."""
    yield ("SERIES", "DESCRIPTION", "IMAGES", "RECEIVED")
    for each in facts["series"]:
        yield tuple(str(each[key]) for key in ("uid", "description", "images", "received_at"))


def is_collecting(folder: Path) -> bool:
    """Whether a folder is a collecting study of a spool."""
    named = folder.absolute().parent.name == "studies" and folder.name.count("#") == 1
    return named and folder.is_dir()
