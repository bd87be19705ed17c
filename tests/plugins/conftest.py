"""The fixtures that authors of plugins get with mroute, for the tests of the default plugins.

Knows nothing but where they are: they are imported here, so that these tests work in a checkout
that is not installed as well.
"""

from __future__ import annotations

from mroute.pytest_plugin import mroute_clock, mroute_dicom_file

__all__ = ["mroute_clock", "mroute_dicom_file"]
