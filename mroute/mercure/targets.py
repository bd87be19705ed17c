"""Targets: where mercure sends images.

Knows what all types have in common, and those that speak DICOM. Does not know which types the
installed plugins contribute; the rule file is checked for that afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mroute.mercure.codes import Code
from mroute.mercure.keys import Keys
from mroute.mercure.services import convert_dicomweb, convert_xnat
from mroute.mercure.stores import convert_folder, convert_rsync, convert_s3, convert_sftp

_PORT = 104


def convert_target(content: Mapping[str, Any], keys: Keys, variables: str) -> dict[str, Any]:
    """The entry of one target; the variables that hold its secrets begin with ``variables``."""
    kind = keys.text("target_type") or _guessed(content)
    if not kind:
        message = "mercure would not know the type of this target"
        keys.where.tell(Code.ABSENT, "target_type", message, "write 'type: ...' in the rule file")
    convert = _CONVERT.get(kind) if isinstance(kind, str) else None
    target = {"type": kind, **(convert(keys, variables) if convert else {})}
    target = {key: value for key, value in target.items() if value not in ("", {})}
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


def _dicom(keys: Keys, variables: str) -> dict[str, Any]:
    target = {
        "type": "dicom",
        "host": keys.text("ip"),
        "port": keys.number("port", _PORT),
        "aet": keys.text("aet_target"),
        "calling_aet": keys.text("aet_source"),
        "pass_sender_aet": keys.flag("pass_sender_aet"),
        "pass_receiver_aet": keys.flag("pass_receiver_aet"),
    }
    return {key: value for key, value in target.items() if value is not False}


def _dicom_tls(keys: Keys, variables: str) -> dict[str, Any]:
    files = {"key": "tls_key", "certificate": "tls_cert", "authorities": "ca_cert"}
    tls = {ours: keys.text(theirs) for ours, theirs in files.items()}
    return {**_dicom(keys, variables), "tls": {key: value for key, value in tls.items() if value}}


_CONVERT: Mapping[str, Callable[[Keys, str], dict[str, Any]]] = {
    "dicom": _dicom,
    "dicomtls": _dicom_tls,
    "dicomweb": convert_dicomweb,
    "folder": convert_folder,
    "rsync": convert_rsync,
    "s3": convert_s3,
    "sftp": convert_sftp,
    "xnat": convert_xnat,
}
"""By mercure's type; what there is in a target of another one is told."""
