"""The canonical text of expressions: examples, and what holds for every text with comments."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mroute.errors import ExpressionError
from mroute.expr import Language
from mroute.expr.layout import WIDTH, comments_of, format_expression
from mroute.expr.nodes import Node, Tree
from mroute.expr.parser import parse
from mroute.expr.printer import print_tree
from tests.unit.expr.strategies import conditions
from tests.unit.expr.test_properties import COMPLETIONS

SOME = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
_PIECES = re.compile(
    r"""[rR]?'(?:[^'\\]|\\.)*'|[rR]?"(?:[^"\\]|\\.)*"|[0-9][0-9.]*(?:e[+-]?[0-9]+)?|\w+|[<>=!]=|//|\S"""
)
_BETWEEN = st.sampled_from(
    [" ", " ", " ", "  ", "\n", "\n\n", "\t", "\r\n", " # one\n", "\n# two\n"]
)


@st.composite
def scattered(draw: st.DrawFn, roots: st.SearchStrategy[Node], language: Language) -> str:
    """The text of a random tree with blanks, line breaks and comments between its pieces."""
    pieces = _PIECES.findall(print_tree(Tree(draw(roots), language)))
    text = ""
    for number, piece in enumerate(pieces):
        between = draw(_BETWEEN)
        text += between.replace("one", f"one {number}").replace("two", f"two {number}") + piece
    return text + draw(_BETWEEN)


def check_formatted(text: str, language: Language, width: float) -> None:
    """What the format of any text has to keep."""
    formatted = format_expression(text, language, width)
    assert parse(formatted, language) == parse(text, language)
    assert format_expression(formatted, language, width) == formatted
    assert comments_of(formatted, language) == comments_of(text, language)
    assert formatted.count("#") >= len(comments_of(text, language))
    for line in formatted.split("\n"):
        assert line == line.rstrip() != ""
        assert "\t" not in line


@SOME
@given(scattered(conditions(), Language.CONDITION), st.sampled_from([20, 60, WIDTH, float("inf")]))
def test_a_condition_keeps_its_tree_and_comments(text: str, width: float) -> None:
    check_formatted(text, Language.CONDITION, width)


def test_a_broken_operand_keeps_its_parentheses() -> None:
    text = "has(Rows) == (any_of(tags.Modality, ['aaaa']) == any_of(tags.Modality, ['bbbb']))"
    formatted = format_expression(text, width=20)
    assert "\n" in formatted
    assert parse(formatted).root == parse(text).root


@SOME
@given(scattered(COMPLETIONS, Language.COMPLETION), st.sampled_from([20, WIDTH]))
def test_a_completion_keeps_its_tree_and_comments(text: str, width: float) -> None:
    check_formatted(text, Language.COMPLETION, width)


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ("@Modality@=='MR'", "tags.Modality == 'MR'"),
        (
            "('Tr' in @ManufacturerModelName@) | (@ManufacturerModelName@ == \"Trio\")",
            "'Tr' in tags.ManufacturerModelName or tags.ManufacturerModelName == 'Trio'",
        ),
        ('tags["Modality"] in ("a\'b",r"c\\d",)', "tags['Modality'] in [\"a'b\", 'c\\\\d']"),
        # What a number is stays as it was written where it has an exponent, or is too large.
        ("1E-3<2.50 < .5", "1e-3 < 2.5 < 0.5"),
        ("tags.Rows<1e999", "tags.Rows < 1e999"),
        # The short spelling of the two functions that take the name of a tag.
        ("has(tags.Rows)and empty( Rows )", "has(Rows) and empty(Rows)"),
        ("'Rows' in tags", "has(tags['Rows'])"),
    ],
)
def test_the_spelling(text: str, formatted: str) -> None:
    assert format_expression(text) == formatted


WRITTEN = """\
# the head
tags.Modality in ('CT', # ct
  'MR') # list
  # about the text
  and 'head' in tags.StudyDescription.lower() # end of line
  and ( # opened
    tags.Rows == 1 # one
    or tags.Rows == ( # within
     2) # two
    # last in brackets
  ) # closed
  # the end"""
LAID_OUT = """\
# the head
tags.Modality in [
  'CT',  # ct
  'MR',
]  # list
# about the text
and 'head' in tags.StudyDescription.lower()  # end of line
and (
  # opened
  tags.Rows == 1  # one
  # within
  or tags.Rows == 2  # two
  # last in brackets
)  # closed
# the end"""


def test_comments_stay_at_their_clauses() -> None:
    assert format_expression(WRITTEN) == LAID_OUT


def test_a_comment_behind_the_brackets_of_all_has_a_line_of_its_own() -> None:
    text = "(tags.Modality == 'CT' # one\n and tags.Rows > 2 # two\n) # three"
    formatted = "tags.Modality == 'CT'  # one\nand tags.Rows > 2  # two\n# three"
    assert format_expression(text) == formatted
    assert format_expression(formatted) == formatted
    assert comments_of(formatted) == ("# one", "# two", "# three")


LONG = """\
any(
  x in tags.SeriesDescription and len(tags.SeriesDescription) > 20
  for x in ['a first long word', 'a second long word']
  if x != 'y'
)
and not (
  tags.SliceThickness <= 5
  or tags.SeriesDescription.lower().startswith(
    ['a first long word', 'a second long word', 'a third', 'a fourth', 'and a fifth']
  )
)
and (
  tags.Modality
  if has(Modality)
  else 'a long word that is there so that the line would be too long'
) == 'MR'"""


def test_a_long_expression_has_a_clause_a_line() -> None:
    assert format_expression(" ".join(LONG.split())) == LONG
    assert max(map(len, LONG.split("\n"))) <= WIDTH


def test_what_has_no_place_to_break_is_left_long() -> None:
    text = f"tags.SeriesDescription == '{'x' * WIDTH}'"
    assert format_expression(text) == text


def test_a_text_that_does_not_parse_is_refused() -> None:
    with pytest.raises(ExpressionError, match="'=' is no operator here"):
        format_expression("tags.Modality = 'MR'")


def test_many_comments_take_no_time_worth_mentioning() -> None:
    text = "True" + "".join(f" and # {i}\nTrue" for i in range(1500))
    assert len(comments_of(format_expression(text))) == 1500
