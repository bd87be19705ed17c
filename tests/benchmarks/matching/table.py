"""What the benchmark prints: figures, and the targets of issue 4 with whether each is met."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """A measured figure, and what it may be at most; None where nothing was promised."""

    name: str
    value: float
    unit: str = ""
    most: float | None = None

    @property
    def met(self) -> bool:
        """Whether the figure is as promised."""
        return self.most is None or self.value <= self.most


@dataclass(slots=True)
class Table:
    """Rows under a heading each, as Markdown."""

    rows: list[Row] = field(default_factory=list)

    def heading(self, text: str) -> None:
        print(f"\n### {text}\n\n| | measured | target | met |\n|---|--:|--:|---|", flush=True)

    def add(self, name: str, value: float, unit: str = "", most: float | None = None) -> None:
        row = Row(name, value, unit, most)
        self.rows.append(row)
        target = "" if most is None else f"<= {shown(most, unit)}"
        met = "" if most is None else "yes" if row.met else "**no**"
        print(f"| {name} | {shown(value, unit)} | {target} | {met} |", flush=True)

    def verdict(self) -> bool:
        """Print what is not met; whether all is."""
        asked = [row for row in self.rows if row.most is not None]
        missed = [row.name for row in asked if not row.met]
        print(f"\n{len(asked) - len(missed)} of {len(asked)} targets are met.")
        for name in missed:
            print(f"not met: {name}")
        return not missed


def shown(value: float, unit: str) -> str:
    """``value`` with three figures."""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".strip()


def machine() -> str:
    """The processor, its cores, and the Python that runs."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{models[0] if models else platform.machine()}, {len(models)} cores, {python}"
