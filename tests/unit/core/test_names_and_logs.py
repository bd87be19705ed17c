"""Names that must not become paths, and logs that must not name a patient.

Knows hostile input. Does not know where names and logs are used.
"""

from __future__ import annotations

import json

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from mroute.errors import UnsafeNameError
from mroute.logs import configure_logs
from mroute.names import safe_name


@pytest.mark.parametrize("name", ["1.2.840.10008", "spine study", "Größe", "a" * 120])
def test_an_ordinary_name_is_safe(name: str) -> None:
    assert safe_name(name, "rule name") == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".hidden",
        "../x",
        "a/b",
        "/etc",
        "a\\b",
        "a#b",
        "a\0b",
        "a\nb",
        "\u202eb",
        "a\u2028b",
        "\udcb1",
        "a" * 121,
        "ä" * 61,
    ],
)
def test_a_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    with pytest.raises(UnsafeNameError, match="the StudyInstanceUID"):
        safe_name(name, "StudyInstanceUID")


@given(st.text())
def test_a_safe_name_is_one_part_of_a_path(name: str) -> None:
    from pathlib import Path

    try:
        safe = safe_name(name, "name")
    except UnsafeNameError:
        return
    path = Path("/spool") / safe
    assert path.parent == Path("/spool")
    assert path.name == name
    safe.encode()


BECAUSE = "'1.2.826.0.1.3680043.8' is gone\nDOE^JANE"


def logged(capsys: pytest.CaptureFixture[str], log_phi: bool) -> dict[str, str]:
    configure_logs(log_phi, as_json=True)
    structlog.get_logger("mroute").info(
        "series_deferred",
        claim_id="c",
        uid="1.2.3",
        because="'1.2.826.0.1.3680043.8' is gone\nDOE^JANE",
    )
    line: dict[str, str] = json.loads(capsys.readouterr().err)
    return line


def test_a_log_line_leads_to_no_patient(capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(capsys, log_phi=False)
    assert line["because"] == "'<uid>' is gone"
    assert line["claim_id"] == "c"
    assert "uid" not in line


def test_a_log_line_has_everything_where_it_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(capsys, log_phi=True)
    assert line["because"] == BECAUSE
    assert line["uid"] == "1.2.3"
