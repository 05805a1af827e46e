"""Charts of test forecasts against the actual values."""

from dataclasses import dataclass

import numpy as np

from ...core.errors import counted
from ...core.padding import owner_series
from ...core.ragged import row_numbers
from ...core.windows import Ints
from .description import (
    Axes,
    Band,
    Chart,
    Line,
    values,
)
from .source import Source
from .tracks import FEWEST_ROWS, HORIZONS, Track, follow, kind_of, listed, splits, title


@dataclass(frozen=True)
class Spaced:
    """Some of the forecasts that were scored.

    Args:
        places: Shape `(forecasts,)`: their places among those that were kept.
        rows: Shape `(forecasts,)`: their first steps, as places among the rows of a chart.
    """

    places: Ints
    rows: Ints


def spaced(source: Source, series: int, track: Track) -> Spaced:
    """Return the forecasts of a series, about a horizon apart, that begin within a chart."""
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
    return Spaced(picked, rows[picked])


def test_lines(source: Source, target: int, track: Track, found: Spaced) -> tuple[Line, ...]:
    """Return a line for each forecast; one for all of a single step."""
    horizon = source.scored.dataset.horizon
    points = source.scored.sums.sampled[found.places][..., target]
    if horizon == 1:
        x = tuple(track.x[row] for row in found.rows)
        return (Line("test forecasts", x, values(points[:, 0]), "other"),) if x else ()
    return tuple(
        Line("test forecasts", track.x[row : row + horizon], values(own), "other", number)
        for number, (row, own) in enumerate(zip(found.rows.tolist(), points, strict=True))
    )


def draw_test(source: Source) -> Chart:
    """Describe the test forecasts, origin by origin, against the actual values."""
    scored = source.scored
    kind, label = kind_of(source)
    horizon = scored.dataset.horizon
    last, axes = source.last or max(FEWEST_ROWS, HORIZONS * horizon), []
    for number, (series, target) in enumerate(source.parts):
        track = follow(source, series, target, last)
        found = spaced(source, series, track)
        axes.append(
            Axes(
                source.name(series, target),
                label,
                source.panel.columns.targets[target],
                kind,
                (track.line, *test_lines(source, target, track, found)),
                _test_bands(source, target, track, found),
                splits(source, series, track),
                row=number,
            )
        )
    evaluation = scored.evaluation
    forecasts = counted(evaluation.report.forecasts, "test forecast")
    text = f"Test forecasts of {listed(source)}, some of {forecasts}, horizon {horizon}, against "
    text += f"the actual values. {evaluation.verdict}"
    return Chart("test", title(source, "test forecasts"), text, tuple(axes))


def _test_bands(source: Source, target: int, track: Track, found: Spaced) -> tuple[Band, ...]:
    """Return the intervals of test forecasts, the widest first, with gaps between origins."""
    scored = source.scored
    if scored.sums.ends is None:
        return ()
    horizon, bands = scored.dataset.horizon, []
    lower, upper = (each[found.places][:, :, target] for each in scored.sums.ends)
    shown = [(at, each) for at, each in enumerate(scored.level) if each in source.shown_levels]
    for place, level in reversed(shown):
        for row, low, high in zip(found.rows.tolist(), lower, upper, strict=True):
            x = track.x[row : row + horizon]
            ends = values(low[:, place]), values(high[:, place])
            bands.append(Band(f"{level:g} % interval", x, *ends, level))
    return tuple(bands)
