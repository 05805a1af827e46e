"""Charts of the training history, and of seasons."""

from typing import Any

import numpy as np
import pandas as pd

from ...core.errors import DataError, UsageError, counted
from ...core.seasonality import season_means
from ...core.windows import Floats, Ints
from ...data.missing import last_known
from .description import Axes, Band, Chart, Kind, Line, Positions, positions, values
from .source import Source

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAY = pd.Timedelta(days=1)
# The percentiles between which most values of a phase are, and their level.
MOST_VALUES, SHARE = (10.0, 90.0), 80.0
# A profile of fewer seasons shows noise.
FEWEST_SEASONS = 2


def draw_loss(source: Source) -> Chart:
    """Describe the losses by epoch, of each network a line."""
    bundle = source.bundle
    if bundle is None or not bundle.epochs:
        raise UsageError("A training history is that of a model.", "Name a model.")
    epochs = pd.DataFrame(bundle.epochs)
    networks = epochs["network"] if "network" in epochs else pd.Series(1, epochs.index)
    lines = []
    for number, (_, own) in enumerate(epochs.groupby(networks)):
        x = positions(own["number"].to_numpy(float))
        lines.append(Line("training", x, values(own["loss"].to_numpy(float)), "other", number))
        checked = pd.to_numeric(own["validation_loss"]).to_numpy(float)
        if np.isfinite(checked).any():
            lines.append(Line("validation", x, values(checked), "forecast", number))
    name = bundle.manifest.config.training.loss
    count = counted(networks.nunique(), "network")
    title, label = f"loss by epoch, {count}", f"loss ({name}, scaled)"
    axes = Axes(title, "epoch", label, lines=tuple(lines))
    run = bundle.manifest.run
    text = f"Loss of {count} over {run.epochs} epochs, the best one "
    text += f"{run.best_epoch}; ended by {run.stopped}."
    return Chart("loss", f"training history ({bundle.manifest.name})", text, (axes,))


def draw_seasons(source: Source) -> Chart:
    """Describe how far the values of each phase of a season are from the mean of a season."""
    axes: list[Axes] = []
    for series, target in source.parts:
        actual, times = source.rows(series, target), source.times(series)
        for season in seasons(source, len(actual)):
            axes.append(_profile(source.name(series, target), actual, times, season, len(axes)))
    if not axes:
        kept = "The model file keeps only the last rows. " if source.table is None else ""
        raise DataError(
            f"{kept}There are too few rows of a season, or the series have none.",
            "Name a longer table, or give the steps in a season: `season_length=12`.",
        )
    names = " and ".join(each.title for each in axes)
    text = f"Seasonal profiles: {names}. {_extremes(axes[0])}"
    return Chart("seasons", "seasonal profiles", text, tuple(axes))


def seasons(source: Source, rows: int) -> list[int]:
    """Return the steps in each season of which there are enough rows."""
    timeline = source.panel.timeline
    found = {source.season_length, *(timeline.frequency.seasons if timeline else ())}
    return sorted(each for each in found if 1 < each <= rows // FEWEST_SEASONS)


def _profile(
    name: str, actual: Floats, times: pd.DatetimeIndex | None, season: int, row: int
) -> Axes:
    """Describe a seasonal profile of actual values and their times, shape `(rows,)` each."""
    filled = last_known(actual[:, None], np.array([0, len(actual)]))[:, 0]
    apart = np.where(np.isfinite(actual), actual - season_means(filled, season), np.nan)
    phases, labels, title = phases_of(len(actual), times, season)
    tables = [apart[(phases == phase) & np.isfinite(apart)] for phase in range(len(labels))]
    known = [place for place, own in enumerate(tables) if len(own)]
    x = tuple(labels[place] for place in known)
    means = values([float(tables[place].mean()) for place in known])
    ends = [np.percentile(tables[place], MOST_VALUES) for place in known]
    lower, upper = (values([each[side] for each in ends]) for side in (0, 1))
    kind: Kind = "number" if isinstance(labels[0], float) else "name"
    band = Band(f"{SHARE:g} % of the values", x, lower, upper, SHARE)
    shown: Any = {"lines": (Line("mean", x, means),), "bands": (band,), "row": row}
    return Axes(f"{name}, {title}", title, "distance from the mean of a season", kind, **shown)


def phases_of(
    rows: int, times: pd.DatetimeIndex | None, season: int
) -> tuple[Ints, Positions, str]:
    """Return the phase of each row, shape `(rows,)`, what phases are called, and the season."""
    counted_steps = np.arange(rows) % season, positions(np.arange(1.0, season + 1))
    title = f"season of {season} steps"
    if times is None or len(times) < 2:
        return *counted_steps, title
    wall, step = times.tz_localize(None), pd.Timedelta(np.median(np.diff(times.asi8)), times.unit)
    if step < DAY and abs(step * season - DAY) < step:
        clock = (wall - wall.normalize()) // step
        names = [(pd.Timestamp(0) + step * place).strftime("%H:%M") for place in range(season)]
        return np.asarray(clock), tuple(names), "time of day"
    if step == DAY and season in (5, 6, 7):
        return np.asarray(wall.day_of_week), WEEKDAYS, "day of the week"
    if season == 12 and 28 * DAY <= step <= 31 * DAY:
        return np.asarray(wall.month) - 1, MONTHS, "month"
    if season == 4 and 89 * DAY <= step <= 92 * DAY:
        return np.asarray(wall.quarter) - 1, ("Q1", "Q2", "Q3", "Q4"), "quarter"
    if step < DAY and abs(step * season - 7 * DAY) < step:
        place = wall.day_of_week * (DAY // step) + (wall - wall.normalize()) // step
        hours = positions(np.arange(season) * (step / pd.Timedelta(hours=1)))
        return np.asarray(place), hours, "hour of the week, from Monday"
    return *counted_steps, title


def _extremes(axes: Axes) -> str:
    """Return where the means of a profile are highest and lowest, in words."""
    line = axes.lines[0]
    known = [(height, x) for height, x in zip(line.y, line.x, strict=True) if height is not None]
    (low, least), (high, most) = min(known), max(known)
    return f"Highest at {most} ({high:+.4g}), lowest at {least} ({low:+.4g})."
