"""Croston, SBA and TSB against values computed by hand, loops, and statsforecast."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.baselines.intermittent import FORECASTERS, croston, sba, tsb
from forecast_cli.baselines.naive import BaselineInput

METHODS = {"croston": croston, "sba": sba, "tsb": tsb}


def smoothed(values):
    level = values[0]
    for value in values[1:]:
        level = 0.1 * value + 0.9 * level
    return level


def test_croston_and_its_kin_by_hand():
    values = np.array([[0.0, 4.0, 0.0, 0.0, 2.0]])
    # Sizes 4 and 2, after 2 and 3 steps; a demand in 2 of 5 steps, the first of them without.
    size, interval = 0.9 * 4 + 0.1 * 2, 0.9 * 2 + 0.1 * 3
    share = smoothed([0, 1, 0, 0, 1])
    assert croston(values)[0] == pytest.approx([0, 2, 2, 2, size / interval])
    assert sba(values)[0, -1] == pytest.approx(0.95 * size / interval)
    assert tsb(values)[0, -1] == pytest.approx(share * size)
    assert share == pytest.approx(0.9**2 * 0.1 * 0.9 + 0.1)


def test_steps_without_a_value_do_not_count():
    gaps = np.array([[np.nan, 0.0, np.nan, 4.0, 0.0, 0.0, 2.0]])
    for method in METHODS.values():
        found = method(gaps)[0]
        assert np.isnan(found[0])
        known = method(gaps[:, [1, 3, 4, 5, 6]])[0]
        assert found[[1, 3, 4, 5, 6]] == pytest.approx(known)


def test_each_series_of_many_steps_is_smoothed_alone():
    draw = np.random.default_rng(0)
    values = draw.poisson(0.4, (3, 300)) * draw.uniform(1, 9, (3, 300))
    values[draw.random(values.shape) < 0.2] = np.nan
    values[1, :50] = np.nan
    for method in METHODS.values():
        found = method(values)
        for series, own in zip(values, found, strict=True):
            np.testing.assert_allclose(method(series[None])[0], own, rtol=1e-12)
            # Of the same values without gaps, by way of fewer steps.
            known = np.isfinite(series)
            np.testing.assert_allclose(method(series[known][None])[0], own[known])
    sizes = values[0][np.isfinite(values[0]) & (values[0] > 0)]
    known = values[0][np.isfinite(values[0])]
    assert tsb(values)[0, -1] == pytest.approx(smoothed(sizes) * smoothed(known > 0))


def test_a_series_without_demand_has_none_to_come():
    for method in METHODS.values():
        assert not method(np.zeros((2, 100))).any()


counts = st.lists(st.sampled_from([0.0, 0.0, 0.0, 1.0, 2.5, 9.0]), min_size=1, max_size=150)


@given(st.lists(counts, min_size=1, max_size=3))
def test_each_origin_sees_its_own_history_alone(series):
    values = np.concatenate(series)[:, None]
    lengths = [len(each) for each in series]
    first = np.repeat(np.cumsum([0, *lengths[:-1]]), lengths)
    origins = np.arange(1, len(values) + 1)
    shuffled = np.random.default_rng(0).permutation(len(origins))
    for name, method in METHODS.items():
        given = BaselineInput(values, origins[shuffled], first[shuffled], 2)
        found = FORECASTERS[name](given)
        for begin, origin, each in zip(first[shuffled], origins[shuffled], found, strict=True):
            expected = method(values[begin:origin].T)[0, -1]
            np.testing.assert_allclose(each[:, 0], [expected] * 2, rtol=1e-9, atol=1e-12)


@given(counts)
def test_they_are_those_of_statsforecast(values):
    models = pytest.importorskip("statsforecast.models")
    series = np.array(values)
    oracles = {
        "croston": models.CrostonClassic(),
        "sba": models.CrostonSBA(),
        "tsb": models.TSB(alpha_d=0.1, alpha_p=0.1),
    }
    for name, oracle in oracles.items():
        expected = oracle.forecast(y=series, h=1)["mean"][0]
        assert METHODS[name](series[None])[0, -1] == pytest.approx(expected, abs=1e-9)
