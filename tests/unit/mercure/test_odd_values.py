"""Whatever stands in a configuration: nothing is raised, and the rule file can be read."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mroute.cli.installed import installed
from mroute.mercure import import_configuration
from tests.unit.mercure.conftest import FIXTURE, content_of
from tests.unit.mercure.test_fixture import leaves

ODD: list[Any] = [None, [], {}, "", True, 0, -1, 1.5, "x", ["a", 1], [[1]], {"a": {"b": [1]}}, [{}]]
ODD += ["\x00\n", "\u00e9" * 300, 10**40, "'", "{% if", "{{", "@@", "@a", "{", "a\n\nb", " ", "#"]
ENTRIES = [
    (section, name) for section in ("rules", "targets", "modules") for name in FIXTURE[section]
]


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.data())
def test_odd_values(data: st.DataObject) -> None:
    section, name = data.draw(st.sampled_from(ENTRIES))
    entry = {section: {name: FIXTURE[section][name]}}
    configuration: dict[str, Any] = {"rules": {}, "targets": {}, "modules": {}, **entry}
    configuration = copy.deepcopy(configuration)
    for _ in range(data.draw(st.integers(1, 3))):
        below = [path for path, _ in leaves(configuration) if len(path) > 1]
        if not below:
            break
        path = data.draw(st.sampled_from(below))
        place: Any = configuration
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(ODD)))
    whole = import_configuration(configuration, installed().registry)
    assert content_of(whole)["version"] == 1
    assert all(each.message and each.code for each in whole.findings)
