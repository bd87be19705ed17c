"""Moves a site from mercure: its configuration becomes a rule file, and a report of the rest.

Knows mercure's configuration, key by key. Does not know how a rule file is used, or how the report
is shown.
"""

from mroute.mercure.findings import Finding
from mroute.mercure.importing import Imported, import_configuration
from mroute.mercure.reading import read_configuration

__all__ = ["Finding", "Imported", "import_configuration", "read_configuration"]
