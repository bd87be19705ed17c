"""What everybody can read or write: found by the bits of the mode, so that root finds it too."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import Field

from mroute.config import Configuration
from mroute.doctor.finding import Finding, State
from mroute.doctor.permissions import check_permissions, secret_files
from mroute.models import Model
from mroute.secrets import Secret
from mroute.spool.layout import Spool
from tests.unit.doctor.conftest import QUEUES


class Login(Model):
    user: str = "me"
    password: Secret | None = None


class Target(Model):
    login: Login = Login()
    headers: dict[str, Secret] = Field({})
    keys: tuple[Secret, ...] = ()


def site(root: Path) -> tuple[Path, Spool]:
    """A rule file and a spool that nobody else can look into."""
    file, spool = root / "mroute.yaml", Spool(root / "spool")
    file.touch(0o644)
    spool.prepare(QUEUES)
    spool.root.chmod(0o750)
    return file, spool


def findings(file: Path, spool: Spool, **configured: Any) -> list[Finding]:
    given = {"targets": {}, "modules": {}, "settings": {}, "rules": {}, **configured}
    configuration = cast(Configuration, SimpleNamespace(**given))
    return list(check_permissions(file, configuration, spool, QUEUES))


def test_a_site_of_which_nobody_else_learns_anything_is_fine(open_folder: Path) -> None:
    file, spool = site(open_folder)
    assert [each.state for each in findings(file, spool)] == [State.OK]
    (spool.incoming / "1.dcm").touch(0o644)
    assert [each.state for each in findings(file, spool)] == [State.OK]


def test_what_everybody_can_write_is_told_of(open_folder: Path) -> None:
    file, spool = site(open_folder)
    file.chmod(0o646)
    spool.incoming.chmod(0o777)
    found = findings(file, spool)
    assert [(each.state, each.said, each.advice) for each in found] == [
        (State.PROBLEM, f"'{path}' can be written by everybody", f"run 'chmod o-w {path}'")
        for path in (file, spool.incoming)
    ]


def test_images_that_everybody_can_read_are_told_of(open_folder: Path) -> None:
    file, spool = site(open_folder)
    spool.root.chmod(0o755)
    (open_,) = findings(file, spool)
    assert (open_.state, open_.said) == (State.REMARK, f"everybody can look into '{spool.root}'")
    series = spool.incoming / "1.2.3"
    series.mkdir()
    image = series / "1.dcm"
    image.touch(0o644)
    image.chmod(0o644)
    (found,) = findings(file, spool)
    assert found.state is State.PROBLEM
    assert found.said == f"what tells of patients can be read by everybody, such as '{image}'"
    assert found.advice.startswith(f"run 'chmod o-rwx {spool.root}'")
    for protects, mode in ((image, 0o640), (series, 0o750), (spool.incoming, 0o750)):
        before = protects.stat().st_mode
        protects.chmod(mode)
        assert [each.state for each in findings(file, spool)] == [State.REMARK]
        protects.chmod(before)
    open_folder.chmod(0o750)
    assert [each.state for each in findings(file, spool)] == [State.OK]


def test_files_of_mroute_itself_tell_of_no_patient(open_folder: Path) -> None:
    file, spool = site(open_folder)
    spool.root.chmod(0o755)
    (spool.queue("outgoing") / "HALT").touch(0o644)
    (spool.root / ".contributions.json").touch(0o644)
    (spool.runs / "1.json").touch(0o644)
    assert [each.state for each in findings(file, spool)] == [State.REMARK]


@pytest.mark.parametrize(
    "make",
    [
        lambda secret: {"targets": {"pacs": Target(login=Login(password=secret))}},
        lambda secret: {"modules": {"m": Target(headers={"x": secret})}},
        lambda secret: {"settings": {"web": Target(keys=(secret,))}},
        lambda secret: {"rules": {"r": SimpleNamespace(rule=Target(keys=(secret,)))}},
    ],
)
def test_secrets_that_everybody_can_read_are_told_of(open_folder: Path, make: Any) -> None:
    file, spool = site(open_folder)
    path = open_folder / "secret"
    path.write_text("swordfish")
    path.chmod(0o604)
    configured = make(Secret(file=path))
    (found,) = findings(file, spool, **configured)
    assert found.said == f"the secret in '{path}' can be read by everybody"
    assert found.advice == f"run 'chmod o-rwx {path}'"
    assert (found.state, "swordfish" in repr(found)) == (State.PROBLEM, False)
    path.chmod(0o640)
    assert [each.state for each in findings(file, spool, **configured)] == [State.OK]
    path.unlink()
    assert [each.state for each in findings(file, spool, **configured)] == [State.OK]


def test_a_secret_in_the_environment_has_no_file() -> None:
    assert list(secret_files([Target(keys=(Secret(env="PASSWORD"),)), "text", None])) == []


def test_a_spool_that_is_not_there_and_rules_that_cannot_be_loaded_are_no_obstacle(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mroute.yaml"
    file.touch()
    (found,) = check_permissions(file, None, Spool(tmp_path / "spool"), QUEUES)
    assert found.state is State.OK
