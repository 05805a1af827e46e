"""Tables that tests of several folders build."""

import numpy as np
import pandas as pd


def seasonal_frame(rows: int = 240, freq: str = "MS", seed: int = 0) -> pd.DataFrame:
    """A trend, a season of twelve and noise, with a second column that follows the first."""
    rng = np.random.default_rng(seed)
    steps = np.arange(rows)
    value = 100 + 0.1 * steps + 10 * np.sin(2 * np.pi * steps / 12) + rng.normal(0, 1, rows)
    dates = pd.date_range("2000-01-01", periods=rows, freq=freq)
    other = np.roll(value, 1) + rng.normal(0, 1, rows)
    return pd.DataFrame({"date": dates, "value": value.round(3), "other": other.round(3)})
