"""The section ``notification`` of the settings.

Knows the settings and where they are found. Does not know what they are used for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StrictBool,
    WithJsonSchema,
    model_validator,
)

from mroute.api import Duration, FilePath, Model, Secret

SECTION = "notification"

_ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"


def _address(text: str) -> str:
    if not re.fullmatch(_ADDRESS, text):
        raise ValueError(
            "expected a mail address in ASCII, with nothing beside it: imaging@hospital.example"
        )
    return text


Address = Annotated[
    str, AfterValidator(_address), WithJsonSchema({"type": "string", "pattern": _ADDRESS})
]
"""A mail address, and nothing beside it."""


class Security(StrEnum):
    """How the connection to a mail server is secured.

    ``starttls``: it becomes secure before anything is said. ``tls``: it is from its begin.
    ``none``: not at all.
    """

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Smtp(Model):
    """The server that mail is given to."""

    host: str = Field(
        min_length=1, description="Its host name or IP address.", examples=["mail.hospital.example"]
    )
    port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Its port; if not given, the usual one: 587 for `starttls`, 465 for `tls`, 25 "
        "for `none`.",
        examples=[587],
    )
    security: Security = Field(
        Security.STARTTLS,
        description="How the connection is secured: it becomes secure before anything is said "
        "(`starttls`), it is from its begin (`tls`), or not at all (`none`).",
    )
    user: str | None = Field(
        None,
        pattern=r"^[ -~]+$",
        description="The name to log in with, printable ASCII characters.",
        examples=["mroute"],
    )
    password: Secret | None = Field(
        None,
        description="The password to log in with: where it is.",
        examples=[{"env": "MROUTE_SMTP_PASSWORD"}],
    )
    sender: Address = Field(
        description="The address that mail comes from.", examples=["mroute@hospital.example"]
    )
    timeout: Duration = Field(
        timedelta(seconds=10),
        description="How long to wait for each answer of the server.",
        examples=["10s"],
    )
    authorities: FilePath | None = Field(
        None,
        description="The certificates of the authorities that are trusted, a PEM file; those of "
        "the system if not given.",
        examples=["tls/hospital.pem"],
    )

    @model_validator(mode="after")
    def _login(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("to log in takes both 'user' and 'password'")
        if self.password is not None and self.security is Security.NONE:
            raise ValueError(
                "with 'security: none' everybody on the way could read the password; "
                "say 'starttls' or 'tls', or leave 'user' and 'password' out"
            )
        return self

    @property
    def usual_port(self) -> int:
        """The port, or the usual one."""
        usual = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}
        return self.port or usual[self.security]


class NotificationSettings(Model):
    """How messages are sent."""

    timeout: Duration = Field(
        timedelta(seconds=10),
        description="How long to wait for the receiver of a message; then it is tried again later.",
        examples=["10s"],
    )
    patient_data: StrictBool = Field(
        False,
        description="Whether templates may name a patient: `patient_name`, `mrn` and `acc` are "
        "`UNKNOWN` otherwise.",
        examples=[False],
    )
    smtp: Smtp | None = Field(
        None, description="The server that mail is given to; the channel `email` needs it."
    )


def settings_in(settings: Mapping[str, BaseModel]) -> NotificationSettings:
    """The section among those of all plugins, or the defaults."""
    section = settings.get(SECTION)
    return section if isinstance(section, NotificationSettings) else NotificationSettings()
