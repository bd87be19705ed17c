"""``mroute explain`` for a study: what it waits for and would become now, or why it went on.

Knows how it is shown to a person and to a program. Does not know how series are explained
(explain). Nothing on disk changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mroute.cli.planned import entries
from mroute.cli.planned import lines as lines_of_plan
from mroute.cli.study import (
    facts_of_collecting,
    facts_of_completed,
    is_collecting,
    lines,
    still_arriving,
)
from mroute.cli.subjects import Given, Subjects, refuse_twice
from mroute.errors import MrouteError, describe
from mroute.spool.layout import TASK_FILE, Spool
from mroute.spool.upkeep.tasks import read_object

if TYPE_CHECKING:
    from mroute.cli.screen import Screen
    from mroute.models import RuleBase
    from mroute.site import Site
    from mroute.types import Plan, Study

Explained = dict[str, Any]


def in_order(
    reader: Subjects, names: tuple[str, ...], site: Site, tell: Callable[[str], None]
) -> Iterator[Explained | Given]:
    """What is to be said of each study among the subjects, and each series of the others.

    ``tell`` is told of a study that cannot be read.
    """
    refuse_twice(names)
    for name in names:
        folder = Path(name)
        if _was_study(folder):
            try:
                yield explain_study(site, folder)
            except (MrouteError, OSError) as error:
                reader.failed = True
                tell(describe(error))
        if not is_collecting(folder):
            yield from reader.read_one(name)


def _was_study(folder: Path) -> bool:
    """Whether a folder is a collecting study, or a task that was one."""
    return is_collecting(folder) or _content(folder).get("collection") is not None


def explain_study(site: Site, folder: Path) -> Explained:
    """What is to be said of a study, as a program reads it.

    Raises `MrouteError` where it cannot be used, and `OSError` where it cannot be read.
    """
    if not is_collecting(folder):
        content = _content(folder)
        facts = facts_of_completed(content)
        rule = str(content.get("info", {}).get("applied_rule", ""))
        because = facts["because"] if facts else ""
        return _explained(folder, rule, True, because, [], facts)
    from mroute.spool.collected import read_collected
    from mroute.study_rules import rule_now, wanted
    from mroute.verdicts import checks_of

    configuration = site.configuration
    study, rule_then = read_collected(
        folder,
        "",
        configuration.parse_rule,
        configuration.timing.study_complete_after,
        checks_of(site.registry),
    )
    # The spool of the folder, which need not be that of the rule file.
    pending = still_arriving(Spool(folder.absolute().parents[1]), study.uid)
    facts = facts_of_collecting(
        study, pending, site.clock(), rule_now(configuration, study), wanted(configuration, study)
    )
    planned = entries(_plan(site, study, rule_then, facts["because"]), configuration)
    return _explained(folder, study.rule_name, facts["complete"], facts["because"], planned, facts)


def show_study(screen: Screen, explained: Explained) -> None:
    """Show a person what `explain_study` says."""
    ((rule, answer),) = explained["rules"].items()
    facts = explained["study"]
    collecting = facts["state"] == "collecting"
    kind = "collecting study" if collecting else "task that was a study"
    screen.line(
        screen.text(explained["subject"], bold=True) + screen.text(f"  ({kind} of '{rule}')")
    )
    mark = screen.mark(answer["value"])
    screen.line(f"  {mark} {screen.text(answer['because'])}")
    for name, text in lines(facts):
        if name not in ("complete", "went on"):
            screen.line(f"  {screen.text(name + ':').ljust(12)} {screen.text(text)}")
    for each in facts["series"]:
        images = f"{each['images']} image{'' if each['images'] == 1 else 's'}"
        said = f"'{each['description']}', {images}, {each['received_at']}"
        screen.line(f"    {screen.text(said)}")
    if collecting:
        for line in lines_of_plan(explained["plan"]):
            screen.line(f"  {'now:'.ljust(12)} {screen.text(line)}")


def _content(folder: Path) -> dict[str, Any]:
    return read_object(folder / TASK_FILE) or {}


def _explained(
    folder: Path, rule: str, value: bool, because: str, plan: list[Any], facts: Any
) -> Explained:
    state = "considered"
    return {
        "subject": str(folder),
        "triggered": [rule] if value else [],
        "discarded_by": None,
        "fallback": False,
        "rules": {rule: {"value": value, "because": because, "state": state}},
        "plan": plan,
        "study": facts,
    }


def _plan(site: Site, study: Study, rule: RuleBase, because: str) -> Plan:
    """What would become of the study if it were complete now."""
    from mroute import engine
    from mroute.errors import PluginError, RejectedError
    from mroute.study_rules import wanted
    from mroute.types import TriggeredRule, Verdict

    try:
        return engine.plan_study(
            study,
            TriggeredRule(study.rule_name, rule),
            Verdict(True, because),
            wanted(site.configuration, study),
            site.hooks,
            site.registry.actions,
            site.plan_context(),
        )
    except (RejectedError, PluginError) as error:
        return engine.rejection(str(error), study.rule_name)
