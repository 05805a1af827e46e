"""Warnings: each is given where there is reason for it, with its numbers, and not elsewhere."""

import re

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.resolution import configure
from forecast_cli.core.events import ignore
from forecast_cli.data.reading import read_panel
from forecast_cli.evaluation.baseline_forecasts import baselines
from forecast_cli.evaluation.scoring import score
from forecast_cli.evaluation.warnings import find_warnings
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
