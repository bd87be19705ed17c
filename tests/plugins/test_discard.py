from __future__ import annotations

import mroute_discard
from mroute.api import Finish, TaskPlan
from mroute.engine import plan
from mroute.testing import hooks_of, make_rule, make_series, plan_context, registry_of, triggered
from mroute.types import Decision, Plan
from mroute_discard import DiscardRule


def test_a_discarded_series_is_one_task_in_discard() -> None:
    rule = triggered(make_rule(DiscardRule), "no-scouts")
    decision = Decision((rule.name,), {}, rule.name, definitions={rule.name: rule.rule})
    actions = registry_of(mroute_discard).actions
    made = plan(make_series(), decision, hooks_of(mroute_discard), actions, plan_context())
    assert made == Plan(
        (
            TaskPlan(
                Finish.DISCARD,
                ("no-scouts",),
                action="discard",
                applied_rule="no-scouts",
                reason="discarded by rule 'no-scouts'",
            ),
        )
    )
