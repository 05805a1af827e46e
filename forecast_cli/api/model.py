"""A trained model, in Python."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..config.registries import Intervals
from ..config.schema import Config
from ..core.errors import UsageError
from ..core.events import Listener, ignore
from ..data.io.tables import Readable
from ..model.bundle import Bundle, save_bundle
from ..model.manifest import Evaluation, LabelEvaluation

if TYPE_CHECKING:
    from ..evaluation.model_evaluation import ModelEvaluation


@dataclass(frozen=True)
class Model:
    """A trained model.

    Args:
        bundle: All that is in its file.
    """

    bundle: Bundle

    @property
    def config(self) -> Config:
        """The whole configuration, what was chosen by rule included."""
        return self.bundle.manifest.config

    @property
    def evaluation(self) -> Evaluation | LabelEvaluation | None:
        """Scores on the test split beside those of the simplest; None without a test."""
        return self.bundle.manifest.evaluation

    def predict(
        self,
        table: Readable | None = None,
        *,
        horizon: int | None = None,
        only: str | Sequence[str] = (),
        begin: str | pd.Timestamp | None = None,
        future: Readable | None = None,
        level: float | Sequence[float] = (),
        intervals: Intervals | None = None,
        samples: int | None = None,
        seed: int = 0,
        state: str | os.PathLike[str] | None = None,
        on_event: Listener = ignore,
        **reading: Any,
    ) -> pd.DataFrame:
        """Forecast the next steps; see `forecast_cli.prediction.predict`.

        Args:
            table: A frame, a path or `-` to go on from; None for the end of the training table.
            horizon: Steps ahead, any number; the model's own where None.
            only: The names of the series to forecast; all where empty.
            begin: The time of the first forecast; None for the step after the last row.
            future: A table of future covariates.
            level: Of intervals around the forecasts, in percent, one or several; empty for none.
            intervals: How they are made; as the model was trained where None.
            samples: How many sample paths, instead of one forecast; None for none.
            seed: What they are drawn from.
            state: Where a stateful network's state is kept from one prediction to the next; the
                table then holds the rows that are new since the last one.
            on_event: Told what is worth knowing.
            **reading: How the table differs from the one that was trained on: `missing`, `na`,
                `date_format`, `timezone`.

        Returns:
            What names the series, the time column (`step` where there is none), then each target
            in original units, with its intervals as `NAME_lo80` and `NAME_hi80` behind it; of
            sample paths a row for each step of each, with its number as `sample`.
        """
        if state is None:
            from ..forecasting.prediction import predict
            from ..forecasting.prediction_request import PredictionRequest

            names = (only,) if isinstance(only, str) else tuple(only)
            doubt = (_levels(level), intervals, samples, seed)
            wanted = PredictionRequest(horizon, names, _date(begin), future, *doubt)
            return predict(self.bundle, table, wanted, reading=reading, on_event=on_event)
        if only or begin or future is not None or level or intervals or samples:
            raise UsageError(
                "A state goes on with one series, and its forecasts have no intervals.",
                "Leave only, begin, future, level and samples out.",
            )
        from ..forecasting.stateful_prediction import predict_on
        from ..model.state import load_state, save_state

        before = load_state(state, self.bundle)
        if table is None and before is not None:
            raise UsageError("A state goes on with new rows.", "Give the table that holds them.")
        forecast, after = predict_on(
            self.bundle, table, before, horizon=horizon, reading=reading, on_event=on_event
        )
        save_state(after, state)
        return forecast

    def evaluate(
        self,
        table: Readable,
        *,
        begin: str | pd.Timestamp | None = None,
        level: float | Sequence[float] = (),
        intervals: Intervals | None = None,
        on_event: Listener = ignore,
        **reading: Any,
    ) -> "ModelEvaluation":
        """Score the model on rows that it has not learned from; see `forecast_cli.judging.judge`.

        Args:
            table: A frame, a path or `-`: new rows with at least a window before them, or all.
            begin: The time of the first row that is scored; None for the first one that the model
                has not learned from.
            level: Of the intervals that are scored, in percent; those of the model where empty.
            intervals: How they are made; as the model was trained where None.
            on_event: Told what is scored.
            **reading: As in `predict`.
        """
        from ..evaluation.model_evaluation import judge

        return judge(
            self.bundle,
            table,
            begin=_date(begin),
            level=_levels(level) or None,
            intervals=intervals,
            reading=reading,
            on_event=on_event,
        )

    def future(
        self, table: Readable | None = None, *, horizon: int | None = None, **reading: Any
    ) -> pd.DataFrame:
        """The frame of future covariates that a forecast needs, with what is known already.

        Args:
            table: What the forecast goes on from; None for the end of the training table.
            horizon: Steps ahead; the model's own where None.
            **reading: As in `predict`.
        """
        from ..forecasting.history import future_frame

        return future_frame(self.bundle, table, horizon, reading=reading, on_event=ignore)

    def predict_in_sample(
        self, table: Readable, *, on_event: Listener = ignore, **reading: Any
    ) -> pd.DataFrame:
        """One-step forecasts over a table beside its actual values; see `predict`."""
        from ..forecasting.prediction import predict_in_sample

        return predict_in_sample(self.bundle, table, reading=reading, on_event=on_event)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file whole or not at all.

        Raises:
            UsageError: Something that is no model stands there, or it cannot be written.
        """
        save_bundle(self.bundle, path)


def _date(begin: str | pd.Timestamp | None) -> str | None:
    """A time as ISO 8601."""
    return begin.isoformat() if isinstance(begin, pd.Timestamp) else begin


def _levels(level: float | Sequence[float]) -> tuple[float, ...]:
    """One level or several."""
    return (level,) if isinstance(level, int | float) else tuple(level)
