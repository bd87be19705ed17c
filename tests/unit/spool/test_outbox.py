"""The outbox: deliveries wait in it, are retried, and are never dropped.

Knows files of the outbox. Does not know any channel.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from mroute.models import NoticeEvent
from mroute.spool import outbox
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.outbox import Resting, Waiting
from mroute.types import Delivery

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REST = timedelta(minutes=15)
TASK = "00000000-0000-0000-0000-000000000000"


def delivery(rule: str = "r") -> Delivery:
    options = {"url": "http://x"}
    return Delivery("webhook", rule, NoticeEvent.ERROR, TASK, options, '{"a": 1}', "http://x")


def put(spool: Spool, files: Files, deliveries: Iterable[Delivery], redriven: str = "") -> None:
    outbox.put(spool, files, deliveries, NOW, redriven)


def due(
    spool: Spool, files: Files, now: datetime = NOW, resting: Resting | None = None
) -> list[Waiting]:
    return list(outbox.due(spool, files, now, REST, resting or Resting()))


def test_a_delivery_waits_as_it_was_put(spool: Spool, files: Files) -> None:
    put(spool, files, [delivery()])
    (waiting,) = due(spool, files)
    assert waiting.delivery == delivery()
    assert (waiting.attempts, waiting.since, waiting.destination) == (0, NOW, "http://x")
    assert waiting.delivery.id == waiting.id == delivery().delivery_id(0)


def test_the_channel_stands_for_a_destination_that_is_not_named(spool: Spool, files: Files) -> None:
    put(spool, files, [Delivery("bell", "r", NoticeEvent.ERROR, TASK, {}, "")])
    assert [each.destination for each in due(spool, files)] == ["bell"]


def test_one_that_cannot_be_opened_holds_up_no_other(spool: Spool, files: Files) -> None:
    (spool.outbox / "0.json").mkdir()
    put(spool, files, [delivery()])
    assert [each.delivery for each in due(spool, files)] == [delivery()]
    reason = json.loads((spool.root / "error/0/reason.json").read_text())["reason"]
    assert "Is a directory" in reason


def test_putting_the_same_again_changes_nothing(spool: Spool, files: Files) -> None:
    put(spool, files, [delivery("a"), delivery("b")])
    put(spool, files, [delivery("a"), delivery("b")])
    assert len(due(spool, files)) == 2


def test_what_a_redriven_task_says_is_another_message(spool: Spool, files: Files) -> None:
    put(spool, files, [delivery()])
    put(spool, files, [delivery()], "2026-11-23T11:00:00+00:00")
    put(spool, files, [delivery()], "2026-11-23T11:00:00+00:00")
    assert len(due(spool, files)) == 2


def test_a_retry_is_due_when_its_time_has_come(spool: Spool, files: Files) -> None:
    put(spool, files, [delivery()])
    (waiting,) = due(spool, files)
    waiting.retry_at(files, NOW + REST)
    assert due(spool, files) == []
    (again,) = due(spool, files, NOW + REST)
    assert (again.attempts, again.since, again.delivery) == (1, NOW, delivery())


def test_nobody_else_has_one_at_the_same_time(spool: Spool, files: Files) -> None:
    put(spool, files, [delivery()])
    (waiting,) = due(spool, files)
    with outbox.held(spool, files, waiting.path, NOW) as mine:
        assert mine == waiting
        with outbox.held(spool, files, waiting.path, NOW) as other:
            assert other is None
        assert due(spool, files) == []
    assert due(spool, files) == [waiting]


def test_what_is_held_is_as_it_is_now(spool: Spool, files: Files) -> None:
    put(spool, files, [delivery()])
    (found,) = due(spool, files)
    found.retry_at(files, NOW + REST)
    with outbox.held(spool, files, found.path, NOW) as waiting:
        assert waiting is not None
        assert waiting.not_before == NOW + REST
    found.delivered()
    with outbox.held(spool, files, found.path, NOW) as waiting:
        assert waiting is None


def test_what_is_given_up_is_kept_with_the_reason(spool: Spool, files: Files) -> None:
    put(spool, files, [delivery()])
    (waiting,) = due(spool, files)
    waiting.give_up(spool, files, "no answer", NOW)
    folder = spool.queue("error") / waiting.id
    assert json.loads((folder / "reason.json").read_text())["reason"] == "no answer"
    assert json.loads((folder / "delivery.json").read_text())["body"] == '{"a": 1}'
    assert due(spool, files) == []


@pytest.mark.parametrize(
    "damage",
    [
        "{",
        "[]",
        '{"channel": "webhook"}',
        json.dumps({"not_before": "2026-11-23T12:00:00", "since": None}),
    ],
)
def test_a_damaged_delivery_holds_up_no_other(spool: Spool, files: Files, damage: str) -> None:
    (spool.outbox / "0.json").write_text(damage)
    put(spool, files, [delivery()])
    assert [waiting.delivery for waiting in due(spool, files)] == [delivery()]
    assert (spool.queue("error") / "0" / "delivery.json").read_text() == damage


def test_a_file_of_an_older_mroute_is_delivered(spool: Spool, files: Files) -> None:
    put(spool, files, [delivery()])
    (path,) = spool.outbox.iterdir()
    content = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in content.items() if k not in _NEW}))
    (waiting,) = due(spool, files)
    assert (waiting.since, waiting.destination) == (NOW, "webhook")


_NEW = ("since", "destination")


def test_a_clock_that_was_set_back_holds_up_nothing(spool: Spool, files: Files) -> None:
    put(spool, files, [delivery()])
    (waiting,) = due(spool, files)
    waiting.retry_at(files, NOW + REST)
    assert due(spool, files) == []
    assert len(due(spool, files, NOW - timedelta(days=365))) == 1


def test_what_was_replaced_or_delivered_meanwhile_is_passed_over(
    spool: Spool, files: Files
) -> None:
    put(spool, files, [delivery(name) for name in "abc"])
    mine = outbox.due(spool, files, NOW, REST, Resting())
    first = next(mine)
    others = [each for each in due(spool, files) if each.id != first.id]
    others[0].delivered()
    others[1].retry_at(files, NOW + REST)
    first.delivered()
    assert list(mine) == []
    assert [path.stem for path in spool.outbox.iterdir()] == [others[1].id]


def test_a_delivery_that_rests_is_read_once_until_it_is_replaced(
    spool: Spool, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(spool, files, [delivery()])
    resting = Resting()
    (waiting,) = due(spool, files, NOW, resting)
    waiting.retry_at(files, NOW + REST)
    assert due(spool, files, NOW, resting) == []
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "locked_content", lambda path: pytest.fail("read again"))
        assert due(spool, files, NOW, resting) == []
    content = json.loads(waiting.path.read_text())
    files.write_json(waiting.path, {**content, "not_before": None})  # by an administrator
    assert len(due(spool, files, NOW, resting)) == 1
    assert len(due(spool, files, NOW + REST, resting)) == 1
    waiting.delivered()
    assert due(spool, files, NOW, resting) == []
    assert resting.known == {}
