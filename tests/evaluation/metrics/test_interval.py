"""Measures of intervals, quantiles and samples against loops and other people's libraries."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
import utilsforecast.losses
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from forecast_cli.evaluation.metrics.interval import (
    IntervalSums,
    QuantileSums,
    quantile_levels,
    sample_crps,
)

RNG = np.random.default_rng(0)
LEVEL = (80.0, 95.0)
SERIES = np.arange(30) % 3
ACTUAL = RNG.normal(0, 3, (30, 4, 2))
ACTUAL[RNG.random(ACTUAL.shape) < 0.1] = np.nan
CENTER = RNG.normal(0, 2, ACTUAL.shape)[..., None]
HALF = np.array([1.5, 4.0]) * RNG.uniform(0.5, 2, (*ACTUAL.shape, 1))
LOWER, UPPER = CENTER - HALF, CENTER + HALF
QUANTILE_LEVELS = (0.05, 0.3, 0.5, 0.9)
QUANTILES = np.sort(RNG.normal(0, 3, (*ACTUAL.shape, 4)), axis=-1)


def intervals(actual=ACTUAL, lower=LOWER, upper=UPPER, pieces=1):
    sums = IntervalSums(3, 4, 2, LEVEL)
    for piece in np.array_split(np.arange(30), pieces):
        sums.add(actual[piece], lower[piece], upper[piece], SERIES[piece])
    return sums


def quantiles(pieces=1):
    sums = QuantileSums(3, 4, 2, QUANTILE_LEVELS)
    for piece in np.array_split(np.arange(30), pieces):
        sums.add(ACTUAL[piece], QUANTILES[piece], SERIES[piece])
    return sums


def winkler(actual, lower, upper, level):
    outside = max(lower - actual, actual - upper, 0.0)
    return upper - lower + 2 / (1 - level / 100) * outside


def interval_loop(keep, target, place):
    """Coverage, width and Winkler score of the values where `keep(sample, step)`."""
    found = [
        (
            LOWER[at] <= ACTUAL[at[:3]] <= UPPER[at],
            UPPER[at] - LOWER[at],
            winkler(ACTUAL[at[:3]], LOWER[at], UPPER[at], LEVEL[place]),
        )
        for at in ((i, h, target, place) for i in range(30) for h in range(4) if keep(i, h))
        if not math.isnan(ACTUAL[at[:3]])
    ]
    return np.mean(found, axis=0) * [100, 1, 1]


@pytest.mark.parametrize("pieces", [1, 7])
@pytest.mark.parametrize("target", [0, 1])
@pytest.mark.parametrize("place", [0, 1])
def test_measures_of_intervals_are_loops(pieces, target, place):
    sums = intervals(pieces=pieces)
    cases = [(sums.overall(), (), lambda i, h: True)]
    cases += [(sums.by_series(), (s,), lambda i, h, s=s: SERIES[i] == s) for s in range(3)]
    cases += [(sums.by_step(), (step,), lambda i, h, s=step: h == s) for step in range(4)]
    for scores, where, keep in cases:
        found = [scores[name][(*where, target, place)] for name in ("coverage", "width", "winkler")]
        np.testing.assert_allclose(found, interval_loop(keep, target, place), rtol=1e-12)


def frame(**columns):
    """One target as a table of utilsforecast, missing values left out."""
    known = ~np.isnan(ACTUAL[..., 0]).ravel()
    table = {"unique_id": np.repeat(SERIES, 4), "y": ACTUAL[..., 0].ravel()}
    return pd.DataFrame(table | columns)[known]


@pytest.mark.parametrize("measure", ["coverage", "winkler"])
@pytest.mark.parametrize("place", [0, 1])
def test_measures_of_intervals_are_those_of_utilsforecast(measure, place):
    level = int(LEVEL[place])
    bounds = {"lo": LOWER[..., 0, place].ravel(), "hi": UPPER[..., 0, place].ravel()}
    table = frame(**{f"model-{side}-{level}": each for side, each in bounds.items()})
    other = utilsforecast.losses.coverage
    if measure == "winkler":
        other = utilsforecast.losses.winkler_score
    expected = other(table, models=["model"], level=level)["model"]
    expected = expected * 100 if measure == "coverage" else expected
    found = intervals().by_series()[measure][:, 0, place]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_ends_of_an_interval_are_within_it():
    sums = IntervalSums(1, 2, 1, (90.0,))
    bounds = np.array([1.0, 2.0]).reshape(1, 2, 1, 1)
    sums.add(bounds[..., 0], np.ones_like(bounds), np.full_like(bounds, 2.0), np.array([0]))
    assert sums.overall()["coverage"].tolist() == [[100.0]]
    assert sums.overall()["winkler"].tolist() == [[1.0]]


def test_a_bound_that_is_no_number_is_never_scored_as_covering_or_missing():
    lower = LOWER.copy()
    lower[(*np.argwhere(~np.isnan(ACTUAL[..., 1]))[0], 1, 0)] = np.nan
    for scores in intervals(lower=lower).overall().values():
        assert np.isnan(scores).tolist() == [[False, False], [True, False]]


def test_intervals_without_end_cover_everything_and_are_infinitely_wide():
    scores = intervals(lower=np.full_like(LOWER, -np.inf), upper=np.full_like(LOWER, np.inf))
    assert (scores.overall()["coverage"] == 100).all() and (
        scores.overall()["width"] == np.inf
    ).all()


def test_intervals_at_infinity_cover_nothing_and_have_no_width():
    scores = intervals(lower=np.full_like(LOWER, np.inf), upper=np.full_like(LOWER, np.inf))
    assert (scores.overall()["coverage"] == 0).all()
    assert np.isnan(scores.overall()["width"]).all()


def test_measures_of_nothing_are_undefined():
    nothing = np.full_like(ACTUAL, np.nan)
    for sums in (IntervalSums(3, 4, 2, LEVEL), intervals(nothing), QuantileSums(3, 4, 2, (0.5,))):
        for scores in (sums.by_series(), sums.by_step(), sums.overall()):
            assert all(np.isnan(each).all() for each in scores.values())


def pinball(actual, quantile, level):
    return max(level * (actual - quantile), (level - 1) * (actual - quantile))


def drawn(row, levels, level):
    """The quantile of another level: a line in the normal score of the level."""
    if len(levels) == 1:
        return row[0]
    scores, at = norm.ppf(levels), norm.ppf(level)
    left = next((i for i in range(1, len(levels) - 1) if at <= scores[i]), len(levels) - 1) - 1
    slope = (row[left + 1] - row[left]) / (scores[left + 1] - scores[left])
    return row[left] + slope * (at - scores[left])


def mean_loss(actual, row, levels, grid):
    return np.mean([pinball(actual, drawn(row, levels, level), level) for level in grid])


def test_quantiles_are_drawn_on_at_the_slope_of_the_outermost_ones():
    row, levels = np.array([0.0, 1.0, 5.0]), (0.3, 0.5, 0.9)
    sums = QuantileSums(1, 1, 1, levels)
    sums.add(np.full((1, 1, 1), 2.0), row[None, None, None], np.zeros(1, np.int64))
    scores = sums.overall()
    assert scores["pinball"][0] == pytest.approx(mean_loss(2, row, levels, np.arange(1, 20) / 20))
    grid = (np.arange(40) + 0.5) / 40
    assert scores["crps"][0] == pytest.approx(2 * mean_loss(2, row, levels, grid))


def test_a_crps_that_is_known_exactly_is_taken_as_it_is():
    sums, plain, exact = QuantileSums(3, 4, 2, QUANTILE_LEVELS), quantiles(), np.abs(ACTUAL) + 1
    sums.add(ACTUAL, QUANTILES, SERIES, crps=exact)
    np.testing.assert_allclose(sums.overall()["crps"], np.nanmean(exact, axis=(0, 1)))
    assert (sums.overall()["pinball"] == plain.overall()["pinball"]).all()


@pytest.mark.slow
def test_measures_of_quantiles_are_loops():
    shape = ACTUAL.shape
    losses, areas = np.full((2, *shape), np.nan)
    for at in np.ndindex(*shape):
        row = QUANTILES[at], QUANTILE_LEVELS
        losses[at] = mean_loss(ACTUAL[at], *row, np.arange(1, 20) / 20)
        areas[at] = 2 * mean_loss(ACTUAL[at], *row, (np.arange(40) + 0.5) / 40)
    losses[np.isnan(ACTUAL)] = areas[np.isnan(ACTUAL)] = np.nan
    for pieces, (name, each) in product((1, 7), (("pinball", losses), ("crps", areas))):
        sums = quantiles(pieces)
        np.testing.assert_allclose(sums.overall()[name], np.nanmean(each, axis=(0, 1)))
        np.testing.assert_allclose(sums.by_step()[name], np.nanmean(each, axis=0))
        expected = [np.nanmean(each[series == SERIES], axis=(0, 1)) for series in range(3)]
        np.testing.assert_allclose(sums.by_series()[name], expected)


# Those of all the levels over which the pinball loss is the mean.
ALL_LEVELS = tuple(place / 20 for place in range(1, 20))
ALL = np.sort(RNG.normal(0, 3, (*ACTUAL.shape, 19)), axis=-1)


def test_pinball_is_that_of_scikit_learn():
    sums = QuantileSums(3, 4, 2, ALL_LEVELS)
    sums.add(ACTUAL, ALL, SERIES)
    known = ~np.isnan(ACTUAL[..., 0])
    losses = [
        sklearn.metrics.mean_pinball_loss(ACTUAL[known, 0], ALL[known, 0, q], alpha=level)
        for q, level in enumerate(ALL_LEVELS)
    ]
    assert sums.overall()["pinball"][0] == pytest.approx(np.mean(losses), rel=1e-12)


def test_pinball_is_the_multi_quantile_loss_and_scaled_crps_of_utilsforecast():
    sums = QuantileSums(3, 4, 2, ALL_LEVELS)
    sums.add(ACTUAL, ALL, SERIES)
    names = [f"q{place}" for place in range(19)]
    table = frame(**{name: ALL[..., 0, q].ravel() for q, name in enumerate(names)})
    arguments = {"models": {"model": names}, "quantiles": np.array(ALL_LEVELS)}
    found = sums.by_series()["pinball"][:, 0]
    expected = utilsforecast.losses.mqloss(table, **arguments)["model"]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    # Theirs is twice the mean pinball loss in units of the mean absolute value.
    size = table["y"].abs().groupby(table["unique_id"]).mean()
    scaled = utilsforecast.losses.scaled_crps(table, **arguments)["model"]
    np.testing.assert_allclose(2 * found / size, scaled, rtol=1e-12)


def normal_crps(y):
    """Of the standard normal distribution: Gneiting and Raftery (2007), equation 21."""
    return y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / math.sqrt(math.pi)


@pytest.mark.parametrize("level", [(80.0,), (80.0, 95.0), tuple(range(10, 100, 10))])
@pytest.mark.parametrize(("center", "scale"), [(0.0, 1.0), (1000.0, 30.0)])
def test_the_scores_of_a_distribution_do_not_depend_on_how_many_quantiles_tell_it(
    level, center, scale
):
    levels = quantile_levels(level)
    y = norm.ppf((np.arange(2000) + 0.5) / 2000)
    sums = QuantileSums(2000, 1, 1, levels)
    told = np.broadcast_to(norm.ppf(levels), (2000, 1, 1, len(levels)))
    sums.add(center + scale * y[:, None, None], center + scale * told, np.arange(2000))
    found = {name: each[:, 0] / scale for name, each in sums.by_series().items()}
    np.testing.assert_allclose(found["crps"], normal_crps(y), rtol=0.003)
    assert found["crps"].mean() == pytest.approx(1 / math.sqrt(math.pi), rel=0.001)
    at = np.arange(1, 20) / 20
    # The expected loss of a quantile of a normal distribution is its density there.
    assert found["pinball"].mean() == pytest.approx(norm.pdf(norm.ppf(at)).mean(), rel=0.003)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_the_crps_of_a_single_quantile_is_the_absolute_error(actual, median):
    sums = QuantileSums(1, 1, 1, (0.5,))
    sums.add(np.full((1, 1, 1), actual), np.full((1, 1, 1, 1), median), np.zeros(1, np.int64))
    assert sums.overall()["crps"][0] == pytest.approx(abs(actual - median))
    assert sums.overall()["pinball"][0] == pytest.approx(abs(actual - median) / 2)


def test_quantiles_without_end_have_an_infinite_loss_and_missing_ones_none():
    levels = quantile_levels((80.0,))
    sums = QuantileSums(3, 1, 1, levels)
    told = np.array([[-1.0, 0.0, 1.0], [-np.inf, 0.0, np.inf], [-1.0, np.nan, 1.0]])
    sums.add(np.zeros((3, 1, 1)), told[:, None, None], np.arange(3))
    for each in sums.by_series().values():
        assert 0 < each[0, 0] < 1
        assert each[1, 0] == np.inf
        assert np.isnan(each[2, 0])


def test_the_ends_of_intervals_are_quantiles():
    assert quantile_levels((80.0, 95.0)) == (0.025, 0.1, 0.5, 0.9, 0.975)
    assert quantile_levels(tuple(range(10, 100, 10))) == ALL_LEVELS
    assert quantile_levels(()) == (0.5,)


def test_the_crps_of_many_quantiles_is_that_of_the_distribution():
    levels = (np.arange(2000) + 0.5) / 2000
    y = np.array([-2.0, 0.0, 0.7])
    sums = QuantileSums(3, 1, 1, tuple(levels))
    sums.add(y.reshape(3, 1, 1), np.broadcast_to(norm.ppf(levels), (3, 1, 1, 2000)), np.arange(3))
    np.testing.assert_allclose(sums.by_series()["crps"][:, 0], normal_crps(y), rtol=3e-3)
    samples = np.broadcast_to(norm.ppf(levels), (3, 2000))
    np.testing.assert_allclose(sample_crps(y, samples), normal_crps(y), rtol=1e-3)


numbers = st.integers(-1000, 1000).map(lambda number: number / 8)


@given(arrays(float, (3,), elements=numbers), arrays(float, (3, 5), elements=numbers))
def test_the_crps_of_samples_is_a_double_loop(actual, samples):
    for y, row, found in zip(actual, samples, sample_crps(actual, samples), strict=True):
        apart = np.mean([abs(a - b) for a in row for b in row])
        assert found == pytest.approx(np.mean(np.abs(row - y)) - apart / 2, abs=1e-9)
        assert found >= -1e-12


def test_the_crps_of_one_sample_is_the_absolute_error():
    samples = CENTER[:, :, :, :1]
    np.testing.assert_array_equal(sample_crps(ACTUAL, samples), np.abs(ACTUAL - samples[..., 0]))
