"""Whether chance could make a difference between two forecasters, in words."""

from ..core.diebold_mariano import Comparison, diebold_mariano
from ..core.windows import Floats

# So many forecasts that do not overlap are the least of which anything is said; more of them where
# those that are tested do overlap, since the test finds too much there.
FEWEST, FEWEST_OVERLAPPING = 3, 15
# A difference that chance makes more often than this proves nothing.
LIKELY = 0.05


def examined(difference: Floats, *, lags: int) -> Comparison | None:
    """The test of Diebold and Mariano; None where forecasts are too few or overlap too much.

    Args:
        difference: Shape `(samples,)`: the loss of one less that of the other, in time order.
        lags: How many later forecasts overlap with one.
    """
    fewest = FEWEST_OVERLAPPING if lags else FEWEST
    if len(difference) < fewest * (lags + 1):
        return None
    return diebold_mariano(difference, lags=lags)


def is_proof(test: Comparison | None) -> bool:
    """Whether chance would seldom make such a difference."""
    return test is not None and test.p_value < LIKELY


def chance(test: Comparison | None, count: str) -> str:
    """Whether a difference could be chance, as a clause.

    Args:
        test: What the test says.
        count: Of what it is, e.g. "5 cutoffs".

    >>> chance(Comparison(-3.0, 0.0031, -1.0, 40), "40 forecasts")
    'a difference like that comes by chance in 3 of 1000 cases (Diebold-Mariano p = 0.003)'
    """
    if test is None:
        return f"whether that is chance cannot be said from {count}"
    if not is_proof(test):
        return f"that could well be chance (Diebold-Mariano p = {test.p_value:.2f})"
    sure = test.p_value < 0.0005
    few = "fewer than 1 of 1000" if sure else f"{max(1, round(1000 * test.p_value))} of 1000"
    p = "p < 0.001" if sure else f"p = {test.p_value:.3f}"
    return f"a difference like that comes by chance in {few} cases (Diebold-Mariano {p})"
