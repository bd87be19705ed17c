"""What is read: trees, places, and how they are spelled again."""

from __future__ import annotations

import pytest

from mroute.errors import ExpressionError, Severity
from mroute.expr import BUILTINS, Language, check, compile_condition, compile_text, parse
from mroute.expr.dictionary import FACTS, canonical
from mroute.expr.nodes import And, Binary, Call, Compare, Literal, Not, Or, Tag, walk
from mroute.expr.printer import print_tree
from mroute.expr.spelling import read_text, write_text


@pytest.mark.parametrize(
    ("text", "canonical_text"),
    [
        ("@Modality@=='MR'", "tags.Modality == 'MR'"),
        ('tags["Modality"] == "MR"', "tags['Modality'] == 'MR'"),
        ("('Tr' in @Rows@) | (@Rows@ == 'x')", "'Tr' in tags.Rows or tags.Rows == 'x'"),
        ("(has(Rows)) & (True)", "has(tags.Rows) and True"),
        ("'Rows' not in tags", "not has(tags['Rows'])"),
        ("1 in (1, 2,)", "1 in [1, 2]"),
        ("any([x == 1 for x in [1]])", "any(x == 1 for x in [1])"),
        ("(1 + 2) * 3 == 9", "(1 + 2) * 3 == 9"),
        ("1 - (2 - 3) == 2", "1 - (2 - 3) == 2"),
        ("(1 - 2) - 3 == -4", "1 - 2 - 3 == -4"),
        ("not (True and False)", "not (True and False)"),
        ("(True or False) or True", "(True or False) or True"),
        ("has(Rows) # why\n  and\tTrue", "has(tags.Rows) and True"),
        ("(True if True else False) and True", "(True if True else False) and True"),
        (r"tags.Rows == r'a\n'", r"tags.Rows == 'a\\n'"),
        ("tags.Rows[1:][::2] == ''", "tags.Rows[1:][::2] == ''"),
        ("(-1) < 2.50", "-1 < 2.5"),
    ],
)
def test_the_canonical_spelling(text: str, canonical_text: str) -> None:
    assert print_tree(parse(text)) == canonical_text
    assert parse(canonical_text).root == parse(text).root


def test_precedence_is_that_of_python() -> None:
    assert parse("True or not False and 1 + 2 * 3 == 7").root == Or(
        (
            Literal(True),
            And(
                (
                    Not(Literal(False)),
                    Compare(
                        ("==",),
                        (
                            Binary("+", Literal(1), Binary("*", Literal(2), Literal(3))),
                            Literal(7),
                        ),
                    ),
                )
            ),
        )
    )
    assert parse("'a' in tags.Rows | tags.Columns").root == Compare(
        ("in",), (Literal("a"), Or((Tag("Rows"), Tag("Columns"))))
    )


def test_literals_of_different_kinds_are_different() -> None:
    assert Literal(1) != Literal(True)
    assert Literal(1) != Literal(1.0)
    assert len({Literal(1), Literal(1.0), Literal(True)}) == 3
    assert Literal(1) != "1"


def test_places_are_those_of_the_text() -> None:
    text = "not has(Rows) and tags.Columns == -512 or any(x in 'a' for x in ['b'])"
    places = {
        type(n).__name__: text[slice(*n.place)] for n, _ in reversed(list(walk(parse(text).root)))
    }
    assert places["Not"] == "not has(Rows)"
    assert places["Call"] == "has(Rows)"
    assert places["Compare"] == "x in 'a'"
    assert places["Unary"] == "-512"
    assert places["Loop"] == "any(x in 'a' for x in ['b'])"
    assert places["Or"] == text


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a",
        "'",
        '"',
        "'\"",
        "\\",
        "\\n",
        "a\nb",
        "\x00\x1f",
        "\udcb1",
        "é",
        "\u202e",
        "\U0001f600",
        "\U000e0001",
    ],
)
def test_texts_are_written_so_that_they_read_the_same(value: str) -> None:
    written = write_text(value)
    assert read_text(written) == value
    assert written[1:-1].isprintable()


@pytest.mark.parametrize(
    ("token", "value"),
    [
        (r"'a\\b'", "a\\b"),
        (r"'a\Qb'", "a\\Qb"),
        (r"'\x41\u0042\U00000043\101'", "ABCA"),
        (r"'\U00110000'", r"\U00110000"),
        (r"'\xZZ'", r"\xZZ"),
        (r"r'\x41'", r"\x41"),
        (r'''"it's \"it\""''', 'it\'s "it"'),
    ],
)
def test_escapes(token: str, value: str) -> None:
    assert read_text(token) == value


def test_blanks_of_other_scripts_may_stand_in_texts() -> None:
    program = compile_text("tags.PatientName == '\u5c71\u7530\u3000\u592a\u90ce\u00a0'")
    assert program.value({"PatientName": "\u5c71\u7530\u3000\u592a\u90ce\u00a0"}) is True


def test_the_dictionary_knows_keywords_and_facts() -> None:
    assert canonical("seriesDESCRIPTION") == "SeriesDescription"
    assert canonical("overlayrows") == "OverlayRows"
    assert [canonical(fact.upper()) for fact in FACTS] == list(FACTS)
    assert canonical("SeriesDesciption") is None
    assert canonical("") is None


def test_warnings_do_not_keep_an_expression_from_being_used() -> None:
    checked = check(parse("tags['Odd'] in ('MR')"), BUILTINS)
    assert [problem.severity for problem in checked.problems] == [Severity.WARNING] * 2
    assert checked.errors == ()
    assert compile_condition(checked).value({"Odd": "M"}) is True


def test_private_tags_by_number_are_no_warning() -> None:
    assert check(parse('tags["0019,100c"] == "1000"'), BUILTINS).problems == ()


def test_what_has_errors_is_not_compiled() -> None:
    checked = check(parse("tags.Odd == 'MR' or lenn('a') == 1 or tags['Odd'] == ''"), BUILTINS)
    with pytest.raises(ExpressionError) as caught:
        compile_condition(checked)
    assert caught.value.problems == checked.problems
    assert [problem.severity for problem in checked.errors] == [Severity.ERROR] * 2


def test_the_languages_are_not_mixed() -> None:
    completion = check(parse("'T1'", Language.COMPLETION), {})
    with pytest.raises(ValueError, match="compile_completion"):
        compile_condition(completion)
    with pytest.raises(ExpressionError):
        compile_text("'T1' and 'T2'")


def test_functions_are_those_that_are_given() -> None:
    assert check(parse("len('a') == 1"), BUILTINS).errors == ()
    (problem,) = check(parse("len('a') == 1"), {}).errors
    assert problem.message == "unknown function 'len'"
    assert parse("len('a') == 1").root == Compare(
        ("==",), (Call("len", (Literal("a"),)), Literal(1))
    )


@pytest.mark.parametrize(
    ("language", "hint"),
    [
        (Language.CONDITION, "write a condition such as tags.Modality == 'MR'"),
        (Language.COMPLETION, "write the series to wait for, such as 'Axial T2' and 'SAG T1'"),
        (Language.STUDY, "write a condition such as any(s.Modality == 'CT' for s in series)"),
    ],
)
def test_an_empty_expression_is_refused_with_an_example(language: Language, hint: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse(" ", language)
    (problem,) = raised.value.problems
    assert problem.message == "the expression is empty"
    assert problem.hint.startswith(hint)
