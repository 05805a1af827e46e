"""The scikit-learn estimator: its contract, without TensorFlow, and one real training."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import forecast_cli as fc

SMALL = {"preset": "classic", "horizon": 2, "timesteps": 4, "units": 2, "epochs": 1}
NOT_OF_FORECASTS = {
    "check_methods_sample_order_invariance": "the rows are steps in time: their order counts",
    "check_methods_subset_invariance": "the rows are steps in time: the first is one step ahead",
}


@pytest.fixture
def quick(linear, monkeypatch):
    """A training that is done at once: of a linear map in place of a network."""
    monkeypatch.setattr("forecast_cli.api.estimator.train", linear)


def wave(rows=60):
    draw = np.random.default_rng(0)
    return 20 + np.sin(np.arange(rows) / 3) + draw.normal(0, 0.1, rows)


def dated(rows=60):
    index = pd.date_range("2024-01-01", periods=rows, name="day")
    known = np.random.default_rng(1).normal(size=rows)
    return pd.DataFrame({"y": wave(rows), "known": known}, index=index)


@pytest.mark.slow
@parametrize_with_checks(
    [fc.Forecaster(horizon=1, timesteps=2, units=2, epochs=1, validation=0, test=0)],
    expected_failed_checks=lambda _: NOT_OF_FORECASTS,
)
@pytest.mark.filterwarnings("default")
def test_the_checks_of_scikit_learn(estimator, check, quick):
    check(estimator)


def test_parameters_are_the_settings_of_train():
    forecaster = fc.Forecaster(column="y", horizon=3, target_transform="log")
    given = {name: value for name, value in forecaster.get_params().items() if value is not None}
    assert given == {"column": "y", "horizon": 3, "target_transform": "log"}
    assert forecaster.set_params(cell="gru").cell == "gru"
    assert clone(forecaster).get_params() == forecaster.get_params()
    assert repr(forecaster).startswith("Forecaster(cell='gru', column='y', horizon=3")
    with pytest.raises(fc.UsageError, match='no parameter "horizn"'):
        fc.Forecaster(horizn=3)


@pytest.mark.parametrize(
    "table",
    [
        wave(),
        list(wave()),
        wave()[:, None],
        pd.Series(wave()),
        pl.DataFrame({"value": wave()}),
        pl.Series(wave()),
    ],
    ids=lambda table: type(table).__name__,
)
def test_a_table_of_any_form_is_forecast(quick, table):
    forecaster = fc.Forecaster(**SMALL).fit(table)
    assert forecaster.predict().shape == (2,)
    expected = fc.Forecaster(**SMALL).fit(wave()).predict(5)
    np.testing.assert_array_equal(forecaster.predict(5), expected)


def test_predictions_are_those_of_the_model(quick):
    forecaster = fc.Forecaster(column="y", **SMALL).fit(dated())
    np.testing.assert_array_equal(forecaster.predict(3), forecaster.model_.predict(horizon=3)["y"])
    both = fc.Forecaster(column=["y", "known"], **SMALL).fit(dated())
    assert both.predict().shape == (2, 2)


def test_columns_beside_y_are_known_ahead(quick):
    frame = dated()
    forecaster = fc.Forecaster(**SMALL).fit(frame[["known"]][:50], frame["y"][:50])
    assert forecaster.model_.bundle.manifest.covariates.future == ("known",)
    first = forecaster.predict(frame[["known"]][50:52])
    other = forecaster.predict(frame[["known"]][50:52] + 1)
    assert first.shape == (2,)
    assert (first != other).all()
    with pytest.raises(fc.DataError):
        forecaster.predict()


def test_columns_beside_y_may_have_other_roles(quick):
    frame = dated()
    forecaster = fc.Forecaster(past_covariates="known", **SMALL).fit(frame[["known"]], frame["y"])
    assert forecaster.model_.bundle.manifest.covariates.past == ("known",)
    assert forecaster.predict().shape == (2,)


@pytest.mark.parametrize("dates", [True, False], ids=["dates", "steps"])
def test_the_score_is_minus_the_mase_of_all_forecasts_in_the_following_rows(quick, dates):
    frame = dated() if dates else dated().reset_index(drop=True)
    forecaster = fc.Forecaster(column="y", **SMALL).fit(frame[:50])
    errors = []
    for origin in range(50, 59):
        forecast = forecaster.model_.predict(frame[:origin])["y"].to_numpy()
        errors += list(np.abs(forecast - frame["y"].to_numpy()[origin : origin + 2]))
    naive = forecaster.model_.bundle.naive[0, 0, 0]
    assert forecaster.score(frame[50:]) == pytest.approx(-np.mean(errors) / naive)


def test_a_grid_is_searched_over_folds_in_time(quick):
    frame, folds = dated(), TimeSeriesSplit(n_splits=3)
    search = GridSearchCV(
        fc.Forecaster(column="y", **SMALL), {"timesteps": [3, 5]}, cv=folds, error_score="raise"
    )
    search.fit(frame)
    assert search.best_params_["timesteps"] in (3, 5)
    assert search.predict(2).shape == (2,)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_measures_of_scikit_learn_score_forecasts_of_covariates_known_ahead(quick):
    frame = dated()
    scores = cross_val_score(
        fc.Forecaster(**SMALL), frame[["known"]], frame["y"], scoring="neg_mean_absolute_error",
        cv=TimeSeriesSplit(n_splits=2), error_score="raise",
    )  # fmt: skip
    assert (scores < 0).all()


def test_several_series_are_forecast_one_below_the_other(quick):
    parts = [dated().reset_index().assign(shop=shop) for shop in ("a", "b")]
    table = pd.concat(parts, ignore_index=True)
    forecaster = fc.Forecaster(column="y", series="shop", **SMALL).fit(table)
    np.testing.assert_array_equal(forecaster.predict(), forecaster.model_.predict()["y"])
    with pytest.raises(fc.UsageError, match="Several series"):
        forecaster.predict(table)


def test_nothing_is_forecast_before_fit():
    for call in (lambda each: each.predict(), lambda each: each.score(wave())):
        with pytest.raises(NotFittedError):
            call(fc.Forecaster())


def test_an_invalid_parameter_is_refused_by_fit(quick):
    with pytest.raises(fc.UsageError, match="horizon"):
        fc.Forecaster(horizon=0).fit(wave())


@pytest.mark.slow
@pytest.mark.tf
def test_a_network_is_trained_searched_and_pickled():
    frame = dated()
    search = GridSearchCV(
        fc.Forecaster(column="y", **SMALL), {"cell": ["gru", "rnn"]},
        cv=TimeSeriesSplit(n_splits=2), error_score="raise",
    )  # fmt: skip
    best = search.fit(frame).best_estimator_
    assert best.model_.config.network.recurrent[0].type == search.best_params_["cell"]
    again = pickle.loads(pickle.dumps(best))
    np.testing.assert_array_equal(again.predict(5), best.predict(5))
