"""Registries: every cell, loss, metric, interval method, preset and baseline, by its public name.

An entry has the name's help and what it needs; the function of the same name stands in the folder
that it belongs to, so that settings load no NumPy. To add one, add an entry here and a function
there:

| registry | functions |
| --- | --- |
| `CELLS` | `config/layers.py` (settings of the layer), `networks/stack.py` (`KERAS_CELLS`) |
| `LOSSES` | `networks/losses.py` (`FUNCTIONS`) |
| `METRICS` | `evaluation/metrics/point.py` (`FUNCTIONS`) |
| `INTERVAL_METHODS` | `forecasting/intervals/interval_methods.py` (`FUNCTIONS`) |
| `PRESETS` | `training/presets/selection.py` (`FUNCTIONS`) |
| `CHARTS` | `api/charts/kinds.py` (`FUNCTIONS`) |
| `EXPORTS` | `api/export/formats.py` (`FUNCTIONS`) |
| `BASELINES` | `baselines/naive.py`, `intermittent.py`, `classical.py` and `member_maps.py` |
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias


@dataclass(frozen=True)
class Entry:
    """What is named.

    Args:
        help: One phrase for help texts, without a full stop.
    """

    help: str


@dataclass(frozen=True)
class CellEntry(Entry):
    """A kind of recurrent layer.

    Args:
        keras: The name of its layer in Keras.
        states: The names of the states that it carries from step to step.
        cudnn: Whether cuDNN has a fused kernel for it on a GPU.
        gates: How many matrices of weights it has, the candidate state included.
    """

    keras: str
    states: tuple[str, ...] = ("h",)
    cudnn: bool = False
    gates: int = 1


@dataclass(frozen=True)
class ExportEntry(Entry):
    """A form in which other programs read a model.

    Args:
        suffix: What follows the name of the model where no path is named.
        mark: The file by which a folder is known to be such an export; empty for a file.
        then: What to do next, with the `path`.
    """

    suffix: str
    mark: str = ""
    then: str = ""


@dataclass(frozen=True)
class ChartEntry(Entry):
    """A kind of chart.

    Args:
        of_table: Whether a table by itself has one.
        of_forecast: Whether a table of forecasts has one.
        many_levels: Whether it shows intervals of many levels, where a model can make them.
    """

    of_table: bool = False
    of_forecast: bool = False
    many_levels: bool = False


@dataclass(frozen=True)
class LossEntry(Entry):
    """A loss.

    Args:
        units: What it is taken in: scaled values, original units, or multiples of the in-sample
            error of the seasonal naive forecast.
        takes_quantile: Whether the setting `quantile` is for it.
        takes_naive_smape: Whether it is relative to the sMAPE of Naive2 in training.
        for_labels: Whether networks that map sequences to numbers may use it.
        for_classes: Whether it compares shares of classes.
        for_means: Whether the best forecast by it is the mean of what may come, not the median.
    """

    units: Literal["scaled", "original", "naive error"] = "scaled"
    takes_quantile: bool = False
    takes_naive_smape: bool = False
    for_labels: bool = False
    for_classes: bool = False
    for_means: bool = False


@dataclass(frozen=True)
class MetricEntry(Entry):
    """A measure of error over many forecasts.

    Args:
        kept: Whether model files keep it, and `tune` can minimise it.
        for_zeros: Whether model files keep it where most of the values are 0.
        scale_free: Whether it is in units of a naive forecast's error, so that series of different
            size compare.
    """

    kept: bool = False
    for_zeros: bool = False
    scale_free: bool = False


@dataclass(frozen=True)
class IntervalEntry(Entry):
    """A way to make prediction intervals.

    Args:
        by_quantiles: Whether the network is trained to forecast the quantiles of `level`.
        by_members: Whether it takes the spread of an ensemble's members.
        by_dropout: Whether it takes the spread of forecasts under dropout.
        needs_validation: Whether there is none without a validation split.
        uses_errors: Whether validation errors go into it.
        by_rank: Whether an interval ends at one of the validation errors, so that high levels need
            many of them.
        by_recent: Whether it is scaled by the size of the most recent errors.
    """

    by_quantiles: bool = False
    by_members: bool = False
    by_dropout: bool = False
    needs_validation: bool = False
    uses_errors: bool = True
    by_rank: bool = True
    by_recent: bool = False

    @property
    def by_network(self) -> bool:
        """Whether the network's own lower and upper values go into it."""
        return self.by_quantiles or self.by_members

    @property
    def needs_training(self) -> bool:
        """Whether only models that were trained for it can make it."""
        return self.by_network or self.by_dropout


@dataclass(frozen=True)
class PresetEntry(Entry):
    """A way to choose the settings that are left open.

    Args:
        chooses: Whether it chooses them from the data.
        stronger: The preset to try for more accuracy; empty for none.
        few_rows: The preset whose choice it takes where rows are few; empty for none.
        adds_to_few_rows: Whether it trains networks beside that where many series have few rows.
        trains: Whether a network is trained.
        rules: The preset whose rules it follows on a table of any length; empty for its own.
    """

    chooses: bool = False
    stronger: str = ""
    few_rows: str = ""
    adds_to_few_rows: bool = False
    trains: bool = True
    rules: str = ""


@dataclass(frozen=True)
class BaselineEntry(Entry):
    """A forecast without a network.

    Args:
        reference: Whether every model is compared with it.
        needs_season: Whether it needs a season of more than one step.
        least: Rows of a series that it needs before a forecast; beside these, one whole season
            where it needs a season. Where there are fewer, the naive forecast replaces it.
        forecasts: Whether it forecasts by itself, from any number of rows.
        is_map: Whether it may be a member of an ensemble: it is linear in the input window.
        apart: Whether it may be a member of an ensemble, which forecasts beside the graph of the
            others.
        library: The package that it needs, of the extra `classical`; empty for none.
        for_walks: Whether it is the best forecast of a random walk.
        for_zeros: Whether models are compared with it where most of the values are 0.
        prior: Its weight in an ensemble before anything is learned, relative to a network's:
            without a season and with one.
    """

    reference: bool = False
    needs_season: bool = False
    least: int = 1
    forecasts: bool = True
    is_map: bool = False
    apart: bool = False
    library: str = ""
    for_walks: bool = False
    for_zeros: bool = False
    prior: tuple[float, float] = (1.0, 1.0)

    def rows(self, season_length: int) -> int:
        """Rows that it needs before a forecast."""
        return max(self.least, season_length if self.needs_season else 0)

    def suits(self, season_length: int) -> bool:
        """Whether it can be made of series with such a season; 1 for none."""
        return season_length > 1 or not self.needs_season


CELLS: dict[str, CellEntry] = {
    "lstm": CellEntry("long short-term memory", "LSTM", states=("h", "c"), cudnn=True, gates=4),
    "gru": CellEntry("gated recurrent unit", "GRU", cudnn=True, gates=3),
    "rnn": CellEntry("fully connected recurrent layer", "SimpleRNN"),
}
# The cell of a recurrent layer where neither a setting nor a preset names one.
DEFAULT_CELL = "lstm"
LOSSES: dict[str, LossEntry] = {
    "mse": LossEntry("mean squared error", for_labels=True, for_means=True),
    "mae": LossEntry("mean absolute error", for_labels=True),
    "huber": LossEntry("squared for small errors, absolute for large ones", for_labels=True),
    "log-cosh": LossEntry("logarithm of the hyperbolic cosine of the error", for_labels=True),
    "mape": LossEntry("mean absolute percentage error", units="original"),
    "smape": LossEntry("symmetric mean absolute percentage error", units="original"),
    "mase": LossEntry("mean absolute scaled error", units="naive error"),
    "owa": LossEntry(
        "mean of MASE and relative sMAPE, as in M4", "naive error", takes_naive_smape=True
    ),
    "pinball": LossEntry("quantile loss", takes_quantile=True, for_labels=True),
    "cross-entropy": LossEntry("categorical cross-entropy, for classes", for_classes=True),
}
METRICS: dict[str, MetricEntry] = {
    "mae": MetricEntry("mean absolute error", kept=True),
    "rmse": MetricEntry("root mean squared error", kept=True),
    "mape": MetricEntry("mean absolute percentage error"),
    "smape": MetricEntry("symmetric mean absolute percentage error, 0 to 200", kept=True),
    "smape_100": MetricEntry("symmetric mean absolute percentage error, 0 to 100"),
    "wape": MetricEntry("weighted absolute percentage error"),
    "mase": MetricEntry("mean absolute scaled error", True, scale_free=True),
    "rmsse": MetricEntry("root mean squared scaled error", for_zeros=True, scale_free=True),
    "r2": MetricEntry("coefficient of determination"),
    "bias": MetricEntry("mean of forecast less actual value"),
}
INTERVAL_METHODS: dict[str, IntervalEntry] = {
    "conformal": IntervalEntry("quantiles of the validation errors"),
    "adaptive": IntervalEntry(
        "the same, scaled by the most recent errors", needs_validation=True, by_recent=True
    ),
    "quantile": IntervalEntry(
        "the network forecasts quantiles", by_quantiles=True, uses_errors=False, by_rank=False
    ),
    "cqr": IntervalEntry(
        "quantiles of the network, corrected by validation errors",
        by_quantiles=True,
        needs_validation=True,
    ),
    "dropout": IntervalEntry(
        "Monte Carlo dropout plus validation errors",
        by_dropout=True,
        needs_validation=True,
        by_rank=False,
    ),
    "ensemble": IntervalEntry(
        "spread of an ensemble, corrected by validation errors",
        by_members=True,
        needs_validation=True,
    ),
}
PRESETS: dict[str, PresetEntry] = {
    "auto": PresetEntry("rules from the data", True, stronger="best", few_rows="pretrained"),
    "fast": PresetEntry(
        "the same rules with one network", True, stronger="best", few_rows="pretrained"
    ),
    "best": PresetEntry(
        "the same rules with several times as many networks",
        True,
        few_rows="pretrained",
        adds_to_few_rows=True,
    ),
    "trained": PresetEntry(
        "the rules of auto for tables of many rows, on any table", True, rules="auto"
    ),
    "pretrained": PresetEntry(
        "a network trained on simulated series beforehand; nothing is trained",
        chooses=True,
        stronger="trained",
        trains=False,
    ),
    "classic": PresetEntry("the plain LSTM(50) of the tutorials, nothing chosen from the data"),
}
# The preset where none is set, and the one that chooses nothing.
DEFAULT_PRESET, PLAIN_PRESET = "auto", "classic"
# The preset that trains nothing, which others become where rows are few.
PRETRAINED_PRESET = "pretrained"
BASELINES: dict[str, BaselineEntry] = {
    "naive": BaselineEntry(
        "the last value", reference=True, least=0, is_map=True, for_walks=True, prior=(1.0, 0.1)
    ),
    "seasonal-naive": BaselineEntry(
        "the last season", reference=True, needs_season=True, is_map=True, prior=(0.2, 0.5)
    ),
    "drift": BaselineEntry("the line through the first and last value", reference=True, least=2),
    "mean": BaselineEntry("the mean of all values"),
    "window-mean": BaselineEntry("the mean of the last values"),
    "croston": BaselineEntry("mean demand over mean interval, Croston", for_zeros=True),
    "sba": BaselineEntry("the same less its bias, Syntetos-Boylan", for_zeros=True),
    "tsb": BaselineEntry("mean demand times its probability, TSB", for_zeros=True),
    "naive2": BaselineEntry("the last value, seasonally adjusted, as in M4"),
    "ets": BaselineEntry("exponential smoothing, AutoETS", library="statsforecast"),
    "theta": BaselineEntry("the Theta method, AutoTheta", library="statsforecast"),
    "arima": BaselineEntry("AutoARIMA", library="statsforecast"),
    "smoothing": BaselineEntry("exponential smoothing of the window", forecasts=False, is_map=True),
    "smoothing-ridge": BaselineEntry(
        "smoothing, corrected by ridge regression", forecasts=False, is_map=True
    ),
    "structural": BaselineEntry(
        "level, slope and seasons, by their covariances",
        forecasts=False,
        is_map=True,
        prior=(2.0, 2.0),
    ),
    "ridge-short": BaselineEntry("ridge regression on 3 seasons", forecasts=False, is_map=True),
    "ridge": BaselineEntry("ridge regression on 5 seasons", forecasts=False, is_map=True),
    "ridge-long": BaselineEntry("ridge regression on 10 seasons", forecasts=False, is_map=True),
    "ridge-half": BaselineEntry(
        "ridge regression on half the window", forecasts=False, is_map=True
    ),
    "ridge-full": BaselineEntry("ridge regression on the window", forecasts=False, is_map=True),
    PRETRAINED_PRESET: BaselineEntry(
        "a network trained on simulated series beforehand", forecasts=False, apart=True
    ),
}
CHARTS: dict[str, ChartEntry] = {
    "forecast": ChartEntry("history, splits, forecast with its intervals", of_forecast=True),
    "test": ChartEntry("test forecasts and actual values"),
    "residuals": ChartEntry("residuals, their autocorrelation and histogram"),
    "errors": ChartEntry("error by step and by series", of_forecast=True),
    "loss": ChartEntry("loss by epoch"),
    "seasons": ChartEntry("seasonal profiles", of_table=True),
    "coverage": ChartEntry("coverage of intervals by level", of_forecast=True, many_levels=True),
    "series": ChartEntry("the series, with gaps", of_table=True),
    "effects": ChartEntry("what the forecast is made of"),
}
EXPORTS: dict[str, ExportEntry] = {
    "onnx": ExportEntry(
        "a folder with the network as ONNX, its description, the last rows, and an example that "
        "needs onnxruntime and NumPy alone",
        suffix="-onnx",
        mark="description.json",
        then="; try it: cd {path} && python example.py",
    ),
    "keras": ExportEntry("a .keras file", suffix=".keras"),
    "saved-model": ExportEntry(
        "a SavedModel of TensorFlow", suffix="-saved-model", mark="saved_model.pb"
    ),
    "python": ExportEntry(
        "a script of plain Keras that trains the same",
        suffix="-train.py",
        then="; run it: python {path}",
    ),
}
# The charts of a model or a table of forecasts, of a table, of a model of labels, and of a backtest
# where none is named.
FORECAST_CHART, TABLE_CHART, LABEL_CHART, BACKTEST_CHART = "forecast", "series", "errors", "errors"
# The baseline that all others are relative to, and the one that OWA is relative to.
NAIVE, NAIVE2, SEASONAL_NAIVE = "naive", "naive2", "seasonal-naive"


def baseline_entry(name: str) -> BaselineEntry:
    """Return the entry of a baseline; "seasonal-naive (season 48)" has that of "seasonal-naive"."""
    return BASELINES[name.partition(" (")[0]]


MAP_NAMES = tuple(name for name, entry in BASELINES.items() if entry.is_map)
MEMBER_NAMES = tuple(name for name, entry in BASELINES.items() if entry.is_map or entry.apart)
# How intervals are made unless something else is asked for; every model with errors can make them.
DEFAULT_INTERVALS = "conformal"
KEPT_METRICS = tuple(name for name, entry in METRICS.items() if entry.kept)
SCORED_METRICS = tuple(name for name, entry in METRICS.items() if entry.kept or entry.for_zeros)

# Types of settings, whose choices are the names.
if TYPE_CHECKING:
    Cell: TypeAlias = str
    Loss: TypeAlias = str
    Metric: TypeAlias = str
    Score: TypeAlias = str
    Intervals: TypeAlias = str
    Preset: TypeAlias = str
    MemberBaseline: TypeAlias = str
    ChartName: TypeAlias = str
else:
    Cell = Literal[tuple(CELLS)]
    Loss = Literal[tuple(LOSSES)]
    Metric = Literal[KEPT_METRICS]
    Score = Literal[SCORED_METRICS]
    Intervals = Literal[tuple(INTERVAL_METHODS)]
    Preset = Literal[tuple(PRESETS)]
    MemberBaseline = Literal[MEMBER_NAMES]
    ChartName = Literal[tuple(CHARTS)]
