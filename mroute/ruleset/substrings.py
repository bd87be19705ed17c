"""Which of many texts occur in another.

Knows two ways with the same answers: the automaton of pyahocorasick, which is an optional library,
and one in Python that looks for the beginnings of the texts. Does not know what is filed under a
text that occurs (table).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Final, TypeAlias

Search: TypeAlias = Callable[[str], Iterable[str]]
"""The texts that occur in a text, in any order, some perhaps several times."""

_FEW: Final = 8
"""So many texts are looked for one by one."""

_BEGINNING: Final = 3
"""Characters of a text by which it is found."""

_SLOWER: Final = 12
"""How much longer a look at a beginning takes than one for a whole text, as measured."""


def is_accelerated() -> bool:
    """Whether pyahocorasick is installed."""
    return importlib.util.find_spec("ahocorasick") is not None


def search_for(texts: Sequence[str], accelerated: bool) -> Search:
    """What finds those of ``texts``, each there once, that occur in a text.

    With ``accelerated``, by pyahocorasick. Raises `ImportError` where that is not installed.
    """
    if len(texts) <= _FEW:
        return lambda text: [each for each in texts if each in text]
    sought = [each for each in texts if each]
    # The empty text is in every text.
    always = [""] if "" in texts else []
    found = _automaton(sought) if accelerated else _by_beginning(sought)
    return (lambda text: [*always, *found(text)]) if always else found


def _automaton(texts: Sequence[str]) -> Search:
    import ahocorasick

    automaton: Any = ahocorasick.Automaton()
    for text in texts:
        automaton.add_word(text, text)
    automaton.make_automaton()
    most = _SLOWER * len(texts)

    def found(text: str) -> Iterable[str]:
        hits = automaton.iter(text)
        there = {found for _, found in islice(hits, most)}
        # Texts within texts can be found at every character: then one look for each is quicker.
        return there if next(hits, None) is None else [each for each in texts if each in text]

    return found


def _by_beginning(texts: Sequence[str]) -> Search:
    beginnings: dict[str, list[str]] = {}
    for text in texts:
        beginnings.setdefault(text[:_BEGINNING], []).append(text)
    lengths = sorted({len(beginning) for beginning in beginnings})

    def found(text: str) -> Iterable[str]:
        if len(text) * len(lengths) * _SLOWER > len(texts):
            return [each for each in texts if each in text]
        return {
            each
            for length in lengths
            for start in range(len(text) - length + 1)
            for each in beginnings.get(text[start : start + length], ())
            if text.startswith(each, start)
        }

    return found
