"""Where forecasts begin: the ends of the series that were trained on, or of other ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from ..config.sections import Dialect
from ..core.errors import DataError, UsageError, listed, nearest
from ..core.events import Listener, Note
from ..core.ragged import cumulate
from ..core.scaling import Scaling, fit_by_series
from ..core.windows import Floats, Ints
from ..data.checks import require_positive
from ..data.dataset import choose_scopes
from ..data.io.tables import Readable
from ..data.known_future import find_places, frame_ahead, require_ahead, rows_ahead
from ..data.missing import fill_panel
from ..data.panel import Panel
from ..data.season import find_season
from ..data.splits import all_training
from ..data.time.dates import NO_TIME, read_like
from ..model.bundle import Bundle
from .stored_history import kept_panel, restore_frequency

# What may differ from how the table was read that was trained on.
READ_ANEW = (
    "duplicates", "missing", "date_format", "dayfirst", "timezone", *Dialect.model_fields,
)  # fmt: skip
# Nothing about how a table is read differs from the table that was trained on.
READ_AS_TRAINED: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Start:
    """Where forecasts begin: at the end of each series of a panel.

    Args:
        panel: As read; NaN where values are missing.
        filled: Shape `(n_rows, features)`, original units, without gaps.
        scaling: Of its series, in their order.
    """

    panel: Panel
    filled: Floats
    scaling: Scaling

    @property
    def scaled(self) -> Floats:
        """The rows, scaled, float32."""
        return self.scaling.each(self.panel.owners).transform(self.filled).astype(np.float32)

    def windows(self, timesteps: int, *, first: bool = False) -> Floats:
        """The last rows of each series, scaled, shape `(n_series, timesteps, features)`.

        Args:
            timesteps: Steps back.
            first: Whether a shorter series begins with its first value; else with missing steps.
        """
        indptr = self.panel.indptr
        places = indptr[1:, None] - np.arange(timesteps, 0, -1)
        # Only these rows are scaled: the table may be millions of them.
        begins = indptr[:-1, None]
        rows = self.filled[np.maximum(places, begins)]
        if not first:
            rows[places < begins] = np.nan
        scaling = self.scaling.each(np.arange(self.panel.count), steps=True)
        windows: Floats = scaling.transform(rows).astype(np.float32)
        return windows

    def ahead(self, steps: int) -> Floats:
        """What is known of the next steps, scaled, shape `(n_series, steps, features)`."""
        rows = rows_ahead(self.panel, steps)
        require_ahead(self.panel, rows)
        scaling = self.scaling.each(np.arange(self.panel.count), steps=True)
        # The columns are not known, and only they have a transform.
        scaled: Floats = replace(scaling, before="none").transform(rows).astype(np.float32)
        return scaled


def restore_history(bundle: Bundle) -> Start:
    """The ends of the series that the model was trained on."""
    panel = kept_panel(bundle)
    return Start(panel, panel.values, bundle.scaling)


def end_of_table(
    bundle: Bundle, source: Readable, reading: Mapping[str, Any], on_event: Listener
) -> Start:
    """The ends of the series of another table.

    Raises:
        DataError: The table does not hold what the model needs.
    """
    start = read_as_trained(bundle, source, reading, on_event)
    require_rows(bundle, start.panel)
    return start


def require_rows(bundle: Bundle, panel: Panel) -> None:
    """Refuse series that are shorter than the window of a network that cannot skip steps.

    Raises:
        DataError: One is.
    """
    network, timesteps = bundle.manifest.config.network, bundle.manifest.timesteps
    if not (network.stateful or network.takes_short) and (panel.lengths < timesteps).any():
        raise too_few(bundle, panel, timesteps)


def future_frame(
    bundle: Bundle,
    source: Readable | None,
    horizon: int | None,
    *,
    reading: Mapping[str, Any] = READ_AS_TRAINED,
    on_event: Listener,
) -> pd.DataFrame:
    """The frame of future covariates of the next steps, with what is known already.

    Args:
        bundle: The model that needs them.
        source: The table to go on from; None for the end of the one that was trained on.
        horizon: Steps ahead; the model's own where None.
        reading: How the table differs from the one that was trained on.
        on_event: Told what was understood.

    Raises:
        UsageError: The model reads none.
    """
    if not bundle.manifest.covariates.future:
        raise UsageError(
            "The model reads no future covariates: nothing has to be filled in.",
            "Name some in training: --future-covariate NAME.",
        )
    start = restore_history(bundle)
    if source is not None:
        start = read_as_trained(bundle, source, reading, on_event)
    return frame_ahead(start.panel, horizon or bundle.manifest.horizon)


def read_as_trained(
    bundle: Bundle,
    source: Readable,
    reading: Mapping[str, Any],
    on_event: Listener,
    *,
    scaled_by: int | Ints | None = None,
) -> Start:
    """A table read in the way of the model's own, and its values, filled as asked.

    Args:
        bundle: The model.
        source: The table.
        reading: How it differs from the one that was trained on: `missing`, `na`, `date_format`,
            `timezone`.
        on_event: Told what was understood.
        scaled_by: How many of its first rows a series that training has not seen is scaled by, the
            same number for all or one for each; None for all rows.

    Raises:
        DataError: The table does not hold what the model needs.
        UsageError: The network cannot skip missing steps.
    """
    # A prediction without a table need not load what reads one.
    from ..data.reading import read_panel

    manifest = bundle.manifest
    panel = read_panel(
        source,
        data_as_trained(bundle, reading),
        on_event=on_event,
        frequency=restore_frequency(manifest.time) if manifest.time else None,
        categories=manifest.covariates.categories,
    )
    return begin_forecasts(bundle, panel, on_event, scaled_by=scaled_by)


def data_as_trained(bundle: Bundle, reading: Mapping[str, Any]) -> Any:
    """How the table was read that the model was trained on, with what differs now."""
    manifest = bundle.manifest
    for name in reading:
        if name not in Dialect.model_fields and name not in READ_ANEW:
            raise UsageError(f'There is no option "{name}".', nearest(name, READ_ANEW))
    # The query made the table that was trained on; another table has its own, or none.
    own: dict[str, Any] = {"query": None}
    data = manifest.config.data
    if data.layout != "rows":
        own["time"] = manifest.time.column if manifest.time else NO_TIME
    if manifest.time:
        data = read_like(data, manifest.time.style)
    require_mask(bundle, reading.get("missing", data.missing))
    return data.model_copy(update=own | dict(reading))


def begin_forecasts(
    bundle: Bundle, panel: Panel, on_event: Listener, *, scaled_by: int | Ints | None = None
) -> Start:
    """Where forecasts of a panel begin; `scaled_by` as in `read_as_trained`."""
    manifest = bundle.manifest
    season = find_season(panel, manifest.config)
    filled = fill_panel(panel, all_training(panel), season_length=season)
    columns = manifest.columns.columns
    require_positive(filled, columns, manifest.config.transform, panel.source)
    lengths = panel.lengths if scaled_by is None else np.minimum(panel.lengths, scaled_by)
    rows = panel.between(panel.indptr[:-1], panel.indptr[:-1] + lengths)
    return Start(panel, filled, _scaling(bundle, panel, filled[rows], lengths, on_event))


def _scaling(
    bundle: Bundle, panel: Panel, rows: Floats, lengths: Ints, on_event: Listener
) -> Scaling:
    """The scaling of the series of a table; of those that are new it is fitted on their rows."""
    if bundle.series is None or not bundle.scaling.by_series:
        return bundle.scaling
    places = find_places(panel.ids, bundle.series.frame)
    known = bundle.scaling.each(np.maximum(places, 0))
    new = np.flatnonzero(places < 0)
    if not len(new):
        return known
    names = listed(new.tolist(), say=panel.name)
    on_event(
        Note(f"{len(new)} series that training has not seen, scaled by their own rows: {names}")
    )
    manifest = bundle.manifest
    scopes = choose_scopes(manifest.columns, "series")
    own = fit_by_series(
        rows,
        cumulate(lengths),
        scopes,
        manifest.config.scaler,
        manifest.config.transform,
        len(manifest.columns.columns),
    )
    fresh = (places < 0)[:, None] & np.array([scope == "series" for scope in scopes])
    return replace(
        known,
        center=np.where(fresh, own.center, known.center),
        scale=np.where(fresh, own.scale, known.scale),
    )


def require_mask(bundle: Bundle, missing: str) -> None:
    """Refuse to hand missing steps to a network that cannot skip them.

    Raises:
        UsageError: It cannot.
    """
    if missing == "mask" and not bundle.manifest.config.network.masked:
        raise UsageError(
            "The network has no mask: it cannot skip missing steps.",
            "Pass --missing interpolate or ffill, or train with --missing mask.",
        )


def too_few(bundle: Bundle, panel: Panel, needed: int) -> DataError:
    """The error for a table with too few rows."""
    short = np.flatnonzero(panel.lengths < needed)
    which = f" for {listed(short.tolist(), say=panel.name)}" if len(panel.ids.columns) else ""
    return DataError(
        f"{panel.source} has {panel.lengths[short[0]]} rows{which}; the model looks "
        f"{bundle.manifest.timesteps} steps back and needs at least {needed}.",
        "Give it more of the latest rows" + (", or name the others with --only." if which else "."),
    )
