"""Members against slow loops: one, no and two seasons."""

import numpy as np
import pytest

from forecast_cli.baselines.pretrained.members import (
    COUNT,
    SMOOTHINGS,
    Smoothing,
    forecast_by_members,
    members_of,
)

HORIZON = 6
SEASONS = [(), (4,), (3, 12)]


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(3)
    steps = np.arange(50.0)
    waves = 3 * np.sin(2 * np.pi * steps / 4) + 2 * np.cos(2 * np.pi * steps / 12) + 0.1 * steps
    return waves + rng.normal(size=(6, 50)).cumsum(axis=1)


def profile(head, season):
    """The mean departure of each phase from the mean of its season."""
    rows = len(head) // season
    if season == 1 or rows < 1:
        return np.zeros(season)
    whole = head[: rows * season].reshape(rows, season)
    return (whole - whole.mean(axis=1, keepdims=True)).mean(axis=0)


def by_hand(series, origin, member, seasons):
    """The forecasts of one member from one origin, step by step, after the same start."""
    short, long = (*seasons, 1, 1)[:2]
    head = series[: min(len(series), max(4 * short, 2 * long, 20))]
    has_short, has_long = member.season is not None, member.longer is not None
    own = profile(head, short)
    season = own * has_short
    rest = head - own[np.arange(len(head)) % short] * has_short
    longer = profile(rest, long) * has_long
    level, trend = head[-max(short, long) :].mean(), 0.0

    def update(value, step):
        nonlocal level, trend
        error = value - level - member.damping * trend - season[step % short] - longer[step % long]
        trend *= member.damping
        level += trend + member.level * error
        trend += member.trend * error
        season[step % short] += (member.season or 0.0) * error
        longer[step % long] += (member.longer or 0.0) * error

    for step in reversed(range(len(head))):
        update(head[step], step)
    trend = -trend
    for step in range(origin):
        update(series[step], step)
    slope = (series[origin - short : origin].mean() - series[:short].mean()) / (origin - short)
    found, reach = [], 0.0
    for step in range(HORIZON):
        reach += member.damping ** (step + 1)
        row = origin + step
        now = level + reach * trend + season[row % short] + longer[row % long]
        found.append(now + member.drift * slope * (step + 1))
    return found


@pytest.mark.parametrize("seasons", SEASONS)
def test_forecasts_are_those_of_a_slow_loop(values, seasons):
    found = forecast_by_members(values, [20, 37, 50], HORIZON, seasons=seasons)
    numbers = [each for each in members_of(seasons) if each < len(SMOOTHINGS)]
    for place, origin in enumerate((20, 37, 50)):
        for at, number in enumerate(numbers):
            expected = [by_hand(each, origin, SMOOTHINGS[number], seasons) for each in values]
            np.testing.assert_allclose(
                found.ahead[:, place, at], expected, rtol=1e-9, err_msg=SMOOTHINGS[number]
            )


def test_series_have_the_members_of_their_seasons():
    none, one, two = (members_of(each) for each in SEASONS)
    assert set(none) < set(one) < set(two) == set(range(COUNT))


@pytest.mark.parametrize("seasons", SEASONS)
def test_errors_are_those_of_one_step_ahead(values, seasons):
    plain = [each < len(SMOOTHINGS) and SMOOTHINGS[each].drift == 0 for each in members_of(seasons)]
    found = forecast_by_members(values, range(20, 50), 1, seasons=seasons)
    errors = values[:, 20:, None] - found.ahead[..., 0]
    np.testing.assert_allclose(
        found.errors[:, 20:][..., plain], errors[..., plain], rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize("seasons", SEASONS)
def test_forecasts_from_an_origin_see_no_later_value(values, seasons):
    later = values.copy()
    later[:, 37:] = 1e6
    cut = forecast_by_members(values[:, :37], [37], HORIZON, seasons=seasons).ahead
    # States begin with the first rows of the series, which are all before the origin.
    for each in (values, later):
        found = forecast_by_members(each, [37], HORIZON, seasons=seasons).ahead
        np.testing.assert_allclose(found, cut, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("longer", [False, True])
def test_some_members_are_seasonal_naive_forecasts(longer):
    series = np.tile([1.0, 5.0, 2.0, 9.0], 10)[None]
    series = series + np.repeat(np.arange(10.0) ** 2, 4)
    seasons = (2, 4) if longer else (4,)
    numbers = members_of(seasons)
    place = next(
        at
        for at, number in enumerate(numbers)
        if number < len(SMOOTHINGS)
        if 1.0 in (SMOOTHINGS[number].longer if longer else SMOOTHINGS[number].season,)
    )
    last = forecast_by_members(series, [40], 8, seasons=seasons).ahead[0, 0, place]
    np.testing.assert_allclose(last, np.tile(series[0, -4:], 2))


def test_seasons_of_a_year_of_weeks_stay_in_place_over_many_years():
    weeks, year = np.arange(52 * 30), 365.2425 / 7
    waves = np.sin(2 * np.pi * weeks / year) ** 3
    at = SMOOTHINGS.index(Smoothing(0.1, season=(1 - 0.1) * 0.1))
    errors = []
    for season in (52, year):
        made = forecast_by_members(waves[None, :-13], [len(weeks) - 13], 13, seasons=(season,))
        errors.append(np.abs(made.ahead[0, 0, at] - waves[-13:]).mean())
    assert errors[1] < 0.5 * errors[0]
