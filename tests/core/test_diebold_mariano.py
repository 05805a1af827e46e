"""The test of Diebold and Mariano against another implementation, and on losses of known truth."""

import math
from contextlib import suppress

import numpy as np
import pytest
from dieboldmariano import NegativeVarianceException, dm_test
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from forecast_cli.core.diebold_mariano import diebold_mariano
from forecast_cli.evaluation.verdicts import compare_losses, is_significant


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


def expected(difference, lags):
    """The larger variance of two, and as many degrees of freedom as forecasts do not overlap."""
    found = [other(difference, lags, "bartlett")[0]]
    with suppress(NegativeVarianceException):
        found.append(other(difference, lags)[0])
    statistic = min(found, key=abs)
    freedom = len(difference) / (lags + 1) - 1
    return statistic, 2 * stats.t.sf(abs(statistic), freedom)


@given(st.integers(4, 80), st.integers(0, 12), st.integers(0, 2**31), st.floats(-2, 2))
@example(samples=3, lags=0, seed=0, gain=0.0)
@example(samples=3, lags=1, seed=0, gain=0.0)
def test_statistic_and_p_value_are_those_of_another_implementation(samples, lags, seed, gain):
    difference = losses(samples, overlap=2, gain=gain, seed=seed)
    found = diebold_mariano(difference, lags=lags)
    if samples <= lags + 1:
        assert found is None
        return
    assert (found.statistic, found.p_value) == pytest.approx(
        expected(difference, lags), rel=1e-6, abs=1e-9
    )
    assert found.mean == pytest.approx(float(np.mean(difference)))
    assert found.count == samples
    try:
        usual = other(difference, lags)
    except NegativeVarianceException:
        usual = other(difference, lags, "bartlett")
    found = diebold_mariano(difference, lags=lags, conservative=False)
    assert (found.statistic, found.p_value) == pytest.approx(usual, rel=1e-6, abs=1e-9)


def test_a_variance_that_is_not_positive_is_taken_with_weights():
    difference = np.array([3.0, -2.0, 3.5, -2.0, 3.0, -2.5, 3.0, -2.0])
    with pytest.raises(NegativeVarianceException):
        other(difference, 1)
    found = diebold_mariano(difference, lags=1)
    assert found.statistic == pytest.approx(other(difference, 1, "bartlett")[0])


@given(st.integers(3, 40), st.integers(0, 5), st.integers(0, 2**31))
def test_who_comes_first_only_turns_the_sign(samples, lags, seed):
    difference = losses(samples, seed=seed)
    one, two = (diebold_mariano(sign * difference, lags=lags) for sign in (1, -1))
    if one is None:
        assert two is None
        return
    assert (one.statistic, one.mean) == pytest.approx((-two.statistic, -two.mean))
    assert one.p_value == pytest.approx(two.p_value) and 0 <= one.p_value <= 1


@pytest.mark.parametrize("conservative", [True, False])
@pytest.mark.parametrize("overlap", [0, 3])
def test_units_do_not_matter(overlap, conservative):
    # Without overlap the weights of Bartlett make this variance larger.
    difference = losses(40, overlap=overlap, gain=1, seed=1)
    one, two = (
        diebold_mariano(unit * difference, lags=3, conservative=conservative)
        for unit in (1.0, 1e-9)
    )
    assert (one.statistic, one.p_value) == pytest.approx((two.statistic, two.p_value))


def test_a_clear_difference_is_no_chance_and_the_better_one_is_below_zero():
    found = diebold_mariano(losses(100, overlap=3, gain=2), lags=3)
    assert found.p_value < 0.01 and found.statistic < 0 and found.mean < 0


def of_walks(samples, horizon, rng):
    """Differences of two forecasts that are equally wrong about the drift of a random walk."""
    walk = np.cumsum(rng.normal(size=samples + horizon))
    ahead = [walk[step : step + samples] - walk[:samples] for step in range(1, horizon + 1)]
    drift = 0.1 * np.arange(1, horizon + 1)[:, None]
    return np.mean(np.abs(ahead - drift) - np.abs(ahead + drift), axis=0)


@pytest.mark.parametrize("kind", ["noise", "walk"])
@pytest.mark.parametrize(("samples", "horizon"), [(20, 1), (50, 12), (100, 12), (300, 12), (12, 2)])
def test_equal_forecasters_differ_significantly_as_seldom_as_promised(samples, horizon, kind):
    rng = np.random.default_rng(samples)
    found = []
    for seed in range(800):
        if kind == "walk":
            difference = of_walks(samples, horizon, rng)
        else:
            difference = losses(samples, overlap=horizon - 1, seed=seed)
        found.append(is_significant(compare_losses(difference, lags=horizon - 1)))
    # 5 % are promised; where 6.5 % are true, hardly ever 9 % are significant.
    assert 0.02 < np.mean(found) < 0.09


def test_better_forecasters_are_found_by_overlapping_forecasts_too():
    """A gain of 2.8 standard errors is found by half of the tests or more."""
    for samples in (50, 100, 300):
        gain = 2.8 * 12 / np.sqrt(samples)
        found = [
            compare_losses(losses(samples, overlap=11, gain=gain, seed=seed), lags=11)
            for seed in range(300)
        ]
        assert np.mean([is_significant(each) for each in found]) > 0.45
    assert compare_losses(losses(35, overlap=11), lags=11) is None


@pytest.mark.parametrize("difference", [[], [1.0], [1.0, 2.0], [1.0, 2.0, 3.0]])
def test_too_few_differences_say_nothing(difference):
    assert diebold_mariano(np.array(difference), lags=2) is None


@pytest.mark.parametrize(
    "difference",
    [[0.0] * 9, [2.5] * 9, [0.1 + 0.2, 0.3] * 9, [1.0, math.nan, 2.0, 4.0], [1.0, math.inf, 2, 4]],
)
def test_differences_that_do_not_vary_or_are_no_numbers_say_nothing(difference):
    assert diebold_mariano(np.array(difference), lags=1) is None


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_the_units_of_losses_do_not_matter(size):
    difference = losses(20, gain=0.5)
    found, same = (diebold_mariano(each, lags=1) for each in (difference * size, difference))
    assert found.statistic == pytest.approx(same.statistic)
    assert found.p_value == pytest.approx(same.p_value)
    assert found.mean == pytest.approx(same.mean * size)
