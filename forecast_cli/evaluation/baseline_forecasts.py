"""The baselines that every model is compared with, for the rows of a dataset."""

from collections.abc import Callable
from functools import partial

from ..baselines.naive import BaselineInput
from ..baselines.registry import forecast_baseline, usable
from ..config.registries import NAIVE2, SEASONAL_NAIVE
from ..core.padding import owner_series
from ..core.windows import Floats, Ints
from ..data.dataset import Dataset
from ..data.missing import last_known

# From origins, shape (samples,), to forecasts, shape (samples, horizon, targets), original units.
Forecaster = Callable[[Ints], Floats]


def baselines(dataset: Dataset, origins: Ints, *, owa: bool = False) -> dict[str, Forecaster]:
    """Return the baselines for which there are enough rows before the origins.

    Where the training rows show a stronger season than that of the dataset, the seasonal naive
    forecast of both is among them: a baseline of the wrong season is easily beaten.

    Args:
        dataset: With the rows.
        origins: Shape `(samples,)`.
        owa: Whether Naive2 is among them, for OWA.
    """
    values, indptr = dataset.filled[:, dataset.targets], dataset.panel.indptr
    values, season = last_known(values, indptr), dataset.season_length

    def forecast(rows: Ints, name: str, season: int) -> Floats:
        first = indptr[owner_series(indptr, rows)]
        given = BaselineInput(values, rows, first, dataset.horizon, season)
        return forecast_baseline(name, given).point

    history = origins - indptr[owner_series(indptr, origins)]
    names = (*usable(history, season, intermittent=dataset.intermittent), *[NAIVE2] * owa)
    found: dict[str, Forecaster] = {
        name: partial(forecast, name=name, season=season) for name in names
    }
    stronger = dataset.stronger_season
    if stronger and usable(history, stronger, names=[SEASONAL_NAIVE]):
        own = partial(forecast, name=SEASONAL_NAIVE, season=stronger)
        found[f"{SEASONAL_NAIVE} (season {stronger})"] = own
    return found
