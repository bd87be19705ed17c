"""Where keys and values are in a JSON or TOML text that is known to be correct.

Knows brackets, quotes and separators of both. Does not know values: those come from the parsers of
the standard library, which report no places.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field

from mroute.config.nodes import Path, Style

_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_TOML_TEXTS = (
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})',
    r"'''.*?'''(?:'{0,2})",
    r'"(?:[^"\\]|\\.)*"',
    r"'[^']*'",
)
_TOML_TEXT = re.compile("|".join(_TOML_TEXTS), re.DOTALL)
_BARE = re.compile(r"[^\s,\]}#]+(?: \d[^\s,\]}#]+)?")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:\s|#[^\n]*)*")


@dataclass(slots=True)
class Spans:
    """Places by path; ``repeated`` are keys that their mapping has already."""

    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int, Style]] = field(default_factory=dict)
    repeated: list[tuple[str, int, int]] = field(default_factory=list)


def json_spans(text: str) -> Spans:
    """The places in a JSON text that `json` reads without an error."""
    scanner = _Scanner(text, toml=False)
    scanner.blank()
    scanner.value(())
    return scanner.spans


def toml_spans(text: str) -> Spans:
    """The places in a TOML text that `tomllib` reads without an error."""
    scanner = _Scanner(text, toml=True)
    scanner.tables()
    return scanner.spans


class _Scanner:
    def __init__(self, text: str, toml: bool) -> None:
        self.text = text
        self.toml = toml
        self.at = 0
        self.spans = Spans()
        self._tables: dict[Path, int] = {}

    def blank(self) -> None:
        """Go on to what is no white space and no comment."""
        found = _BLANK.match(self.text, self.at) if self.toml else None
        while not self.toml and self.text[self.at : self.at + 1].isspace():
            self.at += 1
        self.at = found.end() if found else self.at

    def tables(self) -> None:
        """All of a TOML document."""
        above: Path = ()
        self.blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                above = self._header()
            else:
                self._entry(above, "=")
            self.blank()

    def value(self, path: Path) -> None:
        """A value and all within it."""
        start = self.at
        style = Style.PLAIN
        match self.text[start]:
            case "{" | "[" as bracket:
                self._collection(path, bracket)
            case '"' | "'":
                style = self._text()
            case _:
                found = _BARE.match(self.text, start)
                self.at = found.end() if found else start + 1
        self.spans.values[path] = (start, self.at, style)

    def _collection(self, path: Path, bracket: str) -> None:
        number = 0
        self.at += 1
        self.blank()
        while self.text[self.at] not in "]}":
            if bracket == "{":
                self._entry(path, "=" if self.toml else ":")
            else:
                self.value((*path, number))
                number += 1
            self.blank()
            if self.text[self.at] == ",":
                self.at += 1
                self.blank()
        self.at += 1

    def _entry(self, above: Path, separator: str) -> None:
        path = self._key(above, separator)
        self.at += 1
        self.blank()
        self.value(path)

    def _key(self, path: Path, closing: str) -> Path:
        """A key, dotted in TOML, up to the character ``closing``."""
        while True:
            self.blank()
            start = self.at
            if self.text[start] in "\"'":
                self._text()
                key = self._unquoted(self.text[start : self.at])
            else:
                found = _BARE_KEY.match(self.text, start)
                assert found is not None, "the parser has read this text"
                self.at, key = found.end(), found.group()
            path = (*path, key)
            last = (start, self.at)
            self.blank()
            if self.text[self.at] == closing:
                if path in self.spans.keys and closing == ":":
                    self.spans.repeated.append((key, *last))
                self.spans.keys[path] = last
                return path
            self.spans.keys.setdefault(path, last)
            self.at += 1

    def _header(self) -> Path:
        """``[table]`` or ``[[array of tables]]``; the path of what comes below it."""
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        start = self.at
        path = self._key((), "]")
        resolved: Path = ()
        for key in path[:-1]:
            resolved = self._newest((*resolved, key))
        resolved = (*resolved, path[-1])
        if array:
            self._tables[resolved] = self._tables.get(resolved, -1) + 1
        resolved = self._newest(resolved)
        self.spans.keys.setdefault(resolved, self.spans.keys[path])
        self.spans.values.setdefault(resolved, (start, self.at, Style.PLAIN))
        self.at += 2 if array else 1
        return resolved

    def _newest(self, path: Path) -> Path:
        return (*path, self._tables[path]) if path in self._tables else path

    def _text(self) -> Style:
        found = (_TOML_TEXT if self.toml else _JSON_TEXT).match(self.text, self.at)
        assert found is not None, "the parser has read this text"
        self.at = found.end()
        token = found.group()
        if not self.toml:
            return Style.JSON
        if token.startswith('"""'):
            return Style.LINES
        if token.startswith("'''"):
            return Style.RAW_LINES
        return Style.DOUBLE if token.startswith('"') else Style.RAW

    def _unquoted(self, token: str) -> str:
        value = tomllib.loads(f"key = {token}")["key"] if self.toml else json.loads(token)
        return str(value)
