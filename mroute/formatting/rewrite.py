"""Formats a rule file, and replaces it only where what is new says the same.

Knows how a file is read, proved and replaced: whole or not at all. Does not know how any language
is written.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mroute.config.source import Source, decode, parse_source, read_bytes
from mroute.errors import ConfigurationError, ExpressionError, MrouteError
from mroute.expr import layout, parse
from mroute.formatting.content import (
    comments_in_expressions,
    expression_problems,
    expressions_of,
    meaning,
)
from mroute.registry import Registry

_LINE_END = re.compile("\r\n?")
_TOML_COMMENT = re.compile(r"(?m)#[^\n]*$")


@dataclass(frozen=True, slots=True)
class Formatted:
    """A file as it is (``before``, in bytes) and as it should be (``after``)."""

    path: Path
    before: bytes
    after: str

    @property
    def changed(self) -> bool:
        """Whether the file is not what it should be."""
        return self.before != self.after.encode("utf-8")


def format_file(path: Path, registry: Registry) -> Formatted:
    """The canonical form of the rule file ``path``, which is not changed.

    Raises `ConfigurationError` where the file cannot be read, and `MrouteError` as `format_text`.
    """
    before = read_bytes(path)
    return Formatted(path, before, format_text(str(path), decode(str(path), before), registry))


def format_text(file: str, text: str, registry: Registry) -> str:
    """The canonical form of the ``text`` of a rule file whose name is ``file``.

    Raises `ConfigurationError` where the text, or an expression in it, cannot be read, and
    `MrouteError` where the form would not say the same as the text: a mistake of the formatter.
    """
    source = _sound(file, _LINE_END.sub("\n", text))
    expressions = expressions_of(source, registry)
    problems = expression_problems(source, expressions)
    if problems:
        raise ConfigurationError(problems)
    formatted = _write(source, registry)
    _prove(file, text, formatted, registry)
    return formatted


def format_condition(text: str) -> str:
    """The canonical form of one condition, for no file.

    Raises `ExpressionError` where it does not parse, and `MrouteError` as `format_text`.
    """
    formatted = layout.format_expression(text)
    try:
        same = parse(formatted) == parse(text)
        kept = layout.comments_of(formatted) == layout.comments_of(text)
    except ExpressionError:
        same = kept = False
    if not same or not kept:
        what = "comments" if same else "content"
        raise MrouteError(
            f"the expression is not formatted: it would not have the same {what}; "
            "please report this with the expression"
        )
    return formatted


def replace_file(formatted: Formatted) -> None:
    """Write what the file should be: whole or not at all, with the mode and owner that it had.

    Raises `MrouteError` where it was changed in the meantime, is read-only or has another name (a
    hard link, which would keep the old text), and `OSError` where it cannot be written.
    """
    path = formatted.path.resolve()
    status = path.stat()
    # To root every file can be written, so its mode is asked too.
    if not status.st_mode & stat.S_IWUSR or not os.access(path, os.W_OK):
        raise MrouteError(f"'{formatted.path}' is read-only, left as it is")
    if status.st_nlink > 1:
        raise MrouteError(
            f"'{formatted.path}' has {status.st_nlink} names (hard links), left as it is: "
            "the others would keep the old text"
        )
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(formatted.after.encode("utf-8"))
            stream.flush()
            with suppress(PermissionError):  # only its owner may give a file away
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fchmod(descriptor, status.st_mode & 0o7777)
            os.fsync(descriptor)
        if path.read_bytes() != formatted.before:
            raise MrouteError(f"'{formatted.path}' was changed meanwhile and is left as it is")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _sound(file: str, text: str) -> Source:
    """The content of a text without any fault. Raises `ConfigurationError` where it has some."""
    source = parse_source(file, text)
    if source.problems:
        raise ConfigurationError(source.problems)
    return source


def _write(source: Source, registry: Registry) -> str:
    """The canonical form, in the language of the file."""
    from mroute.formatting.plain_text import format_json, format_toml
    from mroute.formatting.yaml_text import format_yaml

    expressions = expressions_of(source, registry)
    suffix = Path(source.file).suffix.lower()
    if suffix == ".json":
        return format_json(source, expressions)
    if suffix == ".toml":
        return format_toml(source, expressions)
    return format_yaml(source.text, {at: language for at, (_, language) in expressions.items()})


def _prove(file: str, text: str, formatted: str, registry: Registry) -> None:
    """Raise `MrouteError` unless the two texts say the same and have the same comments."""
    try:
        old, new = _sound(file, text), _sound(file, formatted)
        same = meaning(old, registry) == meaning(new, registry)
        kept = _comments(old, registry) == _comments(new, registry)
    except MrouteError:
        same = kept = False
    if not same or not kept:
        what = "comments" if same else "content"
        raise MrouteError(
            f"'{file}' is left as it is: formatted it would not have the same {what}; "
            "please report this with the file"
        )


def _comments(source: Source, registry: Registry) -> Counter[str]:
    """How often each comment is in a file."""
    from mroute.formatting.yaml_tree import read_document

    found = comments_in_expressions(expressions_of(source, registry))
    suffix = Path(source.file).suffix.lower()
    text = _LINE_END.sub("\n", source.text)
    if suffix == ".toml":
        found.update(each.rstrip() for each in _TOML_COMMENT.findall(text))
    elif suffix != ".json":
        found.update(read_document(text).comments)
    return found
