"""Which event moves which metric, and by how much.

Knows events and the pages that they come to. Does not know how a page is served.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroute import api
from mroute.api import (
    ArrivalIgnored,
    ConfigurationChanged,
    DeliverySettled,
    Event,
    InstanceConflicted,
    LatecomerArrived,
    SeriesDecided,
    SeriesDeferred,
    SeriesDiscarded,
    SeriesReceived,
    Started,
    Stopping,
    SubjectCommitted,
    TargetChanged,
    TargetServed,
    TaskSettled,
    TroubleNoticed,
)
from mroute_metrics.counting import Counting
from mroute_metrics.names import MOST, Names
from tests.plugins.metrics import OPENMETRICS, counted, page, parsed, parsed_openmetrics


def committed(kind: str, *tasks: str, studies: int = 0, images: int = 4) -> Event:
    return SubjectCommitted("claim", "1.2.3", kind, tasks, studies, 0, images, 0.02)


COMMIT = {"mroute_commit_seconds_count": 1.0, "mroute_commit_seconds_sum": 0.02}


def of_series(outcome: str) -> dict[str, float]:
    label = f'{{outcome="{outcome}"}}'
    return {f"mroute_series_total{label}": 1.0, f"mroute_images_total{label}": 4.0, **COMMIT}


def of_study(outcome: str) -> dict[str, float]:
    return {f'mroute_studies_total{{outcome="{outcome}"}}': 1.0, **COMMIT}


ATTEMPTS = 'mroute_target_attempts_total{queue="outgoing",settlement="%s",target="pacs"}'
LATE = LatecomerArrived("claim", "1.2.3", "1.2", "rule", "hold", "task")
SERVED = 'queue="outgoing",target="pacs"'


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            SeriesReceived("claim", "1.2.3", 7, 2, 0.1),
            {
                "mroute_series_received_total": 1.0,
                "mroute_images_received_total": 7.0,
                "mroute_files_rejected_total": 2.0,
            },
        ),
        (
            SeriesDecided("claim", "1.2.3", ("a", "b"), None, False, 0.5),
            {
                'mroute_rules_triggered_total{rule="a"}': 1.0,
                'mroute_rules_triggered_total{rule="b"}': 1.0,
                "mroute_decision_seconds_count": 1.0,
                "mroute_decision_seconds_sum": 0.5,
            },
        ),
        (committed("series", "outgoing/a", "error/b"), of_series("routed")),
        (committed("series", "success/a"), of_series("routed")),
        (committed("series", studies=1), of_series("routed")),
        (committed("series", "error/b", studies=1), of_series("routed")),
        (committed("series", "discard/a"), of_series("discarded")),
        (committed("series", "error/b", "discard/a"), of_series("discarded")),
        (committed("series", "error/a"), of_series("error")),
        (committed("study", "outgoing/a"), of_study("routed")),
        (committed("study", "discard/a"), of_study("discarded")),
        (committed("study", "error/a"), of_study("error")),
        (committed("files", "error/a"), COMMIT),
        (
            SeriesDeferred("claim", "1.2.3", "disk full"),
            {'mroute_series_total{outcome="deferred"}': 1.0},
        ),
        (
            TaskSettled("task", "outgoing", "retry", "refused", 3.0),
            {
                'mroute_tasks_settled_total{queue="outgoing",settlement="retry"}': 1.0,
                'mroute_task_seconds_count{queue="outgoing"}': 1.0,
                'mroute_task_seconds_sum{queue="outgoing"}': 3.0,
            },
        ),
        (
            TargetServed("task", "outgoing", "pacs", "done", 5, 700, 2.0),
            {
                ATTEMPTS % "done": 1.0,
                f"mroute_target_seconds_count{{{SERVED}}}": 1.0,
                f"mroute_target_seconds_sum{{{SERVED}}}": 2.0,
                'mroute_target_images_total{target="pacs"}': 5.0,
                'mroute_target_bytes_total{target="pacs"}': 700.0,
            },
        ),
        (
            TargetServed("task", "outgoing", "pacs", "retry", 1, 100, 2.0),
            {
                ATTEMPTS % "retry": 1.0,
                'mroute_target_images_total{target="pacs"}': 1.0,
                'mroute_target_bytes_total{target="pacs"}': 100.0,
            },
        ),
        (
            DeliverySettled("delivery", "webhook", "rule", "failed", "gone", 0.1),
            {'mroute_notifications_settled_total{channel="webhook",settlement="failed"}': 1.0},
        ),
        (
            Started("/spool", 3),
            {
                "mroute_configuration_last_reload_successful": 1.0,
                "mroute_configuration_last_good_timestamp_seconds": 1_000.0,
            },
        ),
        (
            ConfigurationChanged("mroute.yaml", True, ""),
            {
                'mroute_configuration_reloads_total{result="accepted"}': 1.0,
                "mroute_configuration_last_reload_successful": 1.0,
                "mroute_configuration_last_good_timestamp_seconds": 1_000.0,
            },
        ),
        (
            ConfigurationChanged("mroute.yaml", False, "line 3"),
            {'mroute_configuration_reloads_total{result="refused"}': 1.0},
        ),
        (TroubleNoticed("x", "y"), {'mroute_troubles_total{event="trouble_noticed"}': 1.0}),
        (ArrivalIgnored("x", "y"), {'mroute_troubles_total{event="arrival_ignored"}': 1.0}),
        (
            InstanceConflicted("claim", "1.2.3", "1.2.3.4"),
            {'mroute_troubles_total{event="instance_conflicted"}': 1.0},
        ),
        (LATE, {'mroute_troubles_total{event="latecomer_arrived"}': 1.0}),
        (Stopping(), {}),
        (SeriesDiscarded("claim", "1.2.3", None, "no rule triggered", 4), {}),
        (TargetChanged("pacs", True, "refused"), {}),
    ],
)
def test_an_event_is_counted_where_it_belongs(event: Event, expected: dict[str, float]) -> None:
    assert counted(event).beside_zero() == expected
    assert set(counted(event, event).beside_zero()) == set(expected)


def test_a_time_falls_into_its_bucket() -> None:
    samples = counted(SeriesDecided("claim", "1.2.3", (), None, False, 0.002))
    bucket = 'mroute_decision_seconds_bucket{le="%s"}'
    assert (samples[bucket % "0.001"], samples[bucket % "0.0025"]) == (0.0, 1.0)


def test_a_refused_edit_leaves_the_time_of_the_last_good_one() -> None:
    refused = ConfigurationChanged("mroute.yaml", False, "line 3")
    samples = counted(Started("/spool", 1), refused)
    assert samples["mroute_configuration_last_reload_successful"] == 0.0
    assert samples["mroute_configuration_last_good_timestamp_seconds"] == 1_000.0


def test_what_can_be_told_beforehand_begins_at_zero() -> None:
    samples = counted()
    for key in (
        *(f'mroute_series_total{{outcome="{each}"}}' for each in ("routed", "error", "deferred")),
        'mroute_studies_total{outcome="error"}',
        'mroute_images_total{outcome="discarded"}',
        'mroute_configuration_reloads_total{result="refused"}',
        'mroute_troubles_total{event="trouble_noticed"}',
    ):
        assert samples[key] == 0.0


def test_the_page_says_which_mroute_it_is_and_since_when_it_runs() -> None:
    samples = counted()
    assert any(key.startswith('mroute_build_info{version="') for key in samples)
    assert samples["process_start_time_seconds"] > 0
    assert not [key for key in samples if key.endswith("_created")]


# Names


def test_no_more_rules_are_told_apart_than_there_is_room_for() -> None:
    events = [
        SeriesDecided("claim", "1.2.3", (f"rule {number}",), None, False, 0.1)
        for number in range(MOST + 5)
    ]
    samples = counted(*events, *events)
    rules = [key for key in samples if key.startswith("mroute_rules_triggered_total")]
    assert len(rules) == MOST + 1
    assert samples['mroute_rules_triggered_total{rule="rule 0"}'] == 2.0
    assert samples['mroute_rules_triggered_total{rule="other"}'] == 10.0


@pytest.mark.parametrize(
    "name", ["1.2.840.10008.5.1.4", "CT of 1.2.826.0.1.3680043", "two\nlines", "\ud800", "a\0b"]
)
def test_what_should_be_no_name_is_none(name: str) -> None:
    assert Names()(name) == "other"


@pytest.mark.parametrize("name", ["", "pacs", "MR & CT < 2 mm", "größe", "10.1.2.3", 'say "a\\b"'])
def test_a_name_of_the_rule_file_is_kept(name: str) -> None:
    assert Names()(name) == name


# Any events

MARK = "MARKED"
UID = "1.2.826.0.1.3680043.8.498.1"

secrets = st.sampled_from([UID, f"{MARK}^{UID}", f"{MARK}\nof two lines", f"{UID}#{MARK}", ""])
names = st.text(max_size=5) | st.sampled_from(["pacs", UID, "\ud800", 'a"b\\n{}', "#"])
settlements = st.sampled_from(["done", "retry", "failed", "hand_over"])
places = st.sampled_from(["outgoing", "processing", "success", "discard", "error", f"{MARK}/{UID}"])
FIELDS: dict[str, st.SearchStrategy[object]] = {
    "triggered": st.lists(names, max_size=3).map(tuple),
    "tasks": st.lists(st.builds("{}/{}".format, places, secrets), max_size=3).map(tuple),
    "queues": st.lists(places).map(tuple),
    "queue": names,
    "target": names,
    "channel": names,
    "settlement": settlements,
    "kind": st.sampled_from(["series", "study", "files"]),
}
TYPES: dict[str, st.SearchStrategy[object]] = {
    "int": st.integers(0, 1_000_000),
    "float": st.floats(0, 1e6),
    "bool": st.booleans(),
    "str": secrets,
    "str | None": st.none() | secrets,
}


def made(kind: type[Event]) -> st.SearchStrategy[Event]:
    hints = {name: str(hint) for name, hint in kind.__annotations__.items()}
    return st.builds(
        kind, **{name: FIELDS[name] if name in FIELDS else TYPES[of] for name, of in hints.items()}
    )


KINDS = [
    each
    for each in vars(api).values()
    if isinstance(each, type) and issubclass(each, Event) and each is not Event
]


@given(st.lists(st.one_of([made(kind) for kind in KINDS]), max_size=30))
def test_any_events_come_to_a_page_that_can_be_read_without_a_patient(
    events: Sequence[Event],
) -> None:
    counting = Counting()
    for event in events:
        counting.note(event)
    text = page(counting)
    assert MARK not in text
    assert UID not in text
    samples = parsed(text)
    subjects = [each for each in events if isinstance(each, SubjectCommitted)]
    series = [
        samples[f'mroute_series_total{{outcome="{outcome}"}}']
        for outcome in ("routed", "discarded", "error")
    ]
    assert sum(series) == sum(each.kind == "series" for each in subjects)
    assert samples["mroute_commit_seconds_count"] == len(subjects)
    newer = parsed_openmetrics(page(counting, OPENMETRICS))
    assert newer.beside_zero() == samples.beside_zero()
