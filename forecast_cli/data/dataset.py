"""A table ready to train on: split, filled and scaled, without leakage from the future."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..config.registries import LOSSES
from ..config.schema import Config
from ..core.padding import LeftPadding, owner_series, pad_short_series
from ..core.ragged import cumulate, owners
from ..core.scaling import Scaling, Scope, Units, fit_by_series
from ..core.seasonal_error import seasonal_pair, seasonal_smape
from ..core.windows import Floats, Ints, window_starts
from .checks import require_known, require_positive
from .columns import Columns
from .missing import fill_panel
from .panel import Panel
from .splits import Part, Splits, all_training

# The fewest rows of a short series that a window contains.
LEAST_KNOWN = 2


@dataclass(frozen=True)
class Dataset:
    """A panel with its splits and its scaler.

    Args:
        config: With all settings resolved.
        panel: As read, NaN where values are missing.
        splits: Training, validation and test.
        scaling: Fitted on the training rows alone.
        filled: Shape `(n_rows, features)`, original units, without gaps.
        padding: Where the rows are in `scaled`.
        scaled: Shape `(n_rows + added rows, features)`, float32: `filled`, scaled, with padding in
            front of short series.
        season_length: Steps in a season.
        known_naive: The in-sample errors of the seasonal naive, where they are known: as `naive`.
    """

    config: Config
    panel: Panel
    splits: Splits
    scaling: Scaling
    filled: Floats
    padding: LeftPadding
    scaled: Floats
    season_length: int
    known_naive: Floats | None = None

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
    def naive(self) -> Floats:
        """Mean absolute and mean squared error of the seasonal naive in the training rows.

        Shape `(2, n_series, targets)`, original units.
        """
        if self.known_naive is not None:
            return self.known_naive
        values, end = self.panel.values[:, self.targets], self.splits.bounds("train")[1]
        return seasonal_pair(values, self.panel.indptr, end, season_length=self.season_length)

    @property
    def naive_error(self) -> Floats:
        """Its mean absolute error, shape `(n_series, targets)`."""
        error: Floats = self.naive[0]
        return error

    @property
    def units(self) -> Units:
        """The units of scaled targets; the naive error of a series without one is 1."""
        error = self.naive_error
        shares, losses = None, (self.config.training.loss, *self.config.ensemble.losses)
        if any(LOSSES[loss or "mse"].takes_naive_smape for loss in losses):
            values, end = self.panel.values[:, self.targets], self.splits.bounds("train")[1]
            season = self.season_length
            shares = seasonal_smape(values, self.panel.indptr, end, season_length=season)
        known = np.where(error > 0, error, 1.0)
        return Units(self.scaling.only(self.targets), known, shares)

    @cached_property
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
        begin, end = (each + self.padding.shift for each in self.splits.bounds(part))
        first = self.padding.first_starts(timesteps=back, least=LEAST_KNOWN)
        # A series without a training row has no scores.
        trained = self.splits.train_end > self.splits.indptr[:-1]
        end = np.where(trained, end, begin)
        starts = window_starts(first, begin, end, timesteps=back, horizon=horizon)
        if self.config.data.missing == "mask" or not self.panel.missing_rows.any():
            return starts
        # A gap that reaches up to the targets was filled with values of the targets.
        ends = self.padding.original(starts + back - 1)
        if self.config.network.head == "sequence":
            # Here each row of a window has targets of its own.
            count = np.concatenate([[0], np.cumsum(self.panel.missing_rows)])
            first = self.panel.indptr[owner_series(self.panel.indptr, ends)]
            begins = np.maximum(ends + 1 - back, first)
            whole: Ints = starts[count[ends + 1] == count[begins]]
            return whole
        return starts[~self.panel.missing_rows[ends]]

    def origins(self, part: Part) -> Ints:
        """Return the rows, shape `(origins,)`, whose whole horizon lies within a split.

        Before the first actual value of a series there are none.
        """
        origins = self.padding.original(self.starts(part, horizon=self.horizon) + self.timesteps)
        if self.config.data.missing != "mask":
            return origins
        rows, indptr = np.arange(len(self.panel.values))[:, None], self.panel.indptr
        known = np.isfinite(self.panel.values[:, self.targets])
        firsts = np.minimum.reduceat(np.where(known, rows, len(rows)), indptr[:-1]).max(axis=1)
        later: Ints = origins[origins > firsts[owner_series(indptr, origins)]]
        return later


def on_all_rows(dataset: Dataset) -> Dataset:
    """Return the dataset with every row in the training split, to refit on."""
    return scaled_dataset(
        dataset.panel, dataset.config, all_training(dataset.panel), dataset.season_length
    )


def scaled_dataset(panel: Panel, config: Config, splits: Splits, season: int) -> Dataset:
    """Fill the gaps of a panel, fit the scaler on the training rows, and scale all rows."""
    filled = fill_panel(panel, splits, season_length=season)
    columns = panel.columns
    require_positive(filled, columns.columns, config.transform, panel.source)
    training = splits.training_rows(filled)
    require_known(training, columns.features, panel.source)
    scaling = fit_scaling_by_scope(training, splits, columns, config)
    return with_scaling(panel, config, splits, season, filled, scaling)


def with_scaling(
    panel: Panel, config: Config, splits: Splits, season: int, filled: Floats, scaling: Scaling
) -> Dataset:
    """Return a dataset with a given scaler, as for the evaluation of a saved model.

    Args:
        panel: With the features of the network, in its order.
        config: Of the network, resolved.
        splits: The rows to evaluate are its test split.
        season: Steps in a season.
        filled: Shape `(n_rows, features)`, original units, without gaps.
        scaling: Of the series of the panel, in their order.
    """
    timesteps = config.window.timesteps or 1
    begin, end = splits.bounds("train")
    # A network that can skip missing steps is trained on series shorter than its window too.
    short = (end - begin < timesteps + 1) & config.network.takes_short
    padding = pad_short_series(panel.indptr, short, timesteps=timesteps)
    scaled = padding.spread(
        scaling.each(panel.owners).transform(filled).astype(np.float32),
        first=config.network.padding == "first",
    )
    return Dataset(config, panel, splits, scaling, filled, padding, scaled, season)


def fit_scaling_by_scope(rows: Floats, splits: Splits, columns: Columns, config: Config) -> Scaling:
    """Fit the scaler on training rows, shape `(rows, features)`, of each series or of all."""
    begin, end = splits.bounds("train")
    return fit_by_series(
        rows,
        cumulate(end - begin),
        choose_scopes(columns, config.scale_by or "all"),
        config.scaler,
        config.transform,
        len(columns.columns),
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
