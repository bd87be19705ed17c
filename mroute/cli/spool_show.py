"""``mroute spool show``: all that is known of one thing in the spool.

Knows what is told of a task, and that patients are told of only when asked for. Does not know how
the thing is found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mroute.cli.spool import Opened, on_a_spool, open_spool

if TYPE_CHECKING:
    from mroute.spool.upkeep.item import Item

_PHI = ("patient_name", "mrn", "acc")


@click.command("show")
@click.argument("id_", metavar="ID")
@on_a_spool
@click.option("--phi", is_flag=True, help="Patient name, MRN and accession number as well.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def command(id_: str, file: Path | None, folder: Path | None, phi: bool, as_json: bool) -> None:
    """Show one thing in the spool; the beginning of its id will do where no other has it.

    \b
    Example:
      mroute spool show -c site/mroute.yaml 3f2a
    """
    from mroute.cli.screen import Screen
    from mroute.cli.spool_settle import find

    opened = open_spool(file, folder)
    told = _told(opened, find(opened.items(finished=True), id_), phi)
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    screen = Screen.of_stdout()
    for line in _lines(told):
        screen.line(screen.text(line))


def _told(opened: Opened, item: Item, phi: bool) -> dict[str, Any]:
    from mroute.spool.layout import TASK_FILE
    from mroute.spool.upkeep.item import target_states
    from mroute.spool.upkeep.redrive import prospect, reason_of
    from mroute.spool.upkeep.tasks import read_object

    content = (read_object(item.path / TASK_FILE) if item.path.is_dir() else None) or {}
    info, process = content.get("info"), content.get("process")
    entries = process if isinstance(process, list) else [process]
    targets = target_states(content)
    kept = {
        key: value
        for key, value in (info if isinstance(info, dict) else {}).items()
        if phi or key not in _PHI
    }
    count, size = _size(item.path)
    journal = content.get("journal")
    study, unknown = _study(opened, item, content)
    return {
        **item.to_json(),
        "study": study,
        "study_unknown": unknown,
        "targets": [
            {
                "name": name,
                "state": noted.get("state"),
                "time": noted.get("time"),
                "reason": noted.get("reason", ""),
            }
            for name, noted in targets.items()
        ],
        "modules": [
            str(entry["module_name"])
            for entry in entries
            if isinstance(entry, dict) and "module_name" in entry
        ],
        "info": kept,
        "journal": journal if isinstance(journal, list) else [],
        "files": {"count": count, "bytes": size},
        "reason": reason_of(item.path) if item.queue == "error" else None,
        "retry": prospect(item, opened.sections),
    }


def _study(opened: Opened, item: Item, content: dict[str, Any]) -> tuple[Any, str]:
    """What is known of the study that it is or was, and why more is not."""
    from mroute.cli.study import facts_of_collecting, facts_of_completed, still_arriving
    from mroute.config import load, rule_parser
    from mroute.errors import ConfigurationError, MrouteError
    from mroute.site import utc_now
    from mroute.spool.collected import read_collected
    from mroute.spool.upkeep.item import State
    from mroute.study_rules import rule_now, wanted
    from mroute.verdicts import checks_of

    if item.state is not State.COLLECTING:
        return facts_of_completed(content), ""
    registry, quiet = opened.registry, opened.outline.timing.study_complete_after
    base = opened.file.absolute().parent if opened.file else opened.spool.root
    now, asked, unknown = "unknown", None, ""
    try:
        study, _ = read_collected(
            item.path, "", rule_parser(registry, base), quiet, checks_of(registry)
        )
        try:
            if opened.file is None:
                unknown = "no rule file is named: whether its rule has changed is not known"
            else:
                configuration = load(opened.file, registry)
                now, asked = rule_now(configuration, study), wanted(configuration, study)
        except ConfigurationError:
            unknown = "the rule file cannot be used: whether its rule has changed is not known"
        pending = still_arriving(opened.spool, study.uid)
        return facts_of_collecting(study, pending, utc_now(), now, asked), unknown
    except MrouteError as error:
        return None, str(error)


def _size(path: Path) -> tuple[int, int]:
    count = size = 0
    for each in path.rglob("*") if path.is_dir() else [path]:
        try:
            status = each.lstat()
        except FileNotFoundError:  # it is being worked on
            continue
        if not each.is_dir():
            count, size = count + 1, size + status.st_size
    return count, size


def _lines(told: dict[str, Any]) -> Iterator[str]:
    from mroute.cli import study
    from mroute.cli.spool_ls import columns

    facts = [
        ("id", told["id"]),
        ("state", told["state"]),
        ("because", told["because"]),
        ("path", told["path"]),
        (told["uid_type"] or "uid", told["uid"] or "-"),
        ("rules", ", ".join(told["rules"]) or "-"),
        ("modules", ", ".join(told["modules"]) or "-"),
        ("since", told["since"]),
        ("files", f"{told['files']['count']}, {told['files']['bytes']:,} bytes"),
        ("retry", told["retry"]),
    ]
    if told["reason"]:
        facts.insert(
            3, ("failed at", f"{told['reason'].get('stage')}, {told['reason'].get('time')}")
        )
    if addition := told["info"].get("addition_to"):
        facts.append(("addition to", addition))
    if told["study"]:
        facts += study.lines(told["study"])
    if told["study_unknown"]:
        facts.append(("unknown", told["study_unknown"]))
    facts += [(key, str(told["info"][key])) for key in _PHI if key in told["info"]]
    yield from columns(facts)
    if told["targets"]:
        yield ""
        rows = [
            (each["name"], str(each["state"]), str(each["time"]), str(each["reason"]))
            for each in told["targets"]
        ]
        yield from columns([("TARGET", "STATE", "TIME", "REASON"), *rows])
    if told["study"] and told["study"]["series"]:
        yield ""
        yield from columns(study.rows(told["study"]))
    if told["journal"]:
        yield ""
        keys = ("time", "actor", "action", "outcome")
        rows = [
            tuple(str(each.get(key, "")) for key in keys)  # type: ignore[misc]
            for each in told["journal"]
            if isinstance(each, dict)
        ]
        yield from columns([("TIME", "ACTOR", "ACTION", "OUTCOME"), *rows])
