"""Signs and words that people know from elsewhere, each with what to write instead.

Knows only these tables. Does not know where such a word was found.
"""

from __future__ import annotations

from typing import Final

from mroute.expr.language import Language

_NO_POWERS = "there are no powers; multiply instead"
_NO_BITS = "write 'and', 'or' or 'not'"

OPERATORS: Final = {
    "=": "compare with '==', not '='",
    "===": "compare with '=='",
    "!==": "compare with '!='",
    "<>": "compare with '!='",
    "=>": "write '>='",
    "=<": "write '<='",
    "->": "nothing is assigned or passed on in a condition",
    ":=": "nothing can be assigned; compare with '=='",
    "&&": "write 'and'",
    "||": "write 'or'",
    "!": "write 'not', or '!=' to compare",
    "**": _NO_POWERS,
    "^": _NO_BITS,
    "~": "write 'not'",
    "<<": _NO_BITS,
    ">>": _NO_BITS,
    "++": "nothing can be assigned; write '+'",
    "+=": "nothing can be assigned; compare with '=='",
    "-=": "nothing can be assigned; compare with '=='",
    "*=": "nothing can be assigned; compare with '=='",
    "/=": "nothing can be assigned; compare with '!='",
    "%=": "nothing can be assigned; compare with '=='",
    "|=": "nothing can be assigned; compare with '=='",
    "&=": "nothing can be assigned; compare with '=='",
    ";": "write one condition; join several with 'and' or 'or'",
    "?": "write 'a if condition else b'",
    "{": "write lists in square brackets",
    "}": "write lists in square brackets",
    "$": "write tags.SeriesDescription for the value of a tag",
    "`": "put texts in straight quotes",
}
"""Sign to what to do instead."""

SMART_QUOTES: Final = {
    "\u2018": "'",
    "\u2019": "'",
    "\u201a": "'",
    "\u201b": "'",
    "\u2032": "'",
    "\u00b4": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u201e": '"',
    "\u201f": '"',
    "\u2033": '"',
    "\u00ab": '"',
    "\u00bb": '"',
}
"""Typographic quote to the straight one."""

_ONE_CONDITION = "a rule is one condition; join parts with 'and' or 'or'"

WORDS: Final = {
    "lambda": "call one of the functions of the language instead",
    "is": "compare with '=='; ask has(X) whether a tag is there",
    "await": _ONE_CONDITION,
    "async": _ONE_CONDITION,
    "yield": _ONE_CONDITION,
    "import": "functions come from plugins, nothing is imported",
    "from": "functions come from plugins, nothing is imported",
    "def": "functions come from plugins",
    "class": "functions come from plugins",
    "return": _ONE_CONDITION,
    "while": "use any(...) or all(...)",
    "with": _ONE_CONDITION,
    "try": "nothing needs to be caught: what cannot be evaluated is unknown",
    "assert": _ONE_CONDITION,
    "del": _ONE_CONDITION,
    "raise": _ONE_CONDITION,
    "global": _ONE_CONDITION,
    "elif": "write 'a if x else b if y else c'",
    "then": "write 'a if condition else b'",
    "match": "write matches(tags.SeriesDescription, 'pattern')",
    "None": "a missing tag is unknown; ask has(X) whether a tag is there",
    "null": "a missing tag is unknown; ask has(X) whether a tag is there",
    "true": "write True",
    "false": "write False",
    "TRUE": "write True",
    "FALSE": "write False",
    "AND": "write 'and' in small letters",
    "OR": "write 'or' in small letters",
    "NOT": "write 'not' in small letters",
    "IN": "write 'in' in small letters",
    "And": "write 'and' in small letters",
    "Or": "write 'or' in small letters",
    "Not": "write 'not' in small letters",
    "like": "use 'in' for texts within texts",
    "contains": "use 'in' for texts within texts: 'T2' in tags.SeriesDescription",
}
"""Word to what to do instead."""

_VALUE = {"NAME", "TEXT", "NUMBER", "LEGACY", "TRUE", "FALSE", "LPAR", "LSQB"}


def names_in_words(expected: set[str], language: Language) -> str:
    """What the grammar's terminals in ``expected`` are to a person, as "a, b or c"."""
    names = []
    if expected >= {"TEXT", "LPAR"}:
        value = "a value such as tags.Modality, 'MR' or 2"
        names.append("a name in quotes" if language is Language.COMPLETION else value)
        expected = expected - _VALUE
    for terminals, name in (
        ({"__COUNT_OPERATOR", "MORETHAN", "EQUAL", "__ANON_0"}, "a comparison"),
        ({"AND", "OR"}, "'and' or 'or'"),
        ({"ELSE"}, "'else'"),
        ({"IN"}, "'in'"),
        ({"RPAR"}, "')'"),
        ({"RSQB"}, "']'"),
        ({"COMMA"}, "','"),
        ({"NAME"}, "a name"),
        ({"NUMBER"}, "a number"),
    ):
        if expected & terminals:
            names.append(name)
    if not names and expected:
        names.append("an operator such as 'and' or 'or', or the end")
    if len(names) > 1 and "')'" in names:
        # All brackets match by now: one more would be the next mistake.
        names.remove("')'")
    if len(names) > 1:
        return ", ".join(names[:-1]) + " or " + names[-1]
    return "".join(names)
