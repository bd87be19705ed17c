"""Credentials: what mercure keeps in its configuration, and a rule file only says where to find.

Knows what a secret is replaced with, and where else than in a key of its own one may stand: in a
URL. Does not know which keys of which target hold any.
"""

from __future__ import annotations

import re
from typing import Any

from mroute.mercure.codes import Code
from mroute.mercure.keys import Keys, is_off

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)?((?P<login>[^/?#]*)@)?(?P<root>[^?#]*)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)


def secret(keys: Keys, key: str, variable: str) -> dict[str, str]:
    """What the rule file has for the secret of ``key``: a variable, empty where there is none."""
    if is_off(keys.take(key)):
        return {}
    message = f"the secret itself was left out; mroute takes it from the variable '{variable}'"
    hint = f"set '{variable}' where mroute runs, to what mercure has here"
    keys.where.tell(Code.LEFT_OUT, key, message, hint)
    return {"env": variable}


def root_of_service(keys: Keys, key: str, instead: str) -> Any:
    """The URL of ``key`` with nothing in it that may be a secret; ``instead`` says where it goes.

    Where it has no scheme, it gets ``https``.
    """
    url = keys.text(key)
    found = _URL.fullmatch(url.strip()) if isinstance(url, str) else None
    if found is None:
        return url
    if found["login"] is not None or found["rest"]:
        message = "what the URL has before '@' or from '?' on was left out: it may be a secret"
        keys.where.tell(Code.LEFT_OUT, key, message, instead)
    if not found["root"]:
        return ""
    if not found["scheme"]:
        message = "the URL does not say how it is reached; it begins with https:// now"
        keys.where.tell(Code.CHANGED, key, message, "write http:// if the service has no TLS")
    return f"{found['scheme'] or 'https://'}{found['root']}"
