"""Targets: where mercure sends images.

Knows the keys of each of mercure's types and what they are called here. Does not know which types
the installed plugins contribute; the rule file is checked for that afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mroute.mercure.codes import Code
from mroute.mercure.keys import Keys

_PORT = 104

_RENAMED: Mapping[str, Mapping[str, str]] = {
    "dicomweb": {
        "url": "url",
        "stow_url_prefix": "stow_prefix",
        "http_user": "user",
        "http_password": "password",
        "access_token": "token",
    },
    "sftp": {"host": "host", "folder": "path", "user": "user", "password": "password"},
    "rsync": {"host": "host", "folder": "path", "user": "user", "password": "password"},
    "xnat": {"host": "host", "project_id": "project", "user": "user", "password": "password"},
    "s3": {
        "region": "region",
        "bucket": "bucket",
        "prefix": "prefix",
        "access_key_id": "access_key_id",
        "secret_access_key": "secret_access_key",
    },
    "folder": {"folder": "path"},
    "dummy": {},
}
"""Mercure's key to the one in the rule file, by type; empty ones are left out."""

_SECRETS = ("password", "http_password", "access_token", "secret_access_key")
_ENVIRONMENT = "take it from the environment as soon as the target type can: {env: NAME}"


def convert_target(content: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    """The entry of one target."""
    for key in _SECRETS:
        if content.get(key):
            message = "a credential is in the rule file in plain text"
            keys.where.tell(Code.PLAIN_TEXT, key, message, _ENVIRONMENT)
    kind = keys.text("target_type") or _guessed(content)
    if not kind:
        message = "mercure would not know the type of this target"
        keys.where.tell(Code.ABSENT, "target_type", message, "write 'type: ...' in the rule file")
    convert = _CONVERT.get(kind, _renamed) if isinstance(kind, str) else _renamed
    target = {"type": kind, **convert(kind, keys)} if kind else convert(kind, keys)
    if keys.text("direction", "push") not in ("push", ""):
        message = "mroute does not query or retrieve; it sends to this target only"
        hint = "take the target out, if no rule sends to it"
        keys.where.tell(Code.NO_COUNTERPART, "direction", message, hint)
    target |= remarks(keys)
    keys.close()
    return target


def remarks(keys: Keys) -> dict[str, Any]:
    """``comment`` of an entry that has no ``contact`` here: the contact is added to it."""
    comment, contact = keys.text("comment"), keys.text("contact")
    if contact and isinstance(comment, str):
        comment = f"{comment} (contact: {contact})" if comment else f"contact: {contact}"
    return {"comment": comment} if comment else {}


def _guessed(content: Mapping[str, Any]) -> str:
    """The type that mercure takes where an old configuration does not say: by its keys."""
    for key, kind in (
        ("tls_key", "dicomtls"),
        ("aet_target", "dicom"),
        ("url", "dicomweb"),
        ("bucket", "s3"),
        ("project_id", "xnat"),
        ("host", "sftp"),
        ("folder", "folder"),
    ):
        if key in content:
            return kind
    return ""


def _dicom(kind: Any, keys: Keys) -> dict[str, Any]:
    target = {
        "type": "dicom",
        "host": keys.text("ip"),
        "port": keys.number("port", _PORT),
        "aet": keys.text("aet_target"),
        "calling_aet": keys.text("aet_source"),
        "pass_sender_aet": keys.flag("pass_sender_aet"),
        "pass_receiver_aet": keys.flag("pass_receiver_aet"),
    }
    return {key: value for key, value in target.items() if value not in ("", False)}


def _dicom_tls(kind: Any, keys: Keys) -> dict[str, Any]:
    files = {"key": "tls_key", "certificate": "tls_cert", "authorities": "ca_cert"}
    tls = {ours: keys.text(theirs) for ours, theirs in files.items()}
    return {**_dicom(kind, keys), "tls": {key: value for key, value in tls.items() if value}}


def _renamed(kind: Any, keys: Keys) -> dict[str, Any]:
    """A target whose keys only have other names; those of an unknown type are told."""
    target = {ours: keys.text(theirs) for theirs, ours in _RENAMED.get(str(kind), {}).items()}
    return {key: value for key, value in target.items() if value != ""}


def _folder(kind: Any, keys: Keys) -> dict[str, Any]:
    target = _renamed(kind, keys)
    patterns = keys.text("file_filter")
    if isinstance(patterns, str):
        patterns = [each.strip() for each in patterns.split(",") if each.strip()]
    if patterns:
        target["exclude"] = patterns
    message = "a task is there as a whole or not at all, so no file '.complete' is written"
    hint = "check what reads the folder: let it take folders whose names do not begin with a dot"
    keys.where.tell(Code.CHANGED, "folder", message, hint)
    return target


def _rsync(kind: Any, keys: Keys) -> dict[str, Any]:
    run = keys.flag("run_on_complete")
    return _renamed(kind, keys) | ({} if run is False else {"run_on_complete": run})


def _dicomweb(kind: Any, keys: Keys) -> dict[str, Any]:
    message = "mroute sends and does not query"
    keys.drop(("qido_url_prefix", "wado_url_prefix"), Code.NO_COUNTERPART, message)
    return _renamed(kind, keys)


_CONVERT: Mapping[str, Callable[[Any, Keys], dict[str, Any]]] = {
    "dicom": _dicom,
    "dicomtls": _dicom_tls,
    "folder": _folder,
    "rsync": _rsync,
    "dicomweb": _dicomweb,
}
