"""The worst expressions that are known, made for the purpose, and the tags that make them so."""

from __future__ import annotations

from mroute.expr.language import MAX_LENGTH

BIG = {f"Tag{n}": "word " * 204 + "word" for n in range(98)} | {
    "PatientComments": "a\\" * 512,
    "Rows": "512",
}
"""100 tags, of about 1 KiB each."""

TEXT = "tags.PatientComments"
PARTS = f"{TEXT}.split('\\\\')"
_NAMES = ", ".join(f"'{n}'" for n in range(2_000))


def _repeated(*parts: str) -> str:
    """As many different conditions as fit, joined by ``or``; "%" becomes a number."""
    made: list[str] = []
    length, number = 0, 0
    while True:
        part = parts[number % len(parts)].replace("%", str(number))
        length += len(part) + 4
        if length > MAX_LENGTH:
            return " or ".join(made)
        made.append(part)
        number += 1


WORST = {
    "a loop over a long list, with more of it inside": (
        f"any(x == 'q' or sorted({PARTS}) == {PARTS} and sum({PARTS}) == 1 for x in {PARTS})"
    ),
    "the same, again and again": _repeated(
        f"any(x == '%' or sorted({PARTS}) == {PARTS} and sum({PARTS}) == 1 for x in {PARTS})"
    ),
    "two loops": f"any(any(x + y == 'b' for y in {PARTS}) for x in {PARTS})",
    "three loops": (
        f"any(any(any(x + y + z == 'b' for z in {PARTS}) for y in {PARTS}) for x in {PARTS})"
    ),
    "loops over what is written": f"any(any(x + y == '' for y in [{_NAMES}]) for x in [{_NAMES}])",
    "many filters": f"any(x == 'z' for x in {PARTS}{''.join([' if x != 1'] * 200)})",
    "many comparisons": _repeated("tags.Rows == %"),
    "many tags in another case": _repeated("tags.pixelspacing == '%'"),
    "many searches": _repeated(f"'%' in {TEXT}"),
    "many numbers in lists": _repeated(f"% in {PARTS}"),
    "many conversions": _repeated(f"{TEXT}.lower() == '%'", f"{TEXT}.title() == '%'"),
    "many sums": _repeated(f"sum({PARTS}) == %"),
    "many sorted lists": _repeated(f"sorted({PARTS}) == ['%']"),
    "many long lists, sorted": _repeated(
        f"sorted({TEXT}.replace('a', '{'bcd' * 30}').split('c')) == ['%']"
    ),
    "many joined texts": _repeated(f"'{'x' * 90}'.join({PARTS}) == '%'"),
    "many lists, added": _repeated(f"len({' + '.join([PARTS] * 30)}) == %"),
    "lists of lists": f"[{', '.join([PARTS] * 400)}] == [{', '.join([PARTS] * 400)}]",
    "methods on methods": _repeated(f"{TEXT}{'.upper().lower()' * 45} == '%'"),
    "a large pattern in a loop": (
        f"any(matches(x + {TEXT}, '(a.*){{20}}(b.*){{20}}(c|d){{50}}$') for x in {PARTS})"
    ),
    "a list out of a list": (
        f"any(any(any(x + y + z == 'q' for x in [{PARTS}][:][0]) for y in [{PARTS}][0]) "
        f"for z in ([{PARTS}] + [])[0])"
    ),
    "words in words": f"all(not has_word({TEXT}, {TEXT}[:512]) for x in [{', '.join('1' * 5000)}])",
    "searches from the end": (
        f"any(any(t.rfind('ab' + t[:40000]) > x for x in [1, 1, 1, 1, 1, 1]) "
        f"for t in [{TEXT}.replace('a', '{'a' * 150}')])"
    ),
    "characters stripped": (
        f"any(t.strip(t[1:]) == 'a' for t in [{TEXT}.replace('a', '{'ba' * 75}'), 'a'])"
    ),
    "constants in constants": " or ".join(["tags.Rows == " + " + ".join("1" * 85)] * 80),
    "large patterns": " or ".join(
        f"matches({TEXT}, r'(?:a.?|\\\\){{{n}}}(?:.a|b.)*[^a]{{40}}$')" for n in range(150, 154)
    ),
    "choices": _repeated(f"({TEXT}.upper() if '%' in {TEXT} else {TEXT}.lower()) == 'x'"),
}
"""What each is, and the expression."""
