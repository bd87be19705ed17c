"""The keys of one JSON object of mercure, each of which has to be taken or is told.

Knows which values mercure takes for the same, and which ask for nothing. Does not know any key:
what nobody takes is reported, so that nothing can be left out by omission.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mroute.mercure.codes import Code
from mroute.mercure.findings import Where

_TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})
_FALSE = frozenset({"0", "off", "f", "false", "n", "no"})


def is_off(value: Any) -> bool:
    """Whether a value asks for nothing: null, false, an empty text, list or object."""
    return value is None or value is False or value == "" or value == [] or value == {}


class Keys:
    """One object of the configuration. A value of the wrong type is told and given as it is.

    So it gets into the rule file, and `validate-rules` refuses it there, as mercure would have.
    """

    def __init__(self, content: Mapping[str, Any], where: Where) -> None:
        self.where = where
        self._left = dict(content)

    def take(self, key: str) -> Any:
        """The value of ``key``, None where there is none; it counts as converted."""
        return self._left.pop(key, None)

    def has(self, key: str) -> bool:
        """Whether ``key`` asks for something; it does not count as converted by that."""
        return not is_off(self._left.get(key))

    def text(self, key: str, default: str = "") -> Any:
        """The text of ``key``; ``default`` where it is empty. A number counts as its text."""
        value = self.take(key)
        if is_off(value) and value is not False:
            return default
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        return self._wrong(key, value, "a text")

    def flag(self, key: str, default: bool = False) -> Any:
        """True or false, also where it is written as a text or number."""
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if isinstance(value, str | int) and str(value).lower() in _TRUE | _FALSE:
            return str(value).lower() in _TRUE
        return self._wrong(key, value, "true or false")

    def number(self, key: str, default: int | None = None) -> Any:
        """A whole number, also where it is written as a text."""
        value = self.take(key)
        if value is None or value == "":
            return default
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        # As many digits as any number of a configuration could have: Python refuses thousands.
        if isinstance(value, str) and value.strip().isdecimal() and len(value) < 20:
            return int(value)
        return self._wrong(key, value, "a whole number")

    def names(self, key: str) -> Any:
        """A list of names; one text counts as a list of one, an empty one as none."""
        value = self.take(key)
        if is_off(value) and value is not False:
            return []
        if isinstance(value, str):
            return [value]
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return [each for each in value if each]
        return self._wrong(key, value, "a text or a list of texts")

    def mapping(self, key: str) -> Any:
        """A JSON object, empty where there is none."""
        value = self.take(key)
        if is_off(value) and value is not False:
            return {}
        return value if isinstance(value, dict) else self._wrong(key, value, "a JSON object")

    def drop(self, keys: Iterable[str], code: Code, message: str, hint: str = "") -> None:
        """Leave ``keys`` out; those that ask for something are told."""
        for key in keys:
            if not is_off(self.take(key)):
                self.where.tell(code, key, message, hint)

    def close(self) -> None:
        """Tell everything that nobody took."""
        hint = "look it up in mercure's documentation, and write by hand what it asks for"
        for key in self._left:
            self.where.tell(Code.UNKNOWN_KEY, key, "mroute does not know this key", hint)
        self._left.clear()

    def _wrong(self, key: str, value: Any, wanted: str) -> Any:
        message = f"this is {_kind(value)}, expected {wanted}"
        hint = "it is in the rule file as it is; correct it there"
        self.where.tell(Code.TYPE, key, message, hint)
        return value


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", bool: "a truth value", str: "a text"}
    return kinds.get(type(value), "null" if value is None else "a number")
