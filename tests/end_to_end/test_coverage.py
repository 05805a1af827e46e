"""Intervals hold what they say: measured coverage beside the nominal level, over the test split."""

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc

ROWS = 4000
QUICK = {"horizon": 4, "timesteps": 8, "level": (80, 95), "validation": 1000, "test": 1000}
TRAINED = {"preset": "classic", "units": 6, "cell": "gru", "epochs": 12, "patience": 0,
           "learning_rate": 0.01, "batch_size": 64}  # fmt: skip


def autoregressive(rows, seed, share=0.8):
    noise = np.random.default_rng(seed).normal(size=rows + 100)
    values = np.zeros_like(noise)
    for row in range(1, len(noise)):
        values[row] = share * values[row - 1] + noise[row]
    return values[100:]


def seasonal(rows, seed):
    return 5 * np.sin(2 * np.pi * np.arange(rows) / 7) + autoregressive(rows, seed, 0.4)


def random_walk(rows, seed):
    return np.random.default_rng(seed).normal(size=rows).cumsum()


SERIES = {"autoregressive": autoregressive, "seasonal": seasonal}


def build_frame(make, rows=ROWS, seed=0):
    dates = pd.date_range("2000-01-01", periods=rows)
    return pd.DataFrame({"date": dates, "y": make(rows, seed)})


def panel_of(make, count=20, rows=600):
    frames = [build_frame(make, rows, seed).assign(shop=f"s{seed}") for seed in range(count)]
    return pd.concat(frames, ignore_index=True)


def coverage(model):
    """Percent of the values of the test split that the intervals hold, by level."""
    return {each.level: each.coverage["y"] for each in model.evaluation.intervals}


def widths(model):
    return {each.level: each.width["y"] for each in model.evaluation.intervals}


def near(found, points):
    """Whether each level holds, within so many points."""
    return set(found) == {80.0, 95.0} and all(
        abs(held - level) <= points for level, held in found.items()
    )


@pytest.mark.parametrize("make", SERIES.values(), ids=SERIES)
@pytest.mark.parametrize("method", ["conformal", "adaptive", "cqr"])
def test_of_many_series_each_level_holds_whatever_the_network_is(linear, make, method):
    """Of a network that was never trained, intervals are wide, and hold what they say."""
    flat = {"column": "y", "series": "shop", "horizon": 4, "timesteps": 8, "validation": 200,
            "test": 200, "intervals": method}  # fmt: skip
    assert near(coverage(linear(panel_of(make), **flat)), 1.5)


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("make", SERIES.values(), ids=SERIES)
@pytest.mark.parametrize("method", ["conformal", "cqr"])
def test_of_a_trained_network_each_level_holds(make, method):
    model = fc.train(build_frame(make), column="y", intervals=method, **QUICK, **TRAINED)
    assert near(coverage(model), 3.0)
    # About as good as the best simple forecast, or better.
    assert model.evaluation.skill > -10
    found = model.evaluate(build_frame(make), intervals="adaptive")
    followed = {row["measure"]: row[found.summary.model] for row in found.report.overall}
    assert near({80.0: followed["coverage80"], 95.0: followed["coverage95"]}, 3.0)


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("make", SERIES.values(), ids=SERIES)
def test_quantiles_as_they_are_hold_about_it(make):
    """Nothing corrects what the network learned of its quantiles: 5 points either way."""
    model = fc.train(build_frame(make), column="y", intervals="quantile", **QUICK, **TRAINED)
    assert near(coverage(model), 5.0)


def test_adaptive_intervals_follow_noise_that_has_doubled(linear):
    def louder(rows, seed):
        noise = np.random.default_rng(seed).normal(size=rows)
        noise[-200:] *= 2
        return 10 + noise

    flat = {"column": "y", "series": "shop", "horizon": 4, "timesteps": 8, "validation": 200,
            "test": 200}  # fmt: skip
    held, wide = {}, {}
    for method in ("conformal", "adaptive"):
        model = linear(panel_of(louder), **flat, intervals=method)
        held[method], wide[method] = coverage(model), widths(model)
    assert held["conformal"][80.0] < 65
    assert held["conformal"][95.0] < 80
    for level in (80.0, 95.0):
        assert held["adaptive"][level] > held["conformal"][level] + 8
        # It takes some forecasts to notice, and the usual errors keep their weight: 73 of 80.
        assert abs(held["adaptive"][level] - level) < 8
        assert wide["adaptive"][level] > 1.5 * wide["conformal"][level]


@pytest.mark.slow
@pytest.mark.tf
def test_the_intervals_of_a_random_walk_grow_with_the_root_of_the_step():
    flat = {"horizon": 9, "timesteps": 9, "validation": 1000, "test": 1000, "anchor": "last",
            "skip": "linear", **TRAINED}  # fmt: skip
    model = fc.train(build_frame(random_walk), column="y", **flat)
    assert near(coverage(model), 3.0)
    forecast = model.predict(level=80, horizon=36)
    width = (forecast["y_hi80"] - forecast["y_lo80"]).to_numpy()
    np.testing.assert_allclose(width / width[8], np.sqrt(np.arange(1, 37) / 9), rtol=0.15)
    # 2 x 1.2816 standard deviations of a step of size 1.
    assert width[0] == pytest.approx(2.563, rel=0.15)


def test_coverage_by_step_holds_at_every_step(linear):
    flat = {"column": "y", "series": "shop", "horizon": 4, "timesteps": 8, "validation": 200,
            "test": 200}  # fmt: skip
    frame = panel_of(autoregressive)
    model = linear(frame, **flat)
    steps = model.evaluate(frame).report.by_step
    assert len(steps) == 4
    for row in steps:
        assert near({80.0: row["coverage80"], 95.0: row["coverage95"]}, 2.0)
    assert [row["width80"] for row in steps] == sorted(row["width80"] for row in steps)


@pytest.mark.parametrize("method", ["conformal", "cqr", "adaptive"])
def test_of_ten_years_of_temperatures_each_level_holds(linear, method):
    """Days with the season of a year, noise that goes on, and two days without a row."""
    rows = 3652
    year = 11 + 4 * np.cos(2 * np.pi * np.arange(rows) / 365.25)
    frame = build_frame(lambda rows, seed: year + 2 * autoregressive(rows, seed, 0.6), rows)
    frame = frame.rename(columns={"y": "Temp"}).drop([1460, 2921])
    reading = {"column": "Temp", "freq": "D", "missing": "interpolate"}
    flat = {"horizon": 4, "timesteps": 10, "validation": 730, "test": 730, "intervals": method}
    for each in linear(frame, **reading, **flat).evaluation.intervals:
        assert abs(each.coverage["Temp"] - each.level) <= 3.0
