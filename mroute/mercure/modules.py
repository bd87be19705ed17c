"""Modules: what mercure runs on images.

Knows the keys of mercure's modules, all of which are containers. Does not know which runners the
installed plugins contribute; the rule file is checked for that afterwards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mroute.mercure.codes import Code
from mroute.mercure.keys import Keys
from mroute.mercure.targets import remarks

_SECRET = re.compile("pass|secret|token|key|credential", re.IGNORECASE)

_TOLD = {
    "docker_arguments": (
        "the runner decides how a container is started",
        "look for a setting of the runner for each of the arguments",
    ),
    "constraints": (
        "on which machine a module runs is not part of the rules",
        "set it up where the modules run",
    ),
    "resources": (
        "what a module needs of the machine has other names here",
        "write 'cpus', 'memory' and 'gpus' as soon as the runner takes them",
    ),
    "requires_root": (
        "no module is run as root without saying so again",
        "try the module as another user first; if it has to be root, allow it in the runner",
    ),
}


def convert_module(keys: Keys, runner: Any) -> dict[str, Any]:
    """The entry of one module, for the runner that the configuration names."""
    module: dict[str, Any] = {"runner": runner or "docker"}
    image = keys.text("docker_tag")
    if not image:
        message = "the module has no container image"
        keys.where.tell(Code.ABSENT, "docker_tag", message, "write 'image: ...' in the rule file")
    module |= {
        "image": image,
        "volumes": _from_text("additional_volumes", keys),
        "environment": _environment(keys),
        "settings": keys.mapping("settings"),
    }
    for key, told in _TOLD.items():
        keys.drop((key,), Code.NO_COUNTERPART, *told)
    module |= remarks(keys)
    keys.close()
    return {key: value for key, value in module.items() if value not in ("", {}, None)}


def _environment(keys: Keys) -> Any:
    environment = _from_text("environment", keys)
    if isinstance(environment, Mapping) and any(map(_SECRET.search, environment)):
        message = "what looks like a credential is in the rule file in plain text"
        hint = "keep the rule file from those who must not read it"
        keys.where.tell(Code.PLAIN_TEXT, "environment", message, hint)
    return environment


def _from_text(key: str, keys: Keys) -> Any:
    """The object that mercure keeps as a JSON text; another text is given as it is."""
    text = keys.take(key)
    if not isinstance(text, str) or not text.strip():
        return text or {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        message = "this text is no JSON object; it is in the rule file as it is"
        keys.where.tell(Code.TYPE, key, message, "write it there as a mapping")
        return text
    return found
