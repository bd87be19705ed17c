from __future__ import annotations

from pathlib import Path

import mroute_dicom
from mroute.api import ServiceContext, ServiceType
from mroute.testing import registry_of
from mroute_dicom.receiving.settings import ReceiverSettings
from mroute_dicom.settings import DicomSettings
from tests.hooks.fakes import check_broken_contributors, check_wrong_results, plugin

HOOK = "mroute_services"


def serve(context: ServiceContext) -> None:
    context.stop.wait()


PAGE = ServiceType("page", serve)


def test_the_default_service_runs_where_the_settings_ask_for_it(tmp_path: Path) -> None:
    services = registry_of(mroute_dicom).services
    assert list(services) == ["inbox", "receiver"]
    receiver = ReceiverSettings(port=104)
    for name, asked in {
        "inbox": DicomSettings(inbox=tmp_path),
        "receiver": DicomSettings(receiver=receiver),
    }.items():
        enabled = services[name].enabled
        assert not enabled({})
        assert not enabled({"dicom": DicomSettings()})
        assert enabled({"dicom": asked})


def test_a_plugin_adds_one_which_runs_always() -> None:
    services = registry_of(mroute_dicom, plugin(HOOK, lambda: [PAGE])).services
    assert services["page"] is PAGE
    assert PAGE.enabled({})


def test_a_broken_plugin_contributes_none() -> None:
    check_broken_contributors(HOOK, mroute_dicom, PAGE, lambda registry: registry.services)


def test_what_is_no_service_is_refused() -> None:
    check_wrong_results(HOOK, "ServiceType")
