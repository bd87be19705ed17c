"""What waits in the spool, where somebody may have to do something about it.

Knows what is worth a word. Does not know why a thing waits: `mroute spool` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from mroute.doctor.finding import Finding, command, ok, remark
from mroute.spool.layout import HALTED_SUFFIX
from mroute.spool.queue import is_halted
from mroute.spool.upkeep.item import State
from mroute.spool.upkeep.listing import Look

_WORTH_A_WORD = {
    "dead letters, given up": {State.DEAD},
    "damaged, or of no installed plugin": {State.DAMAGED},
    "waiting": {State.COMPLETE, State.DEFERRED, State.WAITING, State.RETRY, State.HALTED},
}
"""What is told of things in some states."""


def check_waiting(look: Look, file: Path) -> Iterator[Finding]:
    """Dead letters, what is halted or damaged, and the oldest of all that waits."""
    said = list(_halted(look, file))
    items = look.items()
    for what, states in _WORTH_A_WORD.items():
        found = [item for item in items if item.state in states]
        if found:
            oldest = found[0]
            since = oldest.since.isoformat(timespec="seconds")
            said.append(
                remark(
                    f"{what}: {len(found)}, the oldest since {since}: '{oldest.id}' in "
                    f"'{oldest.queue}'",
                    f"{command('mroute', 'spool', 'show', '-c', file, oldest.id)} says why",
                )
            )
    yield from said or [ok("nothing waits, and nothing is halted")]


def _halted(look: Look, file: Path) -> Iterator[Finding]:
    spool = look.spool
    names = [f"queue:{name}" for name in look.sections if is_halted(spool, name)]
    marks = sorted(spool.targets.glob(f"*{HALTED_SUFFIX}"))
    names += [f"target:{unquote(mark.name.removesuffix(HALTED_SUFFIX))}" for mark in marks]
    for name in names:
        kind, _, rest = name.partition(":")
        resume = command("mroute", "spool", "resume", "-c", file, name)
        yield remark(f"the {kind} '{rest}' is halted", f"{resume} lets it go on")
