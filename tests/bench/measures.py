"""Figures: each with the limit it was measured beside, and their table."""

import json
import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from states.embedded import program

ROUNDS = 5

Pair = tuple[float, float]  # what was measured, and its limit


@dataclass(frozen=True)
class Figure:
    """Medians of the rounds; `ratio` is that of the rounds' own ratios, measured to limit."""

    row: int
    what: str
    unit: str
    beside: str  # what the limit is
    rounds: Sequence[Pair]
    target: str = ""
    reached: Callable[["Figure"], bool] | None = None  # None: it is told for its own sake

    @property
    def met(self) -> bool | None:
        return None if self.reached is None else self.reached(self)

    @property
    def measured(self) -> float:
        return median(ours for ours, _ in self.rounds)

    @property
    def limit(self) -> float:
        return median(theirs for _, theirs in self.rounds)

    @property
    def ratio(self) -> float:
        return median(ours / theirs for ours, theirs in self.rounds)


TOLD = ("row", "what", "unit", "beside", "target", "rounds")
DERIVED = ("measured", "limit", "ratio", "met")


@dataclass
class Figures:
    """All figures of one run, and the machine they are of."""

    machine: dict[str, str]
    kept: list[Figure] = field(default_factory=list)

    def add(self, figure: Figure) -> None:
        assert len(figure.rounds) == ROUNDS
        assert all(ours > 0 and theirs > 0 for ours, theirs in figure.rounds)
        self.kept.append(figure)
        self.kept.sort(key=lambda each: each.row)

    def write(self, path: Path) -> None:
        figures = [{name: getattr(each, name) for name in TOLD + DERIVED} for each in self.kept]
        told = {"machine": self.machine, "figures": figures}
        path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")

    def show(self) -> None:
        facts = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        table = Table(title=f"Medians of {ROUNDS} rounds, each beside its limit\n{facts}")
        table.add_column("What")
        table.add_column("Measured", justify="right", no_wrap=True)
        table.add_column("Limit", justify="right", no_wrap=True)
        table.add_column("The limit is")
        table.add_column("Ratio", justify="right")
        table.add_column("Target", no_wrap=True)
        table.add_column("Met")
        for each in self.kept:
            table.add_row(
                each.what,
                f"{_short(each.measured)} {each.unit}",
                _short(each.limit),
                each.beside,
                f"{each.ratio:.2f}",
                each.target,
                {None: "", True: "[green]yes", False: "[red]no"}[each.met],
            )
        console = Console(width=100)
        console.print()
        console.print(table)


def machine() -> dict[str, str]:
    """What figures depend on, and nothing about whose machine it is."""
    asked = [program("postgres"), "--version"]
    told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    return {
        "cores": str(os.cpu_count()),
        "PostgreSQL": told.split()[-1],
        "Python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}"
