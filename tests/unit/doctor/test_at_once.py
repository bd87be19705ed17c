"""Calls at the same time: one that hangs or raises holds up no other."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import pytest

from mroute.doctor.at_once import Unanswered, at_once


class UntoldError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text either")


def raising(error: BaseException) -> Callable[[], Iterable[str]]:
    def call() -> Iterator[str]:
        yield "lost"
        raise error

    return call


def test_answers_come_in_the_order_of_the_calls_which_wait_for_each_other() -> None:
    meeting = threading.Barrier(3, timeout=20)

    def meet() -> Iterator[int]:
        yield meeting.wait()

    answers = at_once(dict.fromkeys("cab", meet))
    assert list(answers) == ["c", "a", "b"]
    met = [answer for answer in answers.values() if not isinstance(answer, Unanswered)]
    assert sorted(met) == [[0], [1], [2]]


def test_one_that_hangs_is_left_alone() -> None:
    hanging = threading.Event()
    began = time.monotonic()
    try:
        answers = at_once({"hangs": lambda: [hanging.wait()], "quick": lambda: [True]}, 0.2)
    finally:
        hanging.set()
    assert time.monotonic() - began < 20
    assert answers["quick"] == [True]
    assert answers["hangs"] == Unanswered("there was no answer within 0.2 s")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("broken"), "it raised ValueError: broken"),
        (SystemExit(3), "it raised SystemExit: 3"),
        (KeyboardInterrupt(), "it raised KeyboardInterrupt: "),
        (UntoldError(), "it raised UntoldError"),
    ],
)
def test_whatever_one_raises_is_its_answer(
    error: BaseException, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = at_once({"broken": raising(error), "good": lambda: ["fine"]})
    assert answers == {"broken": Unanswered(told), "good": ["fine"]}
    assert capfd.readouterr() == ("", "")


def test_one_that_hangs_does_not_keep_the_process_from_its_end() -> None:
    script = (
        "import threading\n"
        "from mroute.doctor.at_once import at_once\n"
        "print(at_once({'hangs': lambda: [threading.Event().wait()]}, 0.1)['hangs'].because)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert (ended.stdout, ended.stderr) == ("there was no answer within 0.1 s\n", "")
