"""P-values are those of SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import chdtrc, fdtrc, stdtr

from forecast_cli.core.distributions import two_sided_t, upper_chi_squared, upper_f

FREEDOM = st.floats(0.5, 1e5)


@given(st.floats(-30, 30), FREEDOM)
def test_two_sided_t(statistic, freedom):
    expected = 2 * stdtr(freedom, -abs(statistic))
    assert two_sided_t(statistic, freedom) == pytest.approx(expected, rel=1e-6, abs=1e-300)


@given(st.floats(0, 1e3), FREEDOM, FREEDOM)
def test_upper_f(statistic, numerator, denominator):
    expected = fdtrc(numerator, denominator, statistic)
    assert upper_f(statistic, numerator, denominator) == pytest.approx(
        expected, rel=1e-6, abs=1e-300
    )


def test_the_ends():
    assert two_sided_t(0.0, 5) == upper_f(0.0, 2, 5) == 1.0
    assert two_sided_t(np.inf, 5) == upper_f(np.inf, 2, 5) == 0.0


@pytest.mark.parametrize("freedom", [2, 4, 10, 24])
@pytest.mark.parametrize("statistic", [0.0, 0.3, 4.0, 18.3, 90.0, 5000.0])
def test_upper_chi_squared(statistic, freedom):
    expected = chdtrc(freedom, statistic)
    found = upper_chi_squared(statistic, freedom)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-300)
