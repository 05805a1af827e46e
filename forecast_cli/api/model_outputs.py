"""What is made of a trained model to be looked at, sent on or read by other programs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Unpack

import pandas as pd

from ..config.keywords import Reading
from ..core.events import Listener, ignore
from ..data.io.tables import Readable
from ..model.bundle import Bundle
from .arguments import as_date, as_reading, as_tuple, check_arguments

if TYPE_CHECKING:
    from .charts.source import Source


class ChartOptions(Reading, total=False):
    """What a chart shows, and how its table is read.

    `only` names the series to draw, of many the first few where it is not given. `last` is how many
    rows are drawn. `start` is the time of the first row that is scored, what the model has not
    learned from where it is not given. `level` are the levels of intervals in percent, the model's
    own where it is not given. `future` is a table of future covariates.
    """

    only: str | Sequence[str]
    last: int
    start: str | pd.Timestamp
    level: float | Sequence[float]
    future: Readable


@dataclass(frozen=True, repr=False)
class ModelOutputs:
    """Charts, reports and exports of a model.

    Args:
        bundle: Everything that its file holds.
    """

    bundle: Bundle

    @check_arguments()
    def plot(
        self,
        table: Readable | None = None,
        *,
        kind: str | None = None,
        on_event: Listener = ignore,
        **options: Unpack[ChartOptions],
    ) -> Any:
        """Draw a chart by matplotlib.

        Args:
            table: The rows to forecast from; None for the last rows of the training table.
            kind: What the chart shows: `forecast` where None, `test`, `residuals`, `errors`,
                `loss`, `seasons`, `coverage`, `series` or `effects`.
            on_event: Notified of what is worth knowing.
            **options: See `ChartOptions`.

        Returns:
            The axes of matplotlib; several as a list.

        Raises:
            DataError: The table does not hold what the chart needs.
            UsageError: An option is invalid, or matplotlib is not installed.
        """
        from .charts.images import plot
        from .charts.kinds import describe

        return plot(describe(self._source(table, on_event, options), kind))

    @check_arguments()
    def report(
        self,
        path: str | os.PathLike[str],
        table: Readable | None = None,
        *,
        on_event: Listener = ignore,
        **options: Unpack[ChartOptions],
    ) -> None:
        """Write a page about the model and its forecasts: one HTML file.

        Args:
            path: Where to.
            table: The rows of the model's table, or newer ones; None for those that it keeps.
            on_event: Notified of what is worth knowing.
            **options: See `ChartOptions`.

        Raises:
            DataError: The table does not hold what the model needs.
            UsageError: An option is invalid, or the page cannot be written there.
        """
        from pathlib import Path

        from .report.writing import write_model_report

        write_model_report(self._source(table, on_event, options), Path(path))

    @check_arguments()
    def export(
        self,
        path: str | os.PathLike[str],
        *,
        format: str = "onnx",
        future: Readable | None = None,
    ) -> None:
        """Write the model in a form that other programs read.

        Args:
            path: Where to; a folder that an earlier export made is replaced.
            format: `onnx`, a folder with the network, its description and an example; `keras`, a
                file; or `saved-model`, a folder of TensorFlow.
            future: A table of future covariates, for the example beside an ONNX network.

        Raises:
            DataError: The model needs future covariates for its example, and there are none.
            UsageError: There is no such form, or not of such a model; or the path is taken.
        """
        from pathlib import Path

        from .export.formats import export

        export(self.bundle, Path(path), format, future)

    def _source(
        self, table: Readable | None, on_event: Listener, options: Mapping[str, Any]
    ) -> "Source":
        """Return what charts are drawn from."""
        from .charts.source import Source

        own: dict[str, Any] = {**options}
        own["start"] = as_date(own.get("start"))
        names = {each.name for each in fields(Source)} & {*own}
        how = {name: own.pop(name) for name in names}
        how |= {name: as_tuple(how[name]) for name in ("only", "level") if name in how}
        return Source(self.bundle, table, reading=as_reading(own), on_event=on_event, **how)
