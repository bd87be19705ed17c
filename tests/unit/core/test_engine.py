"""A decision becomes a plan: every triggered rule is claimed, or nothing is done at all.

Knows plans. Does not know the default plugins, nor any disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pluggy
import pytest

from mroute import engine
from mroute.api import (
    ActionType,
    Decision,
    Delivery,
    Done,
    Finish,
    ForcedCompletion,
    Notice,
    NoticeEvent,
    Phase,
    PlanContext,
    QueueType,
    Rejected,
    RejectedError,
    RuleBase,
    Series,
    StudyPlan,
    Subject,
    TaskPlan,
    Trigger,
    TriggeredRule,
    UidType,
    Verdict,
    hookimpl,
)
from mroute.errors import PluginError, UnclaimedRuleError
from mroute.hooks import Hooks
from mroute.testing import hooks_of
from mroute.types import Plan

QUEUES = {
    name: QueueType(name, lambda task, context: Done(), name)
    for name in ("outgoing", "processing", "quarantine")
}
CONTEXT = PlanContext(datetime(2026, 11, 23, tzinfo=UTC), {}, {}, {}, QUEUES)
SERIES = Series(
    "1.2", {"StudyInstanceUID": "9"}, ("1.dcm",), "0" * 8 + "-0000-4000-8000-" + "0" * 12
)
ACTIONS = {phase.value: ActionType(phase.value, phase, RuleBase) for phase in Phase}


class Planner:
    """Plans one task a rule, joins a study for each collecting rule, and delivers each notice."""

    @hookimpl
    def mroute_dispatch(
        self, subject: Subject, rules: Sequence[TriggeredRule]
    ) -> Iterator[TaskPlan]:
        for rule in rules:
            yield TaskPlan("outgoing", (rule.name,), "route", rule.name)

    @hookimpl
    def mroute_processing(
        self, subject: Subject, rules: Sequence[TriggeredRule]
    ) -> Iterator[TaskPlan]:
        for rule in rules:
            yield TaskPlan("processing", (rule.name,), "process", rule.name)

    @hookimpl
    def mroute_study_collection(
        self, series: Series, rules: Sequence[TriggeredRule]
    ) -> Iterator[StudyPlan]:
        for rule in rules:
            yield StudyPlan(series.study_uid, rule.name, {"action": "route"}, {}, {}, {})

    @hookimpl
    def mroute_notification(self, notice: Notice) -> list[Delivery]:
        options: dict[str, object] = {}
        return [Delivery("test", notice.rule_name, notice.event, notice.task_id, options, "")]  # type: ignore[arg-type]


def rule(name: str, phase: Phase, on: Trigger = Trigger.SERIES) -> TriggeredRule:
    model = RuleBase(when="-", action=phase.value, on=on)
    return TriggeredRule(name, model)


def decided(*rules: TriggeredRule, discarded_by: str | None = None) -> Decision:
    return Decision(
        tuple(rule.name for rule in rules),
        {},
        discarded_by,
        definitions={rule.name: rule.rule for rule in rules},
    )


def plan(decision: Decision, series: Series = SERIES, hooks: Hooks | None = None) -> Plan:
    return engine.plan(series, decision, hooks or hooks_of(p=Planner()), ACTIONS, CONTEXT)


def test_several_actions_on_one_series_all_happen() -> None:
    made = plan(
        decided(
            rule("a", Phase.DISPATCH),
            rule("b", Phase.PROCESSING),
            rule("c", Phase.DISPATCH, on=Trigger.STUDY),
        )
    )
    assert [(task.queue, task.rules) for task in made.tasks] == [
        ("outgoing", ("a",)),
        ("processing", ("b",)),
    ]
    assert [study.rule_name for study in made.studies] == ["c"]


def test_no_rule_is_a_discard_with_the_reason() -> None:
    (task,) = plan(decided()).tasks
    assert (task.queue, task.rules, task.reason) == (Finish.DISCARD, (), "no rule triggered")


def test_a_discard_rule_plans_nothing_else_even_when_it_says_study() -> None:
    decision = decided(rule("d", Phase.DISCARD, on=Trigger.STUDY), discarded_by="d")
    made = plan(decision)
    assert [(task.queue, task.applied_rule) for task in made.tasks] == [(Finish.DISCARD, "d")]
    assert made.studies == ()


def test_only_notifications_go_to_success_and_are_completed() -> None:
    made = plan(decided(rule("n", Phase.NOTIFICATION), rule("m", Phase.NOTIFICATION)))
    assert [(task.queue, task.rules) for task in made.tasks] == [(Finish.SUCCESS, ("n", "m"))]
    assert [(each.rule_name, each.event) for each in made.deliveries] == [
        ("n", NoticeEvent.RECEIVED),
        ("n", NoticeEvent.COMPLETED),
        ("m", NoticeEvent.RECEIVED),
        ("m", NoticeEvent.COMPLETED),
    ]


def test_a_notification_beside_a_route_takes_no_images() -> None:
    made = plan(decided(rule("n", Phase.NOTIFICATION), rule("a", Phase.DISPATCH)))
    assert [task.queue for task in made.tasks] == ["outgoing"]
    received = [each for each in made.deliveries if each.rule_name == "a"]
    assert [each.event for each in received] == [NoticeEvent.RECEIVED]
    assert received[0].task_id == made.tasks[0].task_id(SERIES.claim_id)


def test_a_rule_that_nobody_claims_is_an_error_that_names_it() -> None:
    class Busy:
        @hookimpl
        def mroute_processing(self) -> None:
            """Plans something else."""

    with pytest.raises(UnclaimedRuleError, match="rule 'a' triggered, but no plugin planned"):
        plan(decided(rule("a", Phase.DISPATCH)), hooks=hooks_of(b=Busy()))


def test_a_wrapper_may_veto_or_rewrite() -> None:
    class Rewrite:
        @hookimpl(wrapper=True)
        def mroute_dispatch(self) -> pluggy.Result[object]:  # type: ignore[misc]
            results = yield
            return [[replace(task, queue="quarantine") for task in each] for each in results]

    made = plan(decided(rule("a", Phase.DISPATCH)), hooks=hooks_of(p=Planner(), w=Rewrite()))
    assert [task.queue for task in made.tasks] == ["quarantine"]


def test_a_plugin_that_fails_while_planning_is_named() -> None:
    class Broken:
        @hookimpl
        def mroute_dispatch(self) -> Iterator[TaskPlan]:
            yield TaskPlan("outgoing", ("a",), "route")
            raise ValueError("late")

    with pytest.raises(PluginError, match="plugin 'broken': hook 'mroute_dispatch' raised"):
        plan(decided(rule("a", Phase.DISPATCH)), hooks=hooks_of(p=Planner(), broken=Broken()))


def test_a_wrapper_that_fails_is_named() -> None:
    class Broken:
        @hookimpl(wrapper=True)
        def mroute_dispatch(self) -> Iterator[None]:
            yield
            raise ValueError("late")

    with pytest.raises(PluginError, match="plugin 'broken': hook 'mroute_dispatch' raised"):
        plan(decided(rule("a", Phase.DISPATCH)), hooks=hooks_of(p=Planner(), broken=Broken()))


def test_a_plugin_may_reject_a_series_with_a_reason() -> None:
    class Strict:
        @hookimpl
        def mroute_dispatch(self) -> None:
            raise RejectedError("the series has no study")

    with pytest.raises(RejectedError, match=r"^the series has no study$"):
        plan(decided(rule("a", Phase.DISPATCH)), hooks=hooks_of(s=Strict()))


def test_what_is_no_plan_is_refused() -> None:
    class Sloppy:
        @hookimpl
        def mroute_dispatch(self) -> list[str]:
            return ["outgoing"]

    with pytest.raises(PluginError, match="returned str, expected TaskPlan"):
        plan(decided(rule("a", Phase.DISPATCH)), hooks=hooks_of(s=Sloppy()))


def test_rejected_files_go_to_error_each_with_its_reason() -> None:
    series = replace(SERIES, rejected=(Rejected("x.txt", "no image"), Rejected("y", "broken")))
    made = plan(decided(rule("a", Phase.DISPATCH)), series)
    assert [(task.queue, task.files, task.reason) for task in made.tasks[1:]] == [
        (Finish.ERROR, ("x.txt",), "no image"),
        (Finish.ERROR, ("y",), "broken"),
    ]
    ids = {task.task_id(SERIES.claim_id) for task in made.tasks}
    assert len(ids) == 3


def test_planning_again_gives_the_same_ids() -> None:
    decision = decided(rule("a", Phase.DISPATCH), rule("b", Phase.PROCESSING))
    one, other = plan(decision), plan(decision)
    assert one == other
    assert [t.task_id(SERIES.claim_id) for t in one.tasks] == [
        t.task_id(SERIES.claim_id) for t in other.tasks
    ]


@dataclass
class AStudy:
    """As much of a study as planning looks at."""

    claim_id: str = SERIES.claim_id
    images: tuple[str, ...] = ("1.dcm",)
    uid_type: UidType = UidType.STUDY
    tags: Mapping[str, str] = field(
        default_factory=lambda: {"PatientName": "DOE^JANE", "Modality": "MR"}
    )
    because: str = "waited long enough"

    def forced(self, now: datetime) -> Verdict:
        return Verdict(True, self.because, ForcedCompletion.ERROR)


@pytest.mark.parametrize(
    ("forced", "queue"),
    [
        (None, "outgoing"),
        (ForcedCompletion.PROCEED, "outgoing"),
        (ForcedCompletion.DISCARD, Finish.DISCARD),
        (ForcedCompletion.ERROR, Finish.ERROR),
    ],
)
def test_a_study_goes_where_it_was_forced_to(forced: ForcedCompletion | None, queue: str) -> None:
    made = engine.plan_study(
        AStudy(),  # type: ignore[arg-type]
        rule("a", Phase.DISPATCH, on=Trigger.STUDY),
        Verdict(True, "waited long enough", forced),
        None,
        hooks_of(p=Planner()),
        ACTIONS,
        CONTEXT,
    )
    assert [task.queue for task in made.tasks] == [queue]
    assert made.studies == ()
    if forced in (ForcedCompletion.DISCARD, ForcedCompletion.ERROR):
        assert made.tasks[0].reason == "waited long enough"


class Noting(Planner):
    """Notes every notice."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    @hookimpl
    def mroute_notification(self, notice: Notice) -> list[Delivery]:
        self.notices.append(notice)
        return []


def notices(
    subject: Series | AStudy, forced: ForcedCompletion | None = None, because: str = ""
) -> list[Notice]:
    """What is told of a subject for a rule that only notifies."""
    noting = Noting()
    if isinstance(subject, Series):
        plan(decided(rule("n", Phase.NOTIFICATION)), subject, hooks_of(p=noting))
        return noting.notices
    engine.plan_study(
        subject,  # type: ignore[arg-type]
        rule("n", Phase.NOTIFICATION, on=Trigger.STUDY),
        Verdict(True, because, forced),
        None,
        hooks_of(p=noting),
        ACTIONS,
        CONTEXT,
    )
    return noting.notices


TAGS = {
    "PatientName": "DOE^JANE",
    "PatientID": "4711",
    "Modality": "MR",
    "DeviceSerialNumber": "40123",
}


def test_a_notice_says_what_it_is_about_and_apart_from_that_whom() -> None:
    received, completed = notices(replace(SERIES, tags=TAGS))
    assert received.facts == completed.facts
    assert received.facts == {
        "uid_type": "series",
        "modality": "MR",
        "device_serial_number": "40123",
        "sender_address": "MISSING",
        "sender_aet": "MISSING",
        "receiver_aet": "MISSING",
    }
    assert set(received.patient.values()) == {"UNKNOWN"}
    assert completed.patient == {"patient_name": "DOE^JANE", "mrn": "4711", "acc": "MISSING"}
    assert "DOE^JANE" not in repr(completed)


def test_the_patient_of_a_study_is_known_when_it_is_received() -> None:
    received, completed = notices(AStudy())
    assert received.patient == completed.patient
    assert received.patient["patient_name"] == "DOE^JANE"
    assert received.facts["uid_type"] == "study"


def test_why_a_study_is_an_error_is_told_where_that_cannot_quote_a_tag() -> None:
    (notice,) = notices(AStudy(), ForcedCompletion.ERROR, "waited long enough")
    assert notice.details == "waited long enough"
    (notice,) = notices(AStudy(), ForcedCompletion.ERROR, "'DOE^JANE' is no number")
    assert notice.details == f"'reason.json' in 'error/{notice.task_id}' says why"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("sent to 'pacs'", "sent to 'pacs'"),
        ("image 1.2.840.113619.2.55.dcm was refused", "image <uid>.dcm was refused"),
        ("SOPInstanceUID 'DOE^JANE' must not be", "SOPInstanceUID '<uid>' must not be"),
        ("it ended with exit code 1:\nPatientName: DOE^JANE", "it ended with exit code 1:"),
    ],
)
def test_what_a_task_came_to_is_told_without_uids_and_without_what_it_quotes(
    said: str, told: str
) -> None:
    noting = Noting()
    rules = [rule("n", Phase.NOTIFICATION)]
    info = {"uid_type": "series"}  # of a task file of long ago
    engine.announce(NoticeEvent.ERROR, rules, "t", info, hooks_of(p=noting), CONTEXT, said)
    (notice,) = noting.notices
    assert notice.details == told
    assert notice.facts["modality"] == "MISSING"


UNSOUND = {
    "it leaves out 1 of 1 images": [TaskPlan("outgoing", ("a",), "route", files=())],
    "no installed plugin has the queue 'outgoin'": [TaskPlan("outgoin", ("a",), "route")],
    "no installed plugin has the queue '../incoming'": [TaskPlan("../incoming", ("a",), "route")],
    "it makes the same task twice; give each a 'key' of its own": [
        TaskPlan("outgoing", ("a",), "route"),
        TaskPlan("outgoing", ("a",), "route"),
    ],
    "it takes '/etc/passwd', which is no file of the series": [
        TaskPlan("outgoing", ("a",), "route", files=("1.dcm", "/etc/passwd"))
    ],
    "the task in 'outgoing' is no JSON": [
        TaskPlan("outgoing", ("a",), "route", sections={"x": object()})  # type: ignore[dict-item]
    ],
    "the task in 'outgoing' is no JSON: Out of range float": [
        TaskPlan("outgoing", ("a",), "route", sections={"x": float("nan")})
    ],
}


@pytest.mark.parametrize("fault", UNSOUND)
def test_a_plan_that_would_lose_or_strand_an_image_is_refused(fault: str) -> None:
    class Careless:
        @hookimpl
        def mroute_dispatch(self) -> list[TaskPlan]:
            return UNSOUND[fault]

    with pytest.raises(RejectedError, match="the plan cannot be carried out") as caught:
        plan(decided(rule("a", Phase.DISPATCH)), hooks=hooks_of(c=Careless()))
    assert fault in str(caught.value)


def test_a_plugin_that_plans_no_list_is_named() -> None:
    class Hasty:
        @hookimpl
        def mroute_dispatch(self) -> TaskPlan:
            return TaskPlan("outgoing", ("a",), "route")

    with pytest.raises(PluginError, match="'TaskPlan' object is not iterable"):
        plan(decided(rule("a", Phase.DISPATCH)), hooks=hooks_of(hasty=Hasty()))
