"""Weights learn who is good, stay with the prior where little is known, and pretend nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.baselines.ensemble_weights import beats, fit_weights, make_prior


def members(samples=200, horizon=4, *, errors=(1.0, 2.0, 4.0), seed=0):
    draws = np.random.default_rng(seed)
    actual = draws.normal(size=(samples, horizon))
    noise = draws.normal(size=(len(errors), samples, horizon))
    return actual + np.array(errors)[:, None, None] * noise, actual


@pytest.mark.parametrize("squared", [True, False])
def test_many_forecasts_give_the_best_weights(squared):
    forecasts, actual = members(4000)
    weights = fit_weights(forecasts, actual, np.ones(3), distinct=4000, squared=squared)
    # Errors that do not go together are weighted by the inverse of their variance.
    assert weights == pytest.approx(np.array([16, 4, 1]) / 21, abs=0.04)


def test_few_forecasts_leave_the_prior():
    forecasts, actual = members(5)
    prior = np.array([0.2, 0.3, 0.5])
    assert fit_weights(forecasts, actual, prior, distinct=0) == pytest.approx(prior)
    apart = [
        np.abs(fit_weights(forecasts, actual, prior, distinct=each) - prior).sum()
        for each in (1, 5, 50, 500)
    ]
    assert apart == sorted(apart)
    assert apart[0] < 0.5


@given(st.integers(1, 5), st.integers(1, 30), st.floats(0.5, 100), st.integers(0, 1000))
def test_weights_are_at_least_0_and_sum_to_1(count, samples, distinct, seed):
    forecasts, actual = members(samples, errors=np.linspace(0, 3, count), seed=seed)
    weights = fit_weights(forecasts, actual, np.ones(count), distinct=distinct)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)


@given(st.floats(0.01, 1000), st.floats(-100, 100))
def test_units_do_not_matter(factor, offset):
    forecasts, actual = members(30)
    one = fit_weights(forecasts, actual, np.ones(3), distinct=7)
    two = fit_weights(forecasts * factor + offset, actual * factor + offset, np.ones(3), distinct=7)
    assert one == pytest.approx(two, abs=0.01)


def test_missing_values_do_not_count():
    forecasts, actual = members(60)
    hole = actual.copy()
    hole[10:20, 2] = np.nan
    hole[5] = np.nan
    assert np.isfinite(fit_weights(forecasts, hole, np.ones(3), distinct=20)).all()
    nothing = np.full_like(actual, np.nan)
    assert fit_weights(forecasts, nothing, np.ones(3), distinct=20) == pytest.approx([1 / 3] * 3)


def test_a_member_without_error_is_no_trouble():
    forecasts, actual = members(60, errors=(0.0, 1.0))
    weights = fit_weights(forecasts, actual, np.array([1.0, 1e-15]), distinct=20)
    assert weights[0] > 0.99


def test_better_than_the_reference_by_more_than_chance():
    forecasts, actual = members(100, errors=(1.0, 1.0, 1.01))
    assert not beats(forecasts, actual, 0, origins=np.arange(100) * 4)
    forecasts, actual = members(100, errors=(1.0, 0.5))
    assert beats(forecasts, actual, 0, origins=np.arange(100))
    assert not beats(forecasts, actual, 1, origins=np.arange(100))
    assert not beats(forecasts[:, :1], actual[:1], 0, origins=np.arange(1))


def test_a_prior_by_names():
    names = ["network", "network", "naive", "structural"]
    assert make_prior(names, seasonal=False) == pytest.approx([0.2, 0.2, 0.2, 0.4])
    assert make_prior(names, seasonal=True) == pytest.approx(np.array([1, 1, 0.1, 2]) / 4.1)
