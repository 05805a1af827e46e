"""Logarithms are chosen where changes are shares of the value, and not where they are not."""

import numpy as np
import pytest

from forecast_cli.training.presets.transform_choice import choose_transform


def chosen(values, **settings):
    values = np.asarray(values, float)
    return choose_transform(
        values, np.array([0, len(values)]), np.array([len(values)]), horizon=6, **settings
    )


def season_and_trend(rows=240):
    times, noise = np.arange(rows), np.random.default_rng(0).normal(size=rows)
    return times / 40 + np.sin(2 * np.pi * times / 12) + 0.1 * noise


def test_growth_and_a_season_that_grows_with_it_are_logarithmic():
    name, ratio = chosen(np.exp(season_and_trend()), season=12, seasons=(12,))
    assert name == "log"
    assert ratio < 0.9


def test_an_additive_season_is_left_as_it_is():
    values = season_and_trend()
    name, ratio = chosen(values - values.min() + 0.01, season=12, seasons=(12,))
    assert name == "none"
    assert ratio > 1.02


def test_zeros_are_no_trouble():
    values = np.expm1(np.maximum(season_and_trend(), 0.0))
    assert (values == 0).any()
    assert chosen(values, season=12, seasons=(12,))[0] == "log1p"


def test_a_zero_long_ago_counts():
    values = np.exp(season_and_trend(4000) / 50)
    values[10] = 0.0
    assert chosen(values, season=12)[0] in {"none", "log1p"}


def test_values_below_0_have_no_logarithm():
    name, ratio = chosen(season_and_trend() - 3, season=12)
    assert name == "none"
    assert np.isnan(ratio)


def test_later_rows_and_missing_ones_are_not_looked_at():
    values = np.exp(season_and_trend())
    later = np.append(values, [-5.0, np.inf])
    indptr, end = np.array([0, 242]), np.array([240])
    found = choose_transform(later, indptr, end, horizon=6, season=12)
    assert found == chosen(values, season=12)
    values[50] = np.nan
    assert chosen(values, season=12)[0] == "log"


@pytest.mark.parametrize("rows", [1, 3, 8, 15])
def test_few_rows_of_one_sign_are_taken_as_logarithmic(rows):
    assert chosen(np.exp(season_and_trend(rows)), season=12)[0] in {"log", "none"}
    assert chosen(np.full(rows, 3.0), season=1)[0] == "log"
