"""Tables whose values are mostly 0: what is compared, with what, and what is said of it."""

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.resolution import configure
from forecast_cli.core.events import ignore
from forecast_cli.core.series_features import demand_sizes, is_intermittent
from forecast_cli.data.reading import read_panel
from forecast_cli.evaluation.split_evaluation import best_and_skill, evaluate
from forecast_cli.forecasting.network_forecaster import NetworkForecaster
from forecast_cli.training.preparation import make_dataset

RNG = np.random.default_rng(0)


def counts(rows=200, chance=0.25, size=4.0, seed=0):
    rng = np.random.default_rng(seed)
    return rng.poisson(size, rows) * (rng.random(rows) < chance)


class Constant:
    """A network that forecasts the same scaled value at all times."""

    horizon, quantile_count = 3, 0

    def __init__(self, value):
        self.value = value

    def __call__(self, windows, *ahead):
        return np.full((len(windows), 3, 1), self.value)


def evaluation_of(series, value=0.0, **flat):
    """The evaluation of a constant forecast, in units of the table."""
    frame = pd.concat([pd.DataFrame({"shop": k, "y": v}) for k, v in series.items()])
    frame["date"] = np.concatenate(
        [pd.date_range("2020-01-01", periods=len(each)) for each in series.values()]
    )
    several = {"series": "shop"} if len(series) > 1 else {}
    flat = {"column": "y", "scaler": "none", "preset": "classic", "horizon": 3} | several | flat
    config = configure({"timesteps": 6, "test": 40, **flat})
    frame = frame if several else frame.drop(columns="shop")
    dataset = make_dataset(read_panel(frame, config.data, on_event=ignore), config, on_event=ignore)
    return evaluate(NetworkForecaster(dataset, Constant(value))).evaluation


MANY = {name: counts(seed=place) for place, name in enumerate("abcd")}


def test_the_mean_is_better_than_the_median_and_it_is_said_by_which_measure():
    nothing, mean = (evaluation_of(MANY, value) for value in (0.0, 1.0))
    assert nothing.own_scores["mae"]["y"] < mean.own_scores["mae"]["y"]
    assert mean.skill > nothing.skill
    assert nothing.measure == mean.measure == "rmsse"
    assert "rmsse" in mean.scores["croston"]
    assert "RMSSE" in mean.verdict
    assert "median" in mean.verdict and "mean demand" in mean.verdict


def test_a_model_of_the_median_is_told_what_to_set():
    found = evaluation_of({"a": counts()}, loss="mae")
    assert found.measure == "rmse"
    assert "train with `loss=mse`" in found.verdict


def test_croston_and_its_kin_are_compared_where_most_values_are_zero():
    found = evaluation_of(MANY)
    assert {"croston", "sba", "tsb"} < {*found.scores}
    assert found.best_baseline in ("croston", "sba", "tsb")


def test_tables_without_so_many_zeros_are_as_before():
    found = evaluation_of({name: counts(chance=0.8, seed=ord(name)) + 1 for name in "ab"})
    assert {*found.scores} == {"lstm", "naive", "seasonal-naive", "drift"}
    assert found.measure == "mase"
    assert "median" not in found.verdict


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.tile([0, 0, 0, 5.0, 2], 20), True),
        (np.tile([0, 0, 5.0, 2], 20), False),
        (np.tile([0, 0, 0, 5.0, -2], 20), False),
        (np.tile([np.nan, np.nan, 0, 0, 3.0], 20), True),
        (np.full(50, np.nan), False),
        (np.arange(50.0) + 1, False),
    ],
)
def test_most_of_the_known_values_must_be_zero_and_none_below(values, expected):
    indptr = np.array([0, len(values)])
    assert is_intermittent(values[:, None], indptr, indptr[1:], season_length=1) is expected


def test_training_rows_alone_decide_and_most_of_the_series():
    zero, full = np.zeros(20), np.ones(20)
    indptr = np.array([0, 20, 40, 60])

    def decide(*series, end=indptr[1:]):
        values = np.concatenate(series)[:, None]
        return is_intermittent(values, indptr, end, season_length=1)

    assert decide(zero, zero, full)
    assert not decide(zero, full, full)
    half = np.concatenate([full[:5], zero[:15]])
    assert decide(half, half, half)
    assert not decide(half, half, half, end=indptr[:-1] + 8)


def test_nights_without_sun_are_no_intermittent_demand():
    hours = np.maximum(np.sin(np.arange(24 * 60) * 2 * np.pi / 24) - 0.2, 0.0)
    cloudy = (hours * RNG.uniform(0.2, 1, len(hours)))[:, None]
    indptr = np.array([0, len(hours)])
    assert np.mean(cloudy == 0) > 0.5
    assert not is_intermittent(cloudy, indptr, indptr[1:], season_length=24)
    shuffled = RNG.permutation(cloudy)
    assert is_intermittent(shuffled, indptr, indptr[1:], season_length=24)


def test_the_size_of_a_demand_is_that_of_values_other_than_zero():
    values = np.array([0, 4.0, np.nan, 2, 0, 0, 9.0])[:, None]
    sizes = demand_sizes(values, np.zeros(1), np.array([0, 4, 7]), np.array([4, 6]))
    np.testing.assert_array_equal(sizes, [[3.0], [np.nan]])


def test_the_bar_is_the_least_squared_error_where_most_values_are_zero():
    def measured(mae, rmse):
        values = {"mae": mae, "mase": mae, "rmse": rmse, "rmsse": rmse}
        return {name: np.array([each]) for name, each in values.items()}

    scores = {"lstm": measured(2, 2), "naive": measured(1, 8), "croston": measured(4, 4)}
    assert best_and_skill(scores, several=True, intermittent=True) == ("croston", 50.0, "rmsse")
    assert best_and_skill(scores, several=False, intermittent=True)[2] == "rmse"
    assert best_and_skill(scores, several=True) == ("naive", -100.0, "mase")
