from __future__ import annotations

from collections.abc import Iterator

import pytest

import mroute_notification
from mroute.api import Delivery, Notice, NoticeEvent, RejectedError
from mroute.errors import PluginError
from mroute.hooks import Hooks
from mroute.testing import hooks_of, make_rule, plan_context
from mroute_notification import NotificationRule
from mroute_notification.webhook import Webhook
from tests.hooks.fakes import Wrapper, late, plugin, raising

HOOK = "mroute_notification"

RULE = make_rule(
    NotificationRule,
    notify=[Webhook.model_validate({"channel": "webhook", "url": "http://127.0.0.1/"})],
)
NOTICE = Notice(NoticeEvent.RECEIVED, "tell", RULE, "task")
BELL = Delivery("bell", "tell", NoticeEvent.RECEIVED, "task", {}, "ding")


def call(hooks: Hooks) -> tuple[Delivery, ...]:
    return hooks.notification(NOTICE, plan_context())


def test_the_default_plugin_plans_the_messages() -> None:
    [delivery] = call(hooks_of(mroute_notification))
    assert (delivery.channel, delivery.rule_name) == ("webhook", "tell")


def test_deliveries_of_all_plugins_count() -> None:
    def implementation(notice: Notice) -> Iterator[Delivery]:
        yield Delivery("bell", notice.rule_name, notice.event, notice.task_id, {}, "ding")

    deliveries = call(hooks_of(mroute_notification, bell=plugin(HOOK, implementation)))
    assert {delivery.channel for delivery in deliveries} == {"webhook", "bell"}
    assert BELL in deliveries


def test_a_wrapper_silences_messages() -> None:
    def implementation(notice: Notice) -> Wrapper:
        planned = yield
        return [] if notice.event is NoticeEvent.RECEIVED else planned

    assert (
        call(hooks_of(mroute_notification, night=plugin(HOOK, implementation, wrapper=True))) == ()
    )


def late_wrapper() -> Wrapper:
    yield
    raise RuntimeError("broken")


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (raising(HOOK), "raised RuntimeError: broken"),
        (late(HOOK, BELL), "raised RuntimeError: broken"),
        (plugin(HOOK, late_wrapper, wrapper=True), "raised RuntimeError: broken"),
        (plugin(HOOK, lambda: ["x"]), "returned str, expected Delivery"),
    ],
    ids=["raising", "late", "wrapper", "no delivery"],
)
def test_a_broken_plugin_is_counted_and_told_and_stops_no_images(
    broken: object, problem: str
) -> None:
    hooks, errors = hooks_of(broken=broken), list[PluginError]()
    hooks.on_observer_error = errors.append
    assert call(hooks) == ()
    assert hooks.failures == {"broken": 1}
    assert [str(error) for error in errors] == [f"plugin 'broken': hook '{HOOK}' {problem}"]


def test_a_broken_plugin_silences_no_other() -> None:
    def implementation() -> list[Delivery]:
        return [BELL]

    def rejecting() -> None:
        raise RejectedError("no")

    hooks, errors = (
        hooks_of(
            mroute_notification,
            broken=raising(HOOK),
            half=late(HOOK, BELL),
            wrong=plugin(HOOK, lambda: ["x"]),
            number=plugin(HOOK, lambda: 5),
            rejecting=plugin(HOOK, rejecting),
            bell=plugin(HOOK, implementation),
        ),
        list[PluginError](),
    )
    hooks.on_observer_error = errors.append
    assert {delivery.channel for delivery in call(hooks)} == {"webhook", "bell"}
    assert set(hooks.failures) == {"broken", "half", "wrong", "number", "rejecting"}
    assert sorted(error.plugin for error in errors) == sorted(hooks.failures)


def test_a_wrapper_is_around_those_that_are_left() -> None:
    def implementation() -> Wrapper:
        planned = yield
        return [each for each in planned if each and each[0].channel != "webhook"]

    hooks = hooks_of(
        mroute_notification,
        broken=raising(HOOK),
        bell=plugin(HOOK, lambda: [BELL]),
        quiet=plugin(HOOK, implementation, wrapper=True),
    )
    assert call(hooks) == (BELL,)
    assert set(hooks.failures) == {"broken"}


def test_a_plugin_without_a_message_returns_none() -> None:
    assert call(hooks_of(nothing=plugin(HOOK, lambda: None))) == ()
