"""A trained model, in Python."""

import html
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import pandas as pd

from ..config.deprecated import renew_start
from ..config.keywords import Reading
from ..config.registries import Intervals
from ..config.schema import Config
from ..core.errors import UsageError
from ..core.events import Listener, ignore
from ..data.io.tables import Readable
from ..model.bundle import Bundle, save_bundle
from ..model.manifest import Evaluation, LabelEvaluation
from .arguments import as_date, as_reading, as_tuple, check_arguments
from .model_outputs import ModelOutputs
from .summaries import describe_briefly, score_rows, summarize

if TYPE_CHECKING:
    from ..evaluation.model_evaluation import ModelEvaluation
    from ..forecasting.explanation import Explanation
    from .stream import RowStream

# What of the record of an epoch is no figure of its own.
NOT_SHOWN = ["epochs", "networks"]


class PredictionOptions(Reading, total=False):
    """Less common options of a prediction, and how its table is read.

    `only` names the series to forecast. `intervals` is the method of the intervals at `level`.
    `samples` requests that many sample paths instead of a point forecast, drawn with `seed`.
    `what_if` is a change of future covariates in all steps ahead, such as `"price*0.9, promo=1"`,
    or several: the forecast of each is compared with that without it, `base`.
    """

    only: str | Sequence[str]
    intervals: Intervals
    samples: int
    seed: int
    what_if: str | Sequence[str]


class StreamOptions(TypedDict, total=False):
    """Less common options of a stream, and how its rows are read.

    `only` names the series to forecast. `intervals` is the method of the intervals at `level`.
    `future` is a file of future covariates that is read again when it changes. `false_alarm_rate`
    is the share of ordinary rows that `anomalies` may flag.
    """

    only: str | Sequence[str]
    intervals: Intervals
    future: str | os.PathLike[str]
    false_alarm_rate: float
    missing: Literal["error", "interpolate", "ffill", "season", "drop", "mask"] | None
    na: str | Sequence[str] | None
    decimal: Literal[".", ","] | None
    thousands: str | None
    date_format: str | None
    timezone: str | None


@dataclass(frozen=True, repr=False)
class Model(ModelOutputs):
    """A trained model.

    Args:
        bundle: Everything that its file holds.
    """

    bundle: Bundle

    def __repr__(self) -> str:
        """Return a summary of at most ten lines."""
        return "\n".join(["Model", *(f"  {line}" for line in describe_briefly(self.bundle))])

    def _repr_html_(self) -> str:
        """Return the same summary and the scores, for a notebook."""
        scores = pd.DataFrame(score_rows(self.evaluation))
        return f"<pre>{html.escape(repr(self))}</pre>" + (
            scores.to_html(index=False, float_format="{:.5g}".format) if len(scores) else ""
        )

    def summary(self) -> str:
        """Return layers, settings, training and scores as text, as `forecast inspect` prints."""
        return summarize(self.bundle)

    @property
    def config(self) -> Config:
        """The whole configuration, including what was chosen from the data."""
        return self.bundle.manifest.config

    @property
    def evaluation(self) -> Evaluation | LabelEvaluation | None:
        """Scores on the test split beside those of the baselines; None without a test split."""
        return self.bundle.manifest.evaluation

    @property
    def history(self) -> pd.DataFrame:
        """The training history, a row for each epoch of each network.

        Columns: `epoch` from 1, `loss` and `validation_loss` in scaled units, `best` (whether the
        watched loss was the lowest so far), `seconds`, `windows`, `learning_rate`, and `network`
        from 1 where several were trained.
        """
        epochs = pd.DataFrame(self.bundle.epochs).rename(columns={"number": "epoch"})
        return epochs.drop(columns=NOT_SHOWN, errors="ignore")

    @check_arguments()
    def predict(
        self,
        table: Readable | None = None,
        *,
        horizon: int | None = None,
        start: str | pd.Timestamp | None = None,
        future: Readable | Mapping[str, Readable] | None = None,
        level: float | Sequence[float] = (),
        on_event: Listener = ignore,
        **options: Unpack[PredictionOptions],
    ) -> pd.DataFrame:
        """Forecast the next steps.

        Args:
            table: The rows to forecast from; None for the last rows of the training table.
            horizon: Steps ahead, any number; the model's own where None.
            start: The time of the first forecast; None for the step after the last row.
            future: A table of future covariates; several, in a list or by names, are compared.
            level: Levels of prediction intervals in percent, one or several; none where empty.
            on_event: Notified of what is worth knowing.
            **options: See `PredictionOptions`.

        Returns:
            The names of the series, the time column (or `step`), each target in original units, its
            intervals as `NAME_lo80` and `NAME_hi80`; `sample` of paths, `scenario` of scenarios.

        Raises:
            DataError: The table does not hold what the model needs.
            UsageError: An option is invalid, or the model cannot forecast so many steps.
        """
        from ..forecasting.prediction import predict
        from ..forecasting.prediction_request import PredictionRequest

        own: dict[str, Any] = {"level": level, **options}
        own["begin"] = as_date(renew_start(own, start))
        names = {each.name for each in fields(PredictionRequest)} & {*own}
        several = ("only", "what_if", "level")
        asked: Any = {n: as_tuple(own.pop(n)) if n in several else own.pop(n) for n in names}
        wanted = PredictionRequest(horizon, future=future, **asked)
        return predict(self.bundle, table, wanted, reading=as_reading(own), on_event=on_event)

    @check_arguments()
    def explain(
        self,
        table: Readable | None = None,
        *,
        horizon: int | None = None,
        only: str | Sequence[str] = (),
        start: str | pd.Timestamp | None = None,
        future: Readable | None = None,
        seed: int = 0,
        on_event: Listener = ignore,
        **reading: Unpack[Reading],
    ) -> "Explanation":
        """Show what a forecast is made of.

        Args:
            table: The rows to forecast from; None for the last rows of the training table.
            horizon: Steps ahead; the model's own where None.
            only: The series to explain; all where empty.
            start: The time of the first forecast; None for the step after the last row.
            future: A table of future covariates.
            seed: Of permutations.
            on_event: Notified of what is worth knowing.
            **reading: See `Reading`.

        Returns:
            Frames: `effects` (forecasts, and the parts whose sum they are), `members` (the weights
            of an ensemble) and `importance` (of covariates). docs/explain.md describes them.

        Raises:
            DataError: The table does not hold what the model needs.
            UsageError: The model predicts labels, or an option is invalid.
        """
        from ..forecasting.explanation import explain
        from ..forecasting.prediction_request import PredictionRequest

        wanted = PredictionRequest(horizon, as_tuple(only), as_date(start), future)
        how: Any = {"reading": as_reading(reading), "on_event": on_event}
        return explain(self.bundle, table, wanted, seed=seed, **how)

    @check_arguments()
    def update(
        self,
        rows: Readable,
        *,
        state: str | os.PathLike[str] | None = None,
        on_event: Listener = ignore,
        **reading: Unpack[Reading],
    ) -> "Model":
        """Return a model that forecasts from the end of new rows; nothing is trained.

        Args:
            rows: The rows that follow the stored ones, of some or all series of the model.
            state: With a stateful network, a file that `save_state` wrote, from which it goes on
                over the rows. Where there is no such file yet, it continues from its training table
                if the rows follow it, or else begins without a state.
            on_event: Notified of what was understood.
            **reading: See `Reading`.

        Raises:
            DataError: The rows do not follow the stored ones or the state, or are of a series that
                the model was not trained on.
            ModelFileError: The file is not a state, or one of another model.
            UsageError: The model predicts labels, or has no state.
        """
        from ..forecasting.updating import update, update_from_state

        how: dict[str, Any] = {"reading": as_reading(reading), "on_event": on_event}
        if state is None:
            return Model(update(self.bundle, rows, **how))
        from ..model.stateful import load_state

        before = load_state(state, self.bundle)
        return Model(update_from_state(self.bundle, rows, before, **how))

    @check_arguments()
    def save_state(self, path: str | os.PathLike[str]) -> None:
        """Write the state of a stateful network after the stored rows, for `update`.

        Raises:
            UsageError: The network is not stateful.
        """
        from ..forecasting.updating import end_state
        from ..model.stateful import save_state

        save_state(end_state(self.bundle), path)

    @check_arguments()
    def stream(
        self,
        *,
        horizon: int | None = None,
        level: float | Sequence[float] = (),
        every: int | str | None = None,
        anomalies: bool = False,
        state: str | os.PathLike[str] | None = None,
        on_event: Listener = ignore,
        **options: Unpack[StreamOptions],
    ) -> "RowStream":
        """Forecast rows that come one by one, after those that the model keeps.

        Args:
            horizon: Steps ahead, any number; the model's own where None.
            level: Levels of prediction intervals in percent, one or several; none where empty.
            every: Forecast after so many rows of a series, or at the first row of each such time,
                such as "1h"; after each row where None.
            anomalies: Whether each row is judged by its forecast from before.
            state: A file that an earlier stream was saved in, to go on from.
            on_event: Notified of rows that are left out, now and then.
            **options: See `StreamOptions`.

        Raises:
            DataError: The file of future covariates cannot be read.
            ModelFileError: The file is no state, or that of another model.
            UsageError: An option is invalid, or the model does not forecast streams.
        """
        from ..forecasting.stream.live_model import StreamRequest
        from ..forecasting.stream.stream import Stream
        from .stream import RowStream

        own: dict[str, Any] = {**options}
        only, future = as_tuple(own.pop("only", ())), own.pop("future", None)
        rate = own.pop("false_alarm_rate", None) or StreamRequest.false_alarm_rate
        method = own.pop("intervals", None)
        own = {name: each for name, each in as_reading(own).items() if each is not None}
        request = StreamRequest(horizon, as_tuple(level), method, anomalies, rate, own)
        how: Any = {"every": every, "only": only, "future": future, "on_event": on_event}
        return RowStream(Stream(self.bundle, request, **how), state)

    @check_arguments()
    def evaluate(
        self,
        table: Readable,
        *,
        start: str | pd.Timestamp | None = None,
        level: float | Sequence[float] = (),
        intervals: Intervals | None = None,
        owa: bool = False,
        on_event: Listener = ignore,
        **reading: Unpack[Reading],
    ) -> "ModelEvaluation":
        """Score the model on rows that it has not learned from.

        Args:
            table: New rows with at least one input window before them, or all rows.
            start: The time of the first row that is scored; None for the first one that the model
                has not learned from.
            level: Levels of the intervals that are scored, in percent; the model's own where empty.
            intervals: Their method; as the model was trained where None.
            owa: Whether to add OWA, the M4 competition's measure relative to Naive2.
            on_event: Notified of what is scored.
            **reading: See `Reading`.

        Raises:
            DataError: The table holds nothing that can be scored.
            UsageError: The model has no such intervals, or forecasts no numbers.
        """
        from ..evaluation.model_evaluation import evaluate_model

        own: dict[str, Any] = {**reading}
        return evaluate_model(
            self.bundle,
            table,
            begin=as_date(renew_start(own, start)),
            level=as_tuple(level) or None,
            intervals=intervals,
            owa=owa,
            reading=as_reading(own),
            on_event=on_event,
        )

    @check_arguments()
    def residuals(
        self, table: Readable | None = None, *, on_event: Listener = ignore, **reading: Any
    ) -> pd.DataFrame:
        """Return actual values minus forecasts.

        Args:
            table: Rows to forecast one step ahead; None for the errors of the forecasts from the
                validation split, from which the model's intervals are made.
            on_event: Notified of what is worth knowing.
            **reading: See `Reading`.

        Returns:
            With a table, what names the series, the time column (or `step`) and a column for each
            target, in original units. Without one, a row for each `origin` and `step`, both from 1,
            and a column for each target, in units of the mean error of the series.

        Raises:
            DataError: The table does not hold what the model needs.
            UsageError: There is no table, and the model has no validation errors.
        """
        targets = list(self.bundle.manifest.targets)
        if table is not None:
            found = self.predict_in_sample(table, on_event=on_event, **reading)
            for name in targets:
                found[name] -= found.pop(f"{name}_forecast")
            return found
        if self.bundle.calibration is None:
            raise UsageError(
                "The model has no validation errors.", "Pass a table whose rows are forecast."
            )
        errors = self.bundle.calibration.of_forecasts
        places = pd.MultiIndex.from_product(
            [range(1, size + 1) for size in errors.shape[:2]], names=["origin", "step"]
        )
        frame = pd.DataFrame(errors.reshape(len(places), -1), places, targets)
        return frame.dropna(how="all").reset_index()

    @check_arguments()
    def future(
        self, table: Readable | None = None, *, horizon: int | None = None, **reading: Any
    ) -> pd.DataFrame:
        """Return the table of future covariates that a forecast needs, with what is known already.

        Args:
            table: The rows to forecast from; None for the last rows of the training table.
            horizon: Steps ahead; the model's own where None.
            **reading: See `Reading`.

        Raises:
            UsageError: The model reads no future covariates.
        """
        from ..forecasting.history import future_frame

        return future_frame(
            self.bundle, table, horizon, reading=as_reading(reading), on_event=ignore
        )

    @check_arguments()
    def predict_in_sample(
        self, table: Readable, *, on_event: Listener = ignore, **reading: Any
    ) -> pd.DataFrame:
        """Forecast one step ahead over a table, from the actual rows before each.

        Args:
            table: Rows to forecast.
            on_event: Notified of what is worth knowing.
            **reading: See `Reading`.

        Returns:
            From the first row on that has a whole input window before it: what names the series,
            the time column (or `step`), the actual values of each target, and their forecasts as
            `NAME_forecast`, in original units.
        """
        from ..forecasting.prediction import predict_in_sample

        return predict_in_sample(self.bundle, table, reading=as_reading(reading), on_event=on_event)

    @check_arguments()
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file whole or not at all.

        Raises:
            UsageError: A file that is not a model stands there, or it cannot be written.
        """
        save_bundle(self.bundle, path)
