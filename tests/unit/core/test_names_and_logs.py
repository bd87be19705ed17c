"""Names that must not become paths, and logs that must not name a patient.

Knows hostile input. Does not know where names and logs are used.
"""

from __future__ import annotations

import json
import re

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


@pytest.mark.parametrize("text", ["it said\n'x'", "d'o^e", 'd"o', "a\\", "x" * 200])
def test_what_is_said_to_be_a_uid_is_not_logged(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    configure_logs(log_phi=False, as_json=True)
    with pytest.raises(UnsafeNameError) as refused:
        safe_name(f"{text}/", "StudyInstanceUID")
    structlog.get_logger("mroute").info("x", because=f"first: {refused.value}", uid="")
    said = json.loads(capsys.readouterr().err)["because"]
    assert said.startswith("first: the StudyInstanceUID ")
    assert "'<uid>'" in said
    assert text[:3] not in said


def test_a_line_of_text_quotes_what_is_more_than_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(log_phi=False, as_json=False)
    structlog.get_logger("mroute").warning(
        "x", a="one", b="two words", c="new\nline", d=("e",), f=1
    )
    line = capsys.readouterr().err
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT[\d:.]+Z \[warning\] x a=one b='two words' c=new d=\('e',\) f=1\n", line
    )


def test_what_a_uid_field_says_is_left_out_of_sentences_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs(log_phi=False, as_json=True)
    structlog.get_logger("mroute").info(
        "x", uid="0.2", because="'0.2' is gone for 10.25 s", n="0.2"
    )
    line = json.loads(capsys.readouterr().err)
    assert (line["because"], line["n"]) == ("'<uid>' is gone for 10.25 s", "<uid>")
    assert line["timestamp"].startswith("20")
    assert "<" not in line["timestamp"]
