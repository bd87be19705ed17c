"""The outbox: deliveries wait in it, are retried, and are never dropped.

Knows files of the outbox. Does not know any channel.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from mroute.models import NoticeEvent
from mroute.spool import outbox
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.outbox import Resting
from mroute.types import Delivery

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REST = timedelta(minutes=15)
TASK = "00000000-0000-0000-0000-000000000000"


def delivery(rule: str = "r") -> Delivery:
    return Delivery("webhook", rule, NoticeEvent.ERROR, TASK, {"url": "http://x"}, '{"a": 1}')


def test_a_delivery_waits_as_it_was_put(spool: Spool, files: Files) -> None:
    outbox.put(spool, files, [delivery()])
    (waiting,) = outbox.due(spool, files, NOW, REST, Resting())
    assert waiting.delivery == delivery()
    assert waiting.attempts == 0


def test_putting_the_same_again_changes_nothing(spool: Spool, files: Files) -> None:
    outbox.put(spool, files, [delivery("a"), delivery("b")])
    outbox.put(spool, files, [delivery("a"), delivery("b")])
    assert len(list(outbox.due(spool, files, NOW, REST, Resting()))) == 2


def test_a_retry_is_due_when_its_time_has_come(spool: Spool, files: Files) -> None:
    outbox.put(spool, files, [delivery()])
    (waiting,) = outbox.due(spool, files, NOW, REST, Resting())
    waiting.retry_at(files, NOW + timedelta(minutes=15))
    assert list(outbox.due(spool, files, NOW, REST, Resting())) == []
    (again,) = outbox.due(spool, files, NOW + timedelta(minutes=15), REST, Resting())
    assert again.attempts == 1


def test_nobody_else_delivers_at_the_same_time(spool: Spool, files: Files) -> None:
    outbox.put(spool, files, [delivery()])
    deliveries = outbox.due(spool, files, NOW, REST, Resting())
    next(deliveries)
    assert list(outbox.due(spool, files, NOW, REST, Resting())) == []
    deliveries.close()  # type: ignore[attr-defined]
    assert len(list(outbox.due(spool, files, NOW, REST, Resting()))) == 1


def test_what_is_given_up_is_kept_with_the_reason(spool: Spool, files: Files) -> None:
    outbox.put(spool, files, [delivery()])
    (waiting,) = outbox.due(spool, files, NOW, REST, Resting())
    waiting.give_up(spool, files, "no answer", NOW)
    folder = spool.queue("error") / waiting.id
    assert json.loads((folder / "reason.json").read_text())["reason"] == "no answer"
    assert json.loads((folder / "delivery.json").read_text())["body"] == '{"a": 1}'
    assert list(outbox.due(spool, files, NOW, REST, Resting())) == []


def test_a_damaged_delivery_holds_up_no_other(spool: Spool, files: Files) -> None:
    (spool.outbox / "0.json").write_text("{")
    outbox.put(spool, files, [delivery()])
    assert [waiting.delivery for waiting in outbox.due(spool, files, NOW, REST, Resting())] == [
        delivery()
    ]
    assert (spool.queue("error") / "0" / "delivery.json").read_text() == "{"


def test_a_clock_that_was_set_back_holds_up_nothing(spool: Spool, files: Files) -> None:
    outbox.put(spool, files, [delivery()])
    (waiting,) = outbox.due(spool, files, NOW, REST, Resting())
    waiting.retry_at(files, NOW + REST)
    assert list(outbox.due(spool, files, NOW, REST, Resting())) == []
    assert len(list(outbox.due(spool, files, NOW - timedelta(days=365), REST, Resting()))) == 1


def test_what_was_replaced_or_delivered_meanwhile_is_passed_over(
    spool: Spool, files: Files
) -> None:
    outbox.put(spool, files, [delivery(name) for name in "abc"])
    mine = outbox.due(spool, files, NOW, REST, Resting())
    (first, *_) = [next(mine)]
    others = list(outbox.due(spool, files, NOW, REST, Resting()))
    others[0].delivered()
    others[1].retry_at(files, NOW + REST)
    first.delivered()
    assert list(mine) == []
    assert [path.stem for path in spool.outbox.iterdir()] == [others[1].id]


def test_a_delivery_that_rests_is_read_once_until_it_is_replaced(
    spool: Spool, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox.put(spool, files, [delivery()])
    resting = Resting()
    (waiting,) = outbox.due(spool, files, NOW, REST, resting)
    waiting.retry_at(files, NOW + REST)
    assert list(outbox.due(spool, files, NOW, REST, resting)) == []
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "locked_content", lambda path: pytest.fail("read again"))
        assert list(outbox.due(spool, files, NOW, REST, resting)) == []
    content = json.loads(waiting.path.read_text())
    files.write_json(waiting.path, {**content, "not_before": None})  # by an administrator
    assert len(list(outbox.due(spool, files, NOW, REST, resting))) == 1
    assert len(list(outbox.due(spool, files, NOW + REST, REST, resting))) == 1
    waiting.delivered()
    assert list(outbox.due(spool, files, NOW, REST, resting)) == []
    assert resting.until == {}
