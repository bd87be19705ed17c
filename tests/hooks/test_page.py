"""The page of hooks says what there is: each field of each value, each event, each wrapper."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

import mroute_dispatch
from mroute import api
from mroute.api import Event, RejectedError
from mroute.testing import hooks_of, make_rule, make_series, plan_context, triggered
from mroute_dispatch.planning import RouteRule
from tests.conftest import ROOT
from tests.hooks.fakes import plugin

PAGE = (ROOT / "docs/reference/hooks.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^#### `(\w+)`\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL))


def fields_on_page(name: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", SECTIONS[name], re.MULTILINE)


@pytest.mark.parametrize("name", SECTIONS)
def test_every_field_is_explained(name: str) -> None:
    value: Any = getattr(api, name)
    assert fields_on_page(name) == [field.name for field in dataclasses.fields(value)]


def test_every_descriptor_plan_and_context_is_explained() -> None:
    names = {
        name
        for name in api.__all__
        if dataclasses.is_dataclass(getattr(api, name))
        and name.endswith(("Type", "Plan", "Context"))
    }
    assert set(SECTIONS) == names | {
        "Record",
        "HealthCheck",
        "RuleFunction",
        "TagReader",
        "Delivery",
        "Shipment",
        "Task",
        "WaitingItem",
    }


def test_every_event_is_explained() -> None:
    section = PAGE.partition("### `mroute_event(event)`")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| `([A-Z]\w+)` \|", section, re.MULTILINE)
    public = [getattr(api, name) for name in api.__all__]
    events = [each for each in public if isinstance(each, type) and issubclass(each, Event)]
    assert sorted(explained) == sorted(each.__name__ for each in events if each is not Event)


def test_every_variable_is_explained() -> None:
    sources = [(ROOT / "mroute" / name).read_text() for name in ("plugins.py", "hooks.py")]
    used = set(re.findall(r"MROUTE_[A-Z_]+", "".join(sources)))
    assert set(re.findall(r"^\| `(MROUTE_\w+)` \|", PAGE, re.MULTILINE)) == used


def test_the_wrapper_on_the_page_works() -> None:
    [code] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    defined: dict[str, Any] = {}
    exec(code, defined)  # noqa: S102 - the page is ours
    site = plugin("mroute_dispatch", defined["mroute_dispatch"], wrapper=True)
    rules = [triggered(make_rule(RouteRule, targets=["pacs"]))]

    def call(burned_in: str) -> list[str]:
        series = make_series(BurnedInAnnotation=burned_in)
        tasks = hooks_of(mroute_dispatch, site=site).dispatch(series, rules, plan_context())
        return [task.key for task in tasks]

    assert call("NO") == ["pacs"]
    with pytest.raises(RejectedError, match="burned in"):
        call("YES")
