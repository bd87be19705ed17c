from __future__ import annotations

from pydantic import BaseModel

import mroute_dicom
import mroute_notification
from mroute.api import Model
from mroute.registry import Registry
from mroute.testing import hooks_of, registry_of
from mroute_dicom.settings import DicomSettings
from mroute_notification.settings import NotificationSettings
from tests.hooks.fakes import check_broken_contributors, plugin

HOOK = "mroute_settings"


class PageSettings(Model):
    port: int = 8080


def test_the_default_plugins_have_sections_under_their_names() -> None:
    expected: dict[str, type[BaseModel]] = {
        "dicom": DicomSettings,
        "notification": NotificationSettings,
    }
    assert registry_of(mroute_dicom, mroute_notification).settings == expected


def test_every_section_has_defaults_for_all_settings() -> None:
    for model in registry_of(mroute_dicom, mroute_notification).settings.values():
        assert model.model_validate({}) == model()


def test_a_plugin_adds_its_section() -> None:
    registry = registry_of(mroute_dicom, page=plugin(HOOK, lambda: PageSettings))
    assert registry.settings["page"] is PageSettings


def test_a_plugin_without_settings_returns_none() -> None:
    assert registry_of(page=plugin(HOOK, lambda: None)).settings == {}


def test_a_broken_plugin_contributes_none() -> None:
    check_broken_contributors(HOOK, mroute_dicom, PageSettings, lambda registry: registry.settings)


def test_what_is_no_model_is_refused() -> None:
    registry = Registry.collect(
        hooks_of(number=plugin(HOOK, lambda: 3), text=plugin(HOOK, lambda: str))
    )
    assert [str(error) for error in registry.errors] == [
        "plugin 'number': hook 'mroute_settings' returned 3, expected a type",
        "plugin 'text': the settings <class 'str'> are no subclass of BaseModel",
    ]
