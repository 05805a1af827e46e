"""Who copies the last value is found out, on simulated series whose best forecast is known."""

import numpy as np
import pytest

from forecast_cli.evaluation.persistence import find_copy

HORIZONS = [1, 6, 12]


def judged(values, forecaster, horizon, *, start=60):
    """Forecast from every row on; `forecaster(values, origins, horizon)`."""
    origins = np.arange(start, len(values) - horizon + 1)
    steps = np.arange(horizon)
    before, actual = values[origins[:, None] - horizon + steps], values[origins[:, None] + steps]
    forecast = forecaster(values, origins, horizon)
    return find_copy(forecast, before, actual, np.zeros(len(origins), int))


def last_value(values, origins, horizon):
    return np.repeat(values[origins - 1, None], horizon, axis=1)


def noisy(share):
    """The last value and noise, in units of the steps of a random walk."""

    def forecast(values, origins, horizon):
        noise = np.random.default_rng(1).normal(0, share, (len(origins), horizon))
        return last_value(values, origins, horizon) + noise

    return forecast


def seasonal_naive(values, origins, horizon):
    return values[origins[:, None] - 12 + np.arange(horizon)]


def autoregression(phi, rows, seed):
    values, noise = np.zeros(rows), np.random.default_rng(seed).normal(size=rows)
    for row in range(1, rows):
        values[row] = phi * values[row - 1] + noise[row]
    return values


def walk(rows, seed):
    return 100 + np.cumsum(np.random.default_rng(seed).normal(size=rows))


def season(rows, seed, noise):
    pure = 50 + 5 * np.sin(2 * np.pi * np.arange(rows) / 12)
    return pure, pure + noise * np.random.default_rng(seed).normal(size=rows)


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_the_last_value_and_a_little_noise_is_a_copy(horizon, share, seed):
    found = judged(walk(300, seed), noisy(share), horizon)
    assert found.step == horizon
    assert found.with_actual < found.with_last <= 1.0


def test_the_correlations_are_those_of_numpy():
    values = walk(300, 0)
    origins = np.arange(60, 295)
    forecast = noisy(0.2)(values, origins, 6)
    found = judged(values, lambda *_: forecast, 6)
    with_last = np.corrcoef(forecast[:, -1], values[origins - 1])[0, 1]
    with_actual = np.corrcoef(forecast[:, -1], values[origins + 5])[0, 1]
    assert (found.with_last, found.with_actual) == pytest.approx((with_last, with_actual))


@pytest.mark.parametrize("horizon", HORIZONS)
def test_a_copy_is_one_whatever_the_series_is_like(horizon):
    """Also where something better than the last value is known."""
    trend = 0.1 * np.arange(300) + np.random.default_rng(0).normal(size=300)
    for values in (autoregression(0.8, 300, 0), trend):
        assert judged(values, last_value, horizon) is not None


@pytest.mark.parametrize("horizon", [1, 6])
def test_a_copy_of_a_seasonal_series_is_one(horizon):
    assert judged(season(300, 0, 0.5)[1], last_value, horizon) is not None


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("phi", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(5))
def test_the_best_forecast_of_an_autocorrelated_series_is_none(horizon, phi, seed):
    def best(values, origins, horizon):
        return values[origins - 1, None] * phi ** np.arange(1, horizon + 1)

    assert judged(autoregression(phi, 300, seed), best, horizon) is None


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("seed", range(5))
def test_the_best_forecast_of_a_series_with_momentum_is_none(horizon, seed):
    """Levels go with those before them very closely; their differences tell the direction."""
    values = np.cumsum(autoregression(0.8, 300, seed))

    def best(values, origins, horizon):
        change = values[origins - 1] - values[origins - 2]
        return values[origins - 1, None] + np.outer(
            change, np.cumsum(0.8 ** np.arange(1, horizon + 1))
        )

    assert judged(values, best, horizon) is None
    assert judged(values, last_value, horizon) is not None


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("noise", [0.5, 2.0])
@pytest.mark.parametrize("seed", range(5))
def test_a_good_forecast_of_a_seasonal_series_is_none(horizon, noise, seed):
    """Also where the horizon is a season, so that the last value is that of the same phase."""
    pure, values = season(300, seed, noise)
    steps = np.arange(horizon)
    assert judged(values, lambda _, origins, __: pure[origins[:, None] + steps], horizon) is None
    assert judged(values, seasonal_naive, horizon) is None


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("seed", range(5))
def test_one_who_knows_better_than_the_last_value_is_none(horizon, seed):
    values = walk(300, seed)
    noise = np.random.default_rng(1).normal(0, 0.5, (300, horizon))
    steps = np.arange(horizon)

    def oracle(values, origins, horizon):
        return values[origins[:, None] + steps] + noise[: len(origins)]

    assert judged(values, oracle, horizon) is None


def panel(forecaster, series=30, samples=8, horizon=3):
    """Few origins in each of many series, of very different level and size."""
    parts = []
    for place in range(series):
        values = 10.0**place + 2.0**place * walk(samples + 2 * horizon, place)
        origins = np.arange(horizon, horizon + samples)
        steps = np.arange(horizon)
        before, actual = (values[origins[:, None] + steps + shift] for shift in (-horizon, 0))
        parts.append((forecaster(values, origins, horizon), before, actual))
    groups = np.repeat(np.arange(series) * 7, samples)
    return [*(np.concatenate(each) for each in zip(*parts, strict=True)), groups]


def test_series_are_judged_together_each_from_its_own_mean_in_its_own_units():
    assert find_copy(*panel(last_value)) is not None

    def mean(values, origins, horizon):
        return np.repeat(np.cumsum(values)[origins - 1, None] / origins[:, None], horizon, axis=1)

    assert find_copy(*panel(mean)) is None


def test_samples_with_missing_values_do_not_count():
    forecast, before, actual, groups = panel(last_value)
    plain = find_copy(forecast, before, actual, groups)
    more = [np.concatenate([each, each[:5]]) for each in (forecast, before, actual, groups)]
    more[0][-5:], more[2][-5:] = 1e9, np.nan
    found = find_copy(*more)
    assert found.with_actual == pytest.approx(plain.with_actual)
    before[:] = np.nan
    assert find_copy(forecast, before, actual, groups) is None


@pytest.mark.parametrize("samples", [0, 1, 20])
def test_too_few_samples_tell_nothing(samples):
    values = walk(60 + samples + 2, 0)
    assert judged(values, last_value, 3) is None


@pytest.mark.parametrize("values", [np.full(200, 7.0), 3.0 * np.arange(200)])
def test_series_of_which_any_forecast_goes_the_same_way_tell_nothing(values):
    assert judged(values, last_value, 4) is None


def test_a_forecast_that_never_changes_is_none():
    assert judged(walk(200, 0), lambda _, origins, h: np.full((len(origins), h), 5.0), 4) is None
