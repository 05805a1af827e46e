"""Fine-tuning: training that starts from the weights of a model, on the rows of a table."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from ..config.registries import DEFAULT_PRESET, PRETRAINED_PRESET
from ..config.resolution import configure, leaves
from ..config.schema import Config
from ..core.errors import DataError, UsageError
from ..core.events import Listener, Note, Stage, ignore
from ..core.scaling import Scaling
from ..data.checks import find_lower_bounds, note_undefined
from ..data.dataset import Dataset, History, fit_scaling_by_scope, split_history
from ..data.io.tables import Readable
from ..data.missing import fill_panel
from ..data.reading import read_panel
from ..data.season import find_season
from ..data.splits import Splits, all_training, split_rows
from ..data.time.time_index import when
from ..forecasting.history import (
    READ_AS_TRAINED,
    data_as_trained,
    make_history,
    require_mask,
    require_rows,
)
from ..forecasting.saved_model_data import learned_until
from ..model.bundle import Bundle
from ..model.checkpoints import Checkpoints
from .checkpointing import begin_checkpoints, describe_dataset
from .checks import check_dataset
from .data_summary import describe
from .network_training import train_network
from .pipeline import finish, hand_over, learn
from .preparation import fit_scaler, with_usual_spread

# What may differ from the model: how the table is read and split, and the training.
OPEN = ("data.", "split.", "training.", "intervals", "level", "lower_bound")
# Small steps, so that the first ones do not undo the earlier training.
SHARE_OF_RATE = 0.1


def finetune(
    bundle: Bundle,
    source: Readable,
    config: Config,
    *,
    rescale: bool = False,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    checkpoints: Checkpoints | None = None,
    on_scored: Callable[[Bundle], None] | None = None,
) -> Bundle:
    """Fine-tune a model on a table, which may be a new one.

    Args:
        bundle: The model whose weights training starts from.
        source: A path, `-` for standard input, or a pandas frame.
        config: The settings of this training; all others are those of the model.
        rescale: Whether the scaler is fitted on the training rows of this table, or is the model's;
            series that are new to it are then scaled by their own training rows.
        on_event: As in `train`.
        should_stop: As there.
        checkpoints: As there.
        on_scored: As there.

    Raises:
        UsageError: A setting differs that the weights depend on.
        DataError: The table lacks what the model reads.
        TrainingError: The loss is not finite.
    """
    began, whole = time.perf_counter(), _resolve_config(bundle, config, on_event)
    dataset = _dataset(bundle, source, whole, rescale=rescale, on_event=on_event)
    job = partial(describe_dataset, dataset, start=bundle.weights)
    began -= begin_checkpoints(checkpoints, job, on_event)
    seconds, effects = whole.training.time_budget, None if rescale else bundle.effects
    more: Any = {"initial": bundle.weights, "effects": effects, "checkpoints": checkpoints}
    by = partial(train_network, deadline=seconds and began + seconds, **more)
    learned = learn(dataset, by=by, on_event=on_event, should_stop=should_stop)
    again = partial(_on_all_rows, rescale=rescale)
    tuned = finish(learned, began, by=by, whole=again, on_event=on_event, should_stop=should_stop)
    return hand_over(learned, tuned, on_scored)


def finetuning_pretrained(config: Config, *, rescale: bool = False) -> Config:
    """Return the configuration of a fine-tuning of the pretrained network.

    Args:
        config: As given.
        rescale: Whether a scaler is to be fitted again.

    Raises:
        UsageError: It contradicts that.
    """
    start = f"`init_model={PRETRAINED_PRESET}`"
    if config.data.label:
        raise UsageError(
            f"{start} forecasts, and `label` asks for a model that maps sequences to labels.",
            "Leave one of them out.",
        )
    if config.training.per_series:
        raise UsageError(
            f"{start} trains one network for all series, and `per_series` networks for each.",
            "Leave one of them out.",
        )
    if rescale:
        raise UsageError(
            f"{start} has no scaler that `rescale` could fit again: it reads series in units of "
            "their own.",
            "Leave `rescale` out.",
        )
    if config.preset not in (None, DEFAULT_PRESET, PRETRAINED_PRESET):
        raise UsageError(
            f"`preset={config.preset}` trains other networks than {start}.",
            "Leave one of them out.",
        )
    changes = {"pretrained": True, "finetuned": True}
    return config.changed(preset=PRETRAINED_PRESET, network=changes)


def _resolve_config(bundle: Bundle, given: Config, on_event: Listener) -> Config:
    """Return the configuration of the model with the settings of this training."""
    changes = given.model_dump(exclude_unset=True)
    _check_changes(bundle, changes)
    config = bundle.manifest.config
    training, asked = config.training.model_dump(), changes.pop("training", {})
    training["devices"] = None  # Those of the machine on which the model was trained.
    if "learning_rate" not in asked:
        rate = training["learning_rate"] * SHARE_OF_RATE
        training["learning_rate"] = rate
        on_event(
            Note(
                f"learning rate {rate:g}, a tenth of the model's (set `learning_rate` for another)"
            )
        )
    if asked.get("average"):
        # The last epochs are averaged, so none is chosen as the best.
        training["patience"] = 0
    training |= asked
    data = data_as_trained(bundle, READ_AS_TRAINED).model_dump() | changes.pop("data", {})
    split = config.split.model_dump() | changes.pop("split", {})
    nested: dict[str, Any] = config.model_dump() | changes
    whole = configure({}, nested | {"training": training, "data": data, "split": split})
    if whole.quantile_levels != config.quantile_levels:
        raise UsageError(
            "The network forecasts "
            + (f"quantiles for {config.level}" if config.quantile_levels else "no quantiles")
            + f", and `intervals={whole.intervals}` at levels {whole.level} needs others.",
            "Leave `intervals` and `level` out, or train from scratch, without `init_model`.",
        )
    require_mask(bundle, whole.data.missing)
    return whole


def _check_changes(bundle: Bundle, changes: dict[str, Any]) -> None:
    """Refuse models that do not forecast, and settings that the weights depend on."""
    if bundle.manifest.labels is not None:
        raise UsageError(
            "The model maps sequences to labels; only models that forecast can be fine-tuned.",
            "Leave `init_model` out.",
        )
    if bundle.manifest.config.network.pretrained:
        raise UsageError(
            "The model is the pretrained network, whose file has no weights to start from.",
            f"Pass `init_model={PRETRAINED_PRESET}` to train that of the package further, or train "
            "a model to start from with `preset=trained`.",
        )
    if bundle.networks is not None:
        raise UsageError(
            "The model has a network for each series, and training starts from one for all.",
            "Train again with `per_series`, or start from a model that was trained without.",
        )
    for name in leaves(changes):
        if not name.startswith(OPEN) or name == "training.per_series":
            raise UsageError(
                f"`{name}` is determined by the model whose weights training starts from.",
                "Leave it out, or train from scratch, without `init_model`.",
            )


def _dataset(
    bundle: Bundle, source: Readable, config: Config, *, rescale: bool, on_event: Listener
) -> Dataset:
    """Return the table as a dataset for the network of the model, and note how it was read."""
    on_event(Stage("reading"))
    manifest = bundle.manifest
    panel = read_panel(
        source,
        config.data,
        on_event=on_event,
        frequency=manifest.time.frequency if manifest.time else None,
        categories=manifest.covariates.categories,
    )
    _require_same(panel.columns.inputs, manifest.columns.inputs, panel.source)
    require_rows(bundle, panel)
    config = config.changed(data=panel.data)
    splits = split_rows(panel, config.split, horizon=manifest.horizon)
    own = None
    if rescale:
        note_undefined(panel, config.transform, on_event)
    else:
        begin, end = splits.bounds("train")
        own = make_history(bundle, panel, on_event, scaled_by=end - begin).scaling
    dataset = _scaled(panel, config, splits, own)
    check_dataset(dataset, on_event)
    # The usual spread of windows is in scaled units, so it depends on the scaler.
    dataset = with_usual_spread(dataset) if rescale else dataset
    describe(dataset, on_event)
    _warn_in_sample(bundle, dataset, on_event)
    if not dataset.splits.rows("test"):
        on_event(Note("no test split, as in the model: nothing is scored (set `test` for one)"))
    return dataset


def _scaled(panel: Any, config: Config, splits: Splits, scaling: Scaling | None) -> Dataset:
    """Return the dataset, scaled by a scaler, or by one fitted on its training rows."""
    season = find_season(panel, config)
    filled = fill_panel(panel, splits, season_length=season)
    if scaling is None:
        rows = splits.training_rows(filled)
        scaling = fit_scaling_by_scope(rows, splits, panel.columns, config, fit=fit_scaler)
    scaling = replace(scaling, lower=find_lower_bounds(panel, splits, config))
    return split_history(History(panel, filled, scaling, season), config, splits)


def _on_all_rows(dataset: Dataset, *, rescale: bool) -> Dataset:
    """Return the dataset with every row in the training split, to refit on."""
    panel, scaling = dataset.panel, None if rescale else dataset.scaling
    return _scaled(panel, dataset.config, all_training(panel), scaling)


def _warn_in_sample(bundle: Bundle, dataset: Dataset, on_event: Listener) -> None:
    """Warn where the model was trained on rows of the validation or test split."""
    panel, splits = dataset.panel, dataset.splits
    if panel.timeline is None or bundle.manifest.time is None:
        text = "without times it is unknown whether the model was trained on the scored rows:"
        on_event(Note(f"{text} scores are valid for new rows only", warning=True))
        return
    learned = learned_until(bundle, panel)
    begin, end = splits.bounds("validation")[0], panel.indptr[1:]
    held = end > begin
    first = panel.timeline.times[begin[held]]
    if len(first) and (first < learned[held]).any():
        text = f"the model was trained on rows before {when(learned.max())}: validation and scores"
        text += f" from {when(first.min())} are in-sample and therefore optimistic"
        on_event(Note(text, warning=True))


def _require_same(inputs: Any, known: Any, source: str) -> None:
    """Refuse columns that differ from those of the network."""
    if inputs != known:
        raise DataError(
            f"{source} gives the network {inputs.features} columns, of which {len(inputs.targets)} "
            f"are forecast; the model reads {known.features} and forecasts {len(known.targets)}.",
            "Give as many of the same kind: `column`, and the covariates.",
        )
