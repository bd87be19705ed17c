"""Whom a target over HTTPS trusts, and as whom mroute shows itself to it.

Knows certificates, keys and when they expire. Does not know what is sent.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from mroute.api import FilePath, Model, Secret, SecretError, TargetDownError
from mroute_web.shortages import raise_shortage

SOON = timedelta(days=30)
"""A certificate that expires within this time is told of."""


class WebTls(Model):
    """How a connection to a target over HTTPS is secured."""

    certificate: FilePath | None = Field(
        None,
        description="The certificate that mroute shows to the target, with those that lead to its "
        "authority: a PEM file. None if not given.",
        examples=["tls/mroute.pem"],
    )
    key: FilePath | None = Field(
        None,
        description="The private key of `certificate`: a PEM file.",
        examples=["tls/mroute.key"],
    )
    key_password: Secret | None = Field(
        None,
        description="The password of `key`, from the environment or a file.",
        examples=[{"env": "MROUTE_KEY_PASSWORD"}],
    )
    authorities: FilePath | None = Field(
        None,
        description="The certificates of the authorities that are trusted: a PEM file. Those of "
        "the system if not given.",
        examples=["tls/authorities.pem"],
    )

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.certificate is None and (self.key or self.key_password):
            raise ValueError("a 'key' needs the 'certificate' that it belongs to")
        return self


def tls_context(tls: WebTls | None) -> ssl.SSLContext:
    """What secures a connection; raises `TargetDownError` where a file of it cannot be used.

    Raises `OSError` where this machine is short of something.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls is None or tls.authorities is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(tls.authorities)
        except OSError as error:
            raise_shortage(error)
            raise TargetDownError(
                f"the authorities '{tls.authorities}' cannot be used: {_why(error)}; "
                "expected a PEM file"
            ) from error
    if tls is not None and tls.certificate is not None:
        _identify(context, tls)
    return context


def expiring(tls: WebTls, now: datetime) -> Iterator[str]:
    """A sentence for each file of certificates that cannot be used much longer, or at all."""
    for path in filter(None, (tls.certificate, tls.authorities)):
        try:
            yield from expiring_at(f"the certificate '{path}'", _expiry(path), now)
        except TargetDownError as error:
            yield str(error)


def expiring_at(what: str, ends: datetime, now: datetime) -> Iterator[str]:
    """A sentence where a certificate has expired, or soon will."""
    if ends <= now:
        yield f"{what} has expired on {ends:%Y-%m-%d}"
    elif ends - now < SOON:
        yield f"{what} expires on {ends:%Y-%m-%d}"


def _expiry(path: Path) -> datetime:
    from cryptography.x509 import load_pem_x509_certificate

    try:
        return load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except OSError as error:
        raise TargetDownError(
            f"the certificate '{path}' cannot be read: {error.strerror}"
        ) from error
    except ValueError as error:
        raise TargetDownError(f"'{path}' is no certificate, expected a PEM file") from error


def _identify(context: ssl.SSLContext, tls: WebTls) -> None:
    assert tls.certificate is not None
    try:
        password = tls.key_password.read() if tls.key_password is not None else ""
        # Without a password none is asked for at the terminal: the empty one is wrong.
        context.load_cert_chain(tls.certificate, tls.key, lambda: password)
    except SecretError as error:
        raise TargetDownError(str(error)) from error
    except OSError as error:
        raise_shortage(error)
        raise TargetDownError(
            f"the certificate '{tls.certificate}' or its key cannot be used: {_why(error)}; "
            "expected PEM files that belong together, and the password of the key"
        ) from error


def _why(error: OSError) -> str:
    return str(getattr(error, "reason", "") or error.strerror or error)
