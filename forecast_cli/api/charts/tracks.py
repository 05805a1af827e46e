"""The rows of a series that a chart along time shows, and their splits."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from ...core.windows import Floats
from ...data.missing import last_known
from ...forecasting.saved_model_data import times_like
from ...model.bundle import Bundle
from .description import (
    Kind,
    Line,
    Positions,
    Span,
    positions,
    thinned,
    values,
)
from .source import Source

# Rows of a chart in which a forecast can be seen: at least so many, and so many horizons.
FEWEST_ROWS, HORIZONS = 120, 6
# What a chart is divided into, in order of time.
SPLITS = ("training", "validation", "test", "new rows")
# What is before the test split where nothing says when the validation split begins.
TRAINED = "training and validation"


@dataclass(frozen=True)
class Track:
    """The rows of a series and target that a chart shows.

    Args:
        x: Shape `(rows,)`: their positions.
        actual: Shape `(rows,)`, NaN where missing.
        first: The place of the first row among those of the series.
    """

    x: Positions
    actual: Floats
    first: int

    @property
    def line(self) -> Line:
        """The actual values, thinned where there are very many."""
        kept = thinned(self.actual)
        return Line("actual values", tuple(self.x[k] for k in kept), values(self.actual[kept]))


def follow(source: Source, series: int, target: int, last: int | None) -> Track:
    """Return the last rows of a series and target; all where `last` is None."""
    rows, times = source.rows(series, target), source.times(series)
    first = 0 if last is None else max(0, len(rows) - last)
    x = positions(np.arange(first + 1.0, len(rows) + 1) if times is None else times[first:])
    return Track(x, rows[first:], first)


def kind_of(source: Source) -> tuple[Kind, str]:
    """Return what the x axis holds, and what it is called."""
    panel = source.panel
    return ("number", "step") if panel.timeline is None else ("time", panel.step_name)


def splits(source: Source, series: int, track: Track) -> tuple[Span, ...]:
    """Return the splits among the rows of a chart; none where they cannot be told."""
    bundle, times = source.bundle, source.times(series)
    if bundle is None or times is None or bundle.manifest.time is None:
        return ()
    if not (begins := _begins(source, bundle, series)):
        return ()
    end = pd.Timestamp(bundle.manifest.time.last)
    local = [each.tz_localize(None) for each in (*begins.values(), end)]
    *inner, last = times_like(pd.DatetimeIndex(local), times)
    rows = [0, *times.searchsorted(pd.DatetimeIndex(inner)), times.searchsorted(last, "right")]
    edges = [max(int(each) - track.first, 0) for each in (*rows, len(times))]
    before = TRAINED if len(begins) == 1 else SPLITS[0]
    spans = []
    for name, (begin, stop) in zip((before, *begins, SPLITS[-1]), pairwise(edges), strict=True):
        if stop > begin:
            spans.append(Span(name, track.x[begin], track.x[min(stop, len(track.x) - 1)]))
    return tuple(spans)


def _begins(source: Source, bundle: Bundle, series: int) -> dict[str, pd.Timestamp]:
    """Return when validation and test split of a series begin, as far as the model file has it."""
    known, record = bundle.manifest.splits, bundle.series
    if record is not None and len({*record.fresh}) > 1:
        # Splits by shares of the rows begin at other times in each series; those of the test are
        # kept.
        return {SPLITS[2]: source.learned[series]}
    texts = zip(SPLITS[1:3], (known.validation_begins, known.test_begins), strict=True)
    return {name: pd.Timestamp(text) for name, text in texts if text}


def listed(source: Source) -> str:
    """Return what is drawn, by name."""
    names = [source.name(*part) for part in source.parts]
    return ", ".join(names)


def title(source: Source, what: str) -> str:
    """Return a title: what is shown, and of which model."""
    return what if source.bundle is None else f"{what} ({source.bundle.manifest.name})"


def fill(numbers: Floats) -> Floats:
    """Return a series without gaps, shape `(n,)`."""
    filled: Floats = last_known(numbers[:, None], np.array([0, len(numbers)]))[:, 0]
    return filled
