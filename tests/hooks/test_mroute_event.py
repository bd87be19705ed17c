from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

import mroute_log
from mroute.api import Event, SeriesReceived
from mroute.errors import PluginError
from mroute.testing import hooks_of
from tests.hooks.fakes import plugin, raising

HOOK = "mroute_event"

RECEIVED = SeriesReceived("claim", "1.2.3", 2, 1, 0.1)


def test_the_default_observer_logs_it() -> None:
    with capture_logs() as logs:
        hooks_of(mroute_log).event(RECEIVED)
    assert logs == [
        {
            "log_level": "info",
            "event": "series_received",
            "claim_id": "claim",
            "uid": "1.2.3",
            "images": 2,
            "rejected": 1,
            "seconds": 0.1,
        }
    ]


def test_every_plugin_is_told() -> None:
    told: list[Event] = []

    def observe(event: Event) -> None:
        told.append(event)

    with capture_logs() as logs:
        hooks_of(mroute_log, plugin(HOOK, observe)).event(RECEIVED)
    assert told == [RECEIVED]
    assert len(logs) == 1


def late(event: Event) -> Iterator[None]:
    yield
    raise RuntimeError("broken")


@pytest.mark.parametrize("broken", [raising(HOOK), plugin(HOOK, late)])
def test_one_that_raises_at_once_or_late_is_counted_and_starves_no_other(broken: object) -> None:
    hooks, errors = hooks_of(mroute_log, broken=broken), list[PluginError]()
    hooks.on_observer_error = errors.append
    with capture_logs() as logs:
        hooks.event(RECEIVED)
        hooks.event(RECEIVED)
    assert len(logs) == 2
    assert hooks.failures == {"broken": 2}
    assert [str(error) for error in errors] == 2 * [
        "plugin 'broken': hook 'mroute_event' raised RuntimeError: broken"
    ]
