"""Warnings: each where there is reason for it, with its numbers; who copies the last value."""

import re

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.resolution import configure
from forecast_cli.core.events import ignore
from forecast_cli.data.reading import read_panel
from forecast_cli.evaluation.scoring import baselines, score
from forecast_cli.evaluation.warnings import find_copy, find_warnings
from forecast_cli.forecasting.intervals.calibration import validation_errors
from forecast_cli.forecasting.network_forecaster import NetworkForecaster
from forecast_cli.training.preparation import make_dataset

ROWS, SEASON = 400, 12
QUICK = {"horizon": 3, "timesteps": SEASON, "validation": 60, "test": 100}


class Season:
    """A network that forecasts the value of a season before, or another of its window."""

    horizon, quantile_count = 3, 0

    def __init__(self, back=SEASON, less=0.0):
        self.back, self.less = back, less

    def __call__(self, windows, *ahead):
        steps = np.arange(3) if self.back >= 3 else 0 * np.arange(3)
        return (1 - self.less) * windows[:, windows.shape[1] - self.back + steps, :1]


LAST = Season(1)


def wave(rows=ROWS, noise=0.3, seed=0):
    """A season that a network can know, and noise."""
    steps = np.arange(rows)
    return 10 * np.sin(2 * np.pi * steps / SEASON) + np.random.default_rng(seed).normal(
        0, noise, rows
    )


def network(values, runtime=None, **flat):
    """A network at work on one series, or on a mapping of several."""
    several = isinstance(values, dict)
    series = values if several else {"one": values}
    frame = pd.concat(
        [pd.DataFrame({"shop": name, "value": each}) for name, each in series.items()]
    )
    frame["date"] = np.concatenate(
        [pd.date_range("2000-01-01", periods=len(each)) for each in series.values()]
    )
    flat = {"column": "value", "scaler": "standard", "preset": "classic", **QUICK, **flat}
    config = configure(flat | ({"series": "shop"} if several else {}))
    frame = frame if several else frame.drop(columns="shop")
    dataset = make_dataset(read_panel(frame, config.data, on_event=ignore), config, on_event=ignore)
    return NetworkForecaster(dataset, runtime or Season())


def warnings(values, runtime=None, **flat):
    return found(network(values, runtime, **flat))


def found(network):
    dataset, validation = network.dataset, validation_errors(network)
    origins = dataset.origins("test")
    tally = score(network, baselines(dataset, origins), origins)
    losses = None if validation is None else validation.losses
    return find_warnings(dataset, tally, validation=losses)


def test_nothing_is_said_where_there_is_no_reason():
    assert warnings(wave()) == ()
    assert warnings({"a": wave(), "b": 100 * wave(seed=1)}) == ()


@pytest.mark.parametrize(("test", "apart"), [(3, 1), (5, 1), (6, 2), (14, 4)])
def test_a_short_test(test, apart):
    (text,) = warnings(wave(), test=test)
    assert f"the {test} scored rows contain {apart} non-overlapping horizons of 3 steps" in text
    assert "give more rows" in text


def test_a_test_that_is_long_enough_or_of_enough_series():
    assert warnings(wave(), test=17) == ()
    assert warnings({name: wave(seed=seed) for seed, name in enumerate("abcde")}, test=3) == ()


@pytest.mark.parametrize(("part", "said"), [(slice(-100, None), 4.0), (slice(-160, -100), 0.25)])
def test_a_test_that_is_not_what_validation_promised(part, said):
    values = wave()
    values[part] += wave(noise=1.5)[part] - wave(noise=0.3)[part]
    texts = [text for text in warnings(values) if "validation split" in text]
    assert len(texts) == 1
    found = re.search(r"is (\S+) times .*\(MASE (\S+) and (\S+)\)", texts[0])
    ratio, after, before = (float(each) for each in found.groups())
    assert said / 1.6 < ratio < said * 1.6
    assert after / before == pytest.approx(ratio, rel=0.05)


def test_a_network_without_validation_promised_nothing():
    values = wave()
    values[-100:] += wave(noise=3.0)[-100:]
    assert not any("validation split" in text for text in warnings(values, validation=0))


def test_a_network_that_copies_the_last_value():
    """Also where it is as good as can be: a random walk."""
    walk = np.random.default_rng(0).normal(size=ROWS).cumsum()
    for values in (wave(), np.mod(walk, 9)):
        texts = [text for text in warnings(values, LAST) if "repeats" in text]
        assert len(texts) == 1
        assert 'repeats the last value of "value": its forecasts 3 steps ahead' in texts[0]
        last, actual = (float(each) for each in re.findall(r"(-?\d\.\d{3})\)", texts[0]))
        assert last > 0.99
        assert actual < last


def test_each_column_is_judged_by_itself():
    class Both(Season):
        def __call__(self, windows, *ahead):
            return np.stack([LAST(windows)[..., 0], windows[:, -SEASON:][:, :3, 1]], axis=-1)

    frame = pd.DataFrame({"date": pd.date_range("2000-01-01", periods=ROWS)})
    frame = frame.assign(one=wave(), two=wave(seed=1))
    config = configure(
        {"column": ("one", "two"), "scaler": "standard", "preset": "classic", **QUICK}
    )
    dataset = make_dataset(read_panel(frame, config.data, on_event=ignore), config, on_event=ignore)
    texts = found(NetworkForecaster(dataset, Both()))
    assert [text for text in texts if "repeats" in text] == list(texts)
    assert ['"one"' in text for text in texts] == [True]


def test_a_network_that_repeats_the_season_or_knows_the_mean_copies_nothing():
    assert not any("repeats" in text for text in warnings(wave(), Season()))
    returning = np.zeros(ROWS)
    for row in range(1, ROWS):
        returning[row] = 0.8 * returning[row - 1] + np.random.default_rng(row).normal()
    texts = warnings(returning, Season(1, less=0.5))
    assert not any("repeats" in text for text in texts)


def rising(rows=ROWS):
    return wave(rows) + np.linspace(0, 100, rows)


def test_rows_outside_of_what_training_has_seen():
    values = rising()
    (text,) = [text for text in warnings(values) if "outside" in text]
    low, high = values[: ROWS - 160].min(), values[: ROWS - 160].max()
    far = 100 * (values[-SEASON:].max() - high) / (high - low)
    assert '12 of the last 12 rows of "value" lie outside the range of the training rows' in text
    assert f"({low:.6g} to {high:.6g}), by up to {far:.0f} % of it" in text
    assert "`anchor=last` or `refit=true`" in text


def test_rows_below_count_too():
    (text,) = [text for text in warnings(-rising()) if "outside" in text]
    assert "12 of the last 12 rows" in text


def test_what_helps_is_not_asked_for_again():
    assert not any("outside" in text for text in warnings(rising(), anchor="last"))
    assert not any("outside" in text for text in warnings(rising(), refit=True))


@pytest.mark.parametrize(("count", "said"), [(1, False), (4, True)])
def test_of_many_series_some_may_lie_outside(count, said):
    series = {f"s{each}": wave(seed=each) for each in range(20)}
    series |= {f"s{each}": rising() for each in range(count)}
    texts = [text for text in warnings(series) if "outside" in text]
    assert len(texts) == said
    if said:
        assert f'{12 * count} of the last 240 rows of "value" of {count} of 20 series' in texts[0]


def test_series_that_share_a_scaler_share_their_range():
    series = {"small": rising(), "large": 3 * rising()}
    (text,) = [text for text in warnings(series, scale_by="all") if "outside" in text]
    assert 'of "value" of 1 of 2 series' in text


def test_intervals_of_too_few_errors(linear):
    frame = pd.DataFrame({"date": pd.date_range("2000-01-01", periods=ROWS), "value": wave()})
    for validation, said in ((12, 1), (60, 0)):
        model = linear(frame, column="value", **QUICK | {"validation": validation})
        assert sum("are too few for" in text for text in model.evaluation.warnings) == said
    for level, said in ((80.0, 0), (99.0, 1)):
        texts = model.evaluate(frame, level=(level,)).warnings
        assert sum("58 validation forecasts" in text for text in texts) == said


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
