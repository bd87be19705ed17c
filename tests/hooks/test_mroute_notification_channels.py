from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pytest
from pydantic import BaseModel

import mroute_notification
from mroute.api import ChannelBase, ChannelType, Delivery, NoticeEvent
from mroute.testing import registry_of
from mroute_notification.settings import NotificationSettings
from tests.hooks.fakes import check_broken_contributors, check_wrong_results, plugin

HOOK = "mroute_notification_channels"


class Bell(ChannelBase):
    channel: Literal["bell"]


def ring(delivery: Delivery, settings: Mapping[str, BaseModel]) -> None:
    """Deliver nothing."""


BELL = ChannelType("bell", Bell, ring)


@pytest.mark.parametrize("name", ["webhook", "email"])
def test_the_default_channels(name: str) -> None:
    channels = registry_of(mroute_notification).channels
    assert list(channels) == ["webhook", "email"]
    schema = channels[name].model.model_json_schema()
    assert schema["properties"]["channel"]["const"] == name


def test_a_channel_whose_settings_are_missing_says_so() -> None:
    channel = registry_of(mroute_notification).channels["email"]
    assert channel.lacks({}) == [
        "the channel 'email' needs a mail server: add 'notification.smtp' to 'settings'"
    ]
    smtp = {"host": "mail.example", "sender": "mroute@mail.example"}
    settings = NotificationSettings.model_validate({"smtp": smtp})
    assert channel.lacks({"notification": settings}) == []
    assert BELL.lacks({}) == ()


def test_a_plugin_adds_one_which_announces_every_event() -> None:
    channels = registry_of(mroute_notification, plugin(HOOK, lambda: [BELL])).channels
    assert channels["bell"] is BELL
    assert Bell(channel="bell").events == tuple(NoticeEvent)


def test_a_broken_plugin_contributes_none() -> None:
    check_broken_contributors(HOOK, mroute_notification, BELL, lambda registry: registry.channels)


def test_what_is_no_channel_is_refused() -> None:
    check_wrong_results(HOOK, "ChannelType")
