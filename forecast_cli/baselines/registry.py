"""One way to every baseline: its name, rows and origins to forecasts."""

from collections import ChainMap
from collections.abc import Iterable
from importlib.util import find_spec

import numpy as np

from ..config.registries import BASELINES
from ..core.errors import UsageError
from ..core.forecast import Forecast
from ..core.libraries import how_to_install
from ..core.windows import Ints
from . import classical, intermittent, naive
from .naive import BaselineInput

# So large a share of the origins must have the rows that a baseline needs for it to be compared
# with models; where one of several series is too short, the naive forecast replaces it.
SHARE = 0.9
FORECASTERS = ChainMap(naive.FORECASTERS, intermittent.FORECASTERS)


def forecast_baseline(name: str, given: BaselineInput) -> Forecast:
    """Forecast by a baseline; by the naive one where there are too few rows for it.

    Args:
        name: Of `forecast_cli.config.registries.BASELINES`.
        given: The rows and origins.
    """
    if name in classical.FORECASTERS:
        return classical.FORECASTERS[name](given)
    forecaster, needed = FORECASTERS[name], BASELINES[name].rows(given.season_length)
    enough = given.history >= needed
    if enough.all():
        return Forecast(forecaster(given))
    point = naive.naive(given)
    if enough.any():
        point[enough] = forecaster(given.only(enough))
    return Forecast(point, replaced=int(np.sum(~enough)))


def usable(
    history: Ints,
    season_length: int,
    *,
    intermittent: bool = False,
    names: Iterable[str] | None = None,
    share: float = SHARE,
) -> list[str]:
    """Return the baselines for which there are enough rows before the origins.

    Args:
        history: Shape `(samples,)`: the rows of its series before each origin.
        season_length: Steps in a season; 1 for none.
        intermittent: Whether most of the values are 0.
        names: Which may be used; None for those that every model is compared with.
        share: How many of the origins must have the rows, from 0 to 1.
    """
    if names is None:
        names = [
            name
            for name, entry in BASELINES.items()
            if entry.reference or (entry.for_zeros and intermittent)
        ]
    entries = {name: BASELINES[name] for name in names}
    return [
        name
        for name, entry in entries.items()
        if entry.suits(season_length) and np.mean(history >= entry.rows(season_length)) >= share
    ]


def require_library(name: str) -> None:
    """Refuse a baseline whose library is not installed.

    Raises:
        UsageError: It is not.
    """
    library = BASELINES[name].library
    if library and find_spec(library) is None:
        raise UsageError(
            f"{name} needs {library}, which is not installed.",
            f"Install it: {how_to_install('classical')}; or omit it from `models`.",
        )
