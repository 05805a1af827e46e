"""The flags that several commands share, as tables by panel of the help."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from .flag import OUTPUT, Flag, levels, names, number, seconds, whole_numbers

DATA = "Data"
SERIES = "Many series"
COVARIATES = "Covariates"
LABELS = "Sequences with a label"
SAMPLES = "Splits, scaling, windows"
NETWORK = "Network"
TRAINING = "Training"
ENSEMBLE = "Ensemble"
INTERVALS = "Intervals"
ANYTHING = "Any setting"


Missing = Literal["error", "interpolate", "ffill", "season", "drop", "mask"]
Scaler = Literal["minmax", "standard", "robust", "none"]
Mode = Literal["many-to-one", "many-to-many"]
Cell = Literal["lstm", "gru", "rnn"]
Optimizer = Literal["adam", "adamw", "adamax", "nadam", "rmsprop", "sgd", "adagrad", "lion"]
Loss = Literal[
    "mse", "mae", "huber", "log-cosh", "mape", "smape", "mase", "owa", "pinball", "cross-entropy"
]
Intervals = Literal["conformal", "adaptive", "quantile", "cqr", "dropout", "ensemble"]
Head = Literal["last", "sequence", "encoder-decoder", "recursive", "segments"]

# fmt: off
SETTINGS: dict[str, tuple[Flag, ...]] = {
    DATA: (
        Flag("column", list[str], "Column to forecast; repeat it for several, read together.",
             short="-c", metavar="NAME"),
        Flag("target", list[str], "Forecast only this one of the columns; repeatable.",
             "every column", metavar="NAME"),
        Flag("time", str, "Time column; none: rows are steps; year,month,day,hour: its parts.",
             "found", metavar="NAME"),
        Flag("freq", str, "Step between rows: 15min, h, D, B (business days), W, MS, QS, YS.",
             "inferred", metavar="ALIAS"),
        Flag("calendar", str, "Open days: an exchange (XNYS), a country (KR, US-NY), or data: "
             "learned from the table.", "business days where they are", metavar="NAME"),
        Flag("season_length", int, "Steps in a season.", "by frequency", metavar="N", least=1),
        Flag("resample", str, "Make steps of this length of the rows: h, D, W, MS ...",
             metavar="ALIAS"),
        Flag("aggregate", Literal["mean", "sum", "last", "first", "min", "max"],
             "How rows become one step of --resample.", "mean"),
        Flag("duplicates", Literal["error", "first", "last", "mean", "sum"],
             "What to do with rows at the same time.", "error"),
        Flag("missing", Missing, "What to do with missing values.", "error"),
        Flag("encoding", str, "Encoding of a text.", "found", metavar="NAME"),
        Flag("delimiter", str, "Delimiter between cells.", "found", metavar="CHAR"),
        Flag("decimal", Literal[".", ","], "Decimal mark.", "found"),
        Flag("thousands", str, "What stands between thousands.", "found", metavar="CHAR"),
        Flag("query", str, "SQL that makes the table, where DATA is a database.", metavar="SQL"),
        Flag("na", list[str], "Another marker of missing values; repeatable.", metavar="TEXT"),
        Flag("date_format", str, "How dates are written, e.g. %d/%m/%Y.", "found",
             metavar="FORM"),
        Flag("dayfirst", bool, "Whether 03/04/2020 is in April.", "found"),
        Flag("timezone", str, "Zone of the clock times, e.g. Europe/Berlin.", metavar="ZONE"),
    ),
    SERIES: (
        Flag("series", list[str], "Columns that together name the series of a row.",
             metavar="NAME[,NAME...]", split=True),
        Flag("layout", Literal["long", "columns", "rows"], "long: a row is a step of one series; "
             "columns: each column is a series; rows: each row is one, its columns the steps.",
             "long"),
        Flag("scale_by", Literal["series", "all"],
             "A scaler for each series, or one for all.", "series"),
    ),
    COVARIATES: (
        Flag("past_covariates", list[str], "Column that is known up to the present; repeatable, "
             "patterns too.", metavar="NAME", spelled="--past-covariate"),
        Flag("future_covariates", list[str], "Column that is known for the steps ahead too.",
             metavar="NAME", spelled="--future-covariate"),
        Flag("static_covariates", list[str], "Column that is the same in all rows of a series.",
             metavar="NAME", spelled="--static-covariate"),
        Flag("categorical", list[str], "Covariate whose numbers are names of something.",
             "those of text", metavar="NAME"),
        Flag("calendar_features", list[str], "Made of the times: auto, or minute, hour, "
             "dayofweek, day, dayofyear, week, month, quarter, weekend, holiday:KR.",
             metavar="NAME[,NAME...]", split=True),
        Flag("embedding", int, "Length of the vector learned for each category.",
             "one-hot where there are few", metavar="N", least=1),
    ),
    LABELS: (
        Flag("label", Any, "Map each sequence to this column instead of forecasting.",
             metavar="NAME[,NAME...]", parser=names),
        Flag("task", Literal["regression", "classification"], "Whether labels are numbers or "
             "classes.", "by the label"),
        Flag("step_features", int, "With --layout rows: columns for each step.", "1",
             metavar="K", least=1),
    ),
    SAMPLES: (
        Flag("validation", Any, "Rows before the test for validation: a fraction, steps, or 0.",
             "0.1", metavar="SIZE", parser=number),
        Flag("test", Any, "Rows at the end for the test: the same, or the date it begins at.",
             "0.2", metavar="SIZE", parser=number),
        Flag("transform", Literal["none", "log", "log1p"],
             "Transform of the values before the scaler.", "none"),
        Flag("scaler", Scaler, "Scaler, fitted on the training rows alone.", "minmax"),
        Flag("timesteps", int, "Steps back that the network sees.", "2 seasons, at least 10",
             short="-t", metavar="N", least=1),
        Flag("horizon", int, "Steps ahead to forecast.", "a season", short="-H", metavar="N",
             least=1),
        Flag("mode", Mode, "One step, and on from it; or the whole horizon at once.",
             "many-to-many"),
    ),
    NETWORK: (
        Flag("cell", Cell, "Kind of recurrent layer.", "lstm"),
        Flag("units", Any, "Units of each recurrent layer.", "50", short="-u",
             metavar="N[,N...]", parser=whole_numbers),
        Flag("dense", Any, "Hidden dense layers before the output.", "none",
             metavar="N[,N...]", parser=whole_numbers),
        Flag("activation", str, "Activation of the recurrent layers, e.g. relu.", "tanh",
             metavar="NAME"),
        Flag("dropout", float, "Share of a layer's inputs dropped in training.", "0",
             metavar="SHARE"),
        Flag("recurrent_dropout", float, "Share of the state dropped in training.", "0",
             metavar="SHARE"),
        Flag("bidirectional", bool, "Read every window in both directions.", "no"),
        Flag("stateful", bool, "Carry the state on from window to window, in order.", "no"),
        Flag("head", Head, "How a forecast is made of the states.", "last"),
        Flag("decoder", Literal["repeat", "teacher"],
             "What the decoder of encoder-decoder reads: the last output again and again, or the "
             "value before.", "repeat"),
        Flag("segment", int, "Cut the window into segments of N steps, and run over those.",
             "steps", metavar="N", least=1),
        Flag("channels", Literal["joint", "independent"],
             "Read several columns together, or each for itself with one network for all.",
             "joint"),
        Flag("anchor", Literal["none", "last", "mean", "season"],
             "Read each window relative to its own level, and forecast from it.", "none"),
        Flag("window_scale", Literal["none", "std", "mad", "usual"],
             "Read each window in units of its own spread, or of the usual one in training.",
             "none"),
        Flag("padding", Literal["mask", "first"], "What stands before a series shorter than the "
             "window: missing steps, or its first value.", "mask"),
        Flag("skip", Literal["none", "linear"],
             "Add a linear map from the window to the horizon.", "none"),
    ),
    TRAINING: (
        Flag("preset", Literal["auto", "fast", "best", "classic"], "What chooses the rest: rules "
             "from the data, quicker or more thorough; or the tutorials' plain LSTM(50).",
             "auto, or classic where the network or its training is set by hand"),
        Flag("epochs", int, "Passes over the windows at the most.", "100", short="-e",
             metavar="N", least=1),
        Flag("batch_size", int, "Windows in a step.", "32", short="-b", metavar="N", least=1),
        Flag("steps_per_epoch", int, "Batches in an epoch at the most, drawn at random.", "all",
             metavar="N", least=1),
        Flag("learning_rate", float, "Step size of the optimizer.", "0.001", short="--lr",
             metavar="X"),
        Flag("schedule", Literal["constant", "cosine", "exponential", "plateau"],
             "How the learning rate falls from epoch to epoch.", "constant"),
        Flag("weight_decay", float, "Decay of the weights in each step, apart from the gradient.",
             "the optimizer's own", metavar="X"),
        Flag("optimizer", Optimizer, "Optimizer.", "adam"),
        Flag("loss", Loss, "Loss; mape, smape, mase and owa are taken in original units.", "mse"),
        Flag("quantile", float, "What the loss pinball forecasts, between 0 and 1.", "0.5",
             metavar="X"),
        Flag("patience", int, "Epochs without improvement before it stops, best weights kept; "
             "0: all epochs, last weights.", "10", metavar="N", least=0),
        Flag("clip", float, "Bound on the norm of the gradient.", "none", metavar="X"),
        Flag("average", int, "Forecast with the mean of the weights after the last N epochs.",
             "no", metavar="N", least=1),
        Flag("time_budget", Any, "How long training may take: 90s, 5m, 1h.", "any time",
             metavar="TIME", parser=seconds),
        Flag("ema", float, "Forecast with a moving average of the weights, of this momentum.",
             "no", metavar="X"),
        Flag("seed", int, "The same seed gives the same model, to the bit.", "0", metavar="N",
             least=0),
        Flag("refit", bool, "Then train on all rows for the number of epochs found.", "no"),
    ),
    ENSEMBLE: (
        Flag("ensemble", int, "Networks to train, each from a seed of its own.", "1", metavar="N",
             least=1),
        Flag("member_timesteps", Any, "Steps back that they take in turn.", "the same for all",
             metavar="N[,N...]", parser=whole_numbers),
        Flag("member_segments", Any, "Steps in a segment that they take in turn.",
             "the same for all", metavar="N[,N...]", parser=whole_numbers),
        Flag("member_losses", Any, "Losses that they take in turn.", "the same for all",
             metavar="NAME[,NAME...]", parser=names),
        Flag("member_anchors", Any, "Anchors that they take in turn.", "the same for all",
             metavar="NAME[,NAME...]", parser=names),
        Flag("baselines", Any, "Baselines among them: naive, seasonal-naive, smoothing, "
             "structural, ridge ... (docs/presets.md).", "none", metavar="NAME[,NAME...]",
             parser=names),
        Flag("combine", Literal["mean", "median", "weights"],
             "How one forecast is made of all; weights are learned on the validation split.",
             "mean"),
    ),
    INTERVALS: (
        Flag("intervals", Intervals, "How intervals are made: of the errors on the validation "
             "split, by a network that forecasts quantiles, by dropout, or by the spread of an "
             "ensemble.", "conformal"),
        Flag("level", Any, "Percent of what comes that an interval is to hold.", "80,95",
             metavar="N[,N...]", parser=levels),
    ),
    ANYTHING: (
        Flag("set", list[str], "Any setting by its path, e.g. network.layers.0.use_bias=false; "
             "repeatable.", metavar="PATH=VALUE"),
        Flag("config", Path, "A TOML file of settings; flags win over it.",
             "forecast.toml, if there is one", metavar="FILE"),
    ),
}
TALK: dict[str, tuple[Flag, ...]] = {
    OUTPUT: (
        Flag("json", bool, "One JSON document on stdout, errors too."),
        Flag("quiet", bool, "Say nothing but errors.", short="-q"),
        Flag("debug", bool, "Say everything, with tracebacks."),
    ),
}
# fmt: on
# A backtest cuts the table itself, and has a --refit of its own; sequences have no cutoffs.
FOLDS = {
    panel: tuple(flag for flag in flags if flag.name not in ("test", "refit"))
    for panel, flags in SETTINGS.items()
    if panel != LABELS
}
# A search has a --time-budget of its own; sequences have no cutoffs.
TUNED = {
    panel: tuple(flag for flag in flags if flag.name != "time_budget")
    for panel, flags in SETTINGS.items()
    if panel != LABELS
}
# What may differ in a table that a model is to read.
READ_ANEW = (
    "duplicates",
    "missing",
    "encoding",
    "delimiter",
    "decimal",
    "thousands",
    "query",
    "na",
    "date_format",
    "dayfirst",
    "timezone",
)  # fmt: skip
READING = {
    "How DATA is read, where it differs from the table trained on": tuple(
        replace(flag, default="") for flag in SETTINGS[DATA] if flag.name in READ_ANEW
    )
}
# What an inspection does not look at: what fills gaps, and what is for training alone.
UNSEEN = ("target", "aggregate", "resample", "missing", "scale_by")
LOOKING = {
    panel: tuple(flag for flag in SETTINGS[panel] if flag.name not in UNSEEN)
    for panel in (DATA, SERIES)
}
