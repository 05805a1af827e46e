"""Numbers at the limits of what can be computed: finite, sensible forecasts, or a clear refusal."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.config.registries import PRESETS
from forecast_cli.core.errors import DataError, ForecastError

ROWS = 120


def season(rows=ROWS, scale=1.0, level=50.0):
    steps = np.arange(rows)
    noise = np.random.default_rng(0).normal(0, 1, rows)
    return scale * (level + 10 * np.sin(2 * np.pi * steps / 7) + noise)


def jumping(factor):
    """A series that is a thousandfold in its last tenth, after the training rows."""
    values = season()
    values[-ROWS // 10 :] *= factor
    return values


# By name: the values, and what forecasts lie between, as far as that is certain.
SERIES = {
    "constant": (np.full(ROWS, 7.0), (6.99, 7.01)),
    "zeros": (np.zeros(ROWS), (-1e-6, 1e-6)),
    "one that is not zero": (np.where(np.arange(ROWS) == 60, 5.0, 0.0), (-5, 5)),
    "1e-300": (season(scale=1e-300), (-1e-297, 1e-297)),
    "denormal": (season(scale=1e-321), (-1e-318, 1e-318)),
    "1e145": (season(scale=1e145), (-1e148, 1e148)),
    "tiny beside large": (1e12 + season(), (0.9e12, 1.1e12)),
    "beyond 2^53": ((2**60 + np.arange(ROWS) * 7).astype(np.int64), (1.1e18, 1.2e18)),
    "negative": (season(level=-500), (-700, -300)),
    "both signs": (season(level=0), (-100, 100)),
    "jump after the split": (jumping(1000.0), (-1e6, 1e6)),
    "drop after the split": (jumping(0.001), (-1e3, 1e3)),
}


# Those that every preset is trained on.
EXTREMES = ("constant", "denormal", "1e145", "jump after the split")


def train(values, preset, **settings):
    days = pd.date_range("2024-01-01", periods=len(values), freq="D")
    frame = pd.DataFrame({"day": days, "y": values})
    # What is not trained takes no settings of a training.
    own = {"epochs": 2} | settings if PRESETS[preset].trains else {}
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        model = fc.train(frame, column="y", horizon=3, preset=preset, **own)
        forecast = model.predict(level=(80,))
        paths = model.predict(samples=5, seed=1)
    return model, forecast, paths


def check(values, preset, between, **settings):
    """Train; refuse forecasts that are not finite, not in order, or far from the series."""
    model, forecast, paths = train(values, preset, **settings)
    low, high = between
    point = forecast["y"].to_numpy(float)
    assert np.isfinite(forecast[["y", "y_lo80", "y_hi80"]].to_numpy(float)).all()
    assert np.isfinite(paths["y"].to_numpy(float)).all()
    assert (low <= point).all() and (point <= high).all(), point
    assert (forecast["y_lo80"] <= forecast["y_hi80"]).all()
    evaluation = model.evaluation
    scores = evaluation.own_scores if evaluation else {}
    assert all(each is None or math.isfinite(each) for v in scores.values() for each in v.values())


@pytest.mark.usefixtures("linear_training")
@pytest.mark.parametrize(
    "preset",
    ["fast", *(pytest.param(each, marks=pytest.mark.slow) for each in PRESETS if each != "fast")],
)
@pytest.mark.parametrize("kind", SERIES)
def test_forecasts_are_finite(kind, preset):
    values, between = SERIES[kind]
    check(values, preset, between, timesteps=7)


@pytest.mark.parametrize("scale", [1e149, 1e300, 2.5e306])
def test_values_whose_squares_are_infinite_are_refused(linear, scale):
    with pytest.raises(DataError, match=r'column "y" holds .*e\+.* Numbers of at most 1e\+150'):
        linear(pd.DataFrame({"y": season(scale=scale)}), column="y")


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize(
    ("kind", "preset"),
    [(kind, "fast") for kind in SERIES]
    + [(kind, preset) for kind in EXTREMES for preset in PRESETS if preset != "fast"],
)
def test_forecasts_of_trained_networks_are_finite(kind, preset):
    values, between = SERIES[kind]
    check(values, preset, between)


@pytest.mark.parametrize("transform", ["log", "log1p"])
@pytest.mark.parametrize("values", [season(level=-500), season(level=0), np.zeros(ROWS)])
def test_a_logarithm_that_is_not_defined_is_refused(linear, values, transform):
    frame = pd.DataFrame({"y": values})
    if transform == "log1p" and not values.any():
        assert np.isfinite(linear(frame, column="y", transform=transform).predict()["y"]).all()
        return
    with pytest.raises(ForecastError, match=f"transform.*{transform}"):
        linear(frame, column="y", transform=transform)


def test_one_missing_value_among_many(linear):
    values = np.tile(season(1000), 60)
    values[30_000] = np.nan
    days = pd.date_range("2000-01-01", periods=len(values), freq="min")
    frame = pd.DataFrame({"day": days, "y": values})
    with pytest.raises(DataError, match="missing"):
        linear(frame, column="y", horizon=3)
    model = linear(frame, column="y", horizon=3, missing="interpolate")
    assert np.isfinite(model.predict()["y"]).all()


@pytest.mark.usefixtures("linear_training")
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 10])
def test_few_rows_are_refused_or_forecast(preset, rows):
    days = pd.date_range("2024-01-01", periods=rows, freq="D")
    frame = pd.DataFrame({"day": days, "y": np.arange(rows) % 3 + 1.0})
    try:
        own = {"epochs": 1} if PRESETS[preset].trains else {}
        model = fc.train(frame, column="y", preset=preset, **own)
    except DataError as error:
        assert "row" in error.message and (error.hint or not rows)
        return
    assert rows >= 3 and np.isfinite(model.predict()["y"]).all()
