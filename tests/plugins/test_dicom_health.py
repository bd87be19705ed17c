"""What ``mroute doctor`` finds wrong with the receiver and the programs of DCMTK.

Knows ports, folders and certificates that are really there. Does not know how it is shown.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

import mroute_dicom.health
from mroute.api import Durability, HealthContext, Tls
from mroute_dicom.health import check_programs, check_receiver
from mroute_dicom.receiving.listening import listening_socket
from mroute_dicom.receiving.port import listeners, program_of
from mroute_dicom.receiving.settings import Backend, ReceiverSettings
from mroute_dicom.sending.target import Backend as SendingBackend
from mroute_dicom.sending.target import DicomTarget
from mroute_dicom.settings import DicomSettings
from tests.interop.certificates import new_authority
from tests.interop.peers import HOST, free_port

ME = os.getpid()


def asked_for(spool: Path, runs: tuple[int, ...] = (), **receiver: object) -> HealthContext:
    """A site with a receiver."""
    given = {"port": free_port(), "bind": HOST, "min_free": 0, **receiver}
    settings = DicomSettings(receiver=ReceiverSettings.model_validate(given))
    return HealthContext({"dicom": settings}, {}, spool, Durability.PROCESS, runs)


def test_a_free_port_is_fine_and_stays_free(tmp_path: Path) -> None:
    context = asked_for(tmp_path)
    assert [*check_receiver(context), *check_receiver(context)] == []
    port = context.settings["dicom"].receiver.port  # type: ignore[attr-defined]
    with listening_socket(HOST, port):
        assert len(list(check_receiver(context))) == 1


def test_a_port_that_is_taken_is_told_of_with_who_has_it(tmp_path: Path) -> None:
    port = free_port()
    with listening_socket(HOST, port):
        assert listeners(port) == {ME}
        for runs in ((), (1,)):  # another mroute works on the spool, and has another port
            (said,) = check_receiver(asked_for(tmp_path, runs, port=port))
            assert said == (
                f"port {port} of the receiver is taken by process {ME} ('{program_of(ME)}'); "
                "stop that one, or give the receiver another 'port'"
            )
    assert listeners(port) == set()


def test_a_port_of_the_mroute_that_works_on_the_spool_is_fine(tmp_path: Path) -> None:
    port = free_port()
    with listening_socket(HOST, port):
        assert list(check_receiver(asked_for(tmp_path, (ME,), port=port))) == []


def test_whose_port_it_is_may_be_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setattr(mroute_dicom.health, "listeners", lambda port: set())
    with listening_socket(HOST, port):
        (said,) = check_receiver(asked_for(tmp_path, port=port))
        assert "taken by a process of another user; stop that one" in said
        assert list(check_receiver(asked_for(tmp_path, (1,), port=port))) == []


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.EACCES, "CAP_NET_BIND_SERVICE"),
        (errno.EADDRNOTAVAIL, "'bind' has to be an address of this machine"),
        (errno.ENOBUFS, "see 'bind' and 'port'"),
    ],
)
def test_a_port_that_cannot_be_had_is_told_of_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, advice: str
) -> None:
    def refuse(bind: str, port: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(mroute_dicom.health, "try_port", refuse)
    (said,) = check_receiver(asked_for(tmp_path))
    assert f"of '{HOST}': {os.strerror(code)}; " in said
    assert advice in said.partition("; ")[2]


def test_an_address_of_another_machine_is_told_of(tmp_path: Path) -> None:
    (said,) = check_receiver(asked_for(tmp_path, bind="192.0.2.1"))
    assert "Cannot assign requested address; 'bind' has to be" in said


def test_too_little_room_is_told_of_also_before_the_spool_is_there(tmp_path: Path) -> None:
    (said,) = check_receiver(asked_for(tmp_path / "spool", min_free=10**12))
    assert f"with less than {10**12} the receiver refuses images; make room" in said
    assert list(tmp_path.iterdir()) == []


def test_certificates_and_keys_of_the_receiver_are_looked_at(tmp_path: Path) -> None:
    authority = new_authority(tmp_path / "ca")
    late, key = authority.sign("late", days=-1)
    key.chmod(0o644)
    said = list(check_receiver(asked_for(tmp_path, tls=Tls(certificate=late, key=key))))
    assert [each.partition(" on 2")[0] for each in said] == [
        f"the certificate '{late}' has expired",
        f"the key '{key}' may be read by everybody; run 'chmod o-rwx {key}'",
    ]
    key.chmod(0o640)
    good, _ = authority.sign("good")
    assert list(check_receiver(asked_for(tmp_path, tls=Tls(certificate=late, key=key)))) == said[:1]
    (mixed,) = check_receiver(asked_for(tmp_path, tls=Tls(certificate=good, key=key)))
    assert "expected PEM files that belong together" in mixed


def test_programs_are_asked_for_where_a_back_end_needs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    receiving = asked_for(tmp_path, backend=Backend.DCMTK)
    assert list(check_programs(receiving)) == [
        "'storescp' is not installed; install DCMTK, or leave 'backend' out"
    ]
    target = DicomTarget(type="dicom", host=HOST, port=104, aet="PACS")
    dcmtk = target.model_copy(update={"backend": SendingBackend.DCMTK})
    sending = HealthContext({}, {"a": dcmtk, "b": target, "c": dcmtk}, tmp_path)
    (said,) = check_programs(sending)
    assert said.startswith("'dcmsend' is not installed, and asked for by 'a', 'c'; install DCMTK")
    for program in ("storescp", "dcmsend"):
        (tmp_path / program).touch(0o755)
    assert [*check_programs(receiving), *check_programs(sending)] == []


def test_storescp_does_not_do_where_images_survive_a_loss_of_power(tmp_path: Path) -> None:
    context = asked_for(tmp_path, backend=Backend.DCMTK)
    powered = HealthContext(context.settings, {}, tmp_path)
    assert "say 'durability: process'" in next(check_programs(powered))
