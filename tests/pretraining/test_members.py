"""Members against slow loops, and what a network sees of a series."""

import numpy as np
import pytest

from pretraining.features import COUNT, ORIGINS, look, past_origins, unit_of
from pretraining.members import MEMBERS, forecast_by_members, prior_weights
from pretraining.simulator import Shape, simulate

SEASON, HORIZON = 4, 6


@pytest.fixture(scope="module")
def values():
    return simulate(np.random.default_rng(3), Shape(6, 50, (SEASON,)))


def by_hand(series, origin, member):
    """The forecasts of one member from one origin, step by step, after the same start."""
    head = series[: max(4 * SEASON, 20)]
    rows = head[: len(head) // SEASON * SEASON].reshape(-1, SEASON)
    seasonal = member.season is not None
    season = list((rows - rows.mean(axis=1, keepdims=True)).mean(axis=0) * seasonal)
    level, trend = head[-SEASON:].mean(), 0.0

    def update(value, phase):
        nonlocal level, trend
        error = value - level - member.damping * trend - season[phase]
        trend *= member.damping
        level += trend + member.level * error
        trend += member.trend * error
        season[phase] += (member.season or 0.0) * error

    for step in reversed(range(len(head))):
        update(head[step], step % SEASON)
    trend = -trend
    for step in range(origin):
        update(series[step], step % SEASON)
    slope = (series[origin - SEASON : origin].mean() - series[:SEASON].mean()) / (origin - SEASON)
    found, reach = [], 0.0
    for step in range(HORIZON):
        reach += member.damping ** (step + 1)
        now = level + reach * trend + season[(origin + step) % SEASON]
        found.append(now + member.drift * slope * (step + 1))
    return found


def test_forecasts_are_those_of_a_slow_loop(values):
    found = forecast_by_members(values, [20, 37, 50], HORIZON, season=SEASON)
    for place, origin in enumerate((20, 37, 50)):
        for number, member in enumerate(MEMBERS):
            expected = [by_hand(series, origin, member) for series in values]
            np.testing.assert_allclose(found.ahead[:, place, number], expected, rtol=1e-9)


def test_errors_are_those_of_one_step_ahead(values):
    plain = [each.drift == 0 for each in MEMBERS]
    found = forecast_by_members(values, range(20, 50), 1, season=SEASON)
    errors = values[:, 20:, None] - found.ahead[..., 0]
    np.testing.assert_allclose(
        found.errors[:, 20:][..., plain], errors[..., plain], rtol=1e-6, atol=1e-8
    )


def test_forecasts_from_an_origin_see_no_later_value(values):
    later = values.copy()
    later[:, 37:] = 1e6
    for each in (values, later):
        found = forecast_by_members(each, [37], HORIZON, season=SEASON)
        np.testing.assert_array_equal(
            found.ahead, forecast_by_members(values[:, :37], [37], HORIZON, season=SEASON).ahead
        )


def test_one_member_is_the_seasonal_naive_forecast():
    series = np.tile([1.0, 5.0, 2.0, 9.0], 10)[None]
    series = series + np.repeat(np.arange(10.0) ** 2, 4)
    last = forecast_by_members(series, [40], 8, season=4).ahead[0, 0, -1]
    np.testing.assert_allclose(last, np.tile(series[0, -4:], 2))


def test_prior_weights_prefer_what_erred_less(values):
    errors = forecast_by_members(values, [50], 1, season=SEASON).errors
    weights = prior_weights(errors)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_array_equal(weights.argmax(axis=1), (errors**2).mean(axis=1).argmin(axis=1))
    np.testing.assert_allclose(prior_weights(1000 * errors), weights, rtol=1e-6)


@pytest.mark.parametrize("steps", [10, 17, 50, 300])
def test_what_is_seen_does_not_depend_on_units(steps):
    values = simulate(np.random.default_rng(4), Shape(5, steps, (SEASON,)))
    one, other = look(values, HORIZON, SEASON), look(5.0 * values, HORIZON, SEASON)
    assert one.members.shape[:3] == (5, ORIGINS, COUNT)
    assert one.past.shape == (5, ORIGINS, COUNT, HORIZON)
    for name in ("members", "series", "one_step", "past", "ahead"):
        mine, its = getattr(one, name), getattr(other, name)
        assert np.isfinite(mine).all()
        np.testing.assert_allclose(its, mine, rtol=1e-4, atol=1e-5, err_msg=name)
    moving = values.any(axis=1)
    np.testing.assert_allclose(other.scale[moving], 5 * one.scale[moving])


def test_past_errors_are_those_of_forecasts_from_past_origins(values):
    seen = look(values, HORIZON, SEASON)
    origins = past_origins(50, HORIZON, SEASON)
    scaled = (values - seen.level[:, None]) / seen.scale[:, None]
    place, origin = 5, origins[5]
    ahead = forecast_by_members(scaled[:, :origin], [origin], HORIZON, season=SEASON).ahead[:, 0]
    actual = scaled[:, origin : origin + HORIZON]
    past = seen.past[:, place, : len(MEMBERS)]
    np.testing.assert_allclose(past, actual[:, None] - ahead, rtol=1e-6, atol=1e-8)
    assert seen.known[place].all()
    assert not seen.known[-1].all()


def test_the_unit_is_the_error_of_the_seasonal_naive_forecast(values):
    unit = np.abs(values[:, SEASON:] - values[:, :-SEASON]).mean(axis=1)
    np.testing.assert_allclose(unit_of(values, SEASON), unit)
    assert (unit_of(np.ones((2, 20)), SEASON) > 0).all()
