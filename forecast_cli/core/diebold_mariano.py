"""The test of Diebold and Mariano: whether the difference of two forecasters is significant."""

import math
from dataclasses import dataclass

import numpy as np

from .distributions import two_sided_t
from .windows import Floats

# The fewest forecasts for an estimate of the variance.
FEWEST = 3
# The share of a difference below which its spread is only rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Comparison:
    """The result of the test of Diebold and Mariano.

    Args:
        statistic: Student's t; below 0 the first forecaster has the smaller loss.
        p_value: Two-sided, 0 to 1.
        mean: The mean difference of the losses, in their units.
        count: How many differences there were.
    """

    statistic: float
    p_value: float
    mean: float
    count: int


def diebold_mariano(
    difference: Floats, *, lags: int, conservative: bool = True
) -> Comparison | None:
    """Test whether two forecasters are equally good.

    Losses of overlapping forecasts are correlated; the variance of their mean is estimated from
    that many autocovariances. Few forecasts give an uncertain estimate, often too small: with
    the usual degrees of freedom a difference between equal forecasters is significant at 5 % in up
    to a fifth of the tests. A conservative test takes the estimate with the weights of Bartlett
    where that is larger, and as many degrees of freedom as there are forecasts that do not
    overlap, less one.

    Args:
        difference: Shape `(samples,)`: the loss of one forecaster less that of the other at each
            origin, in time order, finite.
        lags: Autocovariances: how many origins later a forecast still overlaps; `horizon - 1` for
            origins one step apart.
        conservative: Whether the test is as described; else with `samples - 1` degrees of
            freedom, and the weights of Bartlett only where the variance would not be positive.

    Returns:
        None where there are too few differences, they do not vary, or one is not finite.

    Source: Diebold and Mariano (1995); Harvey, Leybourne and Newbold (1997), with Student's t.
    """
    count = len(difference)
    if count < FEWEST or count <= lags + 1 or not np.isfinite(difference).all():
        return None
    if np.ptp(difference) <= ROUNDING * np.abs(difference).max():
        return None
    # In units of a power of two, in which no square is too large or too small for a float.
    exponent = int(np.frexp(np.abs(difference).max())[1])
    scaled = np.ldexp(difference, -exponent)
    mean = float(np.mean(scaled))
    variance = _variance(scaled - mean, lags, conservative=conservative)
    # Equal to (n + 1 - 2h + h (h - 1) / n) / n of the paper, with h = lags + 1.
    correction = (count - lags - 1) * (count - lags) / count**2
    statistic = mean * math.sqrt(correction / variance)
    freedom = count / (lags + 1) - 1 if conservative else count - 1
    return Comparison(statistic, two_sided_t(statistic, freedom), math.ldexp(mean, exponent), count)


def _variance(apart: Floats, lags: int, *, conservative: bool) -> float:
    """Return the variance of the mean of `apart`, shape `(samples,)`, its mean taken off."""
    count = len(apart)
    own = float(apart @ apart) / count
    later = np.array([apart[lag:] @ apart[:-lag] / count for lag in range(1, lags + 1)])
    weights = 1.0 - np.arange(1, lags + 1) / (lags + 1)
    plain, bartlett = (own + 2.0 * float(each.sum()) for each in (later, weights * later))
    # The remainder of terms that cancel is rounding, not a variance.
    if conservative or plain <= ROUNDING * own:
        plain = max(plain, bartlett)
    return plain / count
