"""What the network sees of a series."""

import numpy as np
import pytest

from forecast_cli.baselines.pretrained.features import (
    NAMES,
    ORIGINS,
    look,
    past_origins,
    unit_of,
)
from forecast_cli.baselines.pretrained.members import forecast_by_members, members_of

SEASON, HORIZON = 4, 6


def series_of(steps):
    rng = np.random.default_rng(4)
    waves = 3 * np.sin(2 * np.pi * np.arange(steps) / SEASON)
    # Of three all values are positive.
    return (
        waves + rng.normal(size=(5, steps)).cumsum(axis=1) + np.array([0, 0, 99, 99, 99])[:, None]
    )


@pytest.mark.parametrize("seasons", [(), (SEASON,)])
@pytest.mark.parametrize("steps", [10, 17, 50, 300])
def test_what_is_seen_does_not_depend_on_units(steps, seasons):
    values = series_of(steps)
    one, other = (look(each, HORIZON, seasons) for each in (values, 5.0 * values))
    count = 2 * len(members_of(seasons))
    assert one.names.shape == (count,)
    assert one.names.max() < NAMES
    assert one.members.shape[:3] == (5, ORIGINS, count)
    assert one.past.shape == (5, ORIGINS, count, HORIZON)
    for name in ("members", "series", "sizes", "past", "ahead"):
        mine, its = getattr(one, name), getattr(other, name)
        assert np.isfinite(mine).all()
        np.testing.assert_allclose(its, mine, rtol=1e-4, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(other.scale, 5 * one.scale)


def test_past_errors_are_those_of_forecasts_from_past_origins():
    values = series_of(50)
    seen = look(values, HORIZON, (SEASON,))
    origins = past_origins(50, HORIZON, SEASON)
    scaled = (values - seen.level[:, None]) / seen.scale[:, None]
    place, origin = 5, origins[5]
    ahead = forecast_by_members(scaled[:, :origin], [origin], HORIZON, seasons=(SEASON,)).ahead
    actual = scaled[:, origin : origin + HORIZON]
    past = seen.past[:, place, : ahead.shape[2]]
    np.testing.assert_allclose(past, actual[:, None] - ahead[:, 0], rtol=1e-6, atol=1e-7)
    assert seen.known[place].all()
    assert not seen.known[-1].all()


def test_the_unit_is_the_error_of_the_seasonal_naive_forecast():
    values = series_of(50)
    unit = np.abs(values[:, SEASON:] - values[:, :-SEASON]).mean(axis=1)
    np.testing.assert_allclose(unit_of(values, SEASON), unit)
    assert (unit_of(np.ones((2, 20)), SEASON) > 0).all()
