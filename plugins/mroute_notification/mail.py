"""The channel ``email``: a message as mail.

Knows what an entry of ``notify`` says of it, and what a mail says. Does not know how it is sent
(sending): nothing of the mail server is in a delivery.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, model_validator

from mroute.api import ChannelBase, Delivery, Notice
from mroute_notification.payload import problem_of
from mroute_notification.settings import Address
from mroute_notification.templates import Into, checked, render
from mroute_notification.values import values_of

CHANNEL = "email"

SUBJECT = "mroute: {{ rule }}: {{ event }}"
BODY = """\
rule:  {{ rule }}
event: {{ event }}
task:  {{ task_id }}
{% if details %}
{{ details }}
{% endif %}"""

_LONGEST_SUBJECT = 250


def _checked(template: str) -> str:
    checked(lambda sample: render(template, sample))
    return template


Template = Annotated[str, Field(min_length=1), AfterValidator(_checked)]


class Email(ChannelBase):
    """Send a message as mail."""

    channel: Literal["email"]
    to: tuple[Address, ...] = Field(
        min_length=1,
        description="The addresses that get it, a mail each.",
        examples=[["imaging@hospital.example"]],
    )
    subject: Template = Field(
        SUBJECT,
        description="A Jinja2 template of its subject, which may use what a `payload` may.",
        examples=["{{ event }}: {{ rule }}"],
    )
    body: Template = Field(
        BODY,
        description="A Jinja2 template of what it says.",
        examples=["{{ rule }} has sent {{ facts.modality }} images: {{ details }}"],
    )
    html: StrictBool = Field(
        False,
        description="Whether `body` is a template of HTML; what values say is no HTML then.",
        examples=[False],
    )

    @model_validator(mode="after")
    def _html_of_its_own(self) -> Self:
        if self.html and "body" not in self.model_fields_set:
            raise ValueError("'html' needs a 'body', which is HTML")
        return self


def announce(
    notice: Notice, channel: Email, patient_data: bool, now: datetime
) -> Iterator[Delivery]:
    """The mails with which a notice is told; pure.

    One for each address: where one of them is refused, the others do not get it again.
    """
    values = values_of(notice, patient_data)
    try:
        into = Into.HTML if channel.html else Into.TEXT
        subject, body, html = (
            render(channel.subject, values),
            render(channel.body, values, into),
            channel.html,
        )
    # A template that fails over these values must not stop images: the mail is the default one.
    except Exception as error:  # noqa: BLE001
        problem = problem_of("template of this mail", error)
        subject, body, html = render(SUBJECT, values), f"{render(BODY, values)}\n{problem}\n", False
    for address in channel.to:
        yield Delivery(
            channel=CHANNEL,
            rule_name=notice.rule_name,
            event=notice.event,
            task_id=notice.task_id,
            options={
                "to": address,
                "subject": _line(subject),
                "html": html,
                "date": now.isoformat(),
            },
            body=body,
            destination=address,  # one that is refused delays none but itself
        )


def _line(text: str) -> str:
    """One line without control characters: a subject must not begin another header.

    What looks like an encoded word (RFC 2047) is kept from being decoded.
    """
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.replace("=?", "= ?").split())[:_LONGEST_SUBJECT]
