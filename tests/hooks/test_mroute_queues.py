from __future__ import annotations

import pytest

import mroute_dispatch
import mroute_processing
from mroute.api import Done, QueueType, Settlement, Task, WorkContext
from mroute.registry import Registry
from mroute.testing import hooks_of, registry_of
from tests.hooks.fakes import check_broken_contributors, check_wrong_results, plugin

HOOK = "mroute_queues"


def print_film(task: Task, context: WorkContext) -> Settlement:
    return Done("printed")


FILM = QueueType("film", print_film, section="film")


def test_the_default_queues() -> None:
    queues = registry_of(mroute_dispatch, mroute_processing).queues
    assert {
        name: (queue.section, queue.writes, queue.compose is not None)
        for name, queue in queues.items()
    } == {"outgoing": ("dispatch", False, True), "processing": ("process", True, False)}


def test_a_plugin_adds_one() -> None:
    queues = registry_of(mroute_dispatch, plugin(HOOK, lambda: [FILM])).queues
    assert list(queues) == ["outgoing", "film"]
    assert queues["film"] is FILM


@pytest.mark.parametrize("name", ["incoming", "studies", "success", "discard", "error"])
def test_the_other_folders_of_the_spool_are_taken(name: str) -> None:
    queue = QueueType(name, print_film, section="film")
    registry = Registry.collect(hooks_of(film=plugin(HOOK, lambda: [queue])))
    assert registry.queues == {}
    assert f"contributes the queue '{name}', which plugin 'mroute itself'" in str(
        registry.errors[0]
    )


def test_a_broken_plugin_contributes_none() -> None:
    check_broken_contributors(HOOK, mroute_dispatch, FILM, lambda registry: registry.queues)


def test_what_is_no_queue_is_refused() -> None:
    check_wrong_results(HOOK, "QueueType")
