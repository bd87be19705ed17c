"""How a mail is sent: SMTP, by the standard library.

Knows the mail server of the settings, and what its answers mean. Does not know what a mail says, or
when it is tried again.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP

from pydantic import BaseModel

from mroute.api import Delivery, DeliveryError
from mroute_notification.settings import Security, Smtp, settings_in

_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?= |$)")
"""An enhanced status code (RFC 3463) at the begin of an answer."""


def lacks(settings: Mapping[str, BaseModel]) -> list[str]:
    """What is missing before mail can be sent."""
    if settings_in(settings).smtp is None:
        return ["the channel 'email' needs a mail server: add 'notification.smtp' to 'settings'"]
    return []


def deliver(delivery: Delivery, settings: Mapping[str, BaseModel]) -> None:
    """Give the mail to the mail server; raises `DeliveryError` unless that takes it."""
    for missing in lacks(settings):
        raise DeliveryError(missing)
    smtp = settings_in(settings).smtp
    assert smtp is not None
    message = compose(delivery, smtp.sender)
    place = f"'{smtp.host}:{smtp.usual_port}'"
    password = smtp.password.read() if smtp.password else ""
    if not password.isascii():
        raise DeliveryError("the password of the mail server has characters that are no ASCII")
    with _told(place), _connected(smtp) as server:
        if smtp.user is not None:
            server.login(smtp.user, password)
        server.send_message(message, smtp.sender, [str(delivery.options["to"])])


def compose(delivery: Delivery, sender: str) -> EmailMessage:
    """The mail; the same one whenever it is sent, so that one that comes twice can be known."""
    options = delivery.options
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = str(options["to"])
    message["Subject"] = str(options["subject"])
    message["Date"] = datetime.fromisoformat(str(options["date"]))
    message["Message-ID"] = f"<{delivery.id}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody is to answer that he is away
    message.set_content(
        delivery.body, subtype="html" if options["html"] else "plain", cte="quoted-printable"
    )
    return message


@contextmanager
def _connected(smtp: Smtp) -> Iterator[smtplib.SMTP]:
    """A connection that is secured as the settings want it."""
    to, limit = (smtp.host, smtp.usual_port), smtp.timeout.total_seconds()
    context = ssl.create_default_context(cafile=smtp.authorities)
    if smtp.security is Security.TLS:
        with smtplib.SMTP_SSL(*to, timeout=limit, context=context) as server:
            yield server
        return
    with smtplib.SMTP(*to, timeout=limit) as server:
        if smtp.security is Security.STARTTLS:
            server.starttls(context=context)
        yield server


@contextmanager
def _told(place: str) -> Iterator[None]:
    """What goes wrong, without what a server says of it, which may quote the mail."""
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryError(f"{place} refused the login: {error.smtp_code}") from None
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise DeliveryError(f"{place} refused the address: {_status(code, text)}") from None
    except smtplib.SMTPResponseException as error:
        status = _status(error.smtp_code, error.smtp_error)
        raise DeliveryError(f"{place} refused the mail: {status}") from None
    except smtplib.SMTPServerDisconnected as error:
        raise DeliveryError(f"{place} broke off: {error}") from None
    except smtplib.SMTPNotSupportedError as error:
        raise DeliveryError(f"{place}: {error}") from None
    except smtplib.SMTPException as error:
        raise DeliveryError(f"{place}: {type(error).__name__}") from None
    except ssl.SSLError as error:
        raise DeliveryError(f"{place}: no secure connection: {error.reason or error}") from error
    except OSError as error:
        raise DeliveryError(f"{place} cannot be reached: {error.strerror or error}") from error


def _status(code: int, text: bytes | str) -> str:
    found = _ENHANCED.match(text if isinstance(text, bytes) else text.encode())
    return f"{code} {found.group().decode()}" if found else str(code)
