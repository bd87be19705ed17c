"""Certificates that expire, keys that others may read, and what this machine has run out of."""

from __future__ import annotations

import errno
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from mroute.api import (
    TargetDownError,
    Tls,
    client_context,
    expiry_complaints,
    is_exhaustion,
    raise_exhaustion,
    tls_complaints,
)
from tests.interop.certificates import new_authority

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(0), ["it has expired on 2024-05-01"]),
        (timedelta(days=30, seconds=-1), ["it expires on 2024-05-31"]),
        (timedelta(days=30), []),
    ],
)
def test_a_certificate_is_told_of_in_time(left: timedelta, said: list[str]) -> None:
    assert list(expiry_complaints("it", NOW + left, NOW)) == said


def test_a_key_that_everybody_may_read_is_told_of(tmp_path: Path) -> None:
    certificate, key = new_authority(tmp_path / "ca").sign("mroute")
    tls = Tls(certificate=certificate, key=key)
    now = datetime.now(UTC)
    assert list(tls_complaints(tls, now)) == []
    key.chmod(0o644)
    assert list(tls_complaints(tls, now)) == [
        f"the key '{key}' may be read by everybody; run 'chmod o-rwx {key}'"
    ]


def test_a_key_needs_its_certificate() -> None:
    with pytest.raises(ValidationError, match="a 'key' needs the 'certificate'"):
        Tls(key=Path("mroute.key"))


def test_the_host_is_verified_unless_it_is_not_to_be() -> None:
    assert client_context(None).check_hostname
    assert client_context(Tls()).verify_mode is ssl.CERT_REQUIRED
    assert not client_context(Tls(verify_host=False)).check_hostname


def test_files_that_cannot_be_used_take_a_target_down(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    for tls in (Tls(authorities=broken), Tls(certificate=broken)):
        with pytest.raises(TargetDownError, match=f"'{broken}'"):
            client_context(tls)
        assert list(tls_complaints(tls, NOW)) == [
            f"'{broken}' is no certificate, expected a PEM file"
        ]


def test_what_this_machine_has_run_out_of_is_told_from_other_errors() -> None:
    short = OSError(errno.EMFILE, "Too many open files")
    assert is_exhaustion(short)
    assert not is_exhaustion(OSError(errno.ENOSPC, "No space left on device"))  # of any disk
    assert not is_exhaustion(ssl.SSLError(errno.ENOBUFS, "a number of its own"))
    outer = RuntimeError("of a library")
    raise_exhaustion(outer)
    outer.__cause__ = short
    with pytest.raises(OSError, match="Too many open files"):
        raise_exhaustion(outer)
