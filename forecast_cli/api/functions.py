"""The functions of the Python API."""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from ..config.deprecated import renew_start
from ..config.keywords import Settings, ZeroShot
from ..config.registries import PRETRAINED_PRESET
from ..config.resolution import configure
from ..config.schema import Config
from ..core.arguments import require
from ..core.errors import UsageError
from ..core.events import Listener, Note, ignore
from ..core.libraries import require_training
from ..core.memory import NO_LIMITS, Limits
from ..data.io.tables import Readable
from ..data.io.writer import is_parquet_table
from ..model.bundle import is_model
from ..model.loading import load_bundle
from .arguments import Rule, as_tuple, check_arguments
from .model import Model
from .progress import show_progress
from .saving import BlockSettings, TrainingSettings, take_limits, train_and_keep

if TYPE_CHECKING:
    import pandas as pd

    from ..backtesting.plan import Plan
    from ..data.inspection.report import TableReport
    from ..evaluation.model_evaluation import ModelEvaluation
    from ..evaluation.reports import Report
    from ..model.bundle import Bundle
    from ..tuning.options import Search
    from ..tuning.tuning import Tuning
    from .results import Backtest, Comparison


@check_arguments()
def train(
    table: Readable,
    *,
    future: Readable | None = None,
    init_model: Model | str | os.PathLike[str] | None = None,
    rescale: bool = False,
    config: Config | None = None,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    progress: bool | None = None,
    **settings: Unpack[BlockSettings],
) -> Model:
    """Train a model.

    Args:
        table: The rows: a table in memory, a path or `-`.
        future: A table of future covariates for the steps after the end of the first one.
        init_model: A model, or its path, or `pretrained`: the weights and network to start from.
        rescale: Whether the scaler is then fitted again, on the training rows of this table.
        config: A whole configuration to start from; the defaults where None.
        on_event: Notified of what was understood and of progress (`forecast_cli.core.events`).
        should_stop: Asked after each epoch whether to stop and keep the best weights so far.
        progress: Whether it is shown on stderr; None: at a terminal and in a notebook.
        **settings: As the flags of `forecast train` name them: `horizon=5`, `units=(64, 32)`. With
            `path` the model is saved there, and checkpoints are kept beside it; `resume=True`
            continues a training that was interrupted. `memory` (gigabytes) and `cache` (a folder)
            are for Parquet files that do not fit into memory.

    Raises:
        KeyboardInterrupt: Ctrl-C; with `path` what is trained so far is kept beside it.
        UsageError: A setting is unknown or invalid.
        DataError: The table does not hold what is needed.
        TrainingError: The loss is not finite.
    """
    require("init_model", init_model, (Model, str, os.PathLike), "a model, or the path of one")
    path, resume = settings.pop("path", None), settings.pop("resume", False)
    how: Any = {"future": future, "rescale": rescale, "limits": take_limits(settings, path)}
    by = partial(train_configured, table, _configure(settings, config), init_model, **how)
    with show_progress(progress, on_event) as listener:
        return train_and_keep(by, path, listener, should_stop, resume=resume)


def _train_in_blocks(
    table: Readable,
    config: Config,
    future: Readable | None,
    limits: Limits,
    how: Mapping[str, Any],
) -> "Bundle | None":
    """Train on a Parquet file, or a folder of some, that does not fit into memory; else None."""
    if future is not None or config.data.label or config.training.per_series:
        limits.refuse("`future`, `label` and `per_series` need the whole table in memory")
        return None
    parquet = isinstance(table, str | os.PathLike) and is_parquet_table(table)
    if not parquet and not limits.given:
        return None
    from ..training.block_training import train_in_blocks

    return train_in_blocks(table, config, limits, **how)


def train_configured(
    table: Readable,
    config: Config,
    init_model: Model | str | os.PathLike[str] | None,
    *,
    future: Readable | None,
    rescale: bool,
    limits: Limits = NO_LIMITS,
    **how: Any,
) -> Model:
    """Train a model from scratch, or from the weights of another one.

    Args:
        table: As in `train`.
        config: All settings.
        init_model: As in `train`.
        future: As in `train`.
        rescale: As in `train`.
        limits: What may be used for a table that does not fit into memory.
        **how: `on_event`, `should_stop`, and `checkpoints` for a training that can be resumed.
    """
    scratch = init_model is None
    if not scratch:
        limits.refuse("`init_model` needs the whole table in memory")
        require_training("Training")
    named = init_model is None or isinstance(init_model, Model) or os.fspath(init_model)
    if named == PRETRAINED_PRESET:
        from ..training.finetuning import finetuning_pretrained

        config, init_model = finetuning_pretrained(config, rescale=rescale), None
    if init_model is None:
        from ..training import pipeline as training

        if scratch and (bundle := _train_in_blocks(table, config, future, limits, how)):
            return Model(bundle)
        return Model(training.train(table, config, future=future, **how))
    from ..training.finetuning import finetune

    model = init_model if isinstance(init_model, Model) else load(init_model)
    return Model(finetune(model.bundle, table, config, rescale=rescale, **how))


@check_arguments()
def compare(
    table: Readable,
    plan: "Plan | None" = None,
    *,
    cells: Sequence[str] = (),
    config: Config | None = None,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    progress: bool | None = None,
    **settings: Unpack[TrainingSettings],
) -> "Comparison":
    """Compare presets, cells and baselines by forecasts before the test split; train the best.

    Args:
        table: The rows: a table in memory, a path or `-`.
        plan: The models (docs/models.md) and the cutoffs; the defaults where None.
        cells: Deprecated: the cells to compare; use `plan`.
        config: As in `train`.
        on_event: As in `train`.
        should_stop: Asked after each fold whether to end with what is finished.
        progress: Whether it is shown, as in `train`.
        **settings: As in `train`, `path` and `resume` too: finished folds are then kept as well.
    """
    require_training("A comparison")
    from ..backtesting.comparison import compare
    from ..backtesting.fold_cache import FoldStores
    from ..backtesting.plan import Plan
    from .results import Comparison

    if cells:
        warnings.warn("`cells` is deprecated: use `plan`", DeprecationWarning, stacklevel=2)
    require("plan", plan, Plan, "a Plan, e.g. Plan(n_windows=5)")
    chosen, stores = plan or Plan(models=as_tuple(cells)), FoldStores()
    path, resume = settings.pop("path", None), settings.pop("resume", False)
    by = partial(compare, table, _configure(settings, config), chosen, stores=stores)
    with show_progress(progress, on_event) as listener:
        found = train_and_keep(by, path, listener, should_stop, resume=resume)
        stores.clear()
        return Comparison(**vars(found))


@check_arguments()
def backtest(
    table: Readable,
    plan: "Plan | None" = None,
    *,
    config: Config | None = None,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    progress: bool | None = None,
    **settings: Unpack[Settings],
) -> "Backtest":
    """Forecast from many cutoffs with several models, and score them.

    Args:
        table: The rows: a table in memory, a path or `-`.
        plan: The models, and the cutoffs they forecast from; the defaults where None.
        config: As in `train`.
        on_event: As in `train`.
        should_stop: Asked after each fold whether to end with what is finished.
        progress: Whether it is shown, as in `train`.
        **settings: As in `train`.
    """
    from ..backtesting.backtest import backtest
    from ..backtesting.plan import Plan
    from .results import Backtest

    require("plan", plan, Plan, "a Plan, e.g. Plan(n_windows=5)")
    whole = _configure(settings, config)
    with show_progress(progress, on_event) as listener:
        how: Any = {"on_event": listener, "should_stop": should_stop}
        return Backtest(**vars(backtest(table, whole, plan or Plan(), **how)))


@check_arguments()
def tune(
    table: Readable,
    search: "Search | None" = None,
    *,
    config: Config | None = None,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    progress: bool | None = None,
    **settings: Unpack[TrainingSettings],
) -> "Tuning":
    """Search for settings, and train with the best ones found.

    Args:
        table: The rows: a table in memory, a path or `-`.
        search: How many trials, and their sampler; the defaults where None.
        config: As in `train`.
        on_event: As in `train`.
        should_stop: Asked after each epoch whether to end the search and train with the best.
        progress: Whether it is shown, as in `train`.
        **settings: As in `train`, `path` and `resume` too; what is given here is not searched.
    """
    require_training("Tuning")
    from ..tuning.options import Search
    from ..tuning.tuning import tune

    require("search", search, Search, "a Search, e.g. Search(trials=20)")
    path, resume = settings.pop("path", None), settings.pop("resume", False)
    whole = _configure(settings, config)
    by = partial(tune, table, whole, search or Search(), fixed=settings)
    with show_progress(progress, on_event) as listener:
        return train_and_keep(by, path, listener, should_stop, resume=resume)


@check_arguments()
def now(
    table: Readable,
    *,
    on_event: Listener = ignore,
    progress: bool | None = None,
    **settings: Unpack[ZeroShot],
) -> "pd.DataFrame":
    """Forecast the next steps of a table at once, by a network trained on simulated series alone.

    Args:
        table: The rows: a table in memory, a path or `-`.
        on_event: Notified of what was understood, and of the verdict beside the naive forecasts.
        progress: Whether it is shown, as in `train`.
        **settings: How the table is read, as in `train`; `horizon`, and `level` of the intervals in
            percent, 80 and 95 where it is not given.

    Returns:
        As `Model.predict` returns it.

    Raises:
        DataError: The table cannot be read.
        UsageError: A setting is unknown or has no effect here.
    """
    from ..backtesting.zero_shot import forecast_now

    with show_progress(progress, on_event) as listener:
        found = forecast_now(table, _configure(settings), on_event=listener)
        listener(Note(found.verdict))
    return found.frame


@check_arguments()
def load(path: str | os.PathLike[str]) -> Model:
    """Read a model file.

    Raises:
        ModelFileError: There is none, it is damaged, or a newer version wrote it.
    """
    return Model(load_bundle(path))


@check_arguments()
def inspect(source: Model | Readable, **settings: Unpack[Settings]) -> "TableReport | Model":
    """Show what a table holds, or what a model is, without training anything.

    Args:
        source: A table, a model, or the path of either.
        **settings: How the table is read, as in `train`.

    Returns:
        For a table a report: its series, times, frequency, columns, and what looks wrong. For a
        model the model, whose `repr` and `summary()` describe it.

    Raises:
        DataError: The table cannot be read.
        UsageError: Settings are given for a model.
    """
    source = _opened(source)
    if not isinstance(source, Model):
        from ..data.inspection.report import inspect_table

        return inspect_table(source, _configure(settings).data)
    if settings:
        raise UsageError(f"`{min(settings)}` has no effect on a model.", "Omit it.")
    return source


@check_arguments(start=Rule("size"))
def evaluate(
    forecasts: Model | Readable,
    table: Readable,
    *,
    level: float | Sequence[float] = (),
    start: Any = None,
    owa: bool = False,
    on_event: Listener = ignore,
    **options: Any,
) -> "ModelEvaluation | Report":
    """Score a model on new rows, or a table of forecasts against actual values.

    Args:
        forecasts: A model or its path; or a table of forecasts, such as `predict` or `backtest`
            returns.
        table: The actual values.
        level: Levels of intervals in percent: of a model, or of sample paths.
        start: With a model, the time of the first row that is scored; with a table of forecasts
            that counts steps, the row of `table`, from 1, of its first step.
        owa: Whether to add OWA, the M4 competition's measure relative to Naive2.
        on_event: Notified of what is scored and what is left out.
        **options: With a model those of `Model.evaluate`. With a table of forecasts `forecast`, the
            columns that hold forecasts, and how `table` is read, as in `train`.

    Raises:
        DataError: The tables have nothing in common, or nothing can be scored.
        UsageError: An option is unknown or has no effect.
    """
    forecasts, start = _opened(forecasts), renew_start(options, start)
    if isinstance(forecasts, Model):
        asked = {"start": start, "level": level, "owa": owa, **options}
        return forecasts.evaluate(table, on_event=on_event, **asked)
    from ..evaluation.table_evaluation import Asked, score_table

    wanted = Asked(as_tuple(options.pop("forecast", ())), as_tuple(level) or None, owa, start)
    data = _configure(options).data
    return score_table(forecasts, table, data=data, asked=wanted, on_event=on_event)


def _opened(source: Model | Readable) -> Model | Readable:
    """Return a model in place of its path, and anything else as it is."""
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return load(path) if path.suffix == ".forecast" or is_model(path) else source
    return source


def _configure(settings: Mapping[str, Any], config: Config | None = None) -> Config:
    """Return the configuration with settings by flat names laid over."""
    require("config", config, Config, "a Config, as configure returns it")
    if config is not None and not settings:
        return config
    return configure(settings, config.model_dump(exclude_unset=True) if config else None)
