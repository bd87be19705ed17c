"""The tags of rules are found in tag lists of any spelling.

Knows tag lists. Does not know what is asked of their texts.
"""

from __future__ import annotations

import pytest

from mroute.expr.nodes import Tag
from mroute.ruleset import keys
from mroute.ruleset.keys import Keys

TAGS = Tag("modality"), Tag("Rows"), Tag("rows", exact=True), Tag("0019,100c", exact=True)


def test_tags_are_spelled_as_in_the_dictionary_or_exactly() -> None:
    assert [Keys(TAGS).usual(tag) for tag in TAGS] == ["Modality", "Rows", "rows", "0019,100c"]


@pytest.mark.parametrize(
    ("spelled", "usual"),
    [
        ([], True),
        (["Modality"], True),
        (["Modality", "PatientName", "patientname", "0019,100C"], True),
        (["modality"], False),
        (["PatientName", "MODALITY"], False),
        (["rows"], False),
    ],
)
def test_which_keys_are_usual(spelled: list[str], usual: bool) -> None:
    known = Keys(TAGS)
    assert [known.are_usual(spelled) for _ in range(2)] == [usual, usual]


def test_no_more_keys_are_remembered_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "MAX_KEYS", 3)
    known = Keys(TAGS[:1])
    assert all(known.are_usual([f"Key{n}" for n in range(10)]) for _ in range(2))
    assert not known.are_usual(["Key1", "Key9", "MODALITY"])
    assert known._known == {"Modality", "Key0", "Key1"}


def test_texts_are_found_as_the_language_finds_them() -> None:
    known = Keys(TAGS)
    tags = {"MODALITY": "CT", "mODALITY": "MR", "Rows": "1", "0019,100C": "x"}
    assert [known.text_of(tag, tags) for tag in TAGS] == ["CT", "1", None, None]
