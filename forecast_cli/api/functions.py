"""The Python API: train on a frame or a file, compare, tune, backtest, load."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..config.registries import CELLS
from ..config.resolution import configure
from ..config.schema import Config
from ..core.events import Listener, ignore
from ..data.io.tables import Readable
from ..model.loading import load_bundle
from .model import Model

if TYPE_CHECKING:
    from ..backtesting.backtest import Backtest
    from ..backtesting.plan import Plan
    from ..training.cell_comparison import Comparison
    from ..tuning.options import Search
    from ..tuning.tuning import Tuning

# Settings of several values, of which a single one may stand by itself.
LISTS = (
    "column", "target", "past_covariates", "future_covariates", "static_covariates", "categorical",
    "calendar_features", "na", "label", "series", "units", "dense", "level", "member_timesteps",
    "member_losses", "member_segments", "member_anchors", "simple",
)  # fmt: skip


def train(
    table: Readable,
    *,
    column: str | list[str] | None = None,
    future: Readable | None = None,
    start: Model | str | os.PathLike[str] | None = None,
    rescale: bool = False,
    config: Config | None = None,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    **settings: Any,
) -> Model:
    """Train a model.

    Args:
        table: A frame, a path or `-`.
        column: The column to forecast, or several.
        future: A table of future covariates for the steps after the end of the first one.
        start: A model, or the path of one, to go on from its weights; it says all of the network.
        rescale: Whether the scaler is then fitted anew, on the training rows of this table.
        config: A whole configuration to start from; the defaults where None.
        on_event: Told what was understood and how it goes (`forecast_cli.events`).
        should_stop: Asked after each epoch whether to stop and keep the best so far.
        **settings: As the flags of `forecast train` name them: `horizon=5`, `cell="gru"`,
            `units=(64, 32)`, `epochs=20`.

    Raises:
        UsageError: A setting is unknown or cannot be right.
        DataError: The table does not hold what is needed.
        TrainingError: The loss is not finite.
    """
    from ..training import pipeline as training

    base = config.model_dump(exclude_unset=True) if config else None
    whole = configure(_plain(column, settings), base)
    if start is not None:
        from ..training.finetuning import refine

        bundle = (start if isinstance(start, Model) else load(start)).bundle
        refined = refine(
            bundle, table, whole, rescale=rescale, on_event=on_event, should_stop=should_stop
        )
        return Model(refined)
    return Model(
        training.train(table, whole, future=future, on_event=on_event, should_stop=should_stop)
    )


def _plain(column: str | list[str] | None, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with single names and numbers as the tuples that the configuration holds."""
    if column is not None:
        settings = {**settings, "column": column}
    for name in LISTS:
        value = settings.get(name)
        if isinstance(value, str | int | float):
            settings[name] = (value,)
    return settings


def compare(
    table: Readable,
    *,
    column: str | list[str] | None = None,
    cells: Sequence[str] = tuple(CELLS),
    config: Config | None = None,
    on_event: Listener = ignore,
    **settings: Any,
) -> "Comparison":
    """Train each kind of cell in the same way; see `forecast_cli.comparing.compare`.

    Args:
        table: A frame, a path or `-`.
        column: The column to forecast, or several.
        cells: Which cells.
        config: As in `train`.
        on_event: As there.
        **settings: As there.
    """
    from ..training.cell_comparison import compare

    base = config.model_dump(exclude_unset=True) if config else None
    return compare(table, configure(_plain(column, settings), base), cells=cells, on_event=on_event)


def backtest(
    table: Readable,
    plan: "Plan | None" = None,
    *,
    column: str | list[str] | None = None,
    config: Config | None = None,
    on_event: Listener = ignore,
    **settings: Any,
) -> "Backtest":
    """Forecast from many cutoffs with several models; see `forecast_cli.backtesting.backtest`.

    Args:
        table: A frame, a path or `-`.
        plan: Who takes part, and from where; the usual ones where None.
        column: The column to forecast, or several.
        config: As in `train`.
        on_event: As there.
        **settings: As there.
    """
    from ..backtesting.backtest import backtest
    from ..backtesting.plan import Plan

    base = config.model_dump(exclude_unset=True) if config else None
    whole = configure(_plain(column, settings), base)
    return backtest(table, whole, plan or Plan(), on_event=on_event)


def tune(
    table: Readable,
    search: "Search | None" = None,
    *,
    column: str | list[str] | None = None,
    config: Config | None = None,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    **settings: Any,
) -> "Tuning":
    """Search for settings, and train with the best; see `forecast_cli.tuning.tune`.

    Args:
        table: A frame, a path or `-`.
        search: How many trials, and how; the usual ones where None.
        column: The column to forecast, or several.
        config: As in `train`.
        on_event: As there.
        should_stop: Asked after each epoch whether to end the search and train with the best.
        **settings: As in `train`; what is said here is not searched.
    """
    from ..tuning.options import Search
    from ..tuning.tuning import tune

    base = config.model_dump(exclude_unset=True) if config else None
    whole = configure(_plain(column, settings), base)
    return tune(
        table, whole, search or Search(), fixed=settings, on_event=on_event, should_stop=should_stop
    )


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model file.

    Raises:
        ModelFileError: There is none, it is damaged, or a newer version wrote it.
    """
    return Model(load_bundle(path))
