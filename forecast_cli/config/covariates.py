"""Covariates: what a network reads in addition to the columns that it forecasts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from .layers import Frozen


class Covariates(Frozen):
    """Names of covariates, in the order in which the arrays hold them.

    Args:
        past: Known up to the forecast's origin alone.
        future: Known for the steps ahead too.
        static: The same in all rows of a series.
        calendar: Computed from the times of the rows, and so known for all steps.
        categories: The known categories of each categorical covariate; any other value is read as
            unknown.
    """

    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    calendar: tuple[str, ...] = ()
    categories: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, in the order of the arrays."""
        return (*self.past, *self.future, *self.static, *self.calendar)


NO_COVARIATES = Covariates.model_construct()


@dataclass(frozen=True)
class Inputs:
    """The positions of columns and covariates in the rows that a network reads.

    Args:
        features: Number of values in a row.
        targets: Which of them are forecast.
        columns: So many of them, the first ones, are columns; covariates follow.
        known: Which of them are known of future rows: all covariates but the past ones.
        ahead: Which of those the network reads for the steps ahead: all but static ones.
        categories: Which hold the number of a category, and how many there are; 0 is unknown.
    """

    features: int
    targets: tuple[int, ...]
    columns: int
    known: tuple[int, ...] = ()
    ahead: tuple[int, ...] = ()
    categories: Mapping[int, int] = field(default_factory=dict)


def plain_inputs(features: int, targets: Sequence[int] | int) -> Inputs:
    """Return the inputs of columns without covariates; a number of targets means the first ones."""
    places = range(min(targets, features)) if isinstance(targets, int) else targets
    return Inputs(features, tuple(places), features)
