"""One attempt to send a task to one target.

Knows which images the target has confirmed, that this is written down while it is sending, and
what an error of a target means. Does not know how images are sent: the type of the target does.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from mroute.api import (
    DeliveryError,
    MrouteError,
    Shipment,
    TargetBase,
    TargetDownError,
    TargetServed,
    Task,
    WorkContext,
)
from mroute_dispatch.section import (
    QUEUE,
    SECTION,
    DispatchSection,
    InstanceState,
    InstanceStatus,
    State,
    TargetStatus,
)

_SAVED_EVERY = 1.0
"""Seconds for which what a target has confirmed may not be written down yet.

A process that dies in them sends those images again; a flush for each would be slower than they.
"""

_SETTLEMENTS = {State.COMPLETE: "done", State.WAITING: "retry", State.ERROR: "failed"}
"""What an attempt came to, as observers are told."""


class Attempt:
    """An attempt to send the images that target ``name`` has not confirmed."""

    def __init__(
        self, task: Task, section: DispatchSection, name: str, context: WorkContext
    ) -> None:
        self._task, self._section, self._name, self._context = task, section, name, context
        before = section.status.get(name)
        self._before = before
        self._instances = dict(before.instances) if before else {}
        self._told: set[str] = set()
        self._saved = time.monotonic()

    def make(self) -> DispatchSection:
        """Send; returns the section with what came of it."""
        try:
            images = self._task.images()
        except OSError as error:  # of this machine: the target has done nothing wrong
            return self._noted(State.WAITING, f"the images cannot be read: {error.strerror}")
        missing = tuple(image for image in images if not self._is_stored(image.name))
        if images and not missing:  # it was killed before it could say so
            return self._noted(State.COMPLETE, "")
        self._tell_of_an_attempt_that_died(missing)
        target = self._context.targets.get(self._name)
        if target is None:
            return self._failed(f"target '{self._name}' is not configured any more")
        if target.type not in self._context.target_types:
            return self._failed(f"no installed plugin has targets of type '{target.type}'")
        self._save(State.SENDING)
        started = time.perf_counter()
        section = self._sent(target, missing)
        self._tell(section.state(self._name), missing, started)
        return section

    def _sent(self, target: TargetBase, missing: tuple[Path, ...]) -> DispatchSection:
        """The section after the target was sent the images that it has not confirmed."""
        shipment = Shipment(self._task, self._name, missing, self._stored, self._refused)
        try:
            self._context.target_types[target.type].send(shipment, target, self._context)
        except TargetDownError as error:
            self._context.served(self._name, str(error))
            return self._noted(State.WAITING, f"target '{self._name}': {error}")
        except DeliveryError as error:
            self._context.served(self._name, "")
            return self._noted(State.WAITING, f"target '{self._name}': {error}")
        except OSError as error:  # of this machine, or of what is between it and the target
            return self._noted(State.WAITING, f"target '{self._name}': {error}")
        # The edge of a call into another plugin: whatever it raises is about this target alone.
        except Exception as error:  # noqa: BLE001
            return self._failed(f"target '{self._name}': {type(error).__name__}: {error}")
        self._context.served(self._name, "")
        return self._ended(missing)

    def _ended(self, sent: tuple[Path, ...]) -> DispatchSection:
        """The section after the target has said of each image, or of none, what became of it."""
        if not self._told:  # it takes a task as a whole
            if self._instances:
                whole = InstanceStatus(state=InstanceState.STORED)
                self._instances |= {image.name: whole for image in sent}
            return self._noted(State.COMPLETE, "")
        refused = [
            self._instances[image.name]
            for image in sent
            if image.name in self._told and not self._is_stored(image.name)
        ]
        silent = sum(image.name not in self._told for image in sent)
        self._tell_warnings()
        if not (refused or silent):
            return self._noted(State.COMPLETE, "")
        said = Counter(f"{each.status} {each.reason}".strip() for each in refused)
        parts = [f"{number} of {len(sent)} images refused: {why}" for why, number in said.items()]
        if silent:
            parts.append(f"{silent} of {len(sent)} images were not answered")
        return self._noted(State.WAITING, f"target '{self._name}': " + "; ".join(parts))

    def _tell(self, state: State, sent: tuple[Path, ...], started: float) -> None:
        """Tell observers of the attempt that began when ``time.perf_counter()`` was ``started``."""
        seconds = round(time.perf_counter() - started, 6)
        whole = state is State.COMPLETE and not self._told  # it takes a task as a whole
        got = [image for image in sent if whole or self._is_stored(image.name)]
        size = 0
        with suppress(OSError):  # a figure is not worth a delivery
            size = sum(image.stat().st_size for image in got)
        settlement = _SETTLEMENTS[state]
        self._context.tell(
            TargetServed(self._task.id, QUEUE, self._name, settlement, len(got), size, seconds)
        )

    def _tell_of_an_attempt_that_died(self, missing: tuple[Path, ...]) -> None:
        if self._before is not None and self._before.state is State.SENDING:
            began = self._before.time.isoformat(timespec="seconds")
            self._context.note(
                "interrupted",
                f"sending to '{self._name}', begun at {began}, did not end: "
                f"{len(missing)} images that are not confirmed are sent again and may arrive twice",
            )

    def _tell_warnings(self) -> None:
        said = Counter(
            f"{each.status} {each.reason}".strip()
            for name, each in self._instances.items()
            if name in self._told and each.state is InstanceState.STORED and each.reason
        )
        for why, number in said.items():
            self._context.note(
                "warning", f"target '{self._name}' stored {number} images with a warning: {why}"
            )

    def _is_stored(self, image: str) -> bool:
        status = self._instances.get(image)
        return status is not None and status.state is InstanceState.STORED

    def _stored(self, image: Path, status: str, warning: str) -> None:
        self._report(image, InstanceState.STORED, status, warning)

    def _refused(self, image: Path, status: str, reason: str) -> None:
        self._report(image, InstanceState.REFUSED, status, reason)

    def _report(self, image: Path, state: InstanceState, status: str, reason: str) -> None:
        self._told.add(image.name)
        self._instances[image.name] = InstanceStatus(state=state, status=status, reason=reason)
        if time.monotonic() - self._saved > _SAVED_EVERY:
            # A disk that is full is no fault of the target's, which may be in the middle of it.
            with suppress(MrouteError):
                self._save(State.SENDING)

    def _save(self, state: State) -> None:
        section = self._noted(state, "")
        self._context.save(SECTION, section.model_dump(mode="json"))
        self._saved = time.monotonic()

    def _failed(self, reason: str) -> DispatchSection:
        return self._noted(State.ERROR, reason)

    def _noted(self, state: State, reason: str) -> DispatchSection:
        status = TargetStatus(
            state=state,
            time=self._context.clock(),
            reason=reason,
            instances=self._instances.copy(),
        )
        return self._section.with_status(self._name, status)
