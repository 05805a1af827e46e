"""Charts along time: the series, and the forecast after it."""

from dataclasses import replace

import numpy as np

from ...core.errors import DataError, counted
from ...core.windows import Ints
from ...data.panel import STEP
from ...data.time.time_index import when
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
    values,
)
from .evaluation_charts import spaced, test_lines
from .forecast_parts import ForecastPart, forecasts_alone
from .source import MOST_SERIES, Source
from .tracks import FEWEST_ROWS, HORIZONS, Track, follow, kind_of, listed, splits, title

# A chart of all rows stands above one of the last rows where it shows so many times as many.
LONGER = 2
# So many gaps are shaded, the longest ones.
MOST_GAPS = 100


def draw_series(source: Source) -> Chart:
    """Describe the series as they were read, with what is missing and what was filled."""
    kind, label = kind_of(source)
    tracks = {part: follow(source, *part, source.last) for part in source.parts}
    axes = []
    for number, ((series, target), track) in enumerate(tracks.items()):
        missing = np.isnan(track.actual)
        drawn = Axes(
            source.name(series, target),
            label,
            source.panel.columns.targets[target],
            kind,
            (track.line,),
            spans=_gaps(track, missing),
            row=number,
        )
        if source.bundle is not None and missing.any():
            drawn = replace(drawn, points=(_filled(source, series, target, track),))
        axes.append(drawn)
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
    kind, label = kind_of(source)
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
            drawn = Axes(
                f"{source.name(series, target)}{', last rows' if shown and overview else ''}",
                label,
                source.panel.columns.targets[target],
                kind,
                (track.line, *_test_lines(source, series, target, track)),
                spans=splits(source, series, track),
                row=len(axes),
            )
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
    return test_lines(source, target, track, found)


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
