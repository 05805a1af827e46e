"""Charts along time: the series with their splits, test forecasts, and the forecast after them."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from ...core.errors import DataError, counted
from ...core.padding import owner_series
from ...core.ragged import row_numbers
from ...core.windows import Floats, Ints
from ...data.panel import STEP
from ...data.time.time_index import when
from ...forecasting.saved_model_data import times_like
from ...model.bundle import Bundle
from .description import (
    Axes,
    Band,
    Chart,
    Kind,
    Line,
    Points,
    Position,
    Positions,
    Span,
    positions,
    thinned,
    values,
)
from .forecast_parts import ForecastPart, forecasts_alone
from .source import MOST_SERIES, Source

# Rows of a chart in which a forecast can be seen: at least so many, and so many horizons.
FEWEST_ROWS, HORIZONS = 120, 6
# What a chart is divided into, in order of time.
SPLITS = ("training", "validation", "test", "new rows")
# What is before the test split where nothing says when the validation split begins.
TRAINED = "training and validation"
# A chart of all rows stands above one of the last rows where it shows so many times as many.
LONGER = 2
# So many gaps are shaded, the longest ones.
MOST_GAPS = 100


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


def axes_along(source: Source, series: int, target: int, *lines: Line, **more: Any) -> Axes:
    """Return axes of a series and target along its times, or its steps."""
    panel, unit = source.panel, source.panel.columns.targets[target]
    kind: Kind = "number" if panel.timeline is None else "time"
    label = "step" if panel.timeline is None else panel.step_name
    return Axes(source.name(series, target), label, unit, kind, lines, **more)


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
    return ", ".join(source.name(*part) for part in source.parts)


def title(source: Source, what: str) -> str:
    """Return a title: what is shown, and of which model."""
    return what if source.bundle is None else f"{what} ({source.bundle.manifest.name})"


def spaced(source: Source, series: int, track: Track) -> tuple[Ints, list[int]]:
    """Return scored forecasts of a series, about a horizon apart, that begin within a chart.

    Their places among those that were kept, shape `(forecasts,)`, and those of their first steps
    among the rows of the chart.
    """
    scored, panel = source.scored, source.panel
    sums, horizon = scored.sums, scored.dataset.horizon
    own = owner_series(panel.indptr, sums.sample) == series
    rows = row_numbers(panel.indptr)[sums.sample] - track.first
    places = np.flatnonzero(own & (rows >= 0))
    chosen: list[int] = []
    for place in places[::-1].tolist():
        if not chosen or rows[chosen[-1]] - rows[place] >= horizon:
            chosen.append(place)
    picked = np.array(chosen[::-1], np.int64)
    return picked, rows[picked].tolist()


def test_lines(
    source: Source, target: int, track: Track, places: Ints, rows: list[int]
) -> tuple[Line, ...]:
    """Return a line for each forecast that `spaced` found; one for all of a single step."""
    horizon = source.scored.dataset.horizon
    points = source.scored.sums.sampled[places][..., target]
    if horizon == 1:
        x = tuple(track.x[row] for row in rows)
        return (Line("test forecasts", x, values(points[:, 0]), "other"),) if x else ()
    return tuple(
        Line("test forecasts", track.x[row : row + horizon], values(own), "other", number)
        for number, (row, own) in enumerate(zip(rows, points, strict=True))
    )


def draw_test(source: Source) -> Chart:
    """Describe the test forecasts, origin by origin, against the actual values."""
    scored, horizon = source.scored, source.scored.dataset.horizon
    last, axes = source.last or max(FEWEST_ROWS, HORIZONS * horizon), []
    for number, (series, target) in enumerate(source.parts):
        track = follow(source, series, target, last)
        found = spaced(source, series, track)
        lines = track.line, *test_lines(source, target, track, *found)
        bands, spans = _bands_of(source, target, track, *found), splits(source, series, track)
        axes.append(
            axes_along(source, series, target, *lines, bands=bands, spans=spans, row=number)
        )
    evaluation = scored.evaluation
    forecasts = counted(evaluation.report.forecasts, "test forecast")
    text = f"Test forecasts of {listed(source)}, some of {forecasts}, horizon {horizon}, against "
    text += f"the actual values. {evaluation.verdict}"
    return Chart("test", title(source, "test forecasts"), text, tuple(axes))


def _bands_of(
    source: Source, target: int, track: Track, places: Ints, rows: list[int]
) -> tuple[Band, ...]:
    """Return the intervals of test forecasts, the widest first, with gaps between origins."""
    scored = source.scored
    if scored.sums.ends is None:
        return ()
    horizon, bands = scored.dataset.horizon, []
    lower, upper = (each[places][:, :, target] for each in scored.sums.ends)
    shown = [(at, each) for at, each in enumerate(scored.level) if each in source.shown_levels]
    for place, level in reversed(shown):
        for row, low, high in zip(rows, lower, upper, strict=True):
            x = track.x[row : row + horizon]
            ends = values(low[:, place]), values(high[:, place])
            bands.append(Band(f"{level:g} % interval", x, *ends, level))
    return tuple(bands)


def draw_series(source: Source) -> Chart:
    """Describe the series as they were read, with what is missing and what was filled."""
    tracks = {part: follow(source, *part, source.last) for part in source.parts}
    axes = []
    for number, ((series, target), track) in enumerate(tracks.items()):
        missing = np.isnan(track.actual)
        shown: dict[str, Any] = {"spans": _gaps(track, missing), "row": number}
        if source.bundle is not None and missing.any():
            shown["points"] = (_filled(source, series, target, track),)
        axes.append(axes_along(source, series, target, track.line, **shown))
    gaps = sum(int(np.isnan(track.actual).sum()) for track in tracks.values())
    rows = counted(sum(len(track.x) for track in tracks.values()), "row")
    ends = min(track.x[0] for track in tracks.values()), max(t.x[-1] for t in tracks.values())
    text = f"{listed(source)}: {rows} from {_words(ends[0])} to {_words(ends[1])}, "
    text += f"{gaps:,} missing." if gaps else "none missing."
    return Chart("series", title(source, "series"), text, tuple(axes))


def _gaps(track: Track, missing: Ints) -> tuple[Span, ...]:
    """Return the runs of missing values, shape `(rows,)`, the longest ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], missing.astype(int), [0]])))
    runs = edges.reshape(-1, 2)
    longest = runs[np.argsort(runs[:, 0] - runs[:, 1], kind="stable")][:MOST_GAPS]
    return tuple(Span("missing", track.x[a], track.x[b - 1]) for a, b in sorted(longest.tolist()))


def _filled(source: Source, series: int, target: int, track: Track) -> Points:
    """Return the values by which missing ones were filled."""
    begin, place = int(source.panel.indptr[series]), source.panel.columns.target_places[target]
    own = np.flatnonzero(np.isnan(track.actual))
    filled = source.history.filled[begin + track.first + own, place]
    known = np.isfinite(filled)
    return Points("filled", tuple(track.x[k] for k in own[known]), values(filled[known]))


def draw_forecast(source: Source) -> Chart:
    """Describe the forecast with its intervals after the history and its splits."""
    if source.bundle is None and source.table is None:
        return _draw_alone(source)
    axes: list[Axes] = []
    found = {part: source.forecast_of(*part) for part in source.parts}
    if not any(found.values()):
        raise DataError(
            f"The table of forecasts has none of {listed(source)}.",
            "Name another series with `only`, or the table that was forecast.",
        )
    steps = max(len(part.point) for part in found.values() if part is not None)
    fewest = FEWEST_ROWS // 2 if source.compact else FEWEST_ROWS
    last = source.last or max(fewest, HORIZONS * steps)
    for (series, target), part in found.items():
        rows = len(source.rows(series, target))
        overview = source.last is None and len(found) == 1 and rows > LONGER * last
        overview = overview and not source.compact
        for shown in [None, last] if overview else [last]:
            track = follow(source, series, target, shown)
            lines = track.line, *_test_lines(source, series, target, track)
            where: Any = {"spans": splits(source, series, track), "row": len(axes)}
            drawn = axes_along(source, series, target, *lines, **where)
            if shown and overview:
                drawn = replace(drawn, title=f"{drawn.title}, last rows")
            axes.append(_with_forecast(drawn, part, rows))
    text = f"Forecast of {listed(source)}: {_describe(next(p for p in found.values() if p))}"
    return Chart("forecast", title(source, "forecast"), text, tuple(axes))


def _with_forecast(axes: Axes, part: ForecastPart | None, rows: int) -> Axes:
    """Return axes with a forecast and its intervals; `rows` come before it."""
    if part is None:
        return axes
    x = ahead(part, rows)
    bands = tuple(
        Band(f"{level:g} % interval", x, values(lower), values(upper), level)
        for level, (lower, upper) in part.ends.items()
    )
    line = Line("forecast", x, values(part.point), "forecast")
    return replace(axes, lines=(*axes.lines, line), bands=bands)


def ahead(part: ForecastPart, rows: int) -> Positions:
    """Return the positions of a forecast that comes after so many rows."""
    steps = np.arange(rows + 1.0, rows + 1 + len(part.point))
    return positions(steps if part.times is None else part.times)


def _draw_alone(source: Source) -> Chart:
    """Describe a table of forecasts without actual values."""
    time, found = forecasts_alone(source.frame, source.only, MOST_SERIES)
    kind: Kind = "number" if time == STEP else "time"
    axes = tuple(
        _with_forecast(Axes(name, time, name, kind, row=row), part, 0)
        for row, (name, part) in enumerate(found.items())
    )
    text = f"Forecast of {', '.join(found)}: {_describe(next(iter(found.values())))}"
    return Chart("forecast", "forecast", text, axes)


def _test_lines(source: Source, series: int, target: int, track: Track) -> tuple[Line, ...]:
    """Return forecasts of the test split, where the rows that they are made from are known."""
    if source.bundle is None or source.table is None or source.compact or source.unscored:
        return ()
    try:
        found = spaced(source, series, track)
    except DataError:
        # Nothing can be scored; the forecast itself can be drawn.
        return ()
    return test_lines(source, target, track, *found)


def _words(position: Position) -> str:
    """Return a position in words: a time without its midnight, or a step."""
    if isinstance(position, str):
        return position.removesuffix("T00:00:00").replace("T", " ")
    return f"step {position:g}"


def _describe(part: ForecastPart) -> str:
    """Return a forecast in words: its steps, its ends, and the widest interval at the end."""
    text = f"{counted(len(part.point), 'step')} "
    if part.times is not None:
        text += f"from {when(part.times[0])} to {when(part.times[-1])}, "
    text += f"from {part.point[0]:.5g} to {part.point[-1]:.5g}"
    for level, (lower, upper) in [*part.ends.items()][:1]:
        text += f", {level:g} % interval at the end {lower[-1]:.5g} to {upper[-1]:.5g}"
    return f"{text}."
