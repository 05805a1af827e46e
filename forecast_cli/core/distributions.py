"""P-values of common distributions; SciPy would be a quarter of an installation for forecasts."""

import math

# The continued fraction ends where a step changes it by no more, or after this many steps for each
# square root of the larger parameter.
EXACT, STEPS, TINY = 1e-15, 40, 1e-300
# Half a statistic whose probability is 0 as a float.
MOST = 750.0


def two_sided_t(statistic: float, freedom: float) -> float:
    """Return the probability of a value at least as far from 0, by Student's t.

    The degrees of freedom are above 0, and need not be whole.

    >>> round(two_sided_t(2.228139, 10), 4), round(two_sided_t(0.0, 3), 4)
    (0.05, 1.0)
    """
    square = statistic * statistic
    return _beta_share(freedom / 2.0, 0.5, freedom / (freedom + square))


def upper_f(statistic: float, numerator: float, denominator: float) -> float:
    """Return the probability of a value, at least 0, that is as large, by the F distribution.

    The degrees of freedom of numerator and denominator are above 0.

    >>> round(upper_f(4.964603, 1, 10), 4), upper_f(0.0, 3, 5)
    (0.05, 1.0)
    """
    rest = denominator / (denominator + numerator * statistic)
    return _beta_share(denominator / 2.0, numerator / 2.0, rest)


def upper_chi_squared(statistic: float, freedom: int) -> float:
    """Return the probability of a value, at least 0, that is as large, by chi-squared.

    The degrees of freedom are an even number.

    >>> round(upper_chi_squared(18.307038, 10), 4), upper_chi_squared(0.0, 2)
    (0.05, 1.0)
    """
    half = min(statistic / 2.0, MOST)
    terms = [1.0]
    for step in range(1, freedom // 2):
        terms.append(terms[-1] * half / step)
    return math.exp(-half) * sum(terms)


def _beta_share(a: float, b: float, x: float) -> float:
    """Return the regularized incomplete beta function, by its continued fraction."""
    if not 0.0 < x < 1.0:
        return float(x >= 1.0)
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _beta_share(b, a, 1.0 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front += a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / a * _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction by the method of Lentz.

    Source: Abramowitz and Stegun (1964), 26.5.8; Thompson and Barnett (1986) on Lentz's method.
    """
    upper, lower = 1.0, 1.0 / _apart(1.0 - (a + b) * x / (a + 1.0))
    value = lower
    for step in range(1, STEPS + int(STEPS * math.sqrt(max(a, b)))):
        twice = a + 2.0 * step
        even = step * (b - step) * x / ((twice - 1.0) * twice)
        odd = -(a + step) * (a + b + step) * x / (twice * (twice + 1.0))
        for term in (even, odd):
            lower = 1.0 / _apart(1.0 + term * lower)
            upper = _apart(1.0 + term / upper)
            change = upper * lower
            value *= change
        if abs(change - 1.0) < EXACT:
            break
    return value


def _apart(value: float) -> float:
    """Return a number that can be divided by."""
    return value if abs(value) > TINY else TINY
