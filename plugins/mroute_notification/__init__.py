"""The action ``notification`` and the channel ``webhook``.

Knows which hooks the plugin implements. Does not know what a message says (payload) or how it is
sent (webhook).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, Field

from mroute.api import (
    ActionType,
    ChannelType,
    Delivery,
    Notice,
    Phase,
    PlanContext,
    RuleBase,
    hookimpl,
)
from mroute_notification.settings import NotificationSettings
from mroute_notification.webhook import CHANNEL, Webhook, announce, deliver


class NotificationRule(RuleBase):
    """Tell those named under ``notify``, and do nothing else."""

    action: Literal["notification"]
    notify: tuple[Any, ...] = Field(
        min_length=1, description="Who is told about what, by which channel; one at least."
    )


@hookimpl
def mroute_actions() -> list[ActionType]:
    """The action; it needs no plan, for every rule that triggers is announced anyway."""
    return [ActionType("notification", Phase.NOTIFICATION, NotificationRule)]


@hookimpl
def mroute_notification_channels() -> list[ChannelType]:
    """Messages by HTTP."""
    return [ChannelType(CHANNEL, Webhook, deliver)]


@hookimpl
def mroute_settings() -> type[BaseModel]:
    """The section ``notification`` of the settings."""
    return NotificationSettings


@hookimpl
def mroute_notification(notice: Notice, context: PlanContext) -> Iterator[Delivery]:
    """Plan a message for each webhook of the rule that wants to hear of the event."""
    for channel in notice.rule.notify:
        if isinstance(channel, Webhook) and notice.event in channel.events:
            yield announce(notice, channel)
