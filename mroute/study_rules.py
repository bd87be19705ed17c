"""What a rule file says about a study that began under an earlier edition of it.

Knows that a study finishes under its rule as that was. Does not know studies on disk, or what is
planned for one.
"""

from __future__ import annotations

from mroute.config import Configuration
from mroute.errors import ExpressionError, TaskFileError
from mroute.expr import Outcome
from mroute.types import Study


def wanted(configuration: Configuration, study: Study) -> Outcome | None:
    """What ``study.when`` of the study's rule comes to for all its series; None without one.

    Raises `TaskFileError` where it cannot be compiled any more.
    """
    if study.condition.when is None:
        return None
    try:
        program = configuration.study_program(study.condition.when)
    except ExpressionError as error:
        said = "; ".join(each.message for each in error.problems)
        raise TaskFileError(
            f"'study.when' of rule '{study.rule_name}' cannot be used any more: {said}"
        ) from error
    return program.evaluate(study.tags, study.series)


def rule_now(configuration: Configuration, study: Study) -> str:
    """Whether the rule is still as it was when the study began: same, changed or removed."""
    if study.rule_name not in configuration.rules:
        return "removed"
    now = configuration.rules[study.rule_name].rule.model_dump(mode="json", by_alias=True)
    return "same" if now == study.collection.get("rule") else "changed"
