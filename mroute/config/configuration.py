"""A rule file that was loaded: the values that the rest of mroute works with.

Knows the sections that belong to mroute itself. Does not know files or how they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StrictBool

from mroute.config.edition import Edition
from mroute.errors import Problem
from mroute.expr import StudyProgram
from mroute.models import Durability, Model, ModuleBase, RuleBase, TargetBase
from mroute.ruleset import RuleSet
from mroute.times import Duration, Hours
from mroute.types import JsonObject

_LONGEST_AE_TITLE = 16


def _ae_title(text: str) -> str:
    """An AE title without the blanks around it, which do not count."""
    title = text.strip()
    if not 1 <= len(title) <= _LONGEST_AE_TITLE:
        raise ValueError(
            f"an AE title has 1 to {_LONGEST_AE_TITLE} characters, and {text!r} has {len(title)}"
        )
    return title


AETitle = Annotated[str, AfterValidator(_ae_title)]


class Timing(Model):
    """How long things take before mroute acts."""

    series_complete_after: Duration = Field(
        timedelta(seconds=60),
        description="A series is complete, and its rules are looked at, when no image of it "
        "arrived for this time.",
        examples=["60s"],
    )
    series_complete_after_by_sender: dict[AETitle, Duration] = Field(
        default_factory=dict,
        description="The same for the senders with these AE titles (`SenderAET` in the tags): a "
        "scanner that sends without a pause need not wait for as long as one that makes pauses.",
        examples=[{"SCANNER1": "10s"}],
    )
    study_complete_after: Duration = Field(
        timedelta(minutes=15),
        description="A study is quiet, which `complete: timeout` waits for, when no series of it "
        "arrived for this time.",
        examples=["15m"],
    )
    latecomers_within: Duration = Field(
        timedelta(days=7),
        description="How long it is remembered that a study went on, so that a series of it which "
        "arrives later is known to be late. `0s`: not at all.",
        examples=["7d"],
    )
    retry_after: Duration = Field(
        timedelta(minutes=15),
        description="Time until failed work is tried again.",
        examples=["15m"],
    )
    probe_after: Duration = Field(
        timedelta(seconds=15),
        description="Time until a target that is down is tried with one task. It doubles with each "
        "time in vain, up to `retry_after`. It is the same for those who are notified.",
        examples=["15s"],
    )
    offpeak: Hours | None = Field(
        None,
        description="The hours in which tasks of the priority `offpeak` are worked on, in the "
        "local time of the machine; from the first to the second, over midnight too. If not given, "
        "at any hour, after all others.",
        examples=["22:00-06:00"],
    )
    retry_max: int = Field(
        5,
        ge=0,
        le=1_000_000,
        description="How often failed work is tried again before it is given up and its images "
        "go to `error/`. 0: never.",
        examples=[5],
    )
    give_up_notices_after: Duration = Field(
        timedelta(hours=24),
        description="How long it is tried to deliver a notification before it goes to `error/`; "
        "`retry_max` is for images alone.",
        examples=["24h"],
    )


class CoreSettings(Model):
    """The settings of mroute itself; those of plugins are in sections beside them."""

    durability: Durability = Field(
        Durability.POWER,
        description="What a committed image survives: a loss of `power`, or only the end of the "
        "`process`, which is faster.",
    )
    log_phi: StrictBool = Field(
        False,
        description="Whether logs may hold what leads to a patient.",
        examples=[False],
    )


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a rule file says.

    ``file`` and ``spool`` are absolute; ``edition`` is that of the file that was read. ``settings``
    maps every plugin that has settings to its section, with the defaults of what the file leaves
    out. ``warnings`` were found while loading. ``parse_rule`` makes a rule of a JSON object that
    says what a rule file would say of it; it raises `ValueError` where the installed plugins do not
    take it. ``study_program`` compiles a condition over a study; it raises `ExpressionError`.
    """

    file: Path
    spool: Path
    timing: Timing
    targets: Mapping[str, TargetBase]
    modules: Mapping[str, ModuleBase]
    rules: RuleSet
    settings: Mapping[str, BaseModel]
    core: CoreSettings
    parse_rule: Callable[[JsonObject], RuleBase]
    study_program: Callable[[str], StudyProgram]
    warnings: tuple[Problem, ...] = ()
    edition: Edition = None
