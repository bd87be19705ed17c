"""A channel without the settings that it needs is found with the file.

Knows the channels of the plugin ``notification``, and one that fails. Does not know what is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from pydantic import BaseModel

import mroute_discard
import mroute_notification
from mroute.config import validate
from mroute.registry import Registry
from mroute.testing import registry_of

RULES = """\
version: 1
rules:
  tell:
    when: tags.Modality == 'MR'
    action: discard
    disabled: true
    notify:
      - {channel: webhook, url: "https://a.example/"}
      - {channel: email, to: [a@b.example]}
"""
SETTINGS = "settings: {notification: {smtp: {host: mail.example, sender: m@b.example}}}\n"
LACKS = "the channel 'email' needs a mail server: add 'notification.smtp' to 'settings'"


@pytest.fixture
def registry() -> Registry:
    return registry_of(mroute_discard, mroute_notification)


def problems(folder: Path, registry: Registry, text: str) -> list[str]:
    path = folder / "mroute.yaml"
    path.write_text(text)
    found = validate(path, registry)
    return [f"{each.line}:{each.column} {each.code} {each.message}" for each in found]


def test_a_channel_whose_settings_are_missing_is_refused(
    tmp_path: Path, registry: Registry
) -> None:
    assert problems(tmp_path, registry, RULES) == [f"9:9 MR228 {LACKS}"]
    assert problems(tmp_path, registry, RULES + SETTINGS) == []


def test_what_is_wrong_with_the_file_comes_first(tmp_path: Path, registry: Registry) -> None:
    text = RULES.replace("https://", "ftp://")
    assert [each.split()[1] for each in problems(tmp_path, registry, text)] == ["MR213"]


def test_a_plugin_that_fails_over_that_is_named(tmp_path: Path, registry: Registry) -> None:
    def fail(settings: Mapping[str, BaseModel]) -> NoReturn:
        raise RuntimeError("odd")

    channels = {name: replace(each, lacks=fail) for name, each in registry.channels.items()}
    broken = replace(registry, channels=channels)
    said = "failed to check this: RuntimeError: odd"
    found = problems(tmp_path, broken, RULES + SETTINGS)
    assert [each.split(" ", 2)[1] for each in found] == ["MR228", "MR228"]
    assert all(each.endswith(said) for each in found)
