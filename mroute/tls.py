"""TLS: whom mroute trusts, and as whom it shows itself to the other end of a connection.

Knows certificates, keys and when they expire. Does not know what is sent, or who connects to whom.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import Field, StrictBool, model_validator

from mroute.errors import TlsError, raise_exhaustion
from mroute.models import FilePath, Model
from mroute.secrets import Secret

if TYPE_CHECKING:
    from ssl import SSLContext

SOON = timedelta(days=30)
"""A certificate that expires within this time is told of."""


class Tls(Model):
    """How a connection is secured."""

    certificate: FilePath | None = Field(
        None,
        description="The certificate that is shown to the other end, with those that lead to its "
        "authority: a PEM file. A receiver needs one.",
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
        "the system if not given. Where a receiver has it, senders must show a certificate that "
        "leads to one of them.",
        examples=["tls/authorities.pem"],
    )
    verify_host: StrictBool = Field(
        True,
        description="Whether the certificate of a target must be for its host. A receiver does not "
        "look at it.",
    )

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.certificate is None and (self.key or self.key_password):
            raise ValueError("a 'key' needs the 'certificate' that it belongs to")
        return self

    def trust(self, context: SSLContext) -> None:
        """Have a context trust the authorities; raises `TlsError`.

        Raises `OSError` where this machine is short of something.
        """
        if self.authorities is None:
            context.load_default_certs()
            return
        try:
            context.load_verify_locations(self.authorities)
        except OSError as error:
            raise_exhaustion(error)
            raise TlsError(
                f"the authorities '{self.authorities}' cannot be used: {_why(error)}; "
                "expected a PEM file"
            ) from error

    def identify(self, context: SSLContext) -> None:
        """Have a context show the certificate, if there is one; raises `TlsError`, `SecretError`.

        Raises `OSError` where this machine is short of something.
        """
        if self.certificate is None:
            return
        password = self.key_password.read() if self.key_password is not None else ""
        try:
            # Without a password none is asked for at the terminal: the empty one is wrong.
            context.load_cert_chain(self.certificate, self.key, lambda: password)
        except OSError as error:
            raise_exhaustion(error)
            raise TlsError(
                f"the certificate '{self.certificate}' or its key cannot be used: {_why(error)}; "
                "expected PEM files that belong together, and the password of the key"
            ) from error


def client_context(tls: Tls | None) -> SSLContext:
    """What secures a connection to a target; without ``tls``, as the system has it.

    Raises `TlsError` and `SecretError`, and `OSError` where this machine is short of something.
    """
    import ssl  # a site without TLS need not load it

    tls = tls or Tls()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = tls.verify_host
    tls.trust(context)
    tls.identify(context)
    return context


def tls_complaints(tls: Tls, now: datetime) -> Iterator[str]:
    """A sentence for each file that cannot be used for long, or that others may read."""
    for path in filter(None, (tls.certificate, tls.authorities)):
        try:
            yield from expiry_complaints(f"the certificate '{path}'", _expiry(path), now)
        except TlsError as error:
            yield str(error)
    if tls.key is not None and tls.key.exists() and tls.key.stat().st_mode & stat.S_IROTH:
        yield f"the key '{tls.key}' may be read by everybody; run 'chmod o-rwx {tls.key}'"


def expiry_complaints(what: str, ends: datetime, now: datetime) -> Iterator[str]:
    """A sentence where a certificate, which ``what`` names, has expired or soon will."""
    if ends <= now:
        yield f"{what} has expired on {ends:%Y-%m-%d}"
    elif ends - now < SOON:
        yield f"{what} expires on {ends:%Y-%m-%d}"


def _expiry(path: Path) -> datetime:
    """When the first certificate of a PEM file expires, in UTC."""
    from cryptography.x509 import load_pem_x509_certificate

    try:
        return load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except OSError as error:
        raise TlsError(f"the certificate '{path}' cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise TlsError(f"'{path}' is no certificate, expected a PEM file") from error


def _why(error: OSError) -> str:
    return str(getattr(error, "reason", "") or error.strerror or error)
