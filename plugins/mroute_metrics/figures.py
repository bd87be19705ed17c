"""The metrics that events move: their names, what they say, their labels and their buckets.

Knows each metric by one attribute. Does not know which event moves it (counting).
"""

from __future__ import annotations

from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
)

ROUTED, DISCARDED, TO_ERROR, DEFERRED = "routed", "discarded", "error", "deferred"
OUTCOMES = (ROUTED, DISCARDED, TO_ERROR)
"""What can become of a series or a study. A series that is deferred is tried again."""

ACCEPTED, REFUSED = "accepted", "refused"

_DECIDING = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5)
_COMMITTING = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
_WORKING = (0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)


class Figures:
    """The metrics, in a registry of their own.

    What can be told beforehand begins at 0: a series that is not there cannot be seen to grow.
    """

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"mroute_{name}", what, labels, registry=registry)

        def gauge(name: str, what: str) -> Gauge:
            return Gauge(f"mroute_{name}", what, registry=registry)

        def histogram(name: str, what: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"mroute_{name}", what, labels, registry=registry, buckets=buckets)

        self.series_received = counter("series_received", "Series that were taken for routing.")
        self.images_received = counter("images_received", "Images of series that were taken.")
        self.files_rejected = counter("files_rejected", "Files of series that are no images.")
        self.series = counter("series", "Series by what became of them.", "outcome")
        self.images = counter("images", "Images of series by what became of these.", "outcome")
        self.studies = counter("studies", "Studies by what became of them.", "outcome")
        self.rules = counter("rules_triggered", "Series for which a rule was true.", "rule")
        self.decision = histogram(
            "decision_seconds", "Time to evaluate all rules for a series.", _DECIDING
        )
        self.commit = histogram(
            "commit_seconds", "Time from a claim until its plan is true on disk.", _COMMITTING
        )
        self.settled = counter(
            "tasks_settled", "Times that a worker left a task.", "queue", "settlement"
        )
        self.work = histogram("task_seconds", "Time of the work on a task.", _WORKING, "queue")
        self.attempts = counter(
            "target_attempts",
            "Attempts to send a task to a target.",
            *("queue", "target", "settlement"),
        )
        self.delivery = histogram(
            "target_seconds", "Time of attempts that were done.", _WORKING, "queue", "target"
        )
        self.images_sent = counter("target_images", "Images that a target has got.", "target")
        self.bytes_sent = counter("target_bytes", "Bytes of these images.", "target")
        self.notifications = counter(
            "notifications_settled",
            "Times that a notification was delivered, or was not.",
            *("channel", "settlement"),
        )
        self.reloads = counter("configuration_reloads", "Edits of the rule file.", "result")
        self.reload_ok = gauge(
            "configuration_last_reload_successful", "Whether the last edit is in force."
        )
        self.good_since = gauge(
            "configuration_last_good_timestamp_seconds", "When rules came into force last."
        )
        self.troubles = counter("troubles", "Events that an administrator should look at.", "event")
        Info("mroute_build", "Which mroute this is.", registry=registry).info(
            {"version": version("mroute")}
        )
        ProcessCollector(registry=registry)
        for outcome in OUTCOMES:
            for each in (self.series, self.images, self.studies):
                each.labels(outcome)
        self.series.labels(DEFERRED)
        for result in (ACCEPTED, REFUSED):
            self.reloads.labels(result)
