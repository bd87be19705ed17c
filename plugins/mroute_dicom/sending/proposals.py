"""Which presentation contexts are asked for, and in how many associations.

Knows the policy for transfer syntaxes. Does not know the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mroute_dicom.network.negotiation import Proposal
from mroute_dicom.sending.instances import EXPLICIT, IMPLICIT, Instance

_MOST = 128
"""Presentation contexts of an association: their ids are the odd numbers up to 255."""


@dataclass(frozen=True, slots=True)
class Round:
    """What goes through one association."""

    proposals: tuple[Proposal, ...]
    instances: tuple[Instance, ...]

    def context_for(
        self, instance: Instance, accepted: Mapping[int, str]
    ) -> tuple[int, str] | None:
        """Id and transfer syntax of the accepted context for an instance: best as it is."""
        found = [
            (2 * number + 1, accepted[2 * number + 1])
            for number, proposal in enumerate(self.proposals)
            if proposal.sop_class == instance.sop_class and 2 * number + 1 in accepted
        ]
        as_it_is = [each for each in found if each[1] == instance.transfer_syntax]
        plain = [each for each in found if each[1] in (EXPLICIT, IMPLICIT)]
        return next(iter(as_it_is or plain), None)


def rounds(instances: Iterable[Instance], *, decompressed: bool) -> Iterator[Round]:
    """The instances in their order, with the contexts that they need.

    ``decompressed``: ask for the uncompressed transfer syntaxes too.
    """
    proposals: dict[Proposal, None] = {}
    together: list[Instance] = []
    for instance in instances:
        needed = dict.fromkeys(_proposals(instance, decompressed))
        if together and len(proposals | needed) > _MOST:
            yield Round(tuple(proposals), tuple(together))
            proposals, together = {}, []
        proposals |= needed
        together.append(instance)
    if together:
        yield Round(tuple(proposals), tuple(together))


def _proposals(instance: Instance, decompressed: bool) -> Iterator[Proposal]:
    yield Proposal(instance.sop_class, (instance.transfer_syntax,))
    if decompressed:
        for syntax in (EXPLICIT, IMPLICIT):
            if syntax != instance.transfer_syntax:
                yield Proposal(instance.sop_class, (syntax,))
