"""Ridge regression against normal equations and a cross-validation written out in loops."""

import numpy as np
import pytest

from forecast_cli.baselines import ridge
from forecast_cli.baselines.linear_map import last_map, seasonal_map
from forecast_cli.baselines.ridge import BLOCKS, FEWEST, PENALTIES, fit_ridge

TIMESTEPS, HORIZON = 5, 2


def season(rows, seed=0, noise=0.3):
    draws = np.random.default_rng(seed).normal(scale=noise, size=rows)
    return np.sin(2 * np.pi * np.arange(rows) / 4) + 0.02 * np.arange(rows) + draws


def windows_by_loop(values, origins, towards, timesteps=TIMESTEPS, horizon=HORIZON):
    """The windows without gaps, less their last value, and what the map leaves unexplained."""
    before, after = [], []
    for origin in origins:
        window, target = values[origin - timesteps : origin], values[origin : origin + horizon]
        if np.isfinite(window).all() and np.isfinite(target).all():
            before.append(window - window[-1])
            after.append(target - window @ towards)
    return np.array(before), np.array(after)


def solved(before, after, penalty):
    return np.linalg.solve(before.T @ before + penalty * np.eye(before.shape[1]), before.T @ after)


def by_loop(values, origins, towards, timesteps=TIMESTEPS, horizon=HORIZON):
    """The map, and the number of its penalty; that of the other map where it is the best."""
    before, after = windows_by_loop(values, origins, towards, timesteps, horizon)
    if len(before) < FEWEST:
        return towards, None
    unit = np.trace(before.T @ before) / timesteps or 1.0
    losses = np.zeros(len(PENALTIES) + 1)
    for part in np.array_split(np.arange(len(before)), BLOCKS):
        others = np.setdiff1d(np.arange(len(before)), part)
        inner = part[horizon:-horizon] if len(part) > 3 * horizon else part
        for place, penalty in enumerate(PENALTIES):
            fitted = solved(before[others], after[others], penalty * unit)
            losses[place] += np.abs(after[inner] - before[inner] @ fitted).sum()
        losses[-1] += np.abs(after[inner]).sum()
    best = int(np.argmin(losses))
    if best == len(PENALTIES):
        return towards, best
    change = solved(before, after, PENALTIES[best] * unit)
    change[-1] -= change.sum(axis=0)
    return towards + change, best


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rows", [15, 20, 30, 37, 38, 39, 80, 200])
@pytest.mark.parametrize("towards", [None, seasonal_map(TIMESTEPS, HORIZON, season=4)])
def test_it_is_that_of_a_loop(rows, seed, towards):
    values = season(rows, seed)
    origins = np.arange(TIMESTEPS, rows - HORIZON + 1)
    start = last_map(TIMESTEPS, HORIZON) if towards is None else towards
    expected, _ = by_loop(values, origins, start)
    found = fit_ridge(values, origins, timesteps=TIMESTEPS, horizon=HORIZON, towards=towards)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=0), 1.0)


def test_every_kind_of_penalty_is_chosen_somewhere():
    """The loop's choices show that these tests distinguish penalties, and the map from all."""
    chosen = set()
    for noise in (0.0, 0.01, 0.3, 1.0, 5.0):
        for seed in range(6):
            values = season(60, seed, noise)
            origins = np.arange(TIMESTEPS, 59)
            expected, best = by_loop(values, origins, last_map(TIMESTEPS, HORIZON))
            found = fit_ridge(values, origins, timesteps=TIMESTEPS, horizon=HORIZON)
            np.testing.assert_allclose(found, expected, atol=1e-7)
            chosen.add(best)
    assert len(chosen) >= 4 and {0} <= chosen


@pytest.mark.parametrize("count", [FEWEST - 1, FEWEST])
def test_fewer_windows_than_a_few_leave_the_other_map(count):
    values, towards = season(60, noise=0.0), last_map(TIMESTEPS, HORIZON)
    origins = np.arange(TIMESTEPS, TIMESTEPS + count)
    found = fit_ridge(values, origins, timesteps=TIMESTEPS, horizon=HORIZON, towards=towards)
    assert np.array_equal(found, towards) == (count < FEWEST)
    assert found is not towards


def test_the_other_map_stays_as_it_is_where_it_is_the_best():
    walk = np.cumsum(np.random.default_rng(0).normal(size=300))
    towards, origins = last_map(TIMESTEPS, HORIZON), np.arange(TIMESTEPS, 298)
    found = fit_ridge(walk, origins, timesteps=TIMESTEPS, horizon=HORIZON, towards=towards)
    expected, _ = by_loop(walk, origins, towards)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    line = np.full(60, 3.0)
    own = fit_ridge(line, origins[:50], timesteps=TIMESTEPS, horizon=HORIZON, towards=towards)
    assert np.array_equal(own, towards) and own is not towards


def test_windows_with_gaps_are_left_out():
    values = season(120)
    values[[20, 21, 50, 90]] = np.nan, np.inf, np.nan, -np.inf
    origins = np.arange(TIMESTEPS, 119)
    expected, _ = by_loop(values, origins, last_map(TIMESTEPS, HORIZON))
    found = fit_ridge(values, origins, timesteps=TIMESTEPS, horizon=HORIZON)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    # The ends of what is known count: a gap just before a window, or just after its targets.
    before, _ = windows_by_loop(values, np.array([26 + 1, 48]), last_map(TIMESTEPS, HORIZON))
    assert len(before) == 2


@pytest.mark.parametrize("cells", [1, 50, 10**9])
def test_windows_are_summed_in_pieces_of_any_size(monkeypatch, cells):
    values, origins = season(100), np.arange(TIMESTEPS, 99)
    whole = fit_ridge(values, origins, timesteps=TIMESTEPS, horizon=HORIZON)
    monkeypatch.setattr(ridge, "CELLS", cells)
    sizes, windows = [], ridge.gather

    def gather(values, rows, timesteps):
        sizes.append(len(rows))
        return windows(values, rows, timesteps=timesteps)

    monkeypatch.setattr(ridge, "gather", gather)
    found = fit_ridge(values, origins, timesteps=TIMESTEPS, horizon=HORIZON)
    np.testing.assert_allclose(found, whole, atol=1e-9)
    most = max(1, cells // (TIMESTEPS + HORIZON))
    # The windows that penalties are judged by are few, and taken at once.
    assert sizes[0] == min(most, 24)


def test_penalties_are_judged_by_some_of_many_windows(monkeypatch):
    values, origins = season(400), np.arange(TIMESTEPS, 399)
    monkeypatch.setattr(ridge, "JUDGED", 40)
    counted, windows = [], ridge.gather

    def gather(values, rows, timesteps):
        counted.append(len(rows))
        return windows(values, rows, timesteps=timesteps)

    monkeypatch.setattr(ridge, "gather", gather)
    fit_ridge(values, origins, timesteps=TIMESTEPS, horizon=HORIZON)
    held = [each for each in counted if each < 90]
    # 94 inner windows of two steps: every fourth.
    assert len(held) == 2 * BLOCKS and all(abs(each - 24) <= 1 for each in held)


def test_values_of_another_size_have_the_same_map():
    values, origins = season(80), np.arange(TIMESTEPS, 79)
    one, two = (
        fit_ridge(size * values + 1e3 * size, origins, timesteps=TIMESTEPS, horizon=HORIZON)
        for size in (1.0, 1e-6)
    )
    np.testing.assert_allclose(two, one, atol=1e-6)
