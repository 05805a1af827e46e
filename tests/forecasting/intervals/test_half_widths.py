"""Intervals stretched by what earlier forecasts showed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.forecast import Forecast
from forecast_cli.forecasting.intervals.half_widths import (
    LEAST,
    MOST,
    PRIOR_ORIGINS,
    learn_factors,
    stretch,
)

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
