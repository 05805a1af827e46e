"""How much of what comes the intervals hold: nominal against measured, by each method.

Simulated series (an autoregression, a season with noise, a random walk), where the data are
exchangeable, with several seeds each: the mean coverage has a budget. With FOLDER, the tables of
single series there beside them, without one: real series change.
"""

import sys
from argparse import Namespace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd
from common import Row, bounded, finish, options

import forecast_cli as fc

LEVEL = (80.0, 95.0)
METHODS = ("conformal", "adaptive", "quantile", "cqr")
# Quantiles as the network gives them promise nothing.
PROMISED = ("conformal", "adaptive", "cqr")
# Forecasts of neighbouring origins overlap: that many rows are some hundred that do not.
ROWS = 12_000
SETTINGS: dict[str, Any] = {
    "column": "y", "horizon": 12, "timesteps": 24, "units": 16, "epochs": 20, "patience": 5,
    "batch_size": 64, "steps_per_epoch": 60, "validation": 0.2, "test": 0.4, "anchor": "last",
    "level": LEVEL, "preset": "classic",
}  # fmt: skip
WITHIN = 3.0
TABLES: dict[str, dict[str, Any]] = {
    "airline-passengers.csv": {"column": "Passengers", "transform": "log"},
    "daily-min-temperatures.csv": {"column": "Temp", "freq": "D", "missing": "interpolate"},
    "finance-charts-apple.csv": {"column": "AAPL.Close", "transform": "log"},
    "monthly-sunspots.csv": {"column": "Sunspots"},
}


def main() -> int:
    arguments = parse()
    rows = [row for name in SIMULATED for row in simulated(name, arguments.repeat)]
    if arguments.folder:
        rows += [row for name in TABLES for row in real(arguments.folder / name, TABLES[name])]
    return finish(f"Coverage on the test split, {arguments.repeat} seeds", rows)


def parse() -> Namespace:
    parser = options(__doc__, repeat=3)
    parser.add_argument("folder", type=Path, nargs="?", help="with the tables of single series")
    return parser.parse_args()


def autoregression(draw: np.random.Generator) -> np.ndarray:
    values = draw.normal(0, 1, ROWS)
    for row in range(1, ROWS):
        values[row] += 0.8 * values[row - 1]
    return values


def season(draw: np.random.Generator) -> np.ndarray:
    return 10 * np.sin(2 * np.pi * np.arange(ROWS) / 12) + draw.normal(0, 1, ROWS)


def walk(draw: np.random.Generator) -> np.ndarray:
    return draw.normal(0, 1, ROWS).cumsum()


SIMULATED = {"autoregression": autoregression, "season": season, "random walk": walk}


def simulated(name: str, repeat: int) -> list[Row]:
    """The mean coverage, by method and level."""
    rows = []
    for method in METHODS:
        held = [
            coverage(
                pd.DataFrame({"y": SIMULATED[name](np.random.default_rng(seed))}),
                {**SETTINGS, "seed": seed},
                method,
            )
            for seed in range(repeat)
        ]
        for level in LEVEL:
            label, mean = f"{name}, {method}, {level:g} %", fmean(each[level][0] for each in held)
            if method in PROMISED:
                budget = f"{level - WITHIN:g} to {min(level + WITHIN, 100):g} %"
                kept = abs(mean - level) <= WITHIN
                rows.append(bounded(label, f"{mean:.1f} %", budget, kept))
            else:
                rows.append(Row(label, f"{mean:.1f} %"))
    return rows


def real(path: Path, settings: dict[str, Any]) -> list[Row]:
    """The coverage and the mean width on a table, by method."""
    rows = []
    for method in METHODS:
        held = coverage(
            path, {**settings, "anchor": "last", "level": LEVEL, "preset": "classic"}, method
        )
        told = ", ".join(f"{each[0]:.1f} % wide {each[1]:.4g}" for each in held.values())
        rows.append(Row(f"{path.stem}, {method}, 80 % and 95 %", told))
    return rows


def coverage(
    table: pd.DataFrame | Path, settings: dict[str, Any], method: str
) -> dict[float, tuple[float, float]]:
    """The measured coverage, in percent, and the mean width of each level."""
    model: Any = fc.train(table, **{**settings, "intervals": method})
    return {
        score.level: (float(*score.coverage.values()), float(*score.width.values()))
        for score in model.evaluation.intervals
    }


if __name__ == "__main__":
    sys.exit(main())
