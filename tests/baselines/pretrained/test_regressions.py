"""Ridge regressions on lags against a loop that solves each by least squares."""

import numpy as np
import pytest

from forecast_cli.baselines.pretrained.regressions import PENALTIES, forecast_by_regressions

HORIZON = 5


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(8)
    steps = np.arange(60.0)
    waves = np.sin(2 * np.pi * steps / 4) + np.cos(2 * np.pi * steps / 12)
    return waves + 0.3 * rng.normal(size=(3, 60)).cumsum(axis=1)


def features(before, season, long):
    """What the next value is regressed on, from the values before it."""

    def value(lag):
        return before[len(before) - lag]

    wide = max(season, 4)

    def mean(lag):
        end = len(before) - lag + 1
        return before[end - wide : end].mean()

    base = value(season)
    found = [1.0, value(1) - value(season + 1), value(2) - value(season + 2)]
    found.append(mean(1) - (base if season > 1 else value(1)))
    if season > 1:
        found += [base - value(2 * season), mean(1) - mean(1 + season)]
    if long:
        found += [value(long) - base, value(1) - value(long + 1)]
    return np.array(found)


def by_hand(series, origin, penalty, season, long):
    first = max(2 * season, season + 3, max(season, 4), long + 1)
    rows = np.array([features(series[:row], season, long) for row in range(first, origin)])
    target = series[first:origin] - series[first - season : origin - season]
    size = np.maximum((rows**2).sum(axis=0) / len(rows), 1e-3)
    # Ridge as least squares with a row for each penalty.
    whole = np.vstack([rows, np.diag(np.sqrt(penalty * size))])
    zeros = np.zeros(rows.shape[1])
    coefficients = np.linalg.lstsq(whole, np.concatenate([target, zeros]), rcond=None)[0]
    known = list(series[:origin])
    for _ in range(HORIZON):
        now = features(np.array(known), season, long)
        known.append(known[len(known) - season] + now @ coefficients)
    return known[origin:]


@pytest.mark.parametrize("seasons", [(), (4,), (4, 12)])
def test_forecasts_are_those_of_a_slow_loop(values, seasons):
    season, long = (*seasons, 1, 0)[0], (*seasons, 0, 0)[1] if len(seasons) > 1 else 0
    origins = [40, 60]
    found, errors = forecast_by_regressions(values, origins, HORIZON, seasons=seasons)
    assert found.shape == (3, 2, len(PENALTIES), HORIZON)
    assert errors.shape == (3, 60, len(PENALTIES))
    for place, origin in enumerate(origins):
        for number, penalty in enumerate(PENALTIES):
            expected = [by_hand(each, origin, penalty, season, long) for each in values]
            np.testing.assert_allclose(found[:, place, number], expected, rtol=1e-6, atol=1e-8)


def test_errors_after_an_origin_are_those_of_its_coefficients(values):
    found, errors = forecast_by_regressions(values, [40, 60], 1, seasons=(4,))
    np.testing.assert_allclose(
        errors[:, 40], values[:, 40, None] - found[:, 0, :, 0], rtol=1e-6, atol=1e-9
    )


def test_forecasts_from_an_origin_see_no_later_value(values):
    later = values.copy()
    later[:, 37:] = 1e6
    cut, _ = forecast_by_regressions(values[:, :37], [37], HORIZON, seasons=(4,))
    found, _ = forecast_by_regressions(later, [37], HORIZON, seasons=(4,))
    np.testing.assert_allclose(found, cut, rtol=1e-9)
