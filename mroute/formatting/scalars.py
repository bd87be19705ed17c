"""How a text is written in YAML: plain where that is possible, else in quotes, or as a block.

Knows what plain texts, quotes and blocks can hold, by the core schema of YAML 1.2. Does not know
keys, or where a text stands.
"""

from __future__ import annotations

import re

from mroute.config.yaml_scalars import resolve

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
"""What must be escaped: controls, and what some readers take for the end of a line."""

_NOT_PLAIN = re.compile(
    r"""[-?:](?:\s|$)|[,\[\]{}\#&*!|>'"%@`]|---|\.\.\.|<<$|=$|\s|$"""  # how a plain text begins
)
_WITHIN = re.compile(r":(?:\s|$)|\s\#|\s$")
_FLOW_SIGNS = re.compile(r"[,\[\]{}]|^[?:]|:[:?]")
_OLD_WORDS = frozenset({"y", "n", "yes", "no", "on", "off"})
_OLD_NUMBER = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-9_.:]*|[0-9_.]*)|[-+]?0b[01_]+|\d+-\d+-\d+.*")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def write_scalar(text: str, *, flow: bool = False, quoted: bool = False) -> str:
    """``text`` on one line so that it is read as a text.

    Args:
        text: what is written.
        flow: whether it stands within ``[...]`` or ``{...}``.
        quoted: whether its author put it in quotes. They stay around what readers of YAML 1.1 take
            for something else, such as 'no' and '12:30'.

    Returns:
        The text, in quotes where it takes them: of the kind that needs fewer escapes.
    """
    if is_plain(text, flow=flow) and not (quoted and _is_old(text)):
        return text
    return quote(text)


def quote(text: str) -> str:
    """``text`` in quotes, of the kind that needs fewer escapes."""
    if not _UNSEEN.search(text) and text.count("'") < text.count('"') + text.count("\\"):
        return "'" + text.replace("'", "''") + "'"
    return '"' + _escaped(text) + '"'


def is_plain(text: str, *, flow: bool) -> bool:
    """Whether ``text`` can be written as it is, and is read as a text."""
    return not (
        _NOT_PLAIN.match(text)
        or _WITHIN.search(text)
        or _UNSEEN.search(text)
        or (flow and _FLOW_SIGNS.search(text))
        or not isinstance(resolve(text), str)
    )


def block_lines(text: str) -> list[str] | None:
    """The lines of a literal block for ``text``; None where a block would need more than that."""
    lines = text.removesuffix("\n").split("\n")
    plain = all(line.strip(" ") or not line for line in lines) and not lines[0].startswith(" ")
    seen = not _UNSEEN.search(text.replace("\n", "").replace("\t", ""))
    return lines if plain and seen and lines[0] and lines[-1] else None


def folded_lines(text: str, width: int) -> list[str] | None:
    """The lines of a folded block for a text without line ends; None where it cannot be one."""
    if _UNSEEN.search(text) or "  " in text or text != text.strip(" ") or not text:
        return None
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return lines


def _is_old(text: str) -> bool:
    return text.lower() in _OLD_WORDS or _OLD_NUMBER.fullmatch(text) is not None


def _escaped(text: str) -> str:
    def escape(found: re.Match[str]) -> str:
        character = found.group()
        code = ord(character)
        if character in _ESCAPES:
            return _ESCAPES[character]
        return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"

    return re.sub(rf'["\\]|{_UNSEEN.pattern}', escape, text)
