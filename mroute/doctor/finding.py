"""What a check has found: how it is, what it is, and what to do about it.

Knows which exit code the findings deserve together. Does not know any check.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mroute.errors import ExitCode

_GRAVEST_FIRST = (ExitCode.CONFIGURATION, ExitCode.SPOOL, ExitCode.PROBLEMS)


class State(StrEnum):
    """How something is: a remark is worth knowing, a problem has to be seen to."""

    OK = "ok"
    REMARK = "remark"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says; ``code`` is the exit code that a problem deserves."""

    state: State
    said: str
    advice: str = ""
    code: ExitCode = ExitCode.PROBLEMS


def ok(said: str) -> Finding:
    """Something is as it should be."""
    return Finding(State.OK, said)


def remark(said: str, advice: str = "") -> Finding:
    """Something is worth knowing."""
    return Finding(State.REMARK, said, advice)


def problem(said: str, advice: str, code: ExitCode = ExitCode.PROBLEMS) -> Finding:
    """Something is wrong."""
    return Finding(State.PROBLEM, said, advice, code)


def complaint(sentence: str, advice: str = "", code: ExitCode = ExitCode.PROBLEMS) -> Finding:
    """A problem in a sentence, which says what to do behind its first semicolon.

    ``advice`` is what to do where it does not.
    """
    said, _, told = sentence.partition("; ")
    return problem(said, told or advice, code)


def command(*words: object) -> str:
    """A command in quotes, such as a shell takes between them."""
    return f"'{shlex.join(map(str, words))}'"


def counted(number: int, what: str) -> str:
    """A number with what it counts: ``1 rule``, ``2 rules``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def exit_code(findings: Iterable[Finding]) -> ExitCode:
    """The gravest that a problem deserves."""
    codes = {each.code for each in findings if each.state is State.PROBLEM}
    return next((code for code in _GRAVEST_FIRST if code in codes), ExitCode.OK)
