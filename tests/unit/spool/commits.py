"""Plans for a series, and a run that commits them: what the tests of commits share.

Knows what a run does with a series, without rules. Does not know what must come of it.
"""

from __future__ import annotations

import errno
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from mroute.errors import TagsError
from mroute.models import NoticeEvent
from mroute.spool.claim import Claim, claim_series, open_claims
from mroute.spool.commit import Commit
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.manifest import compose_manifest
from mroute.spool.subjects import claimed_series
from mroute.types import Delivery, Plan, Series, StudyPlan, Tags, TaskPlan
from tests.unit.spool.conftest import UID

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PLACES = ("outgoing", "processing", "success", "error", "studies", "incoming", ".staging")


def route_plan(queue: str = "outgoing", key: str = "pacs") -> TaskPlan:
    return TaskPlan(queue, ("to-pacs",), action="route", key=key)


def study_plan(series: Series) -> StudyPlan:
    return StudyPlan(
        series.study_uid,
        "spine",
        {"action": "route"},
        create={"study_uid": series.study_uid, "received_series_uid": []},
        append={"received_series_uid": series.uid},
        latest={"last_receive_time": NOW.isoformat()},
    )


def one_task(series: Series) -> Plan:
    return Plan((route_plan(),))


def everything(series: Series) -> Plan:
    delivery = Delivery("webhook", "r", NoticeEvent.RECEIVED, series.claim_id, {}, "{}")
    return Plan(
        (route_plan(), route_plan(key="archive"), route_plan("processing")),
        (study_plan(series),),
        (delivery,),
    )


def no_reader(path: Path) -> Tags:
    raise TagsError(f"'{path.name}' is no DICOM file")


MakePlan = Callable[[Series], Plan]


def finish(spool: Spool, files: Files, claim: Claim, make_plan: MakePlan) -> None:
    commit = Commit(spool, files, claim)
    if not commit.begun:
        if not claim.source.is_dir():
            claim.release()
            return
        series, _ = claimed_series(claim, no_reader, files)
        if series.rejected:  # none of these plans has a place for it
            raise OSError(errno.EIO, series.rejected[0].reason)
        names = [path.name for path in claim.source.iterdir()]
        plan = make_plan(series)
        commit.begin(compose_manifest(series, plan, ("to-pacs",), names, {"processing"}, NOW))
    commit.carry_out()


def route_all(spool: Spool, files: Files, make_plan: MakePlan) -> None:
    """As one run does that nobody shares the spool with."""
    run = uuid.uuid4().hex
    for claim in open_claims(spool, run):
        finish(spool, files, claim, make_plan)
    for name in sorted(path.name for path in spool.incoming.iterdir()):
        taken = claim_series(spool, run, name)
        assert taken is not None
        finish(spool, files, taken, make_plan)


def work(spool: Spool) -> None:
    """Take what is published away, as fast workers do."""
    for queue in ("outgoing", "processing"):
        for task in spool.queue(queue).iterdir():
            task.rename(spool.queue("success") / task.name)
    for delivery in spool.outbox.glob("*.json"):
        delivery.rename(
            spool.root / "delivered" / f"{delivery.name}.{len(list(spool.outbox.iterdir()))}"
        )


def images_by_place(spool: Spool) -> dict[str, Counter[str]]:
    found = {
        place: Counter(p.name for p in (spool.root / place).rglob("*.dcm")) for place in PLACES
    }
    return {place: names for place, names in found.items() if names}


IMAGES = Counter(f"{UID}#{number}.dcm" for number in range(3))
