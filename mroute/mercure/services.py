"""Targets over HTTP: DICOMweb services and XNAT.

Knows the keys of mercure's types and what they are called here. Does not know how a secret is
replaced (credentials).
"""

from __future__ import annotations

from typing import Any

from mroute.mercure.codes import Code
from mroute.mercure.credentials import root_of_service, secret
from mroute.mercure.keys import Keys

_LOGIN = ("http_user", "http_password")


def convert_dicomweb(keys: Keys, variables: str) -> dict[str, Any]:
    """A DICOMweb service; only what stores images counts."""
    message = "mroute sends and does not query"
    keys.drop(("qido_url_prefix", "wado_url_prefix"), Code.NO_COUNTERPART, message)
    hint = "write 'authentication: {user: ..., password: {env: NAME}}' if it is a login"
    url, prefix = root_of_service(keys, "url", hint), keys.text("stow_url_prefix")
    if isinstance(url, str) and isinstance(prefix, str) and prefix.strip("/"):
        url = f"{url.rstrip('/')}/{prefix.strip('/')}"
    return {"url": url, "authentication": _authentication(keys, variables)}


def _authentication(keys: Keys, variables: str) -> dict[str, Any]:
    """User and password where both are there, else the token: so does mercure."""
    if all(map(keys.has, _LOGIN)):
        message = "mercure does not use it beside a user and a password"
        keys.drop(("access_token",), Code.UNUSED, message)
        password = secret(keys, "http_password", f"{variables}_PASSWORD")
        return {"user": keys.text("http_user"), "password": password}
    keys.drop(_LOGIN, Code.UNUSED, "mercure uses a user and a password together only")
    token = secret(keys, "access_token", f"{variables}_TOKEN")
    return {"token": token} if token else {}


def convert_xnat(keys: Keys, variables: str) -> dict[str, Any]:
    """A project of an XNAT, whose sessions have other labels here."""
    message = "mercure calls a session by patient and date; here each study is a session of its own"
    hint = "write 'session: \"{PatientID}_{StudyDate}\"' for labels that are nearly the same"
    keys.where.tell(Code.CHANGED, "project_id", message, hint)
    return {
        "url": root_of_service(keys, "host", "check that 'user' and 'password' are the right ones"),
        "project": keys.text("project_id"),
        "user": keys.text("user"),
        "password": secret(keys, "password", f"{variables}_PASSWORD"),
    }
