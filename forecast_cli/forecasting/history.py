"""What forecasts go on from: the last rows that a model file keeps, or the rows of a table."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..config.resolution import configure
from ..config.sections import Dialect
from ..core.errors import DataError, UsageError, listed, nearest
from ..core.events import Listener, Note
from ..core.ragged import cumulate
from ..core.scaling import Scaling, fit_by_series
from ..core.windows import Floats, Ints
from ..data.checks import lift_broken_bounds, note_undefined
from ..data.columns import NO_TIME
from ..data.dataset import History, choose_scopes
from ..data.dates.date_formats import read_like
from ..data.groups import find_places, one_series
from ..data.io.tables import Readable
from ..data.known_future import frame_ahead
from ..data.missing import fill_panel, note_filled
from ..data.panel import Panel
from ..data.season import find_season
from ..data.splits import all_training
from ..data.time.time_index import Timeline
from ..model.bundle import Bundle

if TYPE_CHECKING:
    from ..data.io.opening import Opened

# What may differ from how the table was read that was trained on.
READ_ANEW = (
    "duplicates", "missing", "max_filled", "date_format", "dayfirst", "timezone",
    "fiscal_start", "similar_names", "partial", "day_zone",
    *Dialect.model_fields,
)  # fmt: skip
# Nothing about how a table is read differs from the table that was trained on.
READ_AS_TRAINED: Mapping[str, Any] = MappingProxyType({})


def restore_history(bundle: Bundle) -> History:
    """The last rows of the series that the model was trained on."""
    panel = stored_panel(bundle)
    season = find_season(panel, bundle.manifest.config)
    return History(panel, panel.values, bundle.scaling, season)


def stored_panel(bundle: Bundle) -> Panel:
    """The rows that the model file keeps, as a panel."""
    manifest, series = bundle.manifest, bundle.series
    rows = np.array(series.rows if series else [len(bundle.history)])
    nothing = np.empty((len(rows), 0, bundle.history.shape[1]))
    return Panel(
        manifest.columns,
        bundle.history,
        cumulate(rows),
        _stored_timeline(bundle, rows),
        "the model",
        manifest.config.data,
        series.frame if series else one_series(),
        nothing if bundle.ahead is None else bundle.ahead,
    )


def _stored_timeline(bundle: Bundle, rows: Ints) -> Timeline | None:
    """The times of the rows that the model file keeps; exact at the end of each series.

    `rows` has shape `(n_series,)`: how many are kept of each.
    """
    time, series = bundle.manifest.time, bundle.series
    if time is None:
        return None
    lasts = read_times(series.lasts if series else (time.last,), time.timezone)
    frequency = time.frequency
    before = np.concatenate([np.arange(1 - count, 1) for count in rows.tolist()])
    return Timeline(frequency.moved(lasts.repeat(rows), before), frequency, time.style)


def read_times(texts: Sequence[str], timezone: str | None) -> pd.DatetimeIndex:
    """Times of a model file, ISO 8601, in its time zone."""
    if timezone is None:
        return pd.DatetimeIndex([pd.Timestamp(each) for each in texts])
    # Their offsets may differ, where the clocks were changed in between.
    return pd.to_datetime(list(texts), utc=True).tz_convert(timezone)


def known_lasts(bundle: Bundle) -> pd.DatetimeIndex | None:
    """The time of the last row of each series that was not filled; None where it is the last."""
    time, series = bundle.manifest.time, bundle.series
    if time is None or series is None or not series.known:
        return None
    return read_times(series.known, time.timezone)


def future_frame(
    bundle: Bundle,
    source: Readable | None,
    horizon: int | None,
    *,
    reading: Mapping[str, Any] = READ_AS_TRAINED,
    on_event: Listener,
) -> pd.DataFrame:
    """The frame of future covariates of the next steps, with what is known already.

    They follow a table, or where that is None the one that was trained on, for the model's own
    horizon where none is given.

    Raises:
        UsageError: The model reads none.
    """
    if not bundle.manifest.covariates.future:
        raise UsageError(
            "The model reads no future covariates: there is nothing to fill in.",
            "Specify some when training: `future_covariates=NAME`.",
        )
    panel = stored_panel(bundle)
    if source is not None:
        panel = read_as_trained(bundle, source, reading, on_event)
    return frame_ahead(panel, horizon or bundle.manifest.horizon)


def read_as_trained(
    bundle: Bundle, source: "Readable | Opened", reading: Mapping[str, Any], on_event: Listener
) -> Panel:
    """Read a table in the way of the one that was trained on.

    Args:
        bundle: The model.
        source: The table.
        reading: How it differs from the one that was trained on: `missing`, `na`, `date_format`,
            `timezone`.
        on_event: Notified of what was understood, and of values that are filled.

    Raises:
        DataError: The table does not hold what the model needs.
        UsageError: The network cannot skip missing steps.
    """
    # A prediction without a table need not load what reads one.
    from ..data.reading import read_panel

    manifest, data = bundle.manifest, data_as_trained(bundle, reading)
    try:
        panel = read_panel(
            source,
            data,
            on_event=on_event,
            frequency=manifest.time.frequency if manifest.time else None,
            categories=manifest.covariates.categories,
            known=bundle.series.frame if bundle.series else None,
        )
    except DataError as error:
        raise type(error)(error.message, _own_hint(bundle, error.hint)) from None
    note_filled(panel, on_event)
    return panel


def _own_hint(bundle: Bundle, hint: str) -> str:
    """The hint of an error of reading, without settings that the model determines."""
    if not _foreign(hint):
        return hint
    if "`series=" in hint:
        return (
            "The model was trained on one series, and the table seems to hold several: give the "
            "rows of one of them."
        )
    clauses = [each.strip(" .;") for each in re.split(r"(?<=[.;])\s+|, or ", hint)]
    own = [each[:1].upper() + each[1:] for each in clauses if not _foreign(each)]
    time = bundle.manifest.time
    steps = f", in steps of {time.frequency.name}" if time else ""
    like = f"Give a table like the one that the model was trained on{steps}"
    return f"{'. '.join(own or [like])}."


def _foreign(hint: str) -> bool:
    """Whether a hint names a setting that a saved model does not leave open."""
    return not {*re.findall(r"`(\w+)", hint)} <= {*READ_ANEW}


def data_as_trained(bundle: Bundle, reading: Mapping[str, Any]) -> Any:
    """How the table was read that the model was trained on, with what differs now."""
    manifest = bundle.manifest
    for name in reading:
        if name not in READ_ANEW:
            raise UsageError(f'There is no option "{name}".', nearest(name, READ_ANEW))
    if reading:
        # Values are checked as those of a training.
        configure(reading)
    # The query made the table that was trained on; another table has its own, or none.
    own: dict[str, Any] = {"query": None}
    data = manifest.config.data
    if data.layout not in ("rows", "years"):
        own["time"] = manifest.time.column if manifest.time else NO_TIME
    if manifest.time:
        data = read_like(data, manifest.time.style)
    require_mask(bundle, reading.get("missing", data.missing))
    return data.model_copy(update=own | dict(reading))


def make_history(
    bundle: Bundle,
    panel: Panel,
    on_event: Listener,
    *,
    scaled_by: int | Ints | None = None,
    least: Sequence[float] | None = None,
) -> History:
    """Fill and scale a panel, so that the model can go on from it.

    Args:
        bundle: The model.
        panel: As `read_as_trained` gives it.
        on_event: Notified of series that are new to the model.
        scaled_by: How many of its first rows a series that is new to the model is scaled by, the
            same number for all or one for each, shape `(n_series,)`; None for all rows.
        least: Shape `(targets,)`: the lowest value of each target in a table of which the panel is
            a part; None where it is all of it.
    """
    manifest = bundle.manifest
    season = find_season(panel, manifest.config)
    filled = fill_panel(panel, all_training(panel), season_length=season)
    note_undefined(panel, manifest.config.transform, on_event)
    lengths = panel.lengths if scaled_by is None else np.minimum(panel.lengths, scaled_by)
    rows = panel.between(panel.indptr[:-1], panel.indptr[:-1] + lengths)
    scaling = _scaling(bundle, panel, filled[rows], lengths, on_event)
    scaling = lift_broken_bounds(scaling, panel, on_event, least)
    return History(panel, filled, scaling, season)


def _scaling(
    bundle: Bundle, panel: Panel, rows: Floats, lengths: Ints, on_event: Listener
) -> Scaling:
    """The scaling of the series of a table; of those that are new it is fitted on their rows.

    These have shape `(sum of lengths, features)`, original units, `lengths` shape `(n_series,)`.
    """
    if bundle.series is None or not bundle.scaling.by_series:
        return bundle.scaling
    places = match_series(bundle, panel)
    known = bundle.scaling.each(np.maximum(places, 0))
    new = np.flatnonzero(places < 0)
    if not len(new):
        return known
    names = listed(new.tolist(), say=panel.name)
    whose = "its" if len(new) == 1 else "their"
    many = f"{len(new)} series are new to the model and scaled by {whose} own rows"
    on_event(Note(f"{many}: {names}"))
    manifest = bundle.manifest
    scopes = choose_scopes(manifest.columns, "series")
    kinds = manifest.config.scaler, manifest.config.transform, len(manifest.columns.columns)
    own = fit_by_series(rows, cumulate(lengths), scopes, *kinds)
    fresh = (places < 0)[:, None] & np.array([scope == "series" for scope in scopes])
    return replace(
        known,
        center=np.where(fresh, own.center, known.center),
        scale=np.where(fresh, own.scale, known.scale),
    )


def match_series(bundle: Bundle, panel: Panel) -> Ints:
    """The place of each series among those that were trained on, -1 where it is new.

    Shape `(n_series,)`.
    """
    if bundle.series is None:
        return np.zeros(panel.count, np.int64)
    return find_places(panel.ids, bundle.series.frame)


def network_places(bundle: Bundle, panel: Panel) -> Ints:
    """The network of each series of a table, shape `(n_series,)`; 0 where all have the same.

    Raises:
        DataError: The model has a network for each series, and none for one of these.
    """
    if bundle.networks is None:
        return np.zeros(panel.count, np.int64)
    places = match_series(bundle, panel)
    if len(new := np.flatnonzero(places < 0)):
        raise DataError(
            f"{len(new)} series are new to the model, which has a network for each series: "
            f"{listed(new.tolist(), say=panel.name)}.",
            "Give only rows of the series that it was trained on, or train again with these too.",
        )
    return places


def require_rows(bundle: Bundle, panel: Panel) -> None:
    """Refuse, by a DataError, series shorter than the window of a network that skips none."""
    network, timesteps = bundle.manifest.config.network, bundle.manifest.timesteps
    if not (network.stateful or network.takes_short) and (panel.lengths < timesteps).any():
        raise too_few(bundle, panel, timesteps)


def require_mask(bundle: Bundle, missing: str) -> None:
    """Refuse, by a UsageError, to hand missing steps to a network that cannot skip them."""
    if missing == "mask" and not bundle.manifest.config.network.masked:
        raise UsageError(
            "The network has no mask: it cannot skip missing steps.",
            "Pass `missing=interpolate` or `missing=ffill`, or train with `missing=mask`.",
        )


def too_few(bundle: Bundle, panel: Panel, needed: int) -> DataError:
    """The error for a table with too few rows."""
    short = np.flatnonzero(panel.lengths < needed)
    which = f" for {listed(short.tolist(), say=panel.name)}" if len(panel.ids.columns) else ""
    return DataError(
        f"{panel.source} has {panel.lengths[short[0]]} rows{which}; the model has a lookback of "
        f"{bundle.manifest.timesteps} and needs at least {needed}.",
        "Give more of the latest rows" + (", or exclude the series with `only`." if which else "."),
    )
