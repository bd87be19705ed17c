"""What the benchmark prints, as Markdown: figures, and which targets of issue 4 are met."""

from __future__ import annotations

import platform
from pathlib import Path

PLAIN = ("", "measured", "target", "met")
"""The columns of a table with one figure a row."""


class Report:
    """Prints tables row by row, and remembers which targets were met."""

    def __init__(self) -> None:
        self._met: dict[str, bool] = {}
        self._title = ""

    def heading(self, title: str, *columns: str) -> None:
        """Begin the table ``title``."""
        self._title = title
        columns = columns or PLAIN
        print(f"\n### {title}\n\n| {' | '.join(columns)} |\n|---{'|--:' * (len(columns) - 1)}|")

    def row(self, name: str, *cells: str) -> None:
        """Print a row of the table."""
        print(f"| {name} | {' | '.join(cells)} |", flush=True)

    def target(self, name: str, value: float, most: float, unit: str = "") -> tuple[str, str]:
        """The cells for a target of ``most`` at most, of a figure that is ``value``."""
        met = value <= most
        self._met[f"{self._title}: {name}"] = met
        return f"<= {shown(most, unit)}", "yes" if met else "**no**"

    def figure(self, name: str, value: float, unit: str = "", most: float | None = None) -> None:
        """Print a row of one figure, and its target where there is one."""
        cells = ("", "") if most is None else self.target(name, value, most, unit)
        self.row(name, shown(value, unit), *cells)

    def verdict(self) -> bool:
        """Print which targets are not met; whether all are."""
        missed = [name for name, met in self._met.items() if not met]
        print(f"\n{len(self._met) - len(missed)} of {len(self._met)} targets are met.")
        for name in missed:
            print(f"not met: {name}")
        return not missed


def shown(value: float, unit: str = "") -> str:
    """``value`` with three figures."""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".strip()


def machine() -> str:
    """The processor, its cores, and the Python that runs."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{models[0] if models else platform.machine()}, {len(models)} cores, {python}"
