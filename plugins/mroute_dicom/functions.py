"""What the plugin adds to the rule language.

Knows the declared types of its functions. Does not know what they do: a module each.
"""

from __future__ import annotations

from typing import Final

from mroute.api import RuleFunction, Type
from mroute_dicom.age import age_years
from mroute_dicom.dates import DATE, date
from mroute_dicom.multiplicity import values
from mroute_dicom.persons import PERSON, person
from mroute_dicom.times import TIME, time

FUNCTIONS: Final = (
    RuleFunction("age_years", (Type.TEXT,), Type.NUMBER, age_years),
    RuleFunction("date", (Type.TEXT,), DATE, date),
    RuleFunction("time", (Type.TEXT,), TIME, time),
    RuleFunction("values", (Type.TEXT,), Type.LIST, values),
    RuleFunction("person", (Type.TEXT,), PERSON, person),
)
