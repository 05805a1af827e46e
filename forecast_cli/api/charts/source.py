"""What charts are drawn from: a model, a table, a table of forecasts, or two of them together."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from ...config.sections import Data
from ...core.errors import DataError, UsageError
from ...core.events import Listener, Note, ignore
from ...core.windows import Floats
from ...data.dataset import History
from ...data.io.opening import open_with_notes
from ...data.io.tables import Readable
from ...data.panel import VALUE, Panel
from ...data.season import find_season
from ...forecasting.prediction import predict_from
from ...forecasting.prediction_request import (
    PredictionRequest,
    find_history,
    find_series,
    steps_wanted,
)
from ...forecasting.saved_model_data import learned_until, refuse_labels
from ...model.bundle import Bundle
from ...model.manifest import Evaluation
from .forecast_parts import ForecastPart, find_part, read_forecast

if TYPE_CHECKING:
    from ...evaluation.model_evaluation import ScoredRows
    from ...evaluation.reports import Report

# Levels whose coverage is measured where a model can make any.
LEVELS = (*map(float, range(10, 100, 10)), 95.0)
# Of many series so many are drawn where none is named.
MOST_SERIES = 4


@dataclass(frozen=True)
class Source:
    """What a chart is drawn from.

    Args:
        bundle: A model; None for none.
        table: The actual values: the rows that the model continues from, or a table by itself.
        forecast: A table of forecasts, as `predict` writes it.
        only: The series to draw; the first few where empty.
        last: Rows to draw; chosen where None.
        start: The first row that is scored; where None, what the model has not learned from.
        level: Of intervals, in percent; those of the model where empty.
        many_levels: Whether intervals are scored at many levels, where none are given.
        most_series: How many series are drawn where none is named.
        compact: Whether only the forecast after the last rows of one series is drawn.
        only_new: Whether rows are scored only where they can be told from those of the training.
        unscored: Whether no test forecasts are drawn beside the forecast.
        made: The forecasts of the model, where they were made already.
        future: A table of future covariates.
        data: How a table by itself is read.
        reading: How a table differs from the one that the model was trained on.
        on_event: Notified of what was understood.
    """

    bundle: Bundle | None = None
    table: Readable | None = None
    forecast: Readable | None = None
    only: tuple[str, ...] = ()
    last: int | None = None
    start: str | None = None
    level: tuple[float, ...] = ()
    many_levels: bool = False
    most_series: int = MOST_SERIES
    compact: bool = False
    only_new: bool = False
    unscored: bool = False
    made: pd.DataFrame | None = None
    future: Readable | None = None
    data: Data = field(default_factory=Data)
    reading: Mapping[str, Any] = field(default_factory=dict)
    on_event: Listener = ignore

    def but(self, **changes: Any) -> "Source":
        """Return the same with other parts or levels drawn, without reading or scoring again."""
        other = replace(self, **changes)
        kept = {"history", "panel", "season_length", "frame", "learned"}
        if (other.level, other.many_levels) == (self.level, self.many_levels):
            kept |= {"scored", "report"}
        other.__dict__.update({name: self.__dict__[name] for name in kept & self.__dict__.keys()})
        return other

    def having(self, **read: Any) -> "Source":
        """Return the same with `history` or `panel`, the actual values, that were read already."""
        other = replace(self)
        other.__dict__.update(read)
        return other

    @cached_property
    def history(self) -> History:
        """The rows of the model's table, or the last ones that its file keeps."""
        wanted = PredictionRequest(only=self.only, future=self.future)
        return find_history(self.model, self.table, wanted, self.reading, self.on_event)

    @property
    def model(self) -> Bundle:
        """The model.

        Raises:
            UsageError: There is none, or it forecasts no numbers.
        """
        if self.bundle is None:
            raise UsageError("This chart is of a model, and there is none.", "Name a model.")
        text = "The model maps sequences to labels: it has no forecasts to draw."
        refuse_labels(self.bundle, text, "Pass `kind=errors` or `kind=loss`.")
        return self.bundle

    @cached_property
    def panel(self) -> Panel:
        """The actual values.

        Raises:
            UsageError: There are none.
        """
        if self.bundle is not None:
            return self.history.panel
        if self.table is None:
            raise UsageError("This chart needs actual values.", "Name DATA, the table of them.")
        from ...data.reading import read_panel

        # Gaps are shown as such, however many there are.
        data = _as_suggested(self.table, self.data, self.on_event)
        data = data.model_copy(update={"missing": "mask", "max_filled": 1.0})
        panel = read_panel(self.table, data, on_event=self.on_event)
        return panel.only(find_series(panel, self.only)) if self.only else panel

    @cached_property
    def parts(self) -> list[tuple[int, int]]:
        """The series and targets that are drawn, by their places in the panel."""
        panel, targets = self.panel, len(self.panel.columns.targets)
        if self.compact:
            return [(0, 0)]
        shown = panel.count if self.only else max(1, min(panel.count, self.most_series // targets))
        if panel.count > shown:
            many = f"{panel.count:,} series: the first {shown} are drawn"
            self.on_event(Note(f"{many} (choose others with `only`)"))
        return list(product(range(shown), range(targets)))

    def name(self, series: int, target: int) -> str:
        """Return what a series and target are called, by their places in the panel."""
        panel = self.panel
        column, name = panel.columns.targets[target], panel.name(series)
        if not name:
            return column
        several = len(panel.columns.targets) > 1
        return f"{column} of {name}" if several or column != VALUE else name

    def rows(self, series: int, target: int) -> Floats:
        """Return the actual values of a series and target, shape `(rows,)`, NaN where missing."""
        begin, end = self.panel.indptr[series : series + 2].tolist()
        place = self.panel.columns.target_places[target]
        numbers: Floats = self.panel.values[begin:end, place]
        return numbers

    def times(self, series: int) -> pd.DatetimeIndex | None:
        """Return the times of the rows of a series, shape `(rows,)`; None where there are none."""
        begin, end = self.panel.indptr[series : series + 2].tolist()
        return self.panel.timeline.times[begin:end] if self.panel.timeline else None

    @cached_property
    def season_length(self) -> int:
        """Steps in a season; 1 where there is none."""
        from ...config.schema import Config

        if self.bundle is not None:
            return self.history.season_length
        return find_season(self.panel, Config(data=self.panel.data))

    @cached_property
    def scored(self) -> "ScoredRows":
        """The scores of the model on rows that it has not learned from.

        Raises:
            DataError: Rows cannot be told from those of the training, and only new ones count.
            UsageError: There is no table.
        """
        # A small chart below a table needs no scores, nor what makes them.
        from ...evaluation.model_evaluation import score_panel

        bundle = self.model
        if self.table is None:
            raise UsageError(
                "The model file keeps only the last rows of its table, and no test forecasts.",
                "Name DATA, the table whose rows are forecast.",
            )
        if self.only_new and bundle.manifest.time is None and self.start is None:
            raise DataError(
                "Without times, rows cannot be told from those that the model was trained on: "
                "none are scored.",
                "Add a time column, and train again.",
            )
        # A curve needs many levels, where the model can make any.
        by_quantiles = bundle.manifest.config.interval_method.by_quantiles
        many = self.many_levels and bundle.calibration is not None and not by_quantiles
        level = self.level or (tuple(sorted({*LEVELS, *self.shown_levels})) if many else None)
        how: Any = {"begin": self.start, "level": level, "on_event": self.on_event}
        return score_panel(bundle, self.panel, **how)

    @property
    def shown_levels(self) -> tuple[float, ...]:
        """The levels of the intervals that are drawn, in percent."""
        return self.level or tuple(self.model.manifest.config.level)

    @cached_property
    def report(self) -> "Report":
        """The scores of the model, or of the table of forecasts, as tables."""
        if self.forecast is None:
            return self.scored.evaluation.report
        if self.table is None:
            raise UsageError("Errors need actual values.", "Name DATA, the table of them.")
        from ...evaluation.table_evaluation import score_table

        return score_table(self.forecast, self.table, data=self.data, on_event=self.on_event)

    @cached_property
    def learned(self) -> "pd.DatetimeIndex":
        """When the rows of each series begin that the model has not learned from."""
        return learned_until(self.model, self.panel)

    @property
    def evaluation(self) -> Evaluation | None:
        """The scores that the model file keeps."""
        found = self.model.manifest.evaluation
        return found if isinstance(found, Evaluation) else None

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The forecasts, as `predict` returns them."""
        if self.made is not None:
            return self.made
        if self.forecast is not None:
            beside = None if self.table is None and self.bundle is None else self.panel
            return read_forecast(self.forecast, beside, self.on_event)
        bundle, config = self.model, self.model.manifest.config
        possible = bundle.calibration is not None or not config.interval_method.uses_errors
        wanted = PredictionRequest(level=self.level or (config.level if possible else ()))
        how: Any = {"stored": self.table is None, "on_event": self.on_event}
        steps = steps_wanted(bundle, None, self.on_event)
        return predict_from(bundle, self.history, wanted, steps=steps, **how)

    def forecast_of(self, series: int, target: int) -> ForecastPart | None:
        """Return the forecast of a series and target; None where there is none."""
        panel, frame = self.panel, self.frame
        column = panel.columns.targets[target]
        if column not in frame and panel.data.layout == "columns":
            # Each series has a column of its own.
            return find_part(frame, panel.name(series), panel.step_name)
        own = self._by_names.get(tuple(str(value) for value in panel.ids.iloc[series]))
        return None if own is None else find_part(own, column, panel.step_name)

    @cached_property
    def _by_names(self) -> dict[tuple[str, ...], pd.DataFrame]:
        """The forecasts of each series, by the parts of its name."""
        frame, keys = self.frame, list(self.panel.ids.columns)
        if not keys:
            return {(): frame} if len(frame) else {}
        found = frame.groupby([frame[key].astype(str) for key in keys], sort=False)
        return {tuple(map(str, cast(tuple[str, ...], names))): own for names, own in found}


def _as_suggested(table: Readable, data: Data, on_event: Listener) -> Data:
    """Return how a table is read; where no column is named, as an inspection suggests it."""
    if data.column or data.layout or (isinstance(table, str) and table == "-"):
        return data
    from ...data.inspection.suggestion import Heard, remembering, suggest

    opened = open_with_notes(table, data.dialect, ignore)
    found = suggest(remembering(opened), data, Heard())
    if found.panel is None:
        return data
    series = f" by {', '.join(found.data.series)}" if found.data.series else ""
    column = ", ".join(found.panel.columns.targets)
    on_event(Note(f"drawn: {column}{series} (choose another with `column`)"))
    return found.data
