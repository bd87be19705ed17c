from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mroute_dicom
from mroute.api import HealthCheck, HealthContext
from mroute.registry import Registry
from mroute.testing import hooks_of, registry_of
from tests.hooks.fakes import check_broken_contributors, check_wrong_results, plugin

HOOK = "mroute_health_checks"


def look(context: HealthContext) -> Iterator[str]:
    yield f"{len(context.targets)} tapes are full; put in others"


TAPES = HealthCheck("tapes", look)


def test_the_default_checks_have_nothing_to_say_of_a_site_without_dicom(tmp_path: Path) -> None:
    checks = registry_of(mroute_dicom).health_checks
    assert list(checks) == ["receiver", "dcmtk"]
    nothing = HealthContext({}, {}, tmp_path)
    assert [list(each.check(nothing)) for each in checks.values()] == [[], []]


def test_a_plugin_adds_one(tmp_path: Path) -> None:
    registry = registry_of(mroute_dicom, tape=plugin(HOOK, lambda: [TAPES]))
    assert registry.health_checks["tapes"] is TAPES
    assert registry.contributed_by["health check", "tapes"] == "tape"
    said = list(TAPES.check(HealthContext({}, {}, tmp_path)))
    assert said == ["0 tapes are full; put in others"]


def test_two_of_one_name_are_refused_and_both_plugins_named() -> None:
    again = plugin(HOOK, lambda: [HealthCheck("dcmtk", look)])
    registry = Registry.collect(hooks_of(mroute_dicom, tape=again))
    (error,) = registry.errors
    assert str(error) == (
        "plugin 'tape': contributes the health check 'dcmtk', which plugin 'dicom' contributes "
        "already; disable one of them with MROUTE_DISABLE_PLUGINS"
    )


def test_a_broken_plugin_contributes_none() -> None:
    check_broken_contributors(HOOK, mroute_dicom, TAPES, lambda registry: registry.health_checks)


def test_what_is_no_check_is_refused() -> None:
    check_wrong_results(HOOK, "HealthCheck")
