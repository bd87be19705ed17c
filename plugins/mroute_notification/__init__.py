"""The action ``notification`` and the channels ``webhook`` and ``email``.

Knows which hooks the plugin implements. Does not know what a message says (payload, mail) or how it
is sent (posting, sending).
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
from mroute_notification import mail, posting, sending, webhook
from mroute_notification.mail import Email
from mroute_notification.settings import NotificationSettings, settings_in
from mroute_notification.webhook import Webhook


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
    """Messages by HTTP and by mail; the latter needs a mail server in the settings."""
    return [
        ChannelType(webhook.CHANNEL, Webhook, posting.deliver),
        ChannelType(mail.CHANNEL, Email, sending.deliver, lacks=sending.lacks),
    ]


@hookimpl
def mroute_settings() -> type[BaseModel]:
    """The section ``notification`` of the settings."""
    return NotificationSettings


@hookimpl
def mroute_notification(notice: Notice, context: PlanContext) -> Iterator[Delivery]:
    """Plan a message for each channel of the rule that wants to hear of the event."""
    patient_data = settings_in(context.settings).patient_data
    for channel in notice.rule.notify:
        if notice.event not in channel.events:
            continue
        if isinstance(channel, Webhook):
            yield webhook.announce(notice, channel, patient_data)
        elif isinstance(channel, Email):
            yield from mail.announce(notice, channel, patient_data, context.now)
