"""A table ready to train on: split, filled and scaled, without leakage from the future."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..config.registries import LOSSES
from ..config.schema import Config
from ..core.error_scale import seasonal_pair, seasonal_smape
from ..core.padding import LeftPadding, owner_series, pad_short_series
from ..core.ragged import cumulate, owners
from ..core.scaling import Fit, Scaling, Scope, Units, fit_by_series
from ..core.season_search import stronger_season
from ..core.series_features import is_intermittent
from ..core.windows import Floats, Ints, gather
from .checks import find_lower_bounds, require_known
from .columns import Columns
from .known_future import FutureErrors, draw_errors, measure_sizes, require_ahead, rows_ahead
from .missing import fill_panel
from .panel import Panel
from .season import target_rows
from .splits import Part, Splits, WindowPlaces
from .stored_rows import StoredRows


@dataclass(frozen=True)
class History:
    """What forecasts go on from: the rows of a panel, filled, and how they are scaled.

    Args:
        panel: As read, NaN where values are missing.
        filled: Shape `(n_rows, features)`, original units, without gaps.
        scaling: Of its series, in their order.
        season_length: Steps in a season.
    """

    panel: Panel
    filled: Floats
    scaling: Scaling
    season_length: int

    def scale(self) -> Floats:
        """All rows, scaled, shape `(n_rows, features)`, of the scaling's dtype."""
        scaled = self.scaling.each_row(self.panel.indptr).transform(self.filled)
        return scaled.astype(self.scaling.dtype)

    def windows(self, timesteps: int, *, first: bool = False) -> Floats:
        """The last rows of each series, scaled, shape `(n_series, timesteps, features)`.

        Args:
            timesteps: Rows of a window.
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
        return scaling.transform(rows).astype(scaling.dtype)

    def ahead(self, steps: int) -> Floats:
        """What is known of the next steps, scaled, shape `(n_series, steps, features)`."""
        rows = rows_ahead(self.panel, steps)
        require_ahead(self.panel, rows)
        scaling = self.scaling.each(np.arange(self.panel.count), steps=True)
        # The columns are not known, and only they have a transform.
        return replace(scaling, before="none").transform(rows).astype(np.float32)


@dataclass(frozen=True)
class Dataset(History):
    """A history with its splits, ready to learn from or to be scored on.

    Args:
        config: With all settings resolved.
        splits: Training, validation and test.
        padding: Where the rows are in `scaled`.
        scaled: Shape `(n_rows + padding, features)`: the rows, scaled, with padding in front of
            short series; float32, but for the scaler `maxabs`.
        naive: Shape `(2, n_series, targets)`: the mean absolute and the mean squared error of the
            seasonal naive forecast in the training rows, original units.
        future_errors: Of future covariates in tests; None where they are as they came.
        stored: The rows to learn from, where these are those of a sample of the series; else None.
    """

    config: Config
    splits: Splits
    padding: LeftPadding
    scaled: Floats
    naive: Floats
    future_errors: FutureErrors | None = None
    stored: StoredRows | None = None

    @property
    def timesteps(self) -> int:
        """The lookback, in steps."""
        return self.config.window.timesteps or 1

    @property
    def horizon(self) -> int:
        """The forecast horizon, in steps."""
        return self.config.window.horizon or 1

    @property
    def steps_at_once(self) -> int:
        """Steps ahead that the network forecasts in one call."""
        return 1 if self.config.window.mode == "many-to-one" else self.horizon

    @property
    def targets(self) -> list[int]:
        """The positions of the targets among the features."""
        return list(self.panel.columns.target_places)

    @cached_property
    def intermittent(self) -> bool:
        """Whether most of the training values are 0, as of parts that are seldom asked for."""
        values, end = self.panel.target_values, self.splits.bounds("train")[1]
        season = self.season_length
        return is_intermittent(values, self.panel.indptr, end, season_length=season)

    @cached_property
    def stronger_season(self) -> int | None:
        """The steps of a season that shows more in the training rows than `season_length`."""
        return stronger_season(*target_rows(self.panel, self.splits), self.season_length)

    @property
    def naive_error(self) -> Floats:
        """Its mean absolute error, shape `(n_series, targets)`."""
        error: Floats = self.naive[0]
        return error

    @property
    def noisy_covariates(self) -> tuple[str, ...]:
        """The future covariates that have errors in tests."""
        if self.future_errors is None:
            return ()
        named = zip(self.panel.columns.features, self.future_errors.sizes, strict=True)
        return tuple(name for name, size in named if size)

    @property
    def units(self) -> Units:
        """The units of scaled targets; the naive error of a series without one is 1."""
        error = self.naive_error
        shares, losses = None, (self.config.training.loss, *self.config.ensemble.losses)
        if any(LOSSES[loss or "mse"].takes_naive_smape for loss in losses):
            values, end = self.panel.target_values, self.splits.bounds("train")[1]
            season = self.season_length
            shares = seasonal_smape(values, self.panel.indptr, end, season_length=season)
        known = np.where(error > 0, error, 1.0)
        return Units(self.scaling.only(self.targets), known, shares)

    @property
    def owners(self) -> Ints:
        """The series of each row of `scaled`, int32, shape `(rows,)`."""
        return owners(cumulate(self.panel.lengths + self.padding.added)).astype(np.int32)

    def starts(self, part: Part, *, horizon: int, timesteps: int | None = None) -> Ints:
        """Return the first rows, in `scaled`, of the windows whose targets lie within a split.

        Args:
            part: The split.
            horizon: Steps ahead.
            timesteps: Steps of the lookback; those of the configuration where None.

        Returns:
            Shape `(samples,)`, ascending.
        """
        back = timesteps or self.timesteps
        return self.places.starts(part, timesteps=back, horizon=horizon)

    @property
    def places(self) -> WindowPlaces:
        """Where windows begin."""
        missing = None if self.config.data.missing == "mask" else self.panel.missing_rows
        every_row = self.config.network.head == "sequence"
        return WindowPlaces(self.splits, self.padding, missing, every_row)

    def only(self, kept: Ints) -> "Dataset":
        """Return some of the series, shape `(kept,)`, in the given order."""
        panel, begins = self.panel.only(kept), self.panel.indptr[kept]
        rows = [np.arange(*self.panel.indptr[each : each + 2]) for each in kept.tolist()]
        edges = (self.splits.train_end, self.splits.validation_end)
        ends = [each[kept] - begins + panel.indptr[:-1] for each in edges]
        return split_history(
            History(
                panel, self.filled[np.concatenate(rows)], self.scaling.each(kept),
                self.season_length,
            ),
            self.config,
            Splits(panel.indptr, *ends),
            naive=self.naive[:, kept],
            sizes=None if self.future_errors is None else self.future_errors.sizes,
        )  # fmt: skip

    def rows_from(self, origins: Ints, steps: int) -> Floats:
        """Return the rows from origins on, as a forecast may know them.

        Args:
            origins: Shape `(samples,)`, rows of the panel, each with `steps` rows from it on.
            steps: How many.

        Returns:
            Shape `(samples, steps, features)`, scaled, future covariates with their errors.
        """
        rows = gather(self.scaled, self.padding.moved(origins), timesteps=steps)
        return rows if self.future_errors is None else self.future_errors.added(rows, origins)

    def origins(self, part: Part) -> Ints:
        """Return the rows, shape `(origins,)`, whose whole horizon lies within a split.

        Before the first actual value of a series there are none.
        """
        origins = self.padding.original(self.starts(part, horizon=self.horizon) + self.timesteps)
        if self.config.data.missing != "mask":
            return origins
        rows, indptr = np.arange(len(self.panel.values))[:, None], self.panel.indptr
        known = np.isfinite(self.panel.target_values)
        firsts = np.minimum.reduceat(np.where(known, rows, len(rows)), indptr[:-1]).max(axis=1)
        later: Ints = origins[origins > firsts[owner_series(indptr, origins)]]
        return later


def scaled_dataset(
    panel: Panel, config: Config, splits: Splits, season: int, *, fit: Fit | None = None
) -> Dataset:
    """Fill the gaps of a panel, fit the scaler on the training rows, and scale all rows.

    Args:
        panel: As read, with the features of the network.
        config: Resolved.
        splits: Of the rows.
        season: Steps in a season.
        fit: Fits the scaler, as in `fit_scaling`.
    """
    filled = fill_panel(panel, splits, season_length=season)
    columns = panel.columns
    training = splits.training_rows(filled)
    require_known(training, columns.features, panel.source)
    scaling = fit_scaling_by_scope(training, splits, columns, config, fit=fit)
    scaling = replace(scaling, lower=find_lower_bounds(panel, splits, config))
    return split_history(History(panel, filled, scaling, season), config, splits)


def split_history(
    history: History,
    config: Config,
    splits: Splits,
    *,
    naive: Floats | None = None,
    sizes: Floats | None = None,
) -> Dataset:
    """Return a dataset of rows whose scaler is known.

    Args:
        history: Its panel has the features of the network, in its order.
        config: Of the network, resolved.
        splits: What is to be scored is the test split.
        naive: Shape `(2, n_series, targets)`: the in-sample errors of the seasonal naive forecast,
            as in `Dataset`; those of the training split where None.
        sizes: Shape `(features,)`: of the errors of future covariates, as in `FutureErrors`; by
            the training split where None.
    """
    panel, season = history.panel, history.season_length
    timesteps = config.window.timesteps or 1
    begin, end = splits.bounds("train")
    # A network that can skip missing steps is trained on series shorter than its window too.
    short = (end - begin < timesteps + 1) & config.network.takes_short
    padding = pad_short_series(panel.indptr, short, timesteps=timesteps)
    rows = history.scale()
    scaled = padding.spread(rows, first=config.network.padding == "first")
    if sizes is None:
        training, share = panel.between(begin, end), config.data.future_noise
        numbers = panel.columns.places(panel.columns.future_numbers)
        sizes = measure_sizes(rows[training], panel.values[training], numbers, share)
    if naive is None:
        naive = seasonal_pair(panel.target_values, panel.indptr, end, season_length=season)
    return Dataset(
        panel, history.filled, history.scaling, season, config, splits, padding, scaled, naive,
        draw_errors(sizes, len(rows), config.window.horizon or 1),
    )  # fmt: skip


def fit_scaling_by_scope(
    rows: Floats,
    splits: Splits,
    columns: Columns,
    config: Config,
    *,
    fit: Fit | None = None,
    whole: Scaling | None = None,
) -> Scaling:
    """Fit the scaler on training rows, shape `(rows, features)`, of each series or of all.

    Where the rows are a part of a table, `whole` is the scaler of all of its series together.
    """
    begin, end = splits.bounds("train")
    return fit_by_series(
        rows,
        cumulate(end - begin),
        choose_scopes(columns, config.scale_by or "all"),
        config.scaler,
        config.transform,
        len(columns.columns),
        fit=fit,
        whole=whole,
    )


def choose_scopes(columns: Columns, scale_by: Scope) -> list[Scope]:
    """Return the scope of the scaler of each feature.

    Static covariates, which do not vary in a series, are scaled over all series; categories and
    calendar features are not scaled.
    """
    known = columns.covariates
    return [
        "none" if name in known.categories or name in known.calendar
        else "all" if name in known.static else scale_by
        for name in columns.features
    ]  # fmt: skip
