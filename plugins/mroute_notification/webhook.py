"""The channel ``webhook``: a message as JSON for a URL.

Knows what an entry of ``notify`` says of it, and what is posted where. Does not know how it is
posted (posting). What is secret is named in a delivery, and not in it.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    WithJsonSchema,
    model_validator,
)

from mroute.api import ChannelBase, Delivery, Notice, Secret
from mroute_notification.payload import check_payload, render_payload
from mroute_notification.presets import Preset, preset_body
from mroute_notification.values import values_of

CHANNEL = "webhook"

_NAME = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
"""A name of a header (RFC 9110 section 5.1)."""


def _header_name(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise ValueError(f"the name of a header has letters, digits and hyphens, not {name!a}")
    return name


def _without_login(url: AnyHttpUrl) -> AnyHttpUrl:
    if url.username or url.password:
        raise ValueError(  # the URL itself must not be in the message
            "a user name or password must not be in a URL of a rule file; say where the whole URL "
            "is: {env: CHAT_URL} or {file: secrets/chat}"
        )
    return url


def _kind(value: object) -> str:
    return "secret" if isinstance(value, dict | Secret) else "text"


Url = Annotated[
    Annotated[AnyHttpUrl, AfterValidator(_without_login), Tag("text")]
    | Annotated[Secret, Tag("secret")],
    Discriminator(_kind),
]
"""A URL, or where one is that is a secret itself, as those of chat services are."""

HeaderName = Annotated[
    str, AfterValidator(_header_name), WithJsonSchema({"type": "string", "pattern": _NAME})
]

HeaderText = Annotated[
    Annotated[str, Field(pattern=r"^[ -~]*$"), Tag("text")] | Annotated[Secret, Tag("secret")],
    Discriminator(_kind),
]
"""What can stand in a header, printable ASCII characters, or where that is."""


class Webhook(ChannelBase):
    """Post a message as JSON to a URL."""

    channel: Literal["webhook"]
    url: Url = Field(
        description="Where the message is posted to, or where that URL is, if it is a secret. Any "
        "answer but a success is tried again.",
        examples=["https://chat.example/hooks/imaging", {"env": "CHAT_URL"}],
    )
    headers: dict[HeaderName, HeaderText] = Field(
        default_factory=dict,
        description="Further headers of the request, printable ASCII each, or where one is that "
        "is a secret.",
        examples=[{"Authorization": {"env": "CHAT_TOKEN"}}],
    )
    preset: Preset | None = Field(
        None,
        description="The chat service that the message is for: `slack`, `teams` or `webex`; "
        "instead of `payload`.",
    )
    payload: Annotated[str | dict[str, JsonValue], AfterValidator(check_payload)] | None = Field(
        None,
        description="What the message says: a Jinja2 template of a JSON text, or an object whose "
        "texts are templates. They may use `event`, `rule`, `task_id`, `details`, `facts`, "
        "`device`, and `patient_name`, `mrn` and `acc`, which are `UNKNOWN` unless the settings "
        "allow them. If not given, an object of the first four.",
        examples=[{"text": "rule {{ rule }}: {{ event }}"}, '{"text": {{ details }}}'],
    )

    @model_validator(mode="after")
    def _one_message(self) -> Self:
        if self.preset is not None and self.payload is not None:
            raise ValueError("say what is posted once: either 'preset' or 'payload'")
        return self


def announce(notice: Notice, channel: Webhook, patient_data: bool) -> Delivery:
    """The message with which a webhook is told of a notice; pure."""
    values = values_of(notice, patient_data)
    preset = channel.preset
    return Delivery(
        channel=CHANNEL,
        rule_name=notice.rule_name,
        event=notice.event,
        task_id=notice.task_id,
        options={
            "url": _named(channel.url),
            "headers": {name: _named(value) for name, value in channel.headers.items()},
        },
        body=preset_body(preset, values) if preset else render_payload(channel.payload, values),
        destination=str(_named(channel.url)),
    )


def _named(value: AnyHttpUrl | Secret | str) -> JsonValue:
    """A value, or where it is if it is a secret."""
    if isinstance(value, Secret):
        return value.model_dump(mode="json", exclude_none=True)
    return str(value)
