"""A part that fails is begun again, and one that hangs is found."""

from __future__ import annotations

import threading
from functools import partial

from mroute.supervision import HEALTHY, Supervisor


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def supervisor() -> tuple[Supervisor, threading.Event, list[tuple[str, str]], Clock]:
    stop, told, clock = threading.Event(), list[tuple[str, str]](), Clock()
    return Supervisor(stop, lambda *said: told.append(said), clock), stop, told, clock


def test_what_fails_is_begun_again_and_the_same_reason_is_told_once() -> None:
    found, stop, told, _ = supervisor()
    reasons = iter([ValueError("a"), ValueError("a"), SystemExit(3)])
    runs = list[int]()
    waits = list[float]()
    stop.wait = waits.append  # type: ignore[method-assign,assignment]

    def loop() -> None:
        runs.append(1)
        for reason in reasons:
            raise reason
        stop.set()

    found.begin("part", loop).join()
    assert (len(runs), waits) == (4, [1.0, 1.0, 1.0, 1.0])
    assert told == [
        ("part", "failed and is started again: ValueError: a"),
        ("part", "failed and is started again: SystemExit: 3"),
    ]


def test_the_same_is_told_again_when_a_part_was_well_in_between() -> None:
    found, stop, told, clock = supervisor()
    lasts, waits = iter([0, 0, HEALTHY + 1, 0]), list[float]()
    stop.wait = waits.append  # type: ignore[method-assign,assignment]

    def loop() -> None:
        for seconds in lasts:
            clock.now += seconds
            raise ValueError("a")
        stop.set()

    found.begin("part", loop).join()
    assert told == [("part", "failed and is started again: ValueError: a")] * 2


def test_what_ends_by_itself_is_begun_again_whatever_it_raises() -> None:
    found, stop, told, _ = supervisor()
    ends, waits = iter([None, GeneratorExit("panic")]), list[float]()
    stop.wait = waits.append  # type: ignore[method-assign,assignment]

    def loop() -> None:
        for end in ends:
            if end is not None:
                raise end
            return
        stop.set()

    found.begin("part", loop).join()
    assert told == [
        ("part", "ended by itself and is started again"),
        ("part", "failed and is started again: GeneratorExit: panic"),
    ]


def test_what_fails_when_mroute_stops_is_left_alone() -> None:
    found, stop, told, _ = supervisor()
    runs = list[int]()

    def loop() -> None:
        runs.append(1)
        stop.set()
        raise ValueError("gone")

    found.begin("part", loop).join()
    assert (len(runs), len(told)) == (1, 1)


def test_a_part_that_does_not_go_on_is_found() -> None:
    found, _, _, clock = supervisor()
    found.at_work("router")
    clock.now = 9
    found.at_work("outgoing")
    assert found.stalled(10) == []
    clock.now = 11
    assert found.stalled(10) == ["router"]
    found.at_work("router")
    assert found.stalled(10) == []
    clock.now = 30
    assert found.stalled(10) == ["outgoing", "router"]


def test_all_that_is_waited_for_is_waited_for() -> None:
    found, stop, _, _ = supervisor()
    free, looks = threading.Event(), list[int]()
    found.begin("slow", partial(_wait, free))
    never = threading.Event()
    found.begin("never", partial(_wait, never), waited_for=False)

    def meanwhile() -> None:
        looks.append(1)
        stop.set()
        free.set()

    found.wait(meanwhile)
    assert looks
    never.set()


def _wait(event: threading.Event) -> None:
    event.wait(30)
