"""What all targets over HTTP have: where they are, how long they may take, who we are.

Knows what a person may say of a service. Does not know what it is asked.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, AnyHttpUrl, Field, model_validator

from mroute.api import Duration, Model, Secret, TargetBase, TargetDownError, Tls


def _without_secrets(url: AnyHttpUrl) -> AnyHttpUrl:
    if url.username or url.password:
        raise ValueError("a URL holds no user and password here: they have keys of their own")
    if url.query or url.fragment:
        raise ValueError("expected the root of a service, a URL without '?' and '#'")
    return url


class WebTarget(TargetBase):
    """A service over HTTP."""

    url: Annotated[AnyHttpUrl, AfterValidator(_without_secrets)] = Field(
        description="The root of the service, without user and password.",
        examples=["https://pacs.example/dicom-web"],
    )
    tls: Tls | None = Field(
        None,
        description="Certificates for `https`; if not given, the authorities of the system are "
        "trusted, and no certificate is shown.",
    )
    connect_timeout: Duration = Field(
        timedelta(seconds=10), description="Time for a connection to come about.", examples=["10s"]
    )
    timeout: Duration = Field(
        timedelta(seconds=60),
        description="Time in which each piece that is sent must be taken, and in which an answer "
        "must begin and be there. What takes longer is sent again.",
        examples=["60s"],
    )

    @model_validator(mode="after")
    def _secured_where_it_says_so(self) -> Self:
        if self.tls is not None and self.url.scheme != "https":
            raise ValueError("'tls' needs a 'url' that begins with https://")
        return self

    @property
    def place(self) -> str:
        """Its host and port for people; nothing else of a URL is for everybody's eyes."""
        return f"'{self.url.host}:{self.url.port}'"

    @property
    def root(self) -> str:
        """The URL, without a slash at its end."""
        return str(self.url).rstrip("/")


class Authentication(Model):
    """As whom mroute shows itself: a user with a password, or the bearer of a token."""

    user: str | None = Field(
        None,
        pattern=r"^[^:\x00-\x1f\x7f]+$",
        description="The user, for the authentication that is called basic.",
        examples=["mroute"],
    )
    password: Secret | None = Field(
        None,
        description="The password of `user`, from the environment or a file.",
        examples=[{"env": "PACS_PASSWORD"}],
    )
    token: Secret | None = Field(
        None,
        description="The token of a bearer, from the environment or a file; instead of `user`.",
        examples=[{"file": "secrets/token"}],
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        basic = self.user is not None and self.password is not None
        either = self.user is not None or self.password is not None
        if basic != either or basic == (self.token is not None):
            raise ValueError("say either 'user' and 'password', or 'token'")
        return self

    def header(self) -> str:
        """The header ``Authorization``; raises `TargetDownError` where a secret is not there."""
        if self.token is not None:
            token = self.token.read()
            if not (token.isascii() and token.isprintable()):
                raise TargetDownError("the token has characters that cannot stand in a header")
            return f"Bearer {token}"
        assert self.user is not None
        assert self.password is not None
        return basic(self.user, self.password.read())


def basic(user: str, password: str) -> str:
    """The header ``Authorization`` of a user (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
