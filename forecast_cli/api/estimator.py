"""A forecaster with the interface of scikit-learn."""

import os
from inspect import Parameter, Signature
from typing import Any, Self

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype
from sklearn.base import BaseEstimator
from sklearn.utils import RegressorTags, Tags
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from ..config.settings import SETTINGS
from ..core.arguments import refuse_unknown
from ..core.errors import UsageError
from ..core.windows import Floats
from ..data.io.in_memory import VALUE, from_frame, from_memory
from ..data.io.opening import open_table
from .arguments import as_tuple
from .functions import train
from .model import Model

# Settings of sequences with a label, which are not forecast.
LABELS = ("label", "task", "step_features")
# An estimator with an attribute `transform` would be taken for a transformer.
RENAMED = {"transform": "target_transform"}
PARAMETERS = {RENAMED.get(name, name): name for name in SETTINGS if name not in LABELS}
# What may be said of the columns of `X`; by default they are known ahead.
KNOWN = "future_covariates"
ROLES = (KNOWN, "past_covariates", "static_covariates", "series", "time")
TABLES = (str, os.PathLike, pd.DataFrame, pd.Series)


class Forecaster(BaseEstimator):  # type: ignore[misc]
    """A recurrent network that forecasts, as a scikit-learn estimator.

    Its parameters are the settings of `train` under the same names, but for `target_transform`
    (there `transform`, which scikit-learn takes for a method); None is the default of each.

    The rows of all tables are steps in time, the oldest first. What `predict` and `score` are given
    are the rows that follow those of `fit`, as `TimeSeriesSplit` splits a table.

    Attributes:
        model_: The trained `Model`, whose `predict` returns times, intervals and sample paths too.
        n_features_in_: How many columns `X` had.
        feature_names_in_: Their names, where they are all text.

    >>> Forecaster(horizon=3, cell="gru").get_params()["cell"]
    'gru'
    """

    model_: Model

    def __init__(self, **settings: Any) -> None:
        for name in PARAMETERS:
            setattr(self, name, settings.pop(name, None))
        refuse_unknown(settings, list(PARAMETERS), "parameter")

    # What scikit-learn reads the parameters from.
    __init__.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Parameter("self", Parameter.POSITIONAL_ONLY),
            *(Parameter(name, Parameter.KEYWORD_ONLY, default=None) for name in PARAMETERS),
        ]
    )

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train a model.

        Args:
            X: Without `y` a table, of which `column` is forecast, or every column of numbers where
                that is None. With `y` covariates, shape `(rows, columns)`: columns of numbers are
                known ahead, unless `past_covariates` or `static_covariates` name them.
            y: The values to forecast, shape `(rows,)` or `(rows, targets)`, original units.

        Raises:
            DataError: The table does not hold what is needed.
            UsageError: A parameter is invalid.
            ValueError: An array is not of the shape or kind that scikit-learn expects.
        """
        given = {name: getattr(self, each) for each, name in PARAMETERS.items()}
        settings = {name: value for name, value in given.items() if value is not None}
        features, targets = self._read(X, y, reset=True)
        taken = {name for role in ROLES for name in as_tuple(settings.get(role, ()))}
        numbers = features.select_dtypes("number").columns
        free = [name for name in numbers if name not in taken]
        if targets is not None:
            settings["column"] = tuple(targets.columns)
            settings[KNOWN] = (*as_tuple(settings.get(KNOWN, ())), *free)
        elif not {"column", "layout"} & {*settings}:
            settings["column"] = tuple(free)
        frame = _flat(features, targets)
        self.model_ = train(frame, **settings)
        manifest = self.model_.bundle.manifest
        # Where there is one series, a window before the rows that are scored is enough.
        self.rows_ = frame if manifest.series else frame.iloc[-manifest.timesteps :]
        return self

    def predict(self, horizon: Any = None) -> Floats:
        """Forecast the steps that follow the rows of `fit`.

        Args:
            horizon: How many steps, or the table of these steps: its rows are counted, and the
                covariates that are known ahead are read from it. None for the model's own horizon.

        Returns:
            Shape `(steps,)`, or `(steps, targets)` where there are several targets, original
            units; of several series one below the other, in the order of `model_.predict()`.

        Raises:
            NotFittedError: `fit` was not called.
            DataError: The table does not hold the covariates that are known ahead.
            UsageError: The model cannot forecast so many steps.
        """
        check_is_fitted(self)
        manifest = self.model_.bundle.manifest
        if horizon is None or isinstance(horizon, int | np.integer):
            forecast = self.model_.predict(horizon=None if horizon is None else int(horizon))
        else:
            if manifest.series:
                raise UsageError("Several series are forecast.", "Pass `horizon` as a number.")
            frame = _flat(*self._read(horizon, None))
            forecast = self.model_.predict(horizon=len(frame), future=self._future(frame))
        values: Floats = forecast[list(manifest.targets)].to_numpy(np.float64)
        return values[:, 0] if values.shape[1] == 1 else values

    def score(self, X: Any, y: Any = None) -> float:
        """Return minus the MASE of the forecasts from all origins in the rows after those of `fit`.

        Forecasts of `horizon` steps are made from each row in turn, with the actual values before
        it. Where MASE is undefined, it is minus the MAE; of several targets the mean.

        Args:
            X: As in `fit`.
            y: As in `fit`.

        Raises:
            NotFittedError: `fit` was not called.
            DataError: There are fewer rows than `horizon`.
        """
        check_is_fitted(self)
        frame, rows = _flat(*self._read(X, y)), self.rows_
        time, begin = self.model_.bundle.manifest.time, None
        dated = time is not None and time.column in frame
        if time and dated and is_datetime64_any_dtype(frame[time.column]):
            begin = frame[time.column].min()
            rows = rows[rows[time.column] < begin]
        elif time is not None:
            begin = self.model_.predict(horizon=1)[time.name].min()
        found = self.model_.evaluate(pd.concat([rows, frame], ignore_index=True), start=begin)
        measures: dict[str, list[float | None]] = {"mase": [], "mae": []}
        for row in found.report.overall:
            measures.get(row["measure"], []).append(row[found.summary.model])
        scores = measures["mae"] if None in measures["mase"] else measures["mase"]
        return -float(np.mean([score for score in scores if score is not None]))

    def _read(
        self, X: Any, y: Any, *, reset: bool = False
    ) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """Return the columns of `X` and those of `y` as frames, with an index of times, if any.

        Arrays and lists are checked as by any other estimator; tables are read as by `train`.
        """
        finite = self.missing in (None, "error") or "allow-nan"
        one = isinstance(X, list | np.ndarray) and np.ndim(X) == 1
        if isinstance(X, TABLES) or hasattr(X, "__arrow_c_stream__"):
            table = X if isinstance(X, pd.DataFrame) else _frame(X)
            validate_data(self, table, skip_check_array=True, reset=reset)
            features = _frame(table)
        elif y is None and one and (reset or vars(self)["n_features_in_"] == 1):
            features = _frame(np.asarray(X))
            self.n_features_in_ = 1
        else:
            least = 2 if reset else 1
            rule = {"reset": reset, "ensure_all_finite": finite, "ensure_min_samples": least}
            if y is not None:
                check_consistent_length(X, y)
                rule |= {"y": y, "multi_output": True, "y_numeric": True}
            checked = validate_data(self, X, **rule)
            features = _frame(checked if y is None else checked[0])
            if isinstance(y, pd.Series | pd.DataFrame):
                features = features.set_axis(y.index, axis=0)
        if y is None:
            return features, None
        targets = _targets(y, features, finite)
        check_consistent_length(features, targets)
        return features, targets

    def _future(self, frame: pd.DataFrame) -> pd.DataFrame | None:
        """Return the covariates that are known ahead, with the steps that they belong to."""
        manifest = self.model_.bundle.manifest
        names = list(manifest.covariates.future)
        if not names or (manifest.time and manifest.time.column in frame):
            return frame if names else None
        future = self.model_.future(horizon=len(frame))
        return future.assign(**{name: frame[name].to_numpy() for name in names})

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "regressor"
        tags.regressor_tags = RegressorTags(poor_score=True)
        tags.target_tags.required = False
        tags.target_tags.multi_output = True
        tags.input_tags.allow_nan = self.missing not in (None, "error")
        tags.input_tags.string = tags.input_tags.categorical = True
        return tags


def _frame(table: Any) -> pd.DataFrame:
    """Return a table in any form as a pandas frame with names of text; an index is kept."""
    if isinstance(table, pd.Series):
        table = table.to_frame(VALUE if table.name is None else table.name)
    if isinstance(table, pd.DataFrame):
        return table.set_axis([str(name) for name in table.columns], axis=1)
    held = from_memory(table) or open_table(table).read()
    frame: pd.DataFrame = held.columns.to_pandas()
    return frame


def _targets(y: Any, features: pd.DataFrame, finite: Any) -> pd.DataFrame:
    """Return the values to forecast with a name for each column."""
    frame = y if isinstance(y, pd.DataFrame) else None
    values = check_array(y, ensure_2d=False, dtype=np.float64, ensure_all_finite=finite)
    if frame is not None:
        names = [str(name) for name in frame.columns]
    elif values.ndim == 1:
        name = getattr(y, "name", None)
        names = ["y" if name is None or name in features else str(name)]
    else:
        names = [f"y{number}" for number in range(values.shape[1])]
    return pd.DataFrame(values.reshape(len(values), -1), features.index, names)


def _flat(features: pd.DataFrame, targets: pd.DataFrame | None) -> pd.DataFrame:
    """Return all columns side by side, an index of times among them."""
    frame = features if targets is None else pd.concat([features, targets], axis=1)
    flat: pd.DataFrame = from_frame(frame).columns.to_pandas()
    return flat
