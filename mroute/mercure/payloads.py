"""The messages of notifications: mercure's templates as those of mroute.

Knows what a template of mercure may use, and how its payload becomes JSON. Does not know channels,
or when a message is sent.
"""

from __future__ import annotations

import json
import re
from typing import Any

from mroute.mercure.codes import Code
from mroute.mercure.keys import Keys

_MACROS = {"@rule@": "{{ rule }}", "@task_id@": "{{ task_id }}", "@event@": "{{ event | upper }}"}
_EVENT = re.compile(r"\{\{-?\s*event\s*-?\}\}")
_BODY = re.compile(r"\{\{-?\s*body\s*(?:\|\s*safe\s*)?-?\}\}")
_TAGS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_DEVICE = re.compile(r"(?<![\w.'\"])DeviceSerialNumber(?![\w'\"])")
_FOREIGN = re.compile(r"(?<![\w.'\"])(phi_data|body)(?![\w'\"])")
_EVENT_NAMES = re.compile(r"['\"](RECEIVED|COMPLETED|ERROR)['\"]")


def convert_payload(keys: Keys) -> Any:
    """What a webhook posts: the object that mercure's text is, with its body put in.

    A text that is no JSON before it is rendered is given as it is, in braces. None where there is
    no text.
    """
    key = "notification_payload"
    text, body = keys.text(key), keys.text("notification_payload_body")
    if not isinstance(text, str) or not isinstance(body, str):
        return text
    if not text.strip():
        message = "mercure posts an empty object; here the message is that of the channel"
        keys.where.tell(Code.MESSAGE, key, message, "write a 'payload', if the receiver needs one")
        _tell_body(keys, body)
        return None
    body = convert_template(body, "notification_payload_body", keys)
    if not _BODY.search(text):
        _tell_body(keys, body)
    try:
        content = json.loads("{" + text + "}")
    except ValueError:
        message = "it becomes JSON only when it is rendered, and values are put in with quotes here"
        hint = 'write an object whose texts are templates: {"text": "{{ rule }}"}'
        keys.where.tell(Code.MESSAGE, key, message, hint)
        return "{" + _BODY.sub(lambda _: body, convert_template(text, key, keys)) + "}"
    return _texts(content, body, keys)


def convert_template(text: str, key: str, keys: Keys) -> str:
    """A Jinja2 template of mercure with the names that mroute has."""
    for macro, ours in _MACROS.items():
        text = text.replace(macro, ours)
    text = _EVENT.sub(_MACROS["@event@"], text)
    text = _TAGS.sub(lambda found: _DEVICE.sub("device", found.group()), text)
    inside = " ".join(_TAGS.findall(_BODY.sub("", text)))
    foreign = list(dict.fromkeys(_FOREIGN.findall(inside)))
    if foreign:
        message = f"the template uses {', '.join(foreign)}, which messages do not have here"
        hint = "take it out, or use rule, event, task_id, details, device or facts"
        keys.where.tell(Code.MESSAGE, key, message, hint)
    if _EVENT_NAMES.search(inside):
        message = "events are in small letters here: received, completed, error"
        hint = "compare in small letters, or write: event | upper"
        keys.where.tell(Code.MESSAGE, key, message, hint)
    return text


def _texts(content: Any, body: str, keys: Keys) -> Any:
    if isinstance(content, str):
        whole = convert_template(content, "notification_payload", keys)
        return _BODY.sub(lambda _: body, whole)
    if isinstance(content, dict):
        return {key: _texts(value, body, keys) for key, value in content.items()}
    if isinstance(content, list):
        return [_texts(value, body, keys) for value in content]
    return content


def _tell_body(keys: Keys, body: str) -> None:
    if body:
        message = "the payload does not use it: {{ body }} is not in it"
        keys.where.tell(Code.UNUSED, "notification_payload_body", message)
