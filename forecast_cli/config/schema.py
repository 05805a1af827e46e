"""The whole configuration of a model: frozen, validated, the same in flags, files and Python."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from ..core.brief import cut_lines
from ..core.errors import UsageError
from .ensemble import TURNS, Ensemble
from .invalid import explain_invalid
from .layers import Frozen
from .network import Network, check_network
from .registries import (
    DEFAULT_INTERVALS,
    INTERVAL_METHODS,
    LOSSES,
    PRESETS,
    PRETRAINED_PRESET,
    IntervalEntry,
    Intervals,
    Preset,
)
from .sections import Data, Levels, Split, Training, Window
from .settings import setting

# Lists in the settings of an ensemble.
SEVERAL = ("baselines", *TURNS)
# The sections of which a preset chooses.
SECTIONS = ("window", "network", "training", "ensemble")


class Checked(type(Frozen)):  # type: ignore[misc]
    """The type of a configuration, whose errors are ours where Python code makes one."""

    def __call__(cls, *args: Any, **fields: Any) -> Any:
        """Make a configuration from its sections.

        Raises:
            UsageError: A name is unknown, or a value invalid.
        """
        if args:
            raise UsageError(
                "A Config is made of its sections by their names.",
                "Make one of settings with configure, e.g. `column=sales`.",
            )
        try:
            return super().__call__(**fields)
        except ValidationError as error:
            raise UsageError(*explain_invalid(error, cls)) from None


class Config(Frozen, metaclass=Checked):
    """Everything that makes a model, apart from the data.

    `preset` chooses what is left open: `auto`, `fast` and `best` by rules from the data, `classic`
    the plain network of the tutorials; None: auto, or classic for sequences with a label.
    `scale_by` says whether each series has a scaler of its own; None: where there are
    several.
    `intervals` is how forecast intervals are made (docs/intervals.md), `level` their levels
    in percent. `lower_bound` None: 0 for each target without a training value below it.
    """

    # fmt: off
    preset: Preset | None = setting(
        None, "What chooses the other settings: rules from the data, quicker or more thorough; or "
        "the plain LSTM(50) of tutorials.", group="Training", common=True,
        shown="auto; classic for labels",
    )
    data: Data = Data.model_construct()
    split: Split = Split.model_construct()
    transform: Literal["none", "log", "log1p"] = setting(
        "none", "Transform of the values before the scaler.", group="Splits, scaling, windows",
    )
    scaler: Literal["minmax", "standard", "robust", "maxabs", "none"] = setting(
        "minmax", "Scaler, fitted on the training rows alone.", group="Splits, scaling, windows",
    )
    scale_by: Literal["series", "all"] | None = setting(
        None, "A scaler for each series, or one for all.", group="Many series", shown="series",
    )
    window: Window = Window.model_construct()
    network: Network = Network.model_construct()
    training: Training = Training.model_construct()
    ensemble: Ensemble = Ensemble.model_construct()
    intervals: Intervals = setting(
        DEFAULT_INTERVALS, "Method of the prediction intervals.", group="Intervals", search=False,
    )
    level: Levels = setting(
        (80.0, 95.0), "Prediction-interval levels in percent.", group="Intervals", kind="levels",
        metavar="N[,N...]", shown="80,95", common=True, search=False, examples=[(80, 95)],
    )
    lower_bound: Annotated[float, Field(allow_inf_nan=False)] | Literal["none"] | None = setting(
        None, "What no forecast, interval or sample path is below; none for no bound.",
        group="Intervals", kind="size", metavar="X", shown="0 where no training value is below it",
        search=False, examples=[0, "none"],
    )
    # fmt: on

    def __repr__(self) -> str:
        """Return what is set, in at most ten lines."""
        given = self.model_dump(mode="json", exclude_unset=True)
        sections = {name: each for name, each in given.items() if isinstance(each, dict)}
        own = {name: each for name, each in given.items() if name not in sections}
        parts = {"": own} | {f"{name:<10}": each for name, each in sections.items()}
        lines = [
            f"  {name}{', '.join(f'{key}={value}' for key, value in each.items())}"
            for name, each in parts.items()
            if each
        ]
        return "\n".join(cut_lines(["Config", *(lines or ["  all defaults"])]))

    def __str__(self) -> str:
        """Return the same."""
        return repr(self)

    @property
    def preset_chooses(self) -> bool:
        """Whether the preset is known, and chooses from the data what is left open."""
        return self.preset is not None and PRESETS[self.preset].chooses

    @property
    def leaves_nothing_open(self) -> bool:
        """Whether all that has a value is set, as by `forecast config --for`.

        What has none, e.g. `segment`, cannot be written in TOML, and is not left to a preset.
        """
        parts = {*SECTIONS, "transform", "scaler"}
        whole = self.model_dump(include=parts, exclude_none=True)
        return self.model_dump(include=parts, exclude_none=True, exclude_unset=True) == whole

    @property
    def interval_method(self) -> IntervalEntry:
        """What the method of `intervals` needs."""
        return INTERVAL_METHODS[self.intervals]

    @property
    def quantile_levels(self) -> tuple[float, ...]:
        """The quantiles that the network forecasts: between 0 and 1, ascending, 0.5 in the middle.

        Empty where it forecasts no quantiles.
        """
        if not self.interval_method.by_quantiles:
            return ()
        above = [0.5 + level / 200 for level in self.level]
        return (*[1.0 - each for each in reversed(above)], 0.5, *above)

    def shape_of_outputs(self, outputs: tuple[int, int]) -> tuple[int, ...]:
        """Return `(horizon, targets)`, or `(horizon, targets, quantiles)` with quantiles."""
        levels = len(self.quantile_levels)
        return (*outputs, levels) if levels else outputs

    @property
    def outputs_per_value(self) -> int:
        """How many outputs the network has for each value that it forecasts."""
        return 3 if self.interval_method.by_members else max(1, len(self.quantile_levels))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_intervals(self)
        check_ensemble(self)
        if self.network.head == "recursive" and self.window.mode == "many-to-many":
            raise ValueError("`head=recursive` is fed back step by step: give `mode=many-to-one`")
        window, head = self.window, self.network.head
        if window.mode == "many-to-one" and window.horizon != 1 and self.network.hands_over:
            raise ValueError(f"`head={head}` decodes the whole horizon: give `mode=many-to-many`")
        if self.data.label:
            check_labelled(self)
        if self.training.per_series:
            check_per_series(self)
        return self


def check_per_series(config: Config) -> None:
    """Refuse what networks of one series each cannot have."""
    network, ensemble = config.network, config.ensemble
    several = config.data.series or config.data.layout in ("columns", "rows")
    refused = {
        "a table of several series: give `series`, the columns that name them": not several,
        "networks without states: leave out `stateful`": network.stateful,
        "networks that are trained on the series: leave out the pretrained one": (
            network.pretrained
            or network.finetuned
            or ensemble.has_pretrained
            or config.preset == PRETRAINED_PRESET
        ),
        "no effects of covariates: leave out `covariate_effects`": ensemble.covariate_effects,
        "no time limit: leave out `time_budget`": config.training.time_budget is not None,
        f"other intervals than `intervals={config.intervals}`": config.interval_method.by_dropout,
    }
    for needed, lacking in refused.items():
        if lacking:
            raise ValueError(f"`per_series` needs {needed}")


def check_intervals(config: Config) -> None:
    """Refuse intervals that the network cannot make."""
    method, training = config.interval_method, config.training
    if method.needs_validation and config.split.validation == 0:
        raise ValueError(
            f"`intervals={config.intervals}` needs a validation split, and `validation` is 0"
        )
    if method.by_dropout and not any(each.dropout for each in config.network.recurrent):
        raise ValueError(
            f"`intervals={config.intervals}` needs `dropout` above 0 in a recurrent layer"
        )
    if method.by_quantiles and training.loss and not LOSSES[training.loss].takes_quantile:
        raise ValueError(
            f"`intervals={config.intervals}` trains with the pinball loss, not {training.loss}"
        )
    if method.by_quantiles and training.quantile is not None:
        raise ValueError(
            f"`intervals={config.intervals}` forecasts quantiles: leave out `quantile`"
        )
    if method.by_quantiles:
        _check_quantiles(config)
    if method.by_dropout and config.network.stateful:
        raise ValueError(
            f"`intervals={config.intervals}` draws each window independently, which stateful "
            "networks do not support"
        )


def check_ensemble(config: Config) -> None:
    """Refuse ensembles whose settings do not go together, and settings that need one."""
    ensemble, network = config.ensemble, config.network
    _check_single(config)
    _check_weight(config)
    steps = config.window.timesteps
    if ensemble.timesteps and steps is not None and steps < max(ensemble.timesteps):
        raise ValueError(
            f"`timesteps` {steps} is less than the lookback of a network, "
            f"{max(ensemble.timesteps)}: raise it or lower `member_timesteps`"
        )
    if config.quantile_levels and (ensemble.baselines or ensemble.losses):
        what = "baselines" if ensemble.baselines else "member_losses"
        raise ValueError(f"`intervals={config.intervals}` forecasts quantiles: leave out `{what}`")
    for anchor in ensemble.anchors:
        check_network(network.changed(anchor=anchor))
    if ensemble.alone:
        return
    if network.stateful:
        raise ValueError("stateful networks cannot be members of an ensemble")
    if config.interval_method.by_dropout:
        raise ValueError(
            f"`intervals={config.intervals}` is for one network; `intervals=ensemble` for several"
        )
    if ensemble.has_pretrained and config.interval_method.by_members:
        raise ValueError(
            f"`intervals={config.intervals}` is made of the networks alone: leave pretrained out "
            "of `baselines`"
        )
    if ensemble.baselines and (network.masked or config.data.missing == "mask"):
        raise ValueError("`baselines` cannot skip missing steps: leave out those or the mask")
    if config.window.mode == "many-to-one" and config.interval_method.by_members:
        raise ValueError(
            "the spread of an ensemble needs the whole horizon: give `mode=many-to-many`"
        )


def _check_single(config: Config) -> None:
    """Refuse settings of several members where there is one network."""
    ensemble = config.ensemble
    if not ensemble.alone or not _is_settled(config, "size"):
        return
    needing = {
        "intervals": config.intervals if config.interval_method.by_members else None,
        "combine": None if ensemble.combine == "mean" else ensemble.combine,
    }
    for name, value in needing.items():
        if value:
            raise ValueError(
                f"`{name}={value}` needs several members, and there is one network: give "
                "`ensemble` or `baselines`"
            )


def _check_weight(config: Config) -> None:
    """Refuse a weight of the pretrained network where it is no member."""
    ensemble = config.ensemble
    if ensemble.pretrained_weight is None or ensemble.has_pretrained or config.data.label:
        return
    if _is_settled(config, "baselines"):
        raise ValueError(
            "`pretrained_weight` is that of the pretrained network: add pretrained to `baselines`"
        )


def _is_settled(config: Config, name: str) -> bool:
    """Whether a setting of the ensemble is given, or no preset may still choose it."""
    settled = config.preset is not None and not config.preset_chooses
    return settled or name in config.ensemble.model_fields_set


def _check_quantiles(config: Config) -> None:
    """Refuse networks that cannot forecast quantiles of the whole horizon at once."""
    network, window, why = config.network, config.window, ""
    if network.head in ("sequence", "recursive"):
        why = f"head {network.head} forecasts no quantiles: give `head=last`"
    elif network.decoder == "teacher":
        why = "decoder teacher forecasts no quantiles: give `decoder=repeat`"
    elif network.stateful:
        why = "a stateful network forecasts no quantiles"
    elif window.mode == "many-to-one" and window.horizon != 1:
        why = "quantiles of one step cannot be fed back: give `mode=many-to-many`"
    if why:
        raise ValueError(f"`intervals={config.intervals}`: {why}")


def check_labelled(config: Config) -> None:
    """Refuse settings of forecasts where a sequence is mapped to a label."""
    for name, value in _forecast_settings(config).items():
        if value is not None:
            raise ValueError(f"`{name}` {value} is for forecasts, not for labelled sequences")
    if config.data.missing in ("drop", "season"):
        why = "would make sequences shorter" if config.data.missing == "drop" else "is for series"
        raise ValueError(
            f"`missing={config.data.missing}` {why}: leave the rows out, or give `missing=mask`"
        )
    if config.data.layout == "columns":
        raise ValueError("`layout=columns` is for forecasts: give `layout=rows` or `layout=long`")
    if config.data.layout == "rows" and config.data.time:
        raise ValueError("`layout=rows` has no time column: leave out `time`")
    if len(set(config.data.column)) < len(config.data.column):
        raise ValueError("`column` names one twice")


def _forecast_settings(config: Config) -> dict[str, object]:
    """Return the settings that are for forecasts, by path; None where one has its default."""
    network = config.network
    return {
        "window.horizon": config.window.horizon,
        "window.mode": config.window.mode,
        "data.freq": config.data.freq,
        "data.season_length": config.data.season_length,
        "data.resample": config.data.resample,
        "data.calendar": config.data.calendar,
        "data.past_covariates": config.data.past_covariates or None,
        "data.future_covariates": config.data.future_covariates or None,
        "data.static_covariates": config.data.static_covariates or None,
        "preset": config.preset if config.preset_chooses else None,
        "ensemble.size": None if config.ensemble.size == 1 else config.ensemble.size,
        **{f"ensemble.{name}": getattr(config.ensemble, name) or None for name in SEVERAL},
        "ensemble.pretrained_weight": config.ensemble.pretrained_weight,
        "training.time_budget": config.training.time_budget,
        "training.per_series": config.training.per_series or None,
        "network.padding": None if network.padding == "mask" else network.padding,
        "network.window_scale": "usual" if network.window_scale == "usual" else None,
        "data.calendar_features": config.data.calendar_features or None,
        "scale_by": config.scale_by,
        "network.embedding": network.embedding,
        "data.duplicates": None if config.data.duplicates == "error" else config.data.duplicates,
        "network.head": None if network.head == "last" else network.head,
        "network.skip": None if network.skip == "none" else network.skip,
        "network.anchor": "season" if network.anchor == "season" else None,
        "network.channels": None if network.channels == "joint" else network.channels,
        "intervals": None if config.intervals == DEFAULT_INTERVALS else config.intervals,
        "lower_bound": config.lower_bound,
        "stateful": network.stateful or None,
    }
