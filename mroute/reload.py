"""Loads an edited rule file beside the rules in force, and puts it in their place when asked.

Knows when the file was edited, that a broken edit leaves the last good rules in force, and the site
as it is configured now. Does not know how a rule file is loaded, or which thread asks when.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from mroute import config
from mroute.config import Configuration
from mroute.config.codes import Code
from mroute.errors import ConfigurationError, MrouteError, Problem
from mroute.events import ConfigurationChanged, ConfigurationLoading
from mroute.hooks import Hooks
from mroute.progress import paced
from mroute.registry import Registry
from mroute.site import Site
from mroute.types import Progress

Load: TypeAlias = Callable[[Path, Registry, Progress], Configuration]
"""Loads a rule file; raises `MrouteError` where that cannot be done."""


class Reload:
    """A site whose rule file may be edited at any time.

    One thread loads (`load_if_edited`) and one takes over what was loaded (`take_over`); any may
    ask for the `current` site. Loading ends without a result soon after ``stop`` is set.
    """

    def __init__(self, site: Site, stop: threading.Event, load: Load = config.load) -> None:
        self._site = site
        self._stop = stop
        self._load = load
        self._seen = site.configuration.edition
        self._glanced = self._seen
        self._loaded = site.configuration

    def current(self) -> Site:
        """The site as it is configured now; whoever begins a task keeps to it until the end."""
        return self._site

    def take_over(self) -> Site:
        """The site for what is routed next: with the rules that were loaded last.

        Must not be called while a subject is in hand. Observers are told of new rules.
        """
        loaded = self._loaded  # once: another may be loaded at this moment
        if loaded is not self._site.configuration:
            self._site = replace(self._site, configuration=loaded)
            self._tell(True, "new rules in force")
        return self._site

    def load_if_settled(self) -> bool:
        """As `load_if_edited`, but an edition that was not there yet at the last call waits.

        A file that is being written may be read before its end, and be a rule file even so.
        """
        glanced, self._glanced = self._glanced, config.edition_of(self._site.configuration.file)
        return self._glanced == glanced and self.load_if_edited()

    def load_if_edited(self) -> bool:
        """Load the rule file if it is another edition than the last one seen; whether it was.

        Observers are told how far that is where it takes long, and of a file that cannot be used.
        """
        file = self._site.configuration.file
        edition = config.edition_of(file)
        if edition == self._seen:
            return False
        self._seen = edition  # before it is read: an edit from now on is another one
        try:
            loaded = self._load(file, self._site.registry, self._progress(file))
            if loaded.spool != self._site.spool.root:
                raise ConfigurationError([_moved_spool(file)])
        # Whatever is wrong with the file, or with a plugin that looks at it, images are routed.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            if config.edition_of(file) is None:
                self._seen = None  # it vanished meanwhile, which is told here
            if not self._stop.is_set():
                what = "" if isinstance(error, MrouteError) else f"{type(error).__name__}: "
                self._tell(False, f"{what}{error}\nthe last good rules stay in force")
        else:
            # What was edited while it was read may be half of the one and half of the other.
            if config.edition_of(file) in (edition, None):
                self._loaded = loaded
        return True

    def _progress(self, file: Path) -> Progress:
        tell = loading_events(self._site.hooks, file)

        def progress(step: str, done: int, total: int) -> None:
            if self._stop.is_set():
                raise MrouteError("nobody waits for the rules any more: mroute stops")
            tell(step, done, total)

        return progress

    def _tell(self, accepted: bool, detail: str) -> None:
        file = str(self._site.configuration.file)
        self._site.hooks.event(ConfigurationChanged(file, accepted, detail))


def loading_events(hooks: Hooks, file: Path) -> Progress:
    """A progress that tells observers how far the rule file is loaded, where that takes long."""
    return paced(
        lambda step, done, total: hooks.event(ConfigurationLoading(str(file), step, done, total))
    )


def _moved_spool(file: Path) -> Problem:
    return Problem(
        "the spool was moved while mroute runs",
        code=Code.SPOOL_MOVED,
        hint="stop mroute and start it again to use another spool",
        file=str(file),
    )
