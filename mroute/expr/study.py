"""A condition over a whole study, compiled: evaluated on the tags of all its series.

Knows what an evaluation may cost. Does not know how a condition is read, checked or compiled: that
is done as for one over a series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mroute.errors import ExpressionError
from mroute.expr.checker import check
from mroute.expr.clauses import Clauses
from mroute.expr.function import Functions
from mroute.expr.language import MAX_STEPS, Language
from mroute.expr.outcome import Outcome
from mroute.expr.parser import parse
from mroute.expr.program import Program
from mroute.expr.values import StudyTags

STEPS: Final = 10 * MAX_STEPS
"""Steps of an evaluation, which is made once a study; what would take more is unknown."""


@dataclass(frozen=True, slots=True)
class StudyProgram:
    """A compiled condition over a study; pure, and usable from several threads at once."""

    program: Program

    def evaluate(self, tags: Mapping[str, str], series: Sequence[Mapping[str, str]]) -> Outcome:
        """The value for a study, and the clauses that decided it.

        ``tags`` (keyword to text) are those of its first series, ``series`` those of every one.
        """
        return self.program.evaluate(StudyTags(series, tags))


def compile_study(text: str, functions: Functions) -> StudyProgram:
    """Parse, check and compile ``text``, a condition over a study, where ``functions`` are known.

    Raises `ExpressionError` with the problems found, where one of them is an error.
    """
    checked = check(parse(text, Language.STUDY), functions)
    if checked.errors:
        raise ExpressionError(checked.problems)
    return StudyProgram(Program(checked.tree, Clauses(functions), STEPS))
