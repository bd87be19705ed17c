"""What chat services want to be posted.

Knows the payload of each. Does not know where it is posted to. Nothing that a value says is taken
for a link, a mention or a format: it is text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from html import escape
from typing import Any

from pydantic import JsonValue


class Preset(StrEnum):
    """A chat service whose payload is known.

    ``slack``: an incoming webhook of Slack. ``teams``: a workflow of Microsoft Teams that posts
    what a webhook gets. ``webex``: an incoming webhook of WebEx.
    """

    SLACK = "slack"
    TEAMS = "teams"
    WEBEX = "webex"


def preset_body(preset: Preset, values: Mapping[str, Any]) -> str:
    """The message, as JSON text, with which a service shows what happened."""
    return json.dumps(_payload(preset, values))


def _payload(preset: Preset, values: Mapping[str, Any]) -> JsonValue:
    lines = [f"{values['rule']}: {values['event']}", values["details"], f"task {values['task_id']}"]
    shown = [line for line in lines if line]
    match preset:
        case Preset.SLACK:  # https://api.slack.com/reference/surfaces/formatting#escaping
            return {"text": escape("\n".join(shown), quote=False)}
        case Preset.WEBEX:  # 'markdown' would be read
            return {"text": "\n".join(shown)}
        case Preset.TEAMS:
            return _card(shown)


def _card(lines: list[str]) -> JsonValue:
    """An Adaptive Card; of its texts, that of a ``TextRun`` alone is not read as Markdown."""
    runs: list[dict[str, JsonValue]] = [{"type": "TextRun", "text": line} for line in lines]
    runs[0] = {**runs[0], "weight": "bolder"}
    card: JsonValue = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": [{"type": "RichTextBlock", "inlines": [run]} for run in runs],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {
        "type": "message",
        "attachments": [{"contentType": kind, "contentUrl": None, "content": card}],
    }
