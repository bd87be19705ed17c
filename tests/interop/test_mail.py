"""Mail into a real mail server: secured, logged in, and refused in every way.

Knows the channel ``email`` and its settings. Does not know the outbox.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import mroute_notification
from mroute.api import Delivery, DeliveryError, Notice, NoticeEvent
from mroute.spool.manifest import delivery_content
from mroute.testing import hooks_of, make_rule, plan_context
from mroute_notification import NotificationRule
from mroute_notification.mail import Email
from mroute_notification.sending import compose, deliver
from mroute_notification.settings import NotificationSettings
from tests.interop.certificates import Authority, new_authority
from tests.interop.mailbox import Mailbox, mailbox
from tests.interop.peers import HOST, free_port

pytestmark = pytest.mark.interop

SENDER = "mroute@hospital.example"
LOGIN = ("mroute", "p4ssword")
NAME = "Döe^“Jane”"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("mail") / "authority")


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", LOGIN[1])


def settings(
    box: Mailbox | int, authority: Authority | None, **fields: Any
) -> dict[str, NotificationSettings]:
    smtp = {
        "host": HOST,
        "port": box if isinstance(box, int) else box.port,
        "sender": SENDER,
        "timeout": "20s",
        **({"authorities": authority.certificate} if authority else {}),
        **fields,
    }
    return {"notification": NotificationSettings.model_validate({"smtp": smtp})}


LOGGED_IN = {"user": LOGIN[0], "password": {"env": "SMTP_PASSWORD"}}


def planned(details: str = "3 images", patient_data: bool = True, **fields: Any) -> list[Delivery]:
    channel = Email.model_validate({"channel": "email", "to": ["a@hospital.example"], **fields})
    rule = make_rule(NotificationRule, notify=[channel])
    notice = Notice(
        NoticeEvent.ERROR,
        "thin-slices",
        rule,
        "task-1",
        details,
        {"device_serial_number": "40123"},
        {"patient_name": NAME, "mrn": "4711", "acc": "A1"},
    )
    own = NotificationSettings(patient_data=patient_data)
    context = replace(plan_context(), settings={"notification": own})
    deliveries = hooks_of(mroute_notification).notification(notice, context)
    return [replace(each, id=f"d-{number}") for number, each in enumerate(deliveries)]


def problem(delivery: Delivery, settings: dict[str, NotificationSettings]) -> str:
    with pytest.raises(DeliveryError) as caught:
        deliver(delivery, settings)
    return str(caught.value)


def unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def content_of(mail: EmailMessage) -> str:
    return unix(mail.get_content())


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_arrives_secured_and_logged_in(authority: Authority, security: str) -> None:
    certificate = authority.sign(f"mail-{security}")
    [delivery] = planned(subject="{{ patient_name }}: {{ event }}", body="{{ patient_name }}\n")
    with mailbox(certificate, tls=security == "tls", login=LOGIN) as box:
        deliver(delivery, settings(box, authority, security=security, **LOGGED_IN))
    ((sender, to, mail),) = box.mails
    assert (sender, to, box.logins) == (SENDER, ["a@hospital.example"], [LOGIN[0]])
    assert mail["Subject"] == f"{NAME}: error"
    assert content_of(mail) == f"{NAME}\n"
    assert mail["From"] == SENDER
    assert mail["Message-ID"] == "<d-0@hospital.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == plan_context().now.replace(microsecond=0)
    content = json.dumps(delivery_content(delivery, datetime.now(UTC)))
    assert LOGIN[1] not in content
    assert "SMTP_PASSWORD" not in content


def test_a_mail_that_is_sent_again_is_the_same() -> None:
    [delivery] = planned()
    with mailbox() as box:
        for _ in range(2):
            deliver(delivery, settings(box, None, security="none"))
    assert box.raw[0] == box.raw[1]


def test_every_address_gets_a_mail_of_its_own() -> None:
    deliveries = planned(to=["a@b.example", "c@d.example", "e@f.example"])
    with mailbox() as box:
        box.refuse["c@d.example"] = "550 5.1.1 Döe does not live here"
        without = settings(box, None, security="none")
        deliver(deliveries[0], without)
        said = problem(deliveries[1], without)
        deliver(deliveries[2], without)
    assert said == f"'{HOST}:{box.port}' refused the address: 550 5.1.1"
    assert [to for _, to, _ in box.mails] == [["a@b.example"], ["e@f.example"]]
    assert [mail["To"] for _, _, mail in box.mails] == ["a@b.example", "e@f.example"]


def test_the_default_mail() -> None:
    [delivery] = planned()
    assert delivery.options["subject"] == "mroute: thin-slices: error"
    assert delivery.body == "rule:  thin-slices\nevent: error\ntask:  task-1\n\n3 images\n"
    [delivery] = planned(details="")
    assert delivery.body == "rule:  thin-slices\nevent: error\ntask:  task-1\n"


def test_a_mail_in_html_escapes_what_values_say() -> None:
    [delivery] = planned(details="<b>&", body="<p>{{ details }} {{ device }}</p>", html=True)
    mail = compose(delivery, SENDER)
    assert mail.get_content_type() == "text/html"
    assert content_of(mail) == "<p>&lt;b&gt;&amp; 40123</p>\n"


def test_a_patient_is_named_where_that_is_allowed() -> None:
    [delivery] = planned(body="{{ patient_name }} {{ mrn }} {{ acc }}", patient_data=False)
    assert delivery.body == "UNKNOWN UNKNOWN UNKNOWN"


def test_a_template_that_fails_later_does_not_stop_the_mail() -> None:
    [delivery] = planned(subject="{{ mrn }}", body="{{ facts.modality }}", html=True)
    assert delivery.options["subject"] == "mroute: thin-slices: error"
    assert delivery.options["html"] is False
    assert "\n3 images\n" in delivery.body
    assert "the template of this mail cannot be rendered: UndefinedError" in delivery.body


@given(
    st.text()
    | st.text(alphabet="\r\n\t\0 :aé=?_<\u2028\x85", max_size=300)
    | st.sampled_from(["a\r\nBcc: x@y.example", "=?utf-8?q?x?=", "\ud800", ".\r\n.\r\n"])
)
def test_whatever_a_value_says_it_is_in_the_subject_and_body(text: str) -> None:
    [delivery] = planned(details=text, subject="A {{ details }}", body="B {{ details }} E")
    parsed = message_from_bytes(compose(delivery, SENDER).as_bytes(), policy=default)
    assert isinstance(parsed, EmailMessage)
    assert sorted(parsed.keys()) == sorted(
        [
            *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
            *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
        ]
    )
    assert parsed["Subject"].startswith("A")
    subject = str(parsed["Subject"])
    assert subject.replace(" ", "") == str(delivery.options["subject"]).replace(" ", "")
    assert content_of(parsed).rstrip("\n") == unix(delivery.body).rstrip("\n")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "no secure connection: CERTIFICATE_VERIFY_FAILED"),
        ({"authorities": "nowhere.pem"}, "cannot be reached: No such file or directory"),
    ],
)
def test_a_server_that_is_not_trusted_gets_nothing(
    authority: Authority, fields: dict[str, Any], said: str
) -> None:
    certificate = authority.sign("untrusted")
    with mailbox(certificate, login=LOGIN) as box:
        [delivery] = planned()
        assert said in problem(delivery, settings(box, None, **LOGGED_IN, **fields))
    assert (box.logins, box.mails) == ([], [])


def test_a_server_without_starttls_gets_no_password() -> None:
    with mailbox() as box:
        [delivery] = planned()
        said = problem(delivery, settings(box, None, **LOGGED_IN))
    assert said == f"'{HOST}:{box.port}': STARTTLS extension not supported by server."
    assert (box.logins, box.mails) == ([], [])


def test_a_wrong_password_is_told_without_it(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "wr0ng")
    [delivery] = planned()
    with mailbox(authority.sign("login"), login=LOGIN) as box:
        said = problem(delivery, settings(box, authority, **LOGGED_IN))
        assert said == f"'{HOST}:{box.port}' refused the login: 535"
        monkeypatch.setenv("SMTP_PASSWORD", "wröng")
        said = problem(delivery, settings(box, authority, **LOGGED_IN))
        assert said == "the password of the mail server has characters that are no ASCII"
        monkeypatch.delenv("SMTP_PASSWORD")
        said = problem(delivery, settings(box, authority, **LOGGED_IN))
    assert said == "the variable 'SMTP_PASSWORD', which should hold a secret, is not set or empty"


def test_a_mail_that_is_refused_is_told_without_what_the_server_says_of_it() -> None:
    [delivery] = planned(subject="{{ patient_name }}")
    with mailbox() as box:
        box.answer = f"554 5.7.1 this is spam: {delivery.options['subject']!a}"
        said = problem(delivery, settings(box, None, security="none"))
        assert said == f"'{HOST}:{box.port}' refused the mail: 554 5.7.1"
        box.answer = "451 try again"
        said = problem(delivery, settings(box, None, security="none"))
    assert said == f"'{HOST}:{box.port}' refused the mail: 451"


def test_a_server_that_is_not_there() -> None:
    port = free_port()
    [delivery] = planned()
    said = problem(delivery, settings(port, None, security="none"))
    assert said == f"'{HOST}:{port}' cannot be reached: Connection refused"


@pytest.fixture
def silent() -> Iterator[int]:
    """A server that accepts and says nothing."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_server_that_hangs(silent: int) -> None:
    [delivery] = planned()
    said = problem(delivery, settings(silent, None, security="none", timeout="1s"))
    assert said == f"'{HOST}:{silent}' broke off: Connection unexpectedly closed: timed out"


def test_a_server_that_hangs_up() -> None:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()

        def hang_up() -> None:
            with closing(listener.accept()[0]) as connection:
                connection.sendall(b"220 hello\r\n")

        thread = threading.Thread(target=hang_up)
        thread.start()
        port = listener.getsockname()[1]
        [delivery] = planned()
        said = problem(delivery, settings(port, None, security="none"))
        thread.join()
    assert said.startswith((f"'{HOST}:{port}' broke off: ", f"'{HOST}:{port}' cannot be reached: "))


def test_without_a_mail_server_the_setting_is_named() -> None:
    [delivery] = planned()
    assert "add 'notification.smtp' to 'settings'" in problem(delivery, {})


@pytest.mark.parametrize(
    "fields",
    [
        {"to": []},
        {"to": ["a"]},
        {"to": ["Jane <a@b.example>"]},
        {"to": ["a@b.example\nBcc: x@y.example"]},
        {"to": ["a@b.example, c@d.example"]},
        {"to": ["ä@b.example"]},
        {"subject": "{{ ruel }}"},
        {"body": "{% if %}"},
        {"body": ""},
        {"html": True},
    ],
)
def test_a_mail_that_cannot_work_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Email.model_validate({"channel": "email", "to": ["a@b.example"], **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"user": "u"},
        {"password": {"env": "A"}},
        {"user": "u", "password": "p4ss"},
        {"security": "none", "user": "u", "password": {"env": "A"}},
        {"sender": "nobody"},
        {"port": 0},
    ],
)
def test_a_mail_server_that_cannot_work_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(25, None, **fields)
    assert all("p4ss" not in each["msg"] for each in caught.value.errors())


def test_usual_ports(tmp_path: Path) -> None:
    found = {
        security: NotificationSettings.model_validate(
            {"smtp": {"host": "h", "sender": SENDER, "security": security}}
        ).smtp
        for security in ("starttls", "tls", "none")
    }
    assert {name: smtp.usual_port for name, smtp in found.items() if smtp} == {
        "starttls": 587,
        "tls": 465,
        "none": 25,
    }
