"""Who is told what: the section ``notify`` of a rule.

Knows mercure's webhooks and mails, and which events each is for. Does not know what a message says
(payloads).
"""

from __future__ import annotations

from typing import Any

from mroute.mercure.codes import Code
from mroute.mercure.keys import Keys
from mroute.mercure.payloads import convert_payload, convert_template

_EVENTS = {
    "notification_trigger_reception": "received",
    "notification_trigger_completion": "completed",
    "notification_trigger_error": "error",
}
_BODIES = {
    "notification_webhook": ("notification_payload", "notification_payload_body"),
    "notification_email": (
        "notification_email_body",
        "notification_email_type",
        "notification_email_html",
    ),
}


def convert_notices(keys: Keys) -> list[dict[str, Any]]:
    """The entries of ``notify``: a webhook, a mail, both or none."""
    wanted = {key: keys.flag(key, True) is not False for key in _EVENTS}
    events = [name for key, name in _EVENTS.items() if wanted[key]]
    if keys.flag("notification_trigger_completion_on_request") is not False:
        message = "a module cannot ask for a notification yet"
        hint = "add 'completed' to the events, if it is better to hear too much"
        keys.where.tell(
            Code.NO_COUNTERPART, "notification_trigger_completion_on_request", message, hint
        )
    channels = []
    for key, convert in (("notification_webhook", _webhook), ("notification_email", _email)):
        address = keys.text(key)
        if address:
            channels.append(convert(address, events, keys))
        elif key == "notification_email":
            _drop_plain(keys)
        keys.drop(_BODIES[key], Code.UNUSED, f"mercure does not send it: '{key}' is empty")
    for key in _EVENTS:
        if not channels and not wanted[key]:
            keys.where.tell(Code.UNUSED, key, "mercure announces nothing: no address is named")
    return channels


def _drop_plain(keys: Keys) -> None:
    """Leave out that a mail which nobody gets would be plain: mercure writes it anyway."""
    key = "notification_email_type"
    if keys.text(key, "plain") != "plain":
        keys.where.tell(Code.UNUSED, key, "mercure does not send it: no address is named")


def _webhook(url: Any, events: list[str], keys: Keys) -> dict[str, Any]:
    channel = {"channel": "webhook", "url": url, "events": events}
    payload = convert_payload(keys)
    return channel if payload is None else {**channel, "payload": payload}


def _email(addresses: Any, events: list[str], keys: Keys) -> dict[str, Any]:
    if isinstance(addresses, str):
        addresses = [each.strip() for each in addresses.split(",") if each.strip()]
    channel: dict[str, Any] = {"channel": "email", "to": addresses, "events": events}
    body = keys.text("notification_email_body")
    if isinstance(body, str):
        body = convert_template(body, "notification_email_body", keys)
    if body:
        channel["body"] = body
    form = keys.text("notification_email_type", "plain")
    if form not in ("plain", "html"):
        message = "a mail is either plain text or HTML; this one becomes plain text"
        keys.where.tell(
            Code.TYPE, "notification_email_type", message, "write 'html: true' for HTML"
        )
    html = keys.flag("notification_email_html", form == "html") is not False
    if html and body:  # without a body, the mail is that of the channel
        channel["html"] = True
    return channel
