"""A secret is named, read when it is needed, and shown by nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from mroute.errors import SecretError
from mroute.secrets import Secret


def test_a_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret(env="PACS_PASSWORD")
    with pytest.raises(SecretError, match="'PACS_PASSWORD', which should hold a secret, is not"):
        secret.read()
    monkeypatch.setenv("PACS_PASSWORD", "swordfish")
    assert secret.read() == "swordfish"
    assert "swordfish" not in repr(secret) + secret.model_dump_json()


def test_a_secret_of_a_file_beside_the_rule_file(tmp_path: Path) -> None:
    (tmp_path / "pacs").write_text("sword fish\n")
    secret = Secret.model_validate({"file": "pacs"}, context={"base": tmp_path})
    assert secret.read() == "sword fish"
    (tmp_path / "pacs").write_bytes(b"\xff")
    with pytest.raises(SecretError, match="no text in UTF-8"):
        secret.read()
    (tmp_path / "pacs").unlink()
    with pytest.raises(SecretError, match="cannot be read: No such file"):
        secret.read()


@pytest.mark.parametrize("value", [{}, {"env": "A", "file": "b"}])
def test_it_is_in_one_place(value: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="either 'env' or 'file'"):
        Secret.model_validate(value)


def test_it_is_not_written_down() -> None:
    with pytest.raises(ValidationError, match="a secret is not written into a rule file"):
        Secret.model_validate("swordfish")
