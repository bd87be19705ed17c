"""When a study is complete: the section ``study`` of a rule.

Knows mercure's two criteria and what it does when the time is over. Does not know the rest of a
rule.
"""

from __future__ import annotations

import re
from typing import Any

from mroute.errors import ExpressionError
from mroute.expr import Language, parse, print_tree
from mroute.mercure.codes import Code
from mroute.mercure.durations import duration
from mroute.mercure.keys import Keys

_NAMES = re.compile(r"('[^']*'|\"[^\"]*\")")


def convert_study(keys: Keys, force_after: Any) -> dict[str, Any]:
    """The section of a rule that acts on studies; ``force_after`` are seconds."""
    complete = keys.text("study_trigger_condition", "timeout")
    study: dict[str, Any] = {"complete": complete}
    series = keys.text("study_trigger_series")
    if complete == "received_series" and not series:
        study["complete"] = "timeout"
        message = "no series are named, so mercure waits until nothing arrives; so does this rule"
        keys.where.tell(Code.ABSENT, "study_trigger_series", message, "check which was meant")
    elif complete == "received_series":
        study["series"] = _completion(series, keys)
    elif series:
        message = f"mercure does not look at it while the criterion is '{complete}'"
        keys.where.tell(Code.UNUSED, "study_trigger_series", message)
    study["after"] = duration(force_after)
    study["else"] = keys.text("study_force_completion_action", "discard")
    return study


def drop_study(keys: Keys, reason: str) -> None:
    """Leave out the keys of a rule that does not act on studies; mercure writes them anyway."""
    usual = {
        "study_trigger_condition": "timeout",
        "study_force_completion_action": "discard",
        "study_trigger_series": "",
    }
    for key, default in usual.items():
        if keys.text(key, default) != default:
            keys.where.tell(Code.UNUSED, key, reason)


def _completion(text: Any, keys: Keys) -> Any:
    """The canonical text of a completion expression; one that cannot be read stays as it is."""
    if not isinstance(text, str):
        return text
    tell, key = keys.where.tell, "study_trigger_series"
    if '"' in text:
        message = "in mercure a name in double quotes is always there; here it is waited for"
        tell(Code.COMPLETION, key, message, "check that the study shall wait for it")
    try:
        return print_tree(parse(_in_small_letters(text), Language.COMPLETION))
    except ExpressionError as error:
        first = error.problems[0]
        message = f"it cannot be read: {first.message}; the text is kept as it is"
        hint = first.hint or "write it as: 'Axial T2' and ('SAG T1' or 'COR T1')"
        tell(Code.REWRITE, key, message, hint)
        return text


def _in_small_letters(text: str) -> str:
    """``text`` with its operators in small letters, as mercure reads them; names stay."""
    parts = _NAMES.split(text)
    parts[::2] = [part.lower() for part in parts[::2]]
    return "".join(parts)
