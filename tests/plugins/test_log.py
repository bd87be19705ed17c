from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from mroute.api import (
    ConfigurationChanged,
    ConfigurationLoading,
    DeliverySettled,
    Event,
    LatecomerArrived,
    SeriesDeferred,
    SeriesDiscarded,
    StudyCompleted,
    SubjectRejected,
    TargetChanged,
    TaskSettled,
    TroubleNoticed,
)
from mroute_log import mroute_event


def completed(forced: str | None) -> StudyCompleted:
    return StudyCompleted("claim", "1.2", "rule", "timeout", "quiet", forced, 2, 64, True, "same")


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (SubjectRejected("claim", "1.2.3", "no tags", 3), "warning"),
        (SeriesDeferred("claim", "1.2.3", "disk full"), "warning"),
        (TroubleNoticed("incoming", "a loose file"), "warning"),
        (TargetChanged("pacs", True, "refused"), "warning"),
        (TargetChanged("pacs", False, "it was down for 9 s"), "info"),
        (TaskSettled("task", "outgoing", "failed", "no such target", 0.1), "warning"),
        (TaskSettled("task", "outgoing", "retry", "refused", 0.1), "warning"),
        (TaskSettled("task", "outgoing", "done", "", 0.1), "info"),
        (DeliverySettled("delivery", "webhook", "rule", "failed", "gone", 0.1), "warning"),
        (DeliverySettled("delivery", "webhook", "rule", "done", "", 0.1), "info"),
        (ConfigurationChanged("mroute.yaml", False, "line 3"), "warning"),
        (ConfigurationChanged("mroute.yaml", True, ""), "info"),
        (ConfigurationLoading("mroute.yaml", "building the index", 4_000, 10_000), "info"),
        (SeriesDiscarded("claim", "1.2.3", None, "no rule triggered", 2), "info"),
        (completed(None), "info"),
        (completed("proceed"), "info"),
        (completed("error"), "warning"),
        (LatecomerArrived("claim", "1.2.3", "1.2", "rule", "hold", "task"), "warning"),
    ],
)
def test_an_event_is_one_line_with_all_its_facts(event: Event, level: str) -> None:
    with capture_logs() as logs:
        mroute_event(event)
    assert logs == [{"log_level": level, "event": event.name, **event.facts()}]
