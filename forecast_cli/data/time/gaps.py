"""Steps without a row: how many they are, and whether so many may be filled."""

from ...core.errors import DataError

# So many steps are always filled where `missing` says how; with a larger share than the other,
# filling is not proposed first.
FEW_FILLED, MANY_FILLED = 3, 0.05
# The values of `missing` that fill a step.
FILLING = ("interpolate", "ffill", "season")


def percent(part: int, whole: int) -> str:
    """Return a share for messages: "56 %", "2.6 %".

    >>> percent(205, 365), percent(59, 2284)
    ('56 %', '2.6 %')
    """
    share = 100 * part / whole
    return f"{share:.0f} %" if share >= 10 else f"{share:.2g} %"


def at_least(part: int, whole: int) -> str:
    """Return the smallest share of two digits that is not below another one.

    >>> at_least(205, 365)
    '0.57'
    """
    return f"{-(-100 * part // whole) / 100:g}"


def many_gaps(gaps: int, steps: int, most: float = MANY_FILLED) -> bool:
    """Whether so many of the steps have no value that filling them would invent a table."""
    return gaps > max(FEW_FILLED, most * steps)


def share_of(gaps: int, steps: int) -> str:
    """Return how many of the steps have no row, for messages.

    >>> share_of(205, 365)
    '205 of 365 steps (56 %)'
    """
    return f"{gaps:,} of {steps:,} steps ({percent(gaps, steps)})"


def ways_to_fill(gaps: int, steps: int, named: str = "") -> str:
    """Return what to do about steps without a row; `named` are other settings that are needed."""
    if not many_gaps(gaps, steps):
        return f"Pass {named}`missing=interpolate`, or ffill, season or mask"
    return (
        f"Check the dates of the rows. Pass {named}`missing=mask` to leave such steps out, or "
        f"{named}`missing=interpolate` and `max_filled={at_least(gaps, steps)}` to invent their "
        "values"
    )


def require_few_gaps(source: str, gaps: int, steps: int, missing: str, most: float) -> None:
    """Refuse to fill more steps without a row than `max_filled`, the share `most`, allows.

    Args:
        source: What messages call the table.
        gaps: How many steps have no row.
        steps: How many there are.
        missing: The setting.
        most: The setting `max_filled`.

    Raises:
        DataError: They are more, and `missing` would fill them.
    """
    if missing in FILLING and many_gaps(gaps, steps, most):
        raise DataError(
            f"{source}: {share_of(gaps, steps)} have no row, and `missing={missing}` would invent "
            "their values.",
            "Check the dates of the rows. Pass `missing=mask` to leave such steps out, or "
            f"`max_filled={at_least(gaps, steps)}` to fill them all the same.",
        )
