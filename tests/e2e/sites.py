"""Sites for end-to-end tests: a rule file, a spool, series dropped in, and what came of them.

Knows the default plugins by their entry points, and plants others beside them. Does not know what
is tested.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

from mroute.events import Event
from mroute.hooks import Hooks
from mroute.plugins import GROUP
from mroute.registry import Registry
from mroute.service import Service, open_site
from mroute.spool.layout import Spool
from mroute.testing import hooks_of

HEAD = """\
version: 1
timing: {series_complete_after: 0s, study_complete_after: 0s}
targets:
  pacs: {type: folder, path: pacs}
  archive: {type: folder, path: archive}
  silent: {type: dummy}
"""

ROUTE = HEAD + "rules: {r: {when: 'True', action: route, targets: [pacs]}}\n"


def later() -> datetime:
    """A clock that is ahead of every file: what has arrived is complete."""
    return datetime.now(UTC) + timedelta(seconds=5)


@dataclass(slots=True)
class Played:
    """What a run left behind: its events, and the folders of the site."""

    root: Path
    events: list[Event] = field(default_factory=list)
    hooks: Hooks | None = None

    def facts(self, name: str) -> list[dict[str, Any]]:
        """The facts of all events of one kind."""
        return [event.facts() for event in self.events if event.name == name]

    def images(self, place: str) -> Counter[str]:
        """How often each image is below a folder of the site, by the content of its file."""
        found = (self.root / place).rglob("*.dcm")
        return Counter(path.read_text("latin-1") for path in found)

    def reasons(self) -> list[str]:
        """Why each dead letter is one, sorted."""
        letters = (self.root / "spool" / "error").glob("*/reason.json")
        return sorted(json.loads(path.read_text())["reason"] for path in letters)


def write_rules(root: Path, rules: str) -> Path:
    """Write a rule file, indented as the test likes."""
    path = root / "mroute.yaml"
    path.write_text(dedent(rules), "utf-8")
    return path


def drop(root: Path, uid: str, images: int = 1, /, **tags: str) -> Path:
    """Drop a series into ``incoming/``; each image holds its own name."""
    folder = root / "spool" / "incoming" / uid
    folder.mkdir(parents=True)
    for number in range(images):
        name = f"{uid}#{number}"
        (folder / f"{name}.dcm").write_text(name)
        content = {"SeriesInstanceUID": uid, "SOPInstanceUID": f"{uid}.{number}", **tags}
        (folder / f"{name}.tags").write_text(json.dumps(content))
    return folder


def plugins_with(**planted: object) -> tuple[Hooks, Registry]:
    """The default plugins, and objects beside them, each a plugin of the name it is given."""
    defaults = {
        point.name: point.load()
        for point in importlib.metadata.entry_points(group=GROUP)
        if point.dist is not None and point.dist.name == "mroute"
    }
    hooks = hooks_of(**defaults, **planted)
    return hooks, Registry.collect(hooks)


def run_once(root: Path, rules: str | None = None, **planted: object) -> Played:
    """Run the site in ``root`` once, as ``mroute run --once`` does."""
    if rules is not None:
        write_rules(root, rules)
    hooks, registry = plugins_with(**planted)
    played = Played(root, hooks=hooks)
    hooks.listen(played.events.append)
    with open_site(root / "mroute.yaml", hooks, registry, later) as site:
        Service(site).run_once()
    return played


def spool_of(root: Path) -> Spool:
    """The spool of the site."""
    return Spool(root / "spool")


class TimedSite:
    """A site whose clock is moved by hand."""

    def __init__(self, root: Path, rules: str) -> None:
        self.root = root
        self.hours = 0.0
        write_rules(root, rules)

    def clock(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=5, hours=self.hours)

    def run(self) -> Played:
        hooks, registry = plugins_with()
        played = Played(self.root)
        hooks.listen(played.events.append)
        with open_site(self.root / "mroute.yaml", hooks, registry, self.clock) as site:
            Service(site).run_once()
        return played
