from __future__ import annotations

from typing import Literal

import mroute_dispatch
import mroute_storage
import mroute_web
from mroute.api import Shipment, TargetBase, TargetType, WorkContext
from mroute.testing import registry_of
from tests.hooks.fakes import check_broken_contributors, check_wrong_results, plugin

HOOK = "mroute_target_types"


class TapeTarget(TargetBase):
    type: Literal["tape"]


def wind(shipment: Shipment, target: TapeTarget, context: WorkContext) -> None:
    """Send nothing."""


TAPE = TargetType("tape", TapeTarget, wind)


def test_the_default_target_types() -> None:
    types = registry_of(mroute_dispatch, mroute_storage, mroute_web).target_types
    assert list(types) == ["dummy", "folder", "sftp", "s3", "rsync", "dicomweb", "xnat"]
    for name, each in types.items():
        assert each.model.model_json_schema()["properties"]["type"]["const"] == name


def test_a_plugin_adds_one_which_need_not_check_anything() -> None:
    types = registry_of(mroute_dispatch, plugin(HOOK, lambda: [TAPE])).target_types
    assert types["tape"] is TAPE
    assert list(TAPE.check("backup", TapeTarget(type="tape"), ())) == []


def test_a_broken_plugin_contributes_none() -> None:
    check_broken_contributors(HOOK, mroute_dispatch, TAPE, lambda registry: registry.target_types)


def test_what_is_no_target_type_is_refused() -> None:
    check_wrong_results(HOOK, "TargetType")
