"""Rules: what mercure does with which series.

Knows the keys of mercure's rules and what they are called here. Does not know expressions, studies
or messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mroute.expr import Functions
from mroute.mercure.codes import Code
from mroute.mercure.expressions import convert_condition
from mroute.mercure.keys import Keys
from mroute.mercure.notices import convert_notices
from mroute.mercure.studies import convert_study, drop_study

_ACTIONS = ("route", "process", "both", "notification", "discard")
_SENDING = ("route", "both")
_PROCESSING = ("process", "both")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rest of the configuration says about a rule.

    ``targets`` and ``modules`` map mercure's names to those of the rule file. ``written`` are the
    tags that mercure writes for every image, ``force_after`` are seconds, and ``last_fallback`` is
    mercure's name of the only fallback rule that it applies.
    """

    targets: Mapping[str, str]
    modules: Mapping[str, str]
    functions: Functions
    written: frozenset[str]
    force_after: Any
    last_fallback: str | None


def convert_rule(name: str, keys: Keys, around: Surroundings) -> dict[str, Any]:
    """The entry of the rule that mercure calls ``name``."""
    condition = keys.take("rule")
    if condition is None:
        message = "mercure takes a rule without an expression for false"
        keys.where.tell(Code.ABSENT, "rule", message, "write when the rule shall trigger")
        condition = "False"
    rule: dict[str, Any] = {
        "when": convert_condition(condition, keys.where, around.functions, around.written)
    }
    action = keys.text("action", "route")
    rule |= {key: True for key in ("disabled", "fallback") if _flag(rule, key, keys)}
    _tell_fallback(name, rule, keys, around)
    rule |= _trigger(action, keys, around.force_after)
    rule["action"] = action
    rule |= _processing(action, keys, around.modules)
    rule |= _targets(action, keys, around.targets)
    if (priority := keys.text("priority", "normal")) != "normal":
        rule["priority"] = priority
    rule |= _notify(action, keys)
    rule |= {key: text for key in ("contact", "comment") if (text := keys.text(key))}
    message = "rules have no labels here"
    keys.drop(("tags",), Code.NO_COUNTERPART, message, "put them into 'comment', if they help")
    message = "the result of a module cannot change where images go yet"
    hint = "the images go to the rule's own targets; check that this is safe until then"
    dynamic = (
        "dynamic_routing",
        "dynamic_routing_allowed_targets",
        "conditional_alternate_target",
    )
    keys.drop(dynamic, Code.NO_COUNTERPART, message, hint)
    keys.close()
    return rule


def _flag(rule: dict[str, Any], key: str, keys: Keys) -> bool:
    value = keys.flag(key)
    if not isinstance(value, bool):
        rule[key] = value
    return value is True


def _tell_fallback(name: str, rule: Mapping[str, Any], keys: Keys, around: Surroundings) -> None:
    if "fallback" in rule and "disabled" not in rule and name != around.last_fallback:
        message = "mercure applies the last fallback rule only; here every one is considered"
        hint = f"disable it, if '{around.last_fallback}' alone shall apply"
        keys.where.tell(Code.CHANGED, "fallback", message, hint)


def _trigger(action: Any, keys: Keys, force_after: Any) -> dict[str, Any]:
    trigger = keys.text("action_trigger", "series")
    if action == "discard":
        if trigger != "series":
            message = "a discard rule discards each series, in mercure too"
            keys.where.tell(Code.UNUSED, "action_trigger", message)
        drop_study(keys, "a discard rule discards each series")
        return {}
    if trigger == "study":
        return {"on": "study", "study": convert_study(keys, force_after)}
    drop_study(keys, "the rule acts on each series")
    return {} if trigger == "series" else {"on": trigger}


def _processing(action: Any, keys: Keys, modules: Mapping[str, str]) -> dict[str, Any]:
    theirs = ("processing_module", "processing_settings", "processing_retain_images")
    if action in _ACTIONS and action not in _PROCESSING:
        keys.drop(theirs, Code.UNUSED, f"the action '{action}' runs no module")
        return {}
    if action not in _ACTIONS and not any(map(keys.has, theirs)):
        return {}
    named = _named("processing_module", "module", keys, modules)
    found = {"modules": named}
    settings = keys.take("processing_settings")
    if (
        isinstance(settings, list)
        and settings
        # Modules beyond the end of the list had no settings.
        and len(settings) >= (len(named) if isinstance(named, list) else 1)
        and all(each == settings[0] for each in settings)
    ):
        settings = settings[0]
    if isinstance(settings, list) and settings:
        message = "each module has settings of its own; a rule has one set for all of them here"
        hint = "make a second entry of the module with these settings, and name it in the rule"
        keys.where.tell(Code.CHANGED, "processing_settings", message, hint)
    if settings:
        found["settings"] = settings
    if (retained := keys.flag("processing_retain_images")) is not False:
        found["retain_input_images"] = retained
    return found


def _targets(action: Any, keys: Keys, targets: Mapping[str, str]) -> dict[str, Any]:
    if action in _ACTIONS and action not in _SENDING:
        keys.drop(("target",), Code.UNUSED, f"the action '{action}' sends nothing")
        return {}
    if action not in _ACTIONS and not keys.has("target"):
        return {}
    return {"targets": _named("target", "target", keys, targets)}


def _named(key: str, what: str, keys: Keys, given: Mapping[str, str]) -> Any:
    """The names under which entries are in the rule file; those that are not there are told."""
    names = keys.names(key)
    if not isinstance(names, list):
        return names
    if not names:
        message = f"the rule names no {what}"
        keys.where.tell(Code.ABSENT, key, message, f"name a {what}, or choose another action")
    for name in names:
        if isinstance(name, str) and name not in given:
            message = f"the configuration has no {what} '{name}'"
            keys.where.tell(Code.ABSENT, key, message, f"add it, or name another {what}")
    return [given.get(name, name) if isinstance(name, str) else name for name in names]


def _notify(action: Any, keys: Keys) -> dict[str, Any]:
    notify = convert_notices(keys)
    if action == "notification" and not notify:
        message = "the rule names neither a webhook nor an address"
        hint = "name one under 'notify'; mercure keeps the images in 'success/', and so does mroute"
        keys.where.tell(Code.ABSENT, "notification_webhook", message, hint)
    return {"notify": notify} if notify else {}
