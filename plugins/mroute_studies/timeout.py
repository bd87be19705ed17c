"""The condition ``timeout``: no series of the study arrives any more.

Knows times. Does not know which series a study should have.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from mroute.api import FOREVER, ConditionBase, Duration, Study, Verdict


class TimeoutCondition(ConditionBase):
    """The study is complete when no series of it arrived for a while."""

    complete: Literal["timeout"]
    quiet: Duration | None = Field(
        None,
        description="How long no series may have arrived; `study_complete_after` of `timing` if "
        "not given.",
        examples=["20m"],
    )


def check_study_timeout(study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
    """Whether the study was quiet for longer than its time and no series of it is arriving."""
    if pending:
        return Verdict(False, f"{len(pending)} series still arriving", valid_until=FOREVER)
    quiet = getattr(study.condition, "quiet", None) or study.quiet_time
    passed = now - study.last_received_at
    if passed > quiet:
        return Verdict(True, f"no series arrived for more than {quiet}")
    ago = timedelta(seconds=int(passed.total_seconds()))
    return Verdict(
        False,
        f"the last series arrived {ago} ago; complete after {quiet}",
        valid_until=study.last_received_at + quiet,
    )
