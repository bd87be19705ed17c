"""The fixture: a configuration of a mercure server with rules of all kinds, and its import."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mroute.cli.installed import installed
from mroute.config.yaml_nodes import read_yaml
from mroute.mercure import Imported, import_configuration
from mroute.registry import Registry

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mercure"
FIXTURE: dict[str, Any] = json.loads((FIXTURES / "mercure.json").read_text("utf-8"))

Import = Callable[..., Imported]


def content_of(imported: Imported) -> Any:
    """What the rule file says, as mroute reads it."""
    content = read_yaml(imported.text)
    assert content.faults == ()
    assert content.root is not None
    return content.root.value


@pytest.fixture(scope="session")
def registry() -> Registry:
    return installed().registry


@pytest.fixture
def imported(registry: Registry) -> Import:
    """Import a configuration; its sections are given by name."""

    def call(**configuration: Any) -> Imported:
        sections: dict[str, Any] = {"rules": {}, "targets": {}, "modules": {}}
        return import_configuration(copy.deepcopy({**sections, **configuration}), registry)

    return call
