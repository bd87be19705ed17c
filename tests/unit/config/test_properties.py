"""Whatever is in a file: problems are found in it, nothing is raised, and the schema agrees."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mroute.config import load, rules_schema, validate
from mroute.errors import ConfigurationError, Problem, Severity
from mroute.registry import Registry
from tests.unit.config.conftest import BLUEPRINT, Site, make_registry

CONTENT: Any = yaml.safe_load(BLUEPRINT.replace("    on: study", "    'on': study"))
TOML = """\
version = 1 # 1
targets.pacs = {type = "dicom", host = 'h', port = 104, aet = "PACS"}
[rules."a b"]
when = '''
tags.Modality == 'MR'
'''
action = "route"
targets = [ "pacs",
  # and no other
]
[[rules."a b".notify]]
channel = "mail"
to = \"\"\"you \\
   there\"\"\"
"""
FILES = {
    "m.yaml": BLUEPRINT,
    "m.json": json.dumps(CONTENT, indent=1),
    "m.toml": TOML,
}

# The folder is the same for all examples; each writes its file anew.
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def mistaken(draw: st.DrawFn, text: str) -> str:
    """A text with a few mistakes, as a tired person or a merge makes them."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 1, 2, 10, 80])))
        pieces = ["", " ", "\t", "\n", "'", '"', ":", "-", "[", "{", "}", "]", "#", "*a", "&a "]
        pieces += ["!x ", "<<: ", "null", "3", "é", "\x00", "\\", "=", ",", "|\n", text[:40]]
        text = text[:start] + draw(st.sampled_from(pieces)) + text[end:]
    return text


def check_places(problems: tuple[Problem, ...], text: str) -> None:
    """Every problem is at a place that there is, and can be shown."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for each in problems:
        assert 1 <= each.line <= len(lines), each
        assert 1 <= each.column <= len(lines[each.line - 1]) + 1, each
        assert each.length >= 1
        assert each.render().startswith(f"{each.file}:{each.line}:{each.column}: ")
        assert each.message == each.message.strip() != ""


@pytest.mark.parametrize("name", list(FILES))
@same_folder
@given(data=st.data())
def test_mistakes_in_the_text(site: Site, name: str, data: st.DataObject) -> None:
    text = data.draw(mistaken(FILES[name]))
    path = site.write(text, name)
    problems = validate(path, site.registry)
    check_places(problems, text)
    errors = tuple(each for each in problems if each.severity is Severity.ERROR)
    if errors:
        with pytest.raises(ConfigurationError) as caught:
            load(path, site.registry)
        assert caught.value.problems == errors
    else:
        assert load(path, site.registry).warnings == problems


SCHEMA = Draft202012Validator(rules_schema(make_registry()))
OF_THE_SCHEMA = {"MR210", "MR211", "MR212", "MR213", "MR214", "MR215", "MR216"}

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2**70)
    | st.floats()
    | st.sampled_from(["", "pacs", "route", "webhook", "timeout", "15s", "study", "a/b", "True"])
    | st.text(max_size=4)
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "action", "when", "url", "complete", "channel"]) | st.text(),
            inner,
            max_size=2,
        )
    ),
    max_leaves=4,
)


def paths(content: Any) -> list[tuple[Any, ...]]:
    """The paths of everything in a content."""
    below = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    return [(), *((key, *path) for key, each in below for path in paths(each))]


def replaced(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy in which the value at a path is another."""
    if not path:
        return value
    if isinstance(content, list):
        return [replaced(v, path[1:], value) if i == path[0] else v for i, v in enumerate(content)]
    return {k: replaced(v, path[1:], value) if k == path[0] else v for k, v in content.items()}


@same_folder
@given(path=st.sampled_from(paths(CONTENT)[1:]), value=anything)
def test_what_the_schema_takes_has_no_problem_of_its_kind(
    site: Site, registry: Registry, path: tuple[Any, ...], value: Any
) -> None:
    content = replaced(CONTENT, path, value)
    text = json.dumps(content)
    problems = validate(site.write(text, "m.json"), registry)
    check_places(problems, text)
    codes = {each.code for each in problems}
    if "MR202" not in codes and SCHEMA.is_valid(content):
        assert not codes & OF_THE_SCHEMA, [each.render() for each in problems]
