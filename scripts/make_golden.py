"""Make the small models of the current format that tests/golden keeps, and their forecasts.

A format is kept as its first version wrote it; run this once, where `FORMAT` was raised:

    python scripts/make_golden.py
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import forecast_cli as fc
from forecast_cli.cli.app import run
from forecast_cli.model.manifest import FORMAT

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"


def make_table() -> pd.DataFrame:
    """Return 72 simulated months with trend and season."""
    times = np.arange(72)
    season = 1.0 + 0.2 * np.sin(2 * np.pi * times / 12)
    noise = np.random.default_rng(6).normal(scale=0.02, size=72)
    months = pd.date_range("2000-01-01", periods=72, freq="MS").strftime("%Y-%m")
    return pd.DataFrame({"date": months, "value": (100 + times) * season * np.exp(noise)})


# What the models have in common, and what each of them has besides.
COMMON: dict[str, Any] = {
    "column": "value",
    "horizon": 3,
    "validation": 12,
    "test": 12,
}
TRAINED: dict[str, Any] = {
    "cell": "gru",
    "units": 2,
    "timesteps": 13,
    "epochs": 3,
    "transform": "log",
    "anchor": "last",
    "combine": "weights",
    "preset": "classic",
    "intervals": "adaptive",
}
KINDS: dict[str, dict[str, Any]] = {
    "": {**TRAINED, "ensemble": 2, "baselines": ["naive", "seasonal-naive", "structural"]},
    "-pretrained": {"preset": "pretrained"},
    "-member": {**TRAINED, "baselines": ["naive", "pretrained"]},
}


def main() -> None:
    """Train the models that are not there, and write them and their forecasts."""
    for kind, settings in KINDS.items():
        path = GOLDEN / f"format-{FORMAT}{kind}.forecast"
        if not path.exists():
            fc.train(make_table(), **COMMON, **settings).save(path)
            run(["predict", "-m", str(path), "--level", "80", "-o", str(path.with_suffix(".csv"))])
            print(f"{path} {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
