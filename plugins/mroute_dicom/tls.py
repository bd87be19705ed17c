"""TLS for both ends of an association (PS3.15, annex B).

Knows certificates, keys and whom to trust. Does not know who connects to whom.
"""

from __future__ import annotations

import ssl
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import Field, StrictBool

from mroute.api import FilePath, Model, MrouteError, Secret

SOON = timedelta(days=30)
"""A certificate that expires within this time is told of."""


class TlsError(MrouteError):
    """A certificate or key cannot be used; the text names its file."""


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


def client_context(tls: Tls) -> ssl.SSLContext:
    """What secures a connection to a target; raises `TlsError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = tls.verify_host
    _trust(context, tls)
    _identify(context, tls)
    return context


def server_context(tls: Tls) -> ssl.SSLContext:
    """What secures the connections of senders; raises `TlsError`."""
    if tls.certificate is None:
        raise TlsError("a receiver needs a 'certificate' for TLS")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.authorities is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        _trust(context, tls)
    _identify(context, tls)
    return context


def expiry(path: Path) -> datetime:
    """When the first certificate of a PEM file expires, in UTC; raises `TlsError`."""
    from cryptography.x509 import load_pem_x509_certificate

    try:
        return load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except OSError as error:
        raise TlsError(f"the certificate '{path}' cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise TlsError(f"'{path}' is no certificate, expected a PEM file") from error


def complaints_of(tls: Tls, now: datetime) -> Iterator[str]:
    """A sentence for each file that cannot be used for long, or that others may read."""
    for path in filter(None, (tls.certificate, tls.authorities)):
        try:
            ends = expiry(path)
        except TlsError as error:
            yield str(error)
            continue
        if ends <= now:
            yield f"the certificate '{path}' has expired on {ends:%Y-%m-%d}"
        elif ends - now < SOON:
            yield f"the certificate '{path}' expires on {ends:%Y-%m-%d}"
    if tls.key is not None and tls.key.exists() and tls.key.stat().st_mode & stat.S_IROTH:
        yield f"the key '{tls.key}' may be read by everybody; run 'chmod o-rwx {tls.key}'"


def _trust(context: ssl.SSLContext, tls: Tls) -> None:
    if tls.authorities is None:
        context.load_default_certs()
        return
    try:
        context.load_verify_locations(tls.authorities)
    except OSError as error:
        raise TlsError(
            f"the authorities '{tls.authorities}' cannot be used: {_why(error)}; "
            "expected a PEM file"
        ) from error


def _identify(context: ssl.SSLContext, tls: Tls) -> None:
    if tls.certificate is None:
        return
    password = tls.key_password.read() if tls.key_password is not None else None
    try:
        # Without a password none is asked for at the terminal: the empty one is wrong.
        context.load_cert_chain(tls.certificate, tls.key, lambda: password or "")
    except OSError as error:
        raise TlsError(
            f"the certificate '{tls.certificate}' or its key cannot be used: {_why(error)}; "
            "expected PEM files that belong together, and the password of the key"
        ) from error


def _why(error: OSError) -> str:
    return str(getattr(error, "reason", "") or error.strerror or error)
