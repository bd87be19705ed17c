"""Targets of every type of mercure: what becomes of them, and that no secret of one is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mroute.cli.installed import installed
from mroute.config import validate
from mroute.errors import Severity
from mroute.mercure import import_configuration
from mroute.registry import Registry
from tests.unit.mercure.conftest import FIXTURE, Import, content_of

SECRET = "tr0ub4dor"
WEB = {"target_type": "dicomweb", "url": "https://w.example/dicom"}
LOGIN = {"http_user": "u", "http_password": SECRET}
XNAT = {"target_type": "xnat", "host": "https://x.example", "project_id": "P1", "user": "u"}
XNAT |= {"password": SECRET}
SFTP = {"target_type": "sftp", "host": "h", "folder": "/in", "user": "u"}
RSYNC = {**SFTP, "target_type": "rsync"}
S3 = {"target_type": "s3", "region": "eu-central-1", "bucket": "images", "prefix": "in"}
S3 |= {"access_key_id": SECRET, "secret_access_key": SECRET}
REMOTE = {("host", "MR407"), ("folder", "MR407")}

VALID: list[tuple[dict[str, Any], dict[str, Any], set[tuple[str, str]]]] = [
    (
        {"target_type": "dicom", "ip": "p", "port": "104", "aet_target": "A", "aet_source": "B"},
        {"type": "dicom", "host": "p", "port": 104, "aet": "A", "calling_aet": "B"},
        set(),
    ),
    (
        {"target_type": "dicomtls", "ip": "p", "port": 2762, "aet_target": "A"}
        | {"tls_key": "/k", "tls_cert": "/c", "ca_cert": "/a"},
        {"type": "dicom", "host": "p", "port": 2762, "aet": "A"}
        | {"tls": {"key": "/k", "certificate": "/c", "authorities": "/a"}},
        set(),
    ),
    (WEB, {"type": "dicomweb", "url": "https://w.example/dicom"}, set()),
    (
        {**WEB, **LOGIN, "stow_url_prefix": "/stow/", "qido_url_prefix": "q"},
        {
            "type": "dicomweb",
            "url": "https://w.example/dicom/stow",
            "authentication": {"user": "u", "password": {"env": "MY_TARGET_PASSWORD"}},
        },
        {("qido_url_prefix", "MR401"), ("http_password", "MR409")},
    ),
    (
        {**WEB, "url": "https://w.example/", "access_token": SECRET, "http_user": "u"},
        {
            "type": "dicomweb",
            "url": "https://w.example/",
            "authentication": {"token": {"env": "MY_TARGET_TOKEN"}},
        },
        {("http_user", "MR402"), ("access_token", "MR409")},
    ),
    (
        {**WEB, **LOGIN, "access_token": SECRET},
        {
            "type": "dicomweb",
            "url": "https://w.example/dicom",
            "authentication": {"user": "u", "password": {"env": "MY_TARGET_PASSWORD"}},
        },
        {("access_token", "MR402"), ("http_password", "MR409")},
    ),
    (
        {**WEB, "url": f"https://u:{SECRET}@w.example/a?token={SECRET}#{SECRET}"},
        {"type": "dicomweb", "url": "https://w.example/a"},
        {("url", "MR409")},
    ),
    (
        {**SFTP, "password": SECRET},
        {"type": "sftp", "host": "h", "path": "/in", "user": "u"}
        | {"password": {"env": "MY_TARGET_PASSWORD"}},
        {*REMOTE, ("password", "MR409")},
    ),
    (RSYNC, {"type": "rsync", "host": "h", "path": "/in", "user": "u"}, REMOTE),
    (
        {**RSYNC, "folder": "~/in/", "password": SECRET, "run_on_complete": True},
        {"type": "rsync", "host": "h", "path": "in/", "user": "u"}
        | {"after": ["in/mercure_complete.sh", "{folder}", "my target"]},
        {*REMOTE, ("password", "MR409")},
    ),
    (
        {**S3, "prefix": "/a//b{c}/"},
        {"type": "s3", "region": "eu-central-1", "bucket": "images"}
        | {
            "layout": "a/b{{c}}/{task_id}",
            "access_key": {"env": "MY_TARGET_ACCESS_KEY"},
            "secret_key": {"env": "MY_TARGET_SECRET_KEY"},
        },
        {("prefix", "MR407"), ("access_key_id", "MR409"), ("secret_access_key", "MR409")},
    ),
    (
        {"target_type": "s3", "bucket": "images", "prefix": ""},
        {"type": "s3", "bucket": "images", "layout": "{task_id}"},
        set(),
    ),
    (
        XNAT,
        {"type": "xnat", "url": "https://x.example", "project": "P1", "user": "u"}
        | {"password": {"env": "MY_TARGET_PASSWORD"}},
        {("project_id", "MR407"), ("password", "MR409")},
    ),
    (
        {**XNAT, "host": f"u:{SECRET}@x.example"},
        {"type": "xnat", "url": "https://x.example", "project": "P1", "user": "u"}
        | {"password": {"env": "MY_TARGET_PASSWORD"}},
        {("host", "MR409"), ("host", "MR407"), ("project_id", "MR407"), ("password", "MR409")},
    ),
    (
        {"target_type": "folder", "folder": "/data", "file_filter": "*.png, *.json"},
        {"type": "folder", "path": "/data", "exclude": ["*.png", "*.json"]},
        {("folder", "MR407")},
    ),
    ({"target_type": "dummy"}, {"type": "dummy"}, set()),
]


@pytest.mark.parametrize(("theirs", "ours", "told"), VALID)
def test_a_target_is_valid_and_says_the_same(
    theirs: dict[str, Any],
    ours: dict[str, Any],
    told: set[tuple[str, str]],
    imported: Import,
    registry: Registry,
    tmp_path: Path,
) -> None:
    whole = imported(
        targets={"my target": theirs}, rules={"all": {"rule": "True", "target": "my target"}}
    )
    assert content_of(whole)["targets"]["my target"] == ours
    assert {(each.key, each.code) for each in whole.findings} == told
    assert SECRET not in whole.text + repr(whole.findings)
    file = tmp_path / "mroute.yaml"
    file.write_text(whole.text, "utf-8")
    assert list(validate(file, registry)) == []


def test_every_type_of_mercure_is_among_them() -> None:
    kinds = {target["target_type"] for target, _, _ in VALID}
    theirs = {target.get("target_type") for target in FIXTURE["targets"].values()}
    assert kinds == theirs - {None, "pigeon"}


@pytest.mark.parametrize(
    ("target", "key"),
    [
        (SFTP, "password"),
        ({**XNAT, "project_id": "a b"}, "project_id"),
        ({**XNAT, "host": "https://x y"}, "host"),
        ({**RSYNC, "folder": "/a b"}, "folder"),
        ({**RSYNC, "run_on_complete": "perhaps"}, "run_on_complete"),
        ({**S3, "access_key_id": ""}, "secret_access_key"),
        ({**S3, "prefix": "../a"}, "prefix"),
        ({**WEB, **LOGIN, "http_user": "a:b"}, "http_user"),
        ({"target_type": "dicom", "ip": {}, "port": 0, "aet_target": "A"}, "port"),
    ],
)
def test_what_mercure_does_not_say_enough_for_is_told(
    target: dict[str, Any], key: str, imported: Import
) -> None:
    findings = imported(targets={"t": target}).findings
    assert key in {each.key for each in findings}
    assert any(each.severity is Severity.ERROR for each in findings)


def test_two_secrets_do_not_share_a_variable(imported: Import) -> None:
    target = {**SFTP, "password": SECRET}
    targets = content_of(imported(targets={"a b": target, "a/b": target, "A_B": target}))["targets"]
    variables = {each["password"]["env"] for each in targets.values()}
    assert variables == {"A_B_PASSWORD", "A_B_2_PASSWORD", "A_B_3_PASSWORD"}


def test_the_finding_names_the_variable(imported: Import) -> None:
    findings = imported(targets={"PACS2": XNAT}).findings
    (told,) = (each for each in findings if each.code == "MR409")
    assert (told.section, told.name, told.key) == ("targets", "PACS2", "password")
    assert "'PACS2_PASSWORD'" in told.message
    assert "set 'PACS2_PASSWORD'" in told.hint


PLACES = [
    (kind, key)
    for kind, keys in {
        "dicomweb": ("http_password", "access_token"),
        "sftp": ("password",),
        "rsync": ("password",),
        "xnat": ("password",),
        "s3": ("access_key_id", "secret_access_key"),
        "pigeon": ("password",),
    }.items()
    for key in keys
]
ENTRIES = {target.get("target_type"): target for target in FIXTURE["targets"].values()}


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    st.sampled_from(PLACES),
    st.text(max_size=10),
    st.sampled_from([str, lambda text: [text], lambda text: {"a": text}]),
    st.booleans(),
)
def test_no_secret_gets_anywhere(
    place: tuple[str, str], around: str, shaped: Any, alone: bool
) -> None:
    kind, key = place
    target = {"target_type": kind, **({} if alone else ENTRIES[kind])}
    target[key] = shaped(f"{around}{SECRET}{around}")
    configuration = {"rules": {}, "targets": {"t": target}, "modules": {}}
    whole = import_configuration(configuration, installed().registry)
    assert SECRET not in whole.text + repr(whole.findings)
    assert key in {each.key for each in whole.findings}
