"""Whatever is in a file: it is refused, or formatted to what says the same and stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mroute.errors import ConfigurationError
from mroute.formatting import format_text
from mroute.formatting.scalars import write_scalar
from tests.unit.config.conftest import BLUEPRINT, make_registry
from tests.unit.config.test_properties import FILES, mistaken

REGISTRY = make_registry()
COMMENTED = """\
# yaml-language-server: $schema=rules.schema.json
# of the site

rules:  # beside
  # above
  a: &first
    fallback: true  # f
    when: |  # header
      tags.Modality == 'MR' # one
      and (has(Rows) # two
        or True)
    # before the list
    targets: [one,  # first
      # second
      "no"]
    # tail
  # before b
  b: {action: discard, when: "@Modality@ == 'CT'", comment: >-}

  c:
    <<: *first
    notify:
    - url: "https://x.example"
      # about the channel
      channel: webhook
    -  # dash
      channel: mail
    # what follows
    action: route
    comment: >
      folded and
      long

version: 1
# the end
"""
TEXTS = {**FILES, "commented.yaml": COMMENTED}


def formatted(name: str, text: str) -> str | None:
    try:
        return format_text(name, text, REGISTRY)
    except ConfigurationError:
        return None


@pytest.mark.parametrize("name", list(TEXTS))
@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_file_is_refused_or_stays_what_it_says(name: str, data: st.DataObject) -> None:
    text = data.draw(mistaken(TEXTS[name]))
    once = formatted(name, text)
    if once is not None:
        assert formatted(name, once) == once


KEYS = st.text("ab-:#?'\"[{ é\u00a0\\", min_size=1, max_size=5)
VALUES = st.one_of(
    st.sampled_from(
        ["yes", "no", "on", "null", "~", "1.0", "1e3", "0x1", "true", "12:30", "", "<<", "=", "---"]
    ),
    st.text(max_size=6),
    st.text("-:#?'\"[]{},&*!|>%@` \\ab\n\t", max_size=5),
)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.dictionaries(KEYS, VALUES, max_size=4), st.booleans())
def test_any_text_is_read_again_as_it_was(content: dict[str, str], flow: bool) -> None:
    from mroute.config.yaml_nodes import read_yaml

    pairs = [
        f"{write_scalar(k, flow=flow)}: {write_scalar(v, flow=flow)}" for k, v in content.items()
    ]
    text = "{" + ", ".join(pairs) + "}\n" if flow else "\n".join(pairs) + "\n"
    if content:
        read = read_yaml(text)
        assert read.faults == ()
        assert read.root is not None
        assert read.root.value == content


def test_the_example_of_the_blueprint_is_formatted_to_something_stable() -> None:
    once = formatted("mroute.yaml", BLUEPRINT)
    assert once is not None
    assert formatted("mroute.yaml", once) == once
    assert once.count("#") == BLUEPRINT.count("#")
