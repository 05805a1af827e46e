"""Whether the difference between two forecasters is significant, in words."""

from ..core.diebold_mariano import Comparison, diebold_mariano
from ..core.windows import Floats

# So many forecasts that do not overlap are the least that is tested.
FEWEST = 3
# A difference with a larger p-value is not significant.
P_VALUE = 0.05


def compare_losses(difference: Floats, *, lags: int) -> Comparison | None:
    """Test a difference by Diebold and Mariano; None where forecasts are too few for that.

    Args:
        difference: Shape `(samples,)`: the loss of one less that of the other, in time order.
        lags: How many later forecasts overlap with one.
    """
    if len(difference) < FEWEST * (lags + 1):
        return None
    return diebold_mariano(difference, lags=lags)


def is_significant(test: Comparison | None) -> bool:
    """Whether the difference is significant at 5 %."""
    return test is not None and test.p_value < P_VALUE


def describe_significance(test: Comparison | None, untested: str) -> str:
    """A clause on whether a difference is significant.

    Args:
        test: The result of the test.
        untested: Why there is none, e.g. "2 cutoffs are too few".

    >>> describe_significance(Comparison(-3.0, 0.0031, -1.0, 40), "")
    'the difference is significant (Diebold-Mariano, p = 0.003)'
    """
    if test is None:
        return f"significance not tested: {untested}"
    p = "p < 0.001" if test.p_value < 0.0005 else f"p = {test.p_value:.3f}"
    significant = "significant" if is_significant(test) else "not significant"
    return f"the difference is {significant} (Diebold-Mariano, {p})"
