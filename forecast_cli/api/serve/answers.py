"""Forecasts as the bodies of responses."""

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ...core.errors import ForecastError
from ...core.events import Event, Note
from ...data.dataset import History
from ...data.io.writer import render
from ...forecasting.frames import in_table_style
from ...forecasting.history import READ_AS_TRAINED
from ...forecasting.prediction import predict, predict_from
from ...forecasting.prediction_request import check_request, find_history, steps_wanted
from ...model.bundle import Bundle
from .limits import Limits
from .models import Served
from .problems import Spell, beyond, of_error
from .requests import CSV, JSON, Request

# So many series are drawn, of which a person chooses one.
MOST_DRAWN = 50


@dataclass(frozen=True)
class Answer:
    """A forecast as a client gets it: `rows` of it, as `kind`."""

    body: bytes
    kind: str
    rows: int


@dataclass(frozen=True)
class Answering:
    """How requests of one client are answered.

    Args:
        limits: Of the server.
        spell: Spells the settings of messages.
        kind: The content type that the client accepts.
    """

    limits: Limits
    spell: Spell
    kind: str = JSON

    def at_once(self, model: Served, asked: Request) -> Answer | None:
        """Forecast without reading a table, in a fraction of a millisecond; None where not so.

        Raises:
            Problem: The library refuses the request.
        """
        loaded = model.loaded
        plain = isinstance(asked.rows, list) and not (asked.reading or asked.chart)
        if loaded.quick is None or self.kind != JSON or not plain:
            return None
        try:
            found = loaded.quick.forecast(asked.rows, asked.wanted)  # type: ignore[arg-type]
        except ForecastError as error:
            raise of_error(error) from None
        if found is None:
            return None
        records, notes = found
        text = json.dumps(records, ensure_ascii=False)
        return self._document(model, notes, text, len(records))

    def answer(self, model: Served, asked: Request) -> Answer:
        """Forecast as `forecast predict` does.

        Raises:
            Problem: The library refuses the request, or it is beyond a limit.
        """
        notes: list[str] = []

        def listen(event: Event) -> None:
            if isinstance(event, Note):
                notes.append(event.text)

        bundle = model.loaded.bundle
        try:
            if bundle.manifest.labels is not None:
                reading = asked.reading or READ_AS_TRAINED
                frame = predict(bundle, asked.table, asked.wanted, reading=reading, on_event=listen)
                history = None
            else:
                frame, history = self._forecast(bundle, asked, listen)
        except ForecastError as error:
            raise of_error(error) from None
        written = in_table_style(frame, bundle.manifest.time)
        if self.kind == CSV:
            return Answer(render(written, "csv"), CSV, len(frame))
        drawn = draw(bundle, asked, history, frame) if asked.chart and history else None
        records = render(written, "json").decode()
        return self._document(model, notes, records, len(frame), drawn)

    def _forecast(
        self, bundle: Bundle, asked: Request, listen: Any
    ) -> tuple[pd.DataFrame, History]:
        """Return the forecast and the rows that it continues."""
        wanted = asked.wanted
        check_request(wanted)
        steps = steps_wanted(bundle, wanted.horizon, listen)
        reading, table = asked.reading or READ_AS_TRAINED, asked.table
        history = find_history(bundle, table, wanted, reading, listen)
        self._require_few(history.panel.count, steps)
        how: Any = {"steps": steps, "stored": table is None, "on_event": listen}
        return predict_from(bundle, history, wanted, **how), history

    def _require_few(self, series: int, steps: int) -> None:
        """Refuse, by a Problem, more series or rows than a client may ask for."""
        if series > self.limits.series:
            what, most = f"The forecast is of {series:,} series", self.limits.series
            raise beyond("too-many-series", what, most, "Name some of them in `only`", "max_series")
        if (rows := series * steps) > self.limits.rows:
            what, most = f"The forecast has {rows:,} rows", self.limits.rows
            raise beyond("too-many-rows", what, most, "Ask for fewer steps or series", "max_rows")

    def _document(
        self, model: Served, notes: list[str], records: str, rows: int, drawn: Any = None
    ) -> Answer:
        """Return an answer in JSON; `records` are the rows of the forecast."""
        head: dict[str, Any] = {"model": model.name, "notes": [self.spell(each) for each in notes]}
        if drawn is not None:
            head["chart"] = drawn
        text = json.dumps(head, ensure_ascii=False)
        body = f'{text[:-1]}, "forecast": {records.strip()}}}'
        return Answer(body.encode("utf-8", "replace"), JSON, rows)


def draw(bundle: Bundle, asked: Request, history: History, frame: pd.DataFrame) -> dict[str, Any]:
    """Return the chart of a forecast after its last rows, as the page draws it."""
    from ..charts.forecast_charts import FEWEST_ROWS, HORIZONS
    from ..charts.kinds import describe
    from ..charts.source import Source
    from ..report.page import compact

    wanted = asked.wanted
    steps = wanted.horizon or bundle.manifest.horizon
    source = Source(
        bundle,
        asked.table,
        only=wanted.only,
        last=max(FEWEST_ROWS, HORIZONS * steps),
        level=wanted.level,
        most_series=MOST_DRAWN,
        unscored=True,
        made=frame,
    )
    chart = describe(source.having(history=history), "forecast")
    return {"text": chart.text, "axes": [compact(each) for each in chart.axes]}
