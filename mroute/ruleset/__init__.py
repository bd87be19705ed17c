"""Many rules as one (blueprint section 6).

Knows how a series is decided from its tags: order, fallback, discard, forced rule. Does not know
where rules come from (config) or what is done with a decision (engine).
"""

from mroute.ruleset.rules import CompiledRule, RuleSet
from mroute.ruleset.selection import get_triggered_rules

__all__ = ["CompiledRule", "RuleSet", "get_triggered_rules"]
