"""A mail server on loopback that keeps what it is given: aiosmtpd.

Knows STARTTLS, TLS, a login, and how to be a server that is in trouble. Does not know who sends.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from tests.interop.peers import HOST, free_port


@dataclass
class Mailbox:
    """What arrived: sender, addresses and mail of each.

    ``refuse`` maps an address to the answer that it gets, ``answer`` is that to a whole mail.
    """

    port: int = 0
    mails: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    answer: str = "250 OK"
    logins: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        if self.answer.startswith("250"):
            mail = message_from_bytes(content, policy=default)
            assert isinstance(mail, EmailMessage)
            self.mails.append((str(envelope.mail_from), envelope.rcpt_tos, mail))
            self.raw.append(content)
        return self.answer


@contextmanager
def mailbox(
    certificate: tuple[Path, Path] | None = None,
    *,
    tls: bool = False,
    login: tuple[str, str] | None = None,
) -> Iterator[Mailbox]:
    """Serve until the context ends; a ``certificate`` is for STARTTLS unless ``tls`` is set."""
    box = Mailbox(free_port())
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)

    def authenticate(*arguments: Any) -> AuthResult:
        given = arguments[-1]
        assert isinstance(given, LoginPassword)
        box.logins.append(given.login.decode())
        expected = login and tuple(part.encode() for part in login)
        return AuthResult(success=(given.login, given.password) == expected, handled=False)

    server = Controller(
        box,
        HOST,
        box.port,
        ssl_context=context if tls else None,
        tls_context=None if tls else context,
        require_starttls=bool(context) and not tls,
        authenticator=authenticate,
        auth_required=login is not None and not tls,
        auth_require_tls=not tls,
    )
    server.start()
    try:
        yield box
    finally:
        server.stop()
