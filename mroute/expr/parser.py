"""The first of three steps: from a text to a tree, or to the problems that prevent it.

Knows the limits on a text and on the depth of a tree. Does not know the grammar (grammar.lark), why
a text does not parse (diagnosis), or whether a tree makes sense (checker).
"""

from __future__ import annotations

from mroute.errors import ExpressionError, Problem
from mroute.expr.errors import Code, problem_at
from mroute.expr.language import MAX_LENGTH, MAX_NESTING, Language
from mroute.expr.nodes import Node, Tree, walk
from mroute.expr.scopes import with_owners

_EMPTY_HINTS = {
    Language.CONDITION: "write a condition such as tags.Modality == 'MR'; True is always true",
    Language.COMPLETION: "write the series to wait for, such as 'Axial T2' and 'SAG T1'",
    Language.STUDY: "write a condition such as any(s.Modality == 'CT' for s in series)",
}


def parse(text: str, language: Language = Language.CONDITION) -> Tree:
    """Read ``text``, an expression of ``language``.

    Raises `ExpressionError` with the problems found; their lines and columns count from 1 within
    the text. Takes no longer than in proportion to the length of the text, whatever is in it.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError([_too_long(text)])
    if not text.strip():
        hint = _EMPTY_HINTS[language]
        raise ExpressionError([problem_at("", (0, 1), Code.EMPTY, "the expression is empty", hint)])
    from lark import UnexpectedInput  # importing Lark takes long: only when there is work for it

    from mroute.expr.builder import lark_parser
    from mroute.expr.diagnosis import diagnose, hidden_characters, too_many_brackets

    problems = too_many_brackets(text)
    if problems:
        raise ExpressionError(problems)
    try:
        root = lark_parser().parse(text, start=str(language))
    except UnexpectedInput as error:
        raise ExpressionError(diagnose(text, language, error)) from None
    assert isinstance(root, Node)
    problems = [*hidden_characters(text), *_too_deep(text, root)]
    if problems:
        raise ExpressionError(problems)
    return Tree(with_owners(root, text) if language is Language.STUDY else root, language, text)


def _too_long(text: str) -> Problem:
    return problem_at(
        text[:80],
        (0, 1),
        Code.TOO_LONG,
        f"the expression has {len(text):,} characters, at most {MAX_LENGTH:,} are allowed",
        "split the rule into several",
    )


def _too_deep(text: str, root: Node) -> list[Problem]:
    for node, depth in walk(root):
        if depth > MAX_NESTING:
            return [
                problem_at(
                    text,
                    node.place,
                    Code.TOO_DEEP,
                    f"operators are nested more than {MAX_NESTING} deep",
                    "split the rule into several",
                )
            ]
    return []
