"""Sites whose rule file is edited while they run; a plugin sees by which edition it is called.

Knows how an edit is made, and that what waits for another thread waits for an event. Does not know
what is tested.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, field_validator

from mroute import config
from mroute.api import (
    ChannelBase,
    ChannelType,
    ConditionBase,
    ConditionType,
    Delivery,
    DeliveryError,
    Event,
    Model,
    PlanContext,
    QueueType,
    Retry,
    Study,
    Subject,
    Task,
    TriggeredRule,
    Verdict,
    WorkContext,
    hookimpl,
)
from mroute.events import ConfigurationChanged, SubjectCommitted
from mroute.reload import Load, Reload
from mroute.service import Service, open_site
from mroute.site import Site
from tests.e2e.sites import HEAD, Played, drop, later, plugins_with, write_rules

SECONDS = 60
"""How long a test waits for another thread before it fails."""

NOTHING = threading.Event()
"""Never set: nothing asks to stop."""


def rules(mark: str, rest: str = "", timing: str = "", durability: str = "power") -> str:
    """A rule file whose configuration can be told by its ``mark``, in a rule and in the settings.

    ``rest`` are more fields of the rule, ``timing`` more of that section.
    """
    head = HEAD.replace("study_complete_after: 0s", f"study_complete_after: 0s{timing}")
    settings = f"settings: {{durability: {durability}, probe: {{mark: {mark}}}}}\n"
    rule = f"{{when: 'True', action: route, targets: [pacs]{rest}}}"
    return f"{head}{settings}rules:\n  {mark}: {rule}\n"


class Probed(ConditionBase):
    """The completion condition of the probe."""

    complete: Any


@dataclass
class Probe:
    """A plugin that sees which configuration it is called with, and acts when it is called.

    ``planned`` and ``worked`` have the mark of the settings beside the rule or the task.
    ``on_load`` is called while a rule file with a mark is loaded, ``on_work`` and ``on_check`` when
    a task is worked on and when a study is asked for.
    """

    planned: list[tuple[str, str, str]] = field(default_factory=list)
    worked: list[str] = field(default_factory=list)
    on_load: Callable[[str], None] = lambda mark: None
    on_work: Callable[[], None] = lambda: None
    on_check: Callable[[Study], None] = lambda study: None

    @hookimpl
    def mroute_settings(self) -> type[BaseModel]:
        """The mark, and word that it is read."""
        probe = self

        class Marked(Model):
            mark: str = ""

            @field_validator("mark")
            @classmethod
            def load(cls, mark: str) -> str:
                probe.on_load(mark)
                return mark

        return Marked

    @hookimpl
    def mroute_dispatch(
        self, subject: Subject, rules: Sequence[TriggeredRule], context: PlanContext
    ) -> None:
        """Note the configuration, and plan nothing."""
        for rule in rules:
            self.planned.append((subject.uid, rule.name, mark_of(context.settings)))

    @hookimpl
    def mroute_completion_conditions(self) -> list[ConditionType]:
        """A condition that is always met."""

        def check(study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
            self.on_check(study)
            return Verdict(True, "the probe says so")

        return [ConditionType("probed", Probed, check)]

    @hookimpl
    def mroute_queues(self) -> list[QueueType]:
        """A queue whose work is always to be done again."""

        def work(task: Task, context: WorkContext) -> Retry:
            self.worked.append(mark_of(context.settings))
            self.on_work()
            return Retry("the probe says so")

        return [QueueType("probing", work, section="probing")]

    @hookimpl
    def mroute_notification_channels(self) -> list[ChannelType]:
        """A channel that is always out of order."""

        def deliver(delivery: Delivery, settings: Mapping[str, BaseModel]) -> None:
            self.worked.append(mark_of(settings))
            self.on_work()
            raise DeliveryError("the probe says so")

        return [ChannelType("probe", ChannelBase, deliver)]


def mark_of(settings: Mapping[str, BaseModel]) -> str:
    """Which configuration the settings are from."""
    mark: str = settings["probe"].model_dump()["mark"]
    return mark


class Running:
    """A site with the probe, whose rule file can be edited."""

    def __init__(self, root: Path, site: Site, probe: Probe, load: Load) -> None:
        self.root = root
        self.site = site
        self.probe = probe
        self.played = Played(root)
        self.stop = threading.Event()
        self.reload = Reload(site, self.stop, load)
        self.file = root / "mroute.yaml"
        self._told = threading.Condition()
        site.hooks.listen(self._listen)

    def _listen(self, event: Event) -> None:
        with self._told:
            self.played.events.append(event)
            self._told.notify_all()

    def wait_for(self, is_it: Callable[[Event], bool]) -> None:
        """Wait until an event was told."""
        with self._told:
            seen = self._told.wait_for(lambda: any(map(is_it, self.played.events)), SECONDS)
            assert seen, self.played.events

    def edit(self, text: str) -> None:
        """Edit the rule file, and load it in a thread beside this one."""
        write_rules(self.root, text)
        beside(self.reload.load_if_edited)

    def changes(self) -> list[tuple[bool, str]]:
        """What was told of edits: whether each was accepted, and the first line."""
        return [
            (each["accepted"], each["detail"].partition("\n")[0])
            for each in self.played.facts("configuration_changed")
        ]

    @property
    def mark(self) -> str:
        """The configuration in force."""
        return mark_of(self.reload.current().configuration.settings)


@contextmanager
def running(
    root: Path, text: str, load: Load = config.load, on_load: Callable[[str], None] | None = None
) -> Iterator[Running]:
    """A site with the rule file ``text``; ``on_load`` is called while that is loaded."""
    probe = Probe()
    probe.on_load = on_load or probe.on_load
    hooks, registry = plugins_with(probe=probe)
    with open_site(write_rules(root, text), hooks, registry, later) as site:
        yield Running(root, site, probe, load)


def beside(action: Callable[[], object]) -> None:
    """Do something in another thread, and wait for it."""
    thread = threading.Thread(target=action)
    thread.start()
    thread.join(SECONDS)
    assert not thread.is_alive()


@contextmanager
def serving(run: Running, patience: float = SECONDS) -> Iterator[threading.Thread]:
    """Run the service in a thread of its own, and stop it in the end."""
    thread = threading.Thread(target=Service(run.site, run.stop, patience).run)
    thread.start()
    try:
        yield thread
    finally:
        run.stop.set()
        thread.join(SECONDS)
        assert not thread.is_alive()


def committed(uid: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, SubjectCommitted) and event.uid == uid


def changed(event: Event) -> bool:
    return isinstance(event, ConfigurationChanged)


@dataclass
class Held:
    """Holds up the loading of the rules ``new`` until they are let go."""

    begun: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def __call__(self, mark: str) -> None:
        if mark == "new":
            self.begun.set()
            self.let_go.wait(SECONDS)
            self.ended.set()


def move_in(root: Path, uid: str) -> None:
    """Drop a series as a whole."""
    drop(root / "elsewhere", uid).rename(root / "spool" / "incoming" / uid)
