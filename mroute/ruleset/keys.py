"""How the tags of rules are found in a tag list, whatever case its keys are in.

Knows that nearly every tag list spells keywords as the DICOM dictionary does, and that a look at
its keys is enough to see so. Does not know what is done with the texts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Final, cast

from mroute.expr import dictionary
from mroute.expr.nodes import Tag
from mroute.expr.values import Unknown, exact_tag, tag

MAX_KEYS: Final = 10_000
"""Keys that are remembered as usual ones."""

_MISSING: Final = Unknown("")


class Keys:
    """The tags that rules are about, as keys of a tag list."""

    def __init__(self, tags: Iterable[Tag]) -> None:
        self._keywords = {each: dictionary.keyword_of(each) for each in tags}
        # Keys that are no other spelling of a tag: to begin with, the keywords themselves.
        self._known = {keyword for each, keyword in self._keywords.items() if not each.exact}
        self._folded = {keyword.lower() for keyword in self._known}

    def usual(self, tag: Tag) -> str:
        """The key of ``tag`` in tag lists whose keys `are_usual`."""
        # Keys of tag lists are nearly always interned, and then need not be compared.
        return sys.intern(self._keywords[tag])

    def are_usual(self, keys: Iterable[str]) -> bool:
        """Whether no key differs only in case from the keyword of a tag."""
        known = self._known
        if known.issuperset(keys):
            return True
        for key in keys:
            if key not in known:
                if key.lower() in self._folded:
                    return False
                if len(known) < MAX_KEYS:
                    known.add(key)
        return True

    def text_of(self, tag_of_rule: Tag, tags: Mapping[str, str]) -> str | None:
        """The text of a tag as the rule language finds it; None where it is missing."""
        keyword = self._keywords[tag_of_rule]
        if tag_of_rule.exact:
            value = exact_tag(tags, keyword, _MISSING)
        else:
            value = tag(tags, tag_of_rule.name, keyword, _MISSING)
        return None if value is _MISSING else cast(str, value)
