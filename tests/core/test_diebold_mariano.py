"""The test of Diebold and Mariano against another implementation, and on losses of known truth."""

import math

import numpy as np
import pytest
from dieboldmariano import NegativeVarianceException, dm_test
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.diebold_mariano import diebold_mariano


def losses(samples: int, *, overlap: int = 0, gain: float = 0.0, seed: int = 0):
    """Differences of losses of which those up to `overlap` origins apart go together."""
    noise = np.random.default_rng(seed).normal(size=samples + overlap)
    return np.convolve(noise, np.ones(overlap + 1), mode="valid") - gain


def other(difference, lags, estimator="acf"):
    """The package takes forecasts; with the loss `forecast`, their difference is the loss's."""
    nothing = np.zeros(len(difference)).tolist()
    return dm_test(
        nothing,
        difference.tolist(),
        nothing,
        loss=lambda actual, forecast: forecast,
        h=lags + 1,
        variance_estimator=estimator,
    )


@given(st.integers(4, 80), st.integers(0, 12), st.integers(0, 2**31), st.floats(-2, 2))
def test_statistic_and_p_value_are_those_of_another_implementation(samples, lags, seed, gain):
    difference = losses(samples, overlap=2, gain=gain, seed=seed)
    found = diebold_mariano(difference, lags=lags)
    if samples <= lags + 1:
        assert found is None
        return
    try:
        expected = other(difference, lags)
    except NegativeVarianceException:
        expected = other(difference, lags, "bartlett")
    assert (found.statistic, found.p_value) == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert found.mean == pytest.approx(float(np.mean(difference)))
    assert found.count == samples


def test_a_variance_that_is_not_positive_is_taken_with_weights():
    difference = np.array([3.0, -2.0, 3.5, -2.0, 3.0, -2.5, 3.0, -2.0])
    with pytest.raises(NegativeVarianceException):
        other(difference, 1)
    found = diebold_mariano(difference, lags=1)
    assert (found.statistic, found.p_value) == pytest.approx(other(difference, 1, "bartlett"))


@given(st.integers(3, 40), st.integers(0, 5), st.integers(0, 2**31))
def test_who_comes_first_only_turns_the_sign(samples, lags, seed):
    difference = losses(samples, seed=seed)
    one, two = (diebold_mariano(sign * difference, lags=lags) for sign in (1, -1))
    if one is None:
        assert two is None
        return
    assert (one.statistic, one.mean) == pytest.approx((-two.statistic, -two.mean))
    assert one.p_value == pytest.approx(two.p_value) and 0 <= one.p_value <= 1


def test_units_do_not_matter():
    difference = losses(40, overlap=3, gain=1)
    one, two = (diebold_mariano(unit * difference, lags=3) for unit in (1.0, 1e-9))
    assert (one.statistic, one.p_value) == pytest.approx((two.statistic, two.p_value))


def test_a_clear_difference_is_no_chance_and_the_better_one_is_below_zero():
    found = diebold_mariano(losses(100, overlap=3, gain=2), lags=3)
    assert found.p_value < 0.01 and found.statistic < 0 and found.mean < 0


@pytest.mark.parametrize("overlap", [0, 5])
def test_equal_forecasters_are_told_apart_as_seldom_as_promised(overlap):
    found = [
        diebold_mariano(losses(120, overlap=overlap, seed=seed), lags=overlap)
        for seed in range(1000)
    ]
    # 5 % are expected; overlapping forecasts are known to come out a little above.
    assert 0.03 < np.mean([each.p_value < 0.05 for each in found]) < 0.10


@pytest.mark.parametrize("difference", [[], [1.0], [1.0, 2.0], [1.0, 2.0, 3.0]])
def test_too_few_differences_say_nothing(difference):
    assert diebold_mariano(np.array(difference), lags=2) is None


@pytest.mark.parametrize(
    "difference",
    [[0.0] * 9, [2.5] * 9, [0.1 + 0.2, 0.3] * 9, [1.0, math.nan, 2.0, 4.0], [1.0, math.inf, 2, 4]],
)
def test_differences_that_do_not_vary_or_are_no_numbers_say_nothing(difference):
    assert diebold_mariano(np.array(difference), lags=1) is None
