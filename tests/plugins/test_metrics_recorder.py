"""What happened before anybody counts is counted once somebody does.

Knows threads. Does not know what is counted.
"""

from __future__ import annotations

import subprocess
import sys
import threading

from mroute.api import SeriesReceived, TroubleNoticed
from mroute_metrics import recorder as module
from mroute_metrics.counting import Counting
from mroute_metrics.recorder import Recorder
from tests.plugins.metrics import Samples, page, parsed

RECEIVED = SeriesReceived("claim", "1.2.3", 2, 0, 0.1)
SERIES = "mroute_series_received_total"


def read(counting: Counting) -> Samples:
    return parsed(page(counting))


def test_what_happens_before_and_after_is_counted() -> None:
    recorder = Recorder()
    recorder.note(RECEIVED)
    counting = recorder.begin()
    assert read(counting)[SERIES] == 1.0
    recorder.note(RECEIVED)
    assert recorder.begin() is counting  # the service is begun again
    assert read(counting)[SERIES] == 2.0


def test_nothing_is_counted_twice_in_the_next_life() -> None:
    recorder = Recorder()
    recorder.note(RECEIVED)
    recorder.begin()
    recorder.end()
    recorder.note(RECEIVED)
    assert read(recorder.begin())[SERIES] == 1.0


def test_what_nobody_wants_counted_does_not_pile_up() -> None:
    recorder = Recorder()
    for _ in range(module._EARLY + 10):
        recorder.note(RECEIVED)
    assert read(recorder.begin())[SERIES] == module._EARLY


def test_no_event_of_many_threads_is_lost_or_counted_twice() -> None:
    recorder, ready = Recorder(), threading.Barrier(5)
    notes, threads = 200, 4

    def tell() -> None:
        ready.wait()
        for _ in range(notes):
            recorder.note(RECEIVED)
            recorder.note(TroubleNoticed("x", "y"))

    telling = [threading.Thread(target=tell) for _ in range(threads)]
    for thread in telling:
        thread.start()
    ready.wait()
    counting = recorder.begin()
    pages = [read(counting) for _ in range(5)]  # while they tell
    for thread in telling:
        thread.join()
    samples = read(counting)
    assert samples[SERIES] == notes * threads
    assert samples['mroute_troubles_total{event="trouble_noticed"}'] == notes * threads
    assert [each[SERIES] for each in pages] == sorted(each[SERIES] for each in pages)


def test_nobody_pays_for_metrics_that_nobody_wants() -> None:
    program = (
        "import sys, mroute_metrics\n"
        "from mroute.api import Stopping\n"
        "mroute_metrics.mroute_event(Stopping())\n"
        "mroute_metrics.mroute_services()[0].enabled({})\n"
        "print(sorted({'prometheus_client', 'http.server', 'ssl'} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
