from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel

import mroute_notification
from mroute.api import ChannelBase, ChannelType, Delivery, NoticeEvent
from mroute.testing import registry_of
from tests.hooks.fakes import check_broken_contributors, check_wrong_results, plugin

HOOK = "mroute_notification_channels"


class Bell(ChannelBase):
    channel: Literal["bell"]


def ring(delivery: Delivery, settings: Mapping[str, BaseModel]) -> None:
    """Deliver nothing."""


BELL = ChannelType("bell", Bell, ring)


def test_the_default_channel() -> None:
    channels = registry_of(mroute_notification).channels
    assert list(channels) == ["webhook"]
    schema = channels["webhook"].model.model_json_schema()
    assert schema["properties"]["channel"]["const"] == "webhook"


def test_a_plugin_adds_one_which_announces_every_event() -> None:
    channels = registry_of(mroute_notification, plugin(HOOK, lambda: [BELL])).channels
    assert channels["bell"] is BELL
    assert Bell(channel="bell").events == tuple(NoticeEvent)


def test_a_broken_plugin_contributes_none() -> None:
    check_broken_contributors(HOOK, mroute_notification, BELL, lambda registry: registry.channels)


def test_what_is_no_channel_is_refused() -> None:
    check_wrong_results(HOOK, "ChannelType")
