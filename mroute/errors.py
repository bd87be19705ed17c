"""The errors of mroute as one tree, and `Problem`, a finding with its place in a file.

Knows how a finding is shown to the person at the keyboard and which exit code an error
deserves. Does not know who finds or reports anything.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

_EXHAUSTION = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
_SHORTAGES = _EXHAUSTION | {errno.EAGAIN, errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class ExitCode(IntEnum):
    """Exit codes of the command line (blueprint section 9)."""

    OK = 0
    PROBLEMS = 1
    USAGE = 2
    CONFIGURATION = 3
    SPOOL = 4


class Severity(StrEnum):
    """How bad a problem is: an error stops a configuration from being used, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding in a file or expression.

    ``line`` and ``column`` count from 1, ``length`` is the number of characters to underline and
    ``source`` is the line of text itself (empty when there is none to show).
    """

    message: str
    code: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    file: str | None = None
    line: int = 1
    column: int = 1
    length: int = 1
    source: str = ""

    def at(self, *, file: str | None, line: int, column: int, source: str) -> Problem:
        """The same finding at another place: an expression's problem seen from its file."""
        return replace(self, file=file, line=line, column=column, source=source)

    @property
    def place(self) -> str:
        """``file:line:column``, or ``line:column`` outside a file."""
        where = f"{self.line}:{self.column}"
        return f"{self.file}:{where}" if self.file else where

    def render(self) -> str:
        """Several lines for a person: place and message, the source with a caret, the hint."""
        lines = [f"{self.place}: {self.severity}: {self.message} [{self.code}]"]
        if self.source:
            gutter = f"{self.line:>5} | "
            # Tabs are kept so that the caret stays below what it points at.
            blank = "".join("\t" if c == "\t" else " " for c in self.source[: self.column - 1])
            room = max(1, len(self.source) - (self.column - 1))
            lines.append(gutter + self.source)
            lines.append(" " * (len(gutter) - 2) + "| " + blank + "^" * min(self.length, room))
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


def describe(error: Exception) -> str:
    """An error as a sentence: of the operating system's, the file and what is wrong with it."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"'{error.filename}': {error.strerror}"
    return str(error)


def is_shortage(error: OSError) -> bool:
    """Whether this machine is short of something: nothing is wrong with the file, and it passes.

    A file system that was made read-only is one more of that kind.
    """
    return error.errno in _SHORTAGES


def is_exhaustion(error: BaseException) -> bool:
    """Whether this process or machine has run out of open files, or of memory.

    Whatever it talks to has nothing to do with that, be it a disk or another machine.
    """
    # A subclass may have numbers of its own, as `ssl.SSLError` does.
    return type(error) is OSError and error.errno in _EXHAUSTION


def raise_exhaustion(error: BaseException) -> None:
    """Raise the error below ``error`` that says that this machine has run out of something."""
    for each in causes(error):
        if is_exhaustion(each):
            raise each


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that brought it about."""
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__ or each.__context__


class MrouteError(Exception):
    """Root of every error that mroute raises on purpose; its text is meant for a person."""

    exit_code: ExitCode = ExitCode.PROBLEMS


class ProblemsError(MrouteError):
    """Something could not be read because of the ``problems`` it carries."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.render() for problem in self.problems))


class ExpressionError(ProblemsError):
    """An expression cannot be parsed, or does not pass its check."""


class ConfigurationError(ProblemsError):
    """A rule file cannot be used."""

    exit_code = ExitCode.CONFIGURATION


class PluginError(MrouteError):
    """A plugin could not be loaded, raised in a hook, or contributed something unusable."""

    exit_code = ExitCode.CONFIGURATION

    def __init__(self, plugin: str, message: str) -> None:
        self.plugin = plugin
        super().__init__(f"plugin '{plugin}': {message}")


class DuplicateContributionError(PluginError):
    """Two plugins contribute under one name; the message names both."""


class RejectedError(MrouteError):
    """A series or study cannot be planned: it goes to ``error/`` with this text as the reason."""


class ForceRuleError(RejectedError):
    """A series asks for a rule that does not exist or is disabled."""


class UnclaimedRuleError(RejectedError):
    """A triggered rule was claimed by no plan (blueprint section 2)."""


class TagsError(MrouteError):
    """The tags of an image cannot be read, from its ``.tags`` file or from the image."""


class UnsafeNameError(MrouteError):
    """A name from outside (UID, rule, target) must not become a part of a path."""


class SpoolError(MrouteError):
    """The spool cannot be used: missing, not writable, or in use by another run."""

    exit_code = ExitCode.SPOOL


class TaskFileError(MrouteError):
    """A ``task.json`` is missing, damaged or not what its schema says."""


class NotYetError(MrouteError):
    """Something cannot be planned before something else is done, which will be in a moment."""


class RedriveError(MrouteError):
    """Something in the spool cannot be tried again, or discarded, as an administrator asked."""


class TaskNotSavedError(MrouteError):
    """What a worker has done cannot be written down: the task stays, and is worked on again."""


class DeliveryError(MrouteError):
    """A target or channel did not take what was sent; trying again later may help."""


class TargetDownError(DeliveryError):
    """Nothing at all can be sent to a target now: what else waits for it need not try."""


class SecretError(TargetDownError):
    """A secret that the configuration names is not where it should be."""


class TlsError(TargetDownError):
    """A certificate or key cannot be used; the text names its file."""
