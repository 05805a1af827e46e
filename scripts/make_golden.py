"""Make the small model of the current format that tests/golden keeps, and its forecasts.

A format is kept as its first version wrote it; run this once, where `FORMAT` was raised:

    python scripts/make_golden.py
"""

from pathlib import Path

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


def main() -> None:
    """Train the model, and write it and its forecasts."""
    model = fc.train(
        make_table(),
        column="value",
        ensemble=2,
        cell="gru",
        units=2,
        timesteps=13,
        horizon=3,
        epochs=3,
        validation=12,
        test=12,
        transform="log",
        anchor="last",
        baselines=["naive", "seasonal-naive", "structural"],
        combine="weights",
        preset="classic",
        intervals="adaptive",
    )
    path = GOLDEN / f"format-{FORMAT}.forecast"
    model.save(path)
    run(["predict", "-m", str(path), "--level", "80", "-o", str(path.with_suffix(".csv"))])
    print(f"{path} {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
