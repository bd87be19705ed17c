"""What is wrong with an installation, and what to do about it; nothing is changed for that.

Knows a check for each thing that has to be right. Does not know how findings are shown.
"""

from mroute.doctor.examination import PATIENCE, examine
from mroute.doctor.finding import Finding, State, counted, exit_code
from mroute.doctor.installation import Installation, open_installation

__all__ = [
    "PATIENCE",
    "Finding",
    "Installation",
    "State",
    "counted",
    "examine",
    "exit_code",
    "open_installation",
]
