"""Every forecast is made once: one call of the network for each origin of each split."""

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.forecasting.network_forecaster import NetworkForecaster
from forecast_cli.model.runtime import Runtime

ROWS = 260
QUICK = {
    "column": "y", "preset": "classic", "timesteps": 7, "horizon": 3, "validation": 40, "test": 60,
    "units": 3, "epochs": 1, "patience": 0,
}  # fmt: skip


def table(shops):
    draw = np.random.default_rng(0)
    parts = [
        pd.DataFrame(
            {"shop": name, "date": pd.date_range("2020-01-01", periods=ROWS), "y": 0.0}
        ).assign(y=np.sin(np.arange(ROWS) * 2 * np.pi / 7) + draw.normal(0, 0.2, ROWS))
        for name in shops
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def counted(monkeypatch):
    """The origins that networks forecast from, and how many windows went through the runtime."""
    origins, windows, inside = [], [], []
    forecast, carry = NetworkForecaster.forecast, Runtime.carry

    def count_origins(self, rows):
        origins.append((self.dataset, rows))
        inside.append(True)
        made = forecast(self, rows)
        inside.pop()
        return made

    def count_windows(self, values, states):
        if inside:
            windows.append(len(values))
        return carry(self, values, states)

    monkeypatch.setattr(NetworkForecaster, "forecast", count_origins)
    monkeypatch.setattr(Runtime, "carry", count_windows)
    return origins, windows


def once(counted, calls=1):
    """Hold that each origin of validation and test split was forecast from once."""
    origins, windows = counted
    dataset, found = origins[0][0], np.concatenate([rows for _, rows in origins])
    expected = np.concatenate([dataset.origins(part) for part in ("validation", "test")])
    assert sorted(found) == sorted(expected)
    assert calls is None or sum(windows) == calls * len(expected)
    origins.clear()
    windows.clear()


CASES = {
    "conformal": {},
    "adaptive": {"intervals": "adaptive"},
    "one step, fed back": {"mode": "many-to-one", "intervals": "adaptive"},
    "quantile": {"intervals": "quantile"},
    "cqr": {"intervals": "cqr"},
    "stateful": {"stateful": True, "intervals": "adaptive"},
    "series": {"series": "shop", "intervals": "adaptive"},
}


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
@pytest.mark.parametrize("name", CASES)
def test_each_forecast_is_made_once(counted, name):
    flat = {**QUICK, **CASES[name]}
    frame = table(["A", "B", "C"] if "series" in flat else ["A"])
    if "series" not in flat:
        frame = frame.drop(columns="shop")
    model = fc.train(frame, **flat)
    # A stateful network has no windows: it reads the rows between two origins.
    calls = None if "stateful" in flat else 3 if "mode" in flat else 1
    once(counted, calls)
    model.evaluate(frame)
    once(counted, calls)


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_a_refit_scores_no_second_time(counted):
    fc.train(table("A").drop(columns="shop"), **QUICK, refit=True)
    once(counted)
