"""A rule file as it was read: its content, and where everything in it is.

Knows files, suffixes, lines and columns. Does not know any of the languages, or what the content
means.
"""

from __future__ import annotations

import bisect
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from mroute.config.alignment import origins
from mroute.config.codes import Code
from mroute.config.nodes import Content, Fault, Node
from mroute.errors import ConfigurationError, Problem, Severity

MAX_BYTES = 64 * 1024 * 1024
"""Size of a rule file; a hundred thousand rules take twenty megabytes."""

_LINE_END = re.compile(r"\r\n|\n|\r")
_SHOWN = 400
"""Characters of the longest line that is shown; a longer one hides more than it shows."""


class Source:
    """The text of a file with its content; ``faults`` are what is wrong with the text itself."""

    def __init__(self, file: str, text: str, root: Node, faults: Sequence[Fault] = ()) -> None:
        self.file = file
        self.text = text
        self.root = root
        self.faults = tuple(faults)

    def of(self, root: Node) -> Source:
        """The same text with another content."""
        return Source(self.file, self.text, root, self.faults)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the text itself."""
        return tuple(
            self.problem(fault.start, fault.end, fault.code, fault.message, fault.hint)
            for fault in self.faults
        )

    def problem(
        self,
        start: int,
        end: int,
        code: Code,
        message: str,
        hint: str = "",
        severity: Severity = Severity.ERROR,
    ) -> Problem:
        """A problem of what is between two offsets, underlined to the end of its first line."""
        line, column, shown = self._place(start)
        length = max(1, min(end - start, len(shown) - column + 1))
        return Problem(
            message=_visible(message),
            code=code,
            hint=_visible(hint),
            severity=severity,
            file=self.file,
            line=line,
            column=column,
            length=length,
            source=_printable(shown) if len(shown) <= _SHOWN else "",
        )

    def at_node(
        self,
        node: Node,
        code: Code,
        message: str,
        hint: str = "",
        severity: Severity = Severity.ERROR,
    ) -> Problem:
        """A problem of a value."""
        end = node.end if node.entries is None and node.items is None else node.start + 1
        return self.problem(node.start, end, code, message, hint, severity)

    def within(self, node: Node, problem: Problem) -> Problem:
        """A problem of an expression, whose places are those in the value of ``node``."""
        value = str(node.value)
        lines = value.split("\n")[: problem.line]
        first = min(sum(len(line) + 1 for line in lines[:-1]) + problem.column - 1, len(value))
        offsets = origins(self.text, node)
        last = min(first + max(1, problem.length) - 1, len(value))
        start, end = offsets[first], offsets[last] + 1
        shown = self.problem(start, end, Code.VALUE, problem.message, problem.hint)
        return replace(shown, code=problem.code, severity=problem.severity)

    def _place(self, offset: int) -> tuple[int, int, str]:
        """Line and column, both from 1, and the line itself."""
        number = bisect.bisect_right(self._starts, offset) - 1
        start = self._starts[number]
        end = _LINE_END.search(self.text, start)
        return number + 1, offset - start + 1, self.text[start : end.start() if end else None]

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in _LINE_END.finditer(self.text))]


def _visible(text: str) -> str:
    """Nothing in a value may do something to the terminal, or be no text to it at all."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def _printable(line: str) -> str:
    """A line of the file without what a terminal would obey; every column stays where it is."""
    return "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line)


def read_source(path: Path) -> Source:
    """Read a rule file; the suffix tells JSON and TOML, everything else is YAML.

    Raises `ConfigurationError` where there is nothing that could be looked at further.
    """
    return parse_source(str(path), decode(str(path), read_bytes(path)))


def parse_source(file: str, text: str) -> Source:
    """Read the text of a rule file called ``file``.

    Raises `ConfigurationError` where there is nothing that could be looked at further.
    """
    nothing = Node({}, 0, 1, entries={})
    if not text.strip():
        raise ConfigurationError(Source(file, text, nothing, [_EMPTY]).problems)
    content = _reader(Path(file).suffix.lower())(text)
    faults = list(content.faults)
    root = content.root
    if root is None and not faults:
        faults.append(_EMPTY)
    elif root is not None and root.entries is None:
        faults.append(Fault(root.start, root.start + 1, Code.NO_MAPPING, *_NO_MAPPING))
    if root is None or root.entries is None:
        raise ConfigurationError(Source(file, text, nothing, faults).problems)
    return Source(file, text, root, faults)


_STARTER = "'mroute init DIR' writes one to start from"
_EMPTY = Fault(0, 1, Code.NO_MAPPING, "the file is empty, expected a rule file", _STARTER)
_NO_MAPPING = (
    "the top level of a rule file is a mapping with keys such as 'version' and 'rules'",
    _STARTER,
)


def _reader(suffix: str) -> Callable[[str], Content]:
    # Imported when a file of the kind is read: the others are not needed then.
    if suffix == ".json":
        from mroute.config.plain_nodes import read_json

        return read_json
    if suffix == ".toml":
        from mroute.config.plain_nodes import read_toml

        return read_toml
    from mroute.config.yaml_nodes import read_yaml

    return read_yaml


_NOT_A_FILE: Mapping[Callable[[int], bool], str] = {
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}


def read_bytes(path: Path) -> bytes:
    """What is in a rule file. Raises `ConfigurationError` where it is none, or cannot be read."""
    try:
        status = path.stat()
        for is_such, what in _NOT_A_FILE.items():
            if is_such(status.st_mode):
                raise _unreadable(path, f"this is {what}, expected a rule file")
        if status.st_size > MAX_BYTES:
            limit = MAX_BYTES // 1024 // 1024
            raise _unreadable(path, f"the file is larger than {limit} MB, the most that is read")
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        hint = "check the path, or make a file with 'mroute init DIR'"
        raise _unreadable(path, f"the file cannot be read: {reason}", hint) from error
    except ValueError as error:
        raise _unreadable(path, f"the file cannot be read: {error}") from error


def _unreadable(path: Path, message: str, hint: str = "") -> ConfigurationError:
    return ConfigurationError([Problem(message, Code.UNREADABLE, hint, file=str(path))])


def decode(file: str, content: bytes) -> str:
    """The text of a rule file. Raises `ConfigurationError` where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")
        source = Source(file, before, Node({}, 0, 1, entries={}))
        message = f"the file is not UTF-8: byte 0x{error.object[error.start]:02x}"
        hint = "save the file as UTF-8"
        at = len(before)
        raise ConfigurationError(
            [source.problem(at, at + 1, Code.ENCODING, message, hint)]
        ) from error
