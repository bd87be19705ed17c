"""The demonstration: real images through a whole site, and proof that none is missing.

Knows its images, its rules and what must come out. Does not know how it is shown (cli).
"""

from mroute.demo.images import DemoSeries
from mroute.demo.play import Performance, play

__all__ = ["DemoSeries", "Performance", "play"]
