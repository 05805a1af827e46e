"""Intervals of errors: the order statistic that holds what it says, and what stretches them."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forecast_cli.core.forecast import Forecast
from forecast_cli.forecasting.intervals.conformal import (
    LEAST,
    MOST,
    PRIOR_ORIGINS,
    grown,
    learn_factors,
    needed,
    radius,
    sample_paths,
    step_sizes,
    stretch,
)

levels = st.sampled_from([10.0, 50.0, 66.6, 80.0, 90.0, 95.0, 99.0])


def drawn(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def ones(scores):
    return np.ones(scores.shape[1:])


# How far an interval reaches.


@given(st.integers(0, 10**6), st.integers(100, 300), levels)
def test_the_radius_is_the_order_statistic_with_its_correction(seed, samples, level):
    scores = np.abs(drawn(seed, samples, 3, 2))
    found = radius(scores, level, ones(scores))
    for step in range(3):
        for target in range(2):
            place = math.ceil(round((samples + 1) * level / 100, 9))
            expected = sorted(scores[:, step, target])[min(place, samples) - 1]
            assert found[step, target] == expected


@given(st.integers(0, 10**6), st.integers(1, 99), st.integers(1, 6), levels)
@example(seed=0, samples=1, horizon=6, level=10.0)
@example(seed=0, samples=5, horizon=1, level=10.0)
def test_few_errors_are_put_together_over_the_steps(seed, samples, horizon, level):
    sizes = np.sqrt(np.arange(1.0, horizon + 1))[:, None]
    scores = np.abs(drawn(seed, samples, horizon, 1)) * sizes
    found = radius(scores, level, sizes)
    together = sorted((scores / sizes).ravel())
    share = min(1.0, math.ceil(round((samples + 1) * level / 100, 9)) / samples)
    place = math.ceil(round(share * len(together), 9))
    np.testing.assert_allclose(found, together[place - 1] * sizes)


@given(st.integers(0, 10**6), st.integers(1, 250), st.floats(0, 0.9))
def test_missing_errors_do_not_count_and_wider_levels_reach_further(seed, samples, share):
    scores = np.abs(drawn(seed, samples, 3, 2))
    missing = np.random.default_rng(seed).random(scores.shape) < share
    missing[0] = False
    scores[missing] = np.nan
    found = [radius(scores, level, ones(scores)) for level in (10, 50, 80, 90, 95, 99)]
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=0) >= 0).all()
    assert (found[-1] <= np.nanmax(scores, axis=(0, 1))).all()


def test_steps_of_many_errors_stand_for_themselves_beside_those_of_few():
    scores = np.abs(drawn(0, 150, 2, 1)) * [[1.0], [10.0]]
    alone = radius(scores[:, :1], 80, np.ones((1, 1)))
    scores[50:, 1] = np.nan
    found = radius(scores, 80, np.array([[1.0], [10.0]]))
    assert found[0] == alone[0]
    assert 5 < found[1, 0] < 25


def test_100_errors_of_a_step_stand_for_themselves():
    scores = np.abs(drawn(0, 100, 2, 1))
    scores[50:, 1] = np.nan
    alone = radius(scores[:, :1], 80, np.ones((1, 1)))
    assert radius(scores, 80, np.array([[1.0], [10.0]]))[0] == alone[0]


@pytest.mark.parametrize("samples", [1, 30])
def test_no_column_changes_the_intervals_of_another(samples):
    errors = drawn(0, samples, 4, 2) * [1.0, 100.0]
    errors[max(1, samples // 3) :, :, 1] = np.nan
    sizes, reach = step_sizes(errors), radius(np.abs(errors), 80, step_sizes(errors))
    for place in range(2):
        alone = errors[:, :, [place]]
        np.testing.assert_allclose(sizes[:, [place]], step_sizes(alone))
        np.testing.assert_allclose(reach[:, [place]], radius(np.abs(alone), 80, step_sizes(alone)))


def test_a_step_without_an_error_has_the_radius_of_the_others_in_its_size():
    scores = np.abs(drawn(0, 120, 2, 1))
    scores[:, 1] = np.nan
    found = radius(scores, 80, np.array([[1.0], [3.0]]))
    assert found[1, 0] == pytest.approx(3 * found[0, 0])


@pytest.mark.parametrize("level", [50.0, 80.0, 95.0])
@pytest.mark.parametrize("samples", [100, 149])
def test_it_holds_its_level_of_what_is_exchangeable(level, samples):
    """Over draws of the errors: at least the level, and at most 1 / (n + 1) more."""
    rounds = 4000
    scores = np.abs(drawn(1, samples, 1, rounds))
    new = np.abs(drawn(2, rounds))
    held = 100 * np.mean(new <= radius(scores, level, ones(scores))[0])
    # Three standard errors of a share over so many rounds.
    slack = 300 * math.sqrt(level / 100 * (1 - level / 100) / rounds)
    assert level - slack <= held <= level + 100 / (samples + 1) + slack


@pytest.mark.parametrize("level", [80.0, 95.0])
@pytest.mark.parametrize("samples", [19, 40, 99])
@pytest.mark.parametrize("alike", [0.0, 0.99])
def test_few_errors_of_several_steps_hold_it_too(level, samples, alike):
    """Whether those of one origin are alike or not: they count as one forecast."""
    rounds, horizon, draw = 2000, 4, np.random.default_rng(3)
    own = draw.normal(size=(samples + 1, horizon, rounds))
    shared = draw.normal(size=(samples + 1, 1, rounds))
    errors = np.abs(np.sqrt(alike) * shared + np.sqrt(1 - alike) * own)
    found = radius(errors[:-1], level, np.ones((horizon, rounds)))
    held = 100 * np.mean(errors[-1] <= found)
    assert level - 2.0 <= held <= level + 100 / (samples + 1) + 2.0


@pytest.mark.parametrize("level", [50.0, 80.0, 90.0, 95.0, 99.0])
def test_so_many_errors_are_needed(level):
    least = needed(level)
    assert math.ceil(round((least + 1) * level / 100, 9)) <= least
    assert math.ceil(round(least * level / 100, 9)) > least - 1


# How large errors are at each step.


@given(st.floats(0.0, 1.0), st.floats(0.01, 100.0), st.integers(1, 20))
def test_a_power_of_the_step_is_found(power, size, horizon):
    exact = size * np.arange(1.0, horizon + 1) ** power
    errors = np.stack([exact, -exact])[..., None]
    np.testing.assert_allclose(step_sizes(errors)[:, 0], exact, rtol=1e-9)


@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 8))
def test_sizes_never_fall_and_are_above_0(seed, samples, horizon):
    errors = drawn(seed, samples, horizon, 2)
    errors[:, :, 1] = 0.0
    sizes = step_sizes(errors)
    assert sizes.shape == (horizon, 2)
    assert (sizes > 0).all()
    assert (np.diff(sizes, axis=0) >= -1e-15).all()


def test_sizes_grow_no_faster_than_the_step():
    steps = np.arange(1.0, 9)
    sizes = step_sizes(np.array([steps**2, -(steps**2)])[..., None])[:, 0]
    np.testing.assert_allclose(sizes / sizes[0], steps)


@pytest.mark.parametrize("samples", [1, 3])
def test_the_size_of_errors_of_1_is_1(samples):
    assert step_sizes(np.ones((samples, 1, 1))).tolist() == [[1.0]]


def test_missing_errors_do_not_change_a_size():
    errors = drawn(0, 50, 3, 1)
    longer = np.concatenate([errors, np.full((20, 3, 1), np.nan)])
    np.testing.assert_allclose(step_sizes(longer), step_sizes(errors))


# Beyond the horizon.


@given(st.integers(1, 10), st.integers(1, 50))
def test_widths_grow_with_the_root_from_the_last_one(horizon, steps):
    values = np.abs(drawn(horizon, horizon, 2)) + 0.1
    found = grown(values, steps)
    for step in range(steps):
        growth = max(1.0, math.sqrt((step + 1) / horizon))
        expected = values[min(step, horizon - 1)] * growth
        np.testing.assert_allclose(found[step], expected)


def test_the_growth_goes_on_without_a_jump_where_errors_grow_with_the_root():
    whole = np.sqrt(np.arange(1.0, 41))
    np.testing.assert_allclose(grown(whole[:7], 40), whole)


# Paths.


def paths(errors, steps, samples=4000, seed=0, count=1):
    draw = np.random.default_rng(seed)
    return sample_paths(errors, count, samples=samples, steps=steps, draw=draw)


def walks(samples=500, horizon=6, seed=0):
    return drawn(seed, samples, horizon, 1).cumsum(axis=1)


def test_paths_are_those_that_were_seen_or_their_mirror_images():
    errors = drawn(0, 7, 4, 2)
    known = {tuple(np.round(sign * each.ravel(), 9)) for each in errors for sign in (-1, 1)}
    found = paths(errors, 4, samples=200)[0]
    assert {tuple(np.round(each.ravel(), 9)) for each in found} == known
    assert paths(errors, 2).shape == (1, 4000, 2, 2)
    assert paths(errors[:, :1], 3).shape == (1, 4000, 3, 2)


def test_paths_without_mirror_images_are_those_that_were_seen():
    errors = drawn(0, 7, 4, 2)
    draw = np.random.default_rng(0)
    found = sample_paths(errors, 1, samples=200, steps=4, draw=draw, mirrored=False)[0]
    known = {tuple(each.ravel()) for each in errors}
    assert {tuple(each.ravel()) for each in found} == known


def test_paths_keep_the_correlation_of_the_steps():
    errors = walks()
    own = np.corrcoef(np.concatenate([errors, -errors])[..., 0].T)
    np.testing.assert_allclose(np.corrcoef(paths(errors, 6)[0, :, :, 0].T), own, atol=0.06)


def test_beyond_the_horizon_the_spread_of_paths_grows_with_the_root():
    errors = walks(samples=3000, horizon=5)
    spread = paths(errors, 20, samples=20_000)[0, :, :, 0].std(axis=0)
    np.testing.assert_allclose(spread[[4, 9, 19]], spread[4] * np.sqrt([1, 2, 4]), rtol=0.03)
    np.testing.assert_allclose(spread, np.sqrt(np.arange(1, 21)), rtol=0.06)


def test_the_seed_makes_the_paths():
    errors = walks()
    np.testing.assert_array_equal(paths(errors, 9, seed=3), paths(errors, 9, seed=3))
    assert (paths(errors, 9, seed=3) != paths(errors, 9, seed=4)).any()
    two = paths(errors, 9, count=2)
    assert (two[0] != two[1]).any()


@pytest.mark.parametrize("level", [50.0, 80.0, 95.0])
def test_quantiles_of_paths_are_about_the_ends_of_intervals(level):
    errors = walks(samples=400)
    found = paths(errors, 6, samples=40_000)[0, :, :, 0]
    ends = np.quantile(found, [0.5 - level / 200, 0.5 + level / 200], axis=0)
    reach = radius(np.abs(errors), level, np.ones((6, 1)))[:, 0]
    np.testing.assert_allclose(ends, [-reach, reach], rtol=0.1)


def test_paths_with_a_missing_value_are_left_out():
    errors = drawn(0, 10, 3, 1)
    errors[::2, 1] = np.nan
    assert np.isfinite(paths(errors, 7)).all()


LEVEL = (80.0, 95.0)


def forecast(samples, steps=4, wide=(1.0, 2.0)):
    """Forecasts of 10 with intervals of these half-widths."""
    point = np.full((samples, steps, 1), 10.0)
    half = np.array(wide)
    return Forecast(point, ends=np.stack([point[..., None] - half, point[..., None] + half]))


def actual(made, size, seed=0):
    return made.point + np.random.default_rng(seed).normal(0, size, made.point.shape)


def coverage(made, values):
    inside = (made.ends[0] <= values[..., None]) & (values[..., None] <= made.ends[1])
    return 100 * inside.mean(axis=(0, 1, 2))


@pytest.mark.parametrize("size", [0.6, 1.0, 1.8])
def test_with_much_evidence_the_levels_are_covered(size):
    made = forecast(5000)
    factors = learn_factors(made, actual(made, size), LEVEL, origins=5000)
    new = forecast(5000)
    found = stretch(new, factors, np.zeros((5000, 1), bool))
    np.testing.assert_allclose(coverage(found, actual(new, size, 1)), LEVEL, atol=1.5)


def test_little_evidence_changes_little():
    made = forecast(2000)
    values = actual(made, 1.2)
    many = learn_factors(made, values, LEVEL, origins=10**9)
    few = learn_factors(made, values, LEVEL, origins=2)
    np.testing.assert_allclose(few, many ** (2 / (2 + PRIOR_ORIGINS)), rtol=1e-6)


def test_without_evidence_nothing_changes():
    made = forecast(3)
    nothing = np.full(made.point.shape, np.nan)
    np.testing.assert_array_equal(learn_factors(made, nothing, LEVEL, origins=3), 1.0)
    # Of an interval without a width nothing can be learned.
    flat = forecast(3, wide=(0.0, 0.0))
    np.testing.assert_array_equal(learn_factors(flat, flat.point, LEVEL, origins=3), 1.0)


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=8, max_size=8),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.integers(1, 10**6),
)
def test_ends_are_finite_in_order_and_not_below_zero(values, narrow, more, origins):
    made = forecast(2, wide=(narrow, narrow + more))
    factors = learn_factors(made, np.reshape(values, (2, 4, 1)), LEVEL, origins=origins)
    assert ((factors >= LEAST) & (factors <= MOST)).all()
    found = stretch(made, factors, np.array([[True], [False]]))
    lower, upper = found.ends
    assert np.isfinite(found.ends).all()
    assert (lower[..., 1] <= lower[..., 0]).all()
    assert (upper[..., 1] >= upper[..., 0]).all()
    assert (lower <= found.point[..., None]).all()
    assert (upper >= found.point[..., None]).all()
    assert (lower[0] >= 0).all()
