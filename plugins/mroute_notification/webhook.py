"""The channel ``webhook``: posts a message as JSON to a URL.

Knows what is posted where, and which answers mean that it arrived. Does not know what happened or
when a message is tried again. The HTTP library is loaded with the first message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, Field, JsonValue

from mroute.api import ChannelBase, Delivery, DeliveryError, Notice
from mroute_notification.payload import DEFAULT, check_payload, render_payload
from mroute_notification.settings import settings_in

CHANNEL = "webhook"

HeaderText = Annotated[str, Field(pattern=r"^[ -~]*$")]
"""What can stand in a header: printable ASCII characters."""


class Webhook(ChannelBase):
    """Post a message as JSON to a URL."""

    channel: Literal["webhook"]
    url: AnyHttpUrl = Field(
        description="Where the message is posted to. Any answer but a success is tried again.",
        examples=["https://chat.example/hooks/imaging"],
    )
    headers: dict[str, HeaderText] = Field(
        default_factory=dict,
        description="Further headers of the request, printable ASCII each.",
        examples=[{"Authorization": "Bearer 0123456789"}],
    )
    payload: Annotated[str | dict[str, JsonValue], AfterValidator(check_payload)] = Field(
        default_factory=lambda: dict(DEFAULT),
        description="What the message says: a Jinja2 template of a JSON text, or an object whose "
        "texts are templates. They may use `event`, `rule`, `task_id`, `details` and `facts`. If "
        "not given, an object of the first four.",
        examples=[{"text": "rule {{ rule }}: {{ event }}"}, '{"text": {{ details }}}'],
    )


def announce(notice: Notice, channel: Webhook) -> Delivery:
    """The message with which a webhook is told of a notice; pure."""
    return Delivery(
        channel=CHANNEL,
        rule_name=notice.rule_name,
        event=notice.event,
        task_id=notice.task_id,
        options={"url": str(channel.url), "headers": dict(channel.headers)},
        body=render_payload(channel.payload, notice),
    )


def deliver(delivery: Delivery, settings: Mapping[str, BaseModel]) -> None:
    """Post the message; raises `DeliveryError` unless the answer is a success.

    A redirection is no success: the message is not shown to anybody but the URL that was given.
    """
    import httpx2

    url = str(delivery.options["url"])
    headers = delivery.options["headers"]
    assert isinstance(headers, dict)
    try:
        response = httpx2.post(
            url,
            content=delivery.body.encode(),
            headers={"Content-Type": "application/json", **{k: str(v) for k, v in headers.items()}},
            timeout=settings_in(settings).timeout.total_seconds(),
        )
    except httpx2.HTTPError as error:
        problem = str(error) or type(error).__name__
        raise DeliveryError(f"'{_place(url)}' cannot be reached: {problem}") from error
    if not response.is_success:
        raise DeliveryError(
            f"'{_place(url)}' answered {response.status_code} {response.reason_phrase}"
        )


def _place(url: str) -> str:
    """The host, and nothing of the URL that could be a secret: user, password, path, query."""
    parsed = AnyHttpUrl(url)
    return f"{parsed.scheme}://{parsed.host}:{parsed.port}"
