"""A table made ready to learn from: split, filled and scaled, nothing learned from the future."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..config.schema import Config
from ..core.padding import LeftPadding, make_room, owner_series
from ..core.ragged import cumulate, owners
from ..core.scaling import Scaling, Scope, Units, fit_by_series
from ..core.seasonal_error import seasonal_pair, seasonal_smape
from ..core.windows import Floats, Ints, window_starts
from .checks import require_known, require_positive
from .columns import Columns
from .missing import fill_panel
from .panel import Panel
from .splits import Part, Splits, everything

# Rows of its series that a window of a short one holds at least.
LEAST_KNOWN = 2


@dataclass(frozen=True)
class Dataset:
    """A panel with its splits and its scaler.

    Args:
        config: With everything filled in that the user left open.
        panel: As read, NaN where values are missing.
        splits: Training, validation and test.
        scaling: Fitted on the training rows alone.
        filled: Shape `(n_rows, features)`, original units, without gaps.
        room: Where the rows stand in `scaled`.
        scaled: The same values, scaled, float32, with room in front of short series.
        season_length: Steps in a season.
        known_naive: The in-sample errors of the seasonal naive, where they are known: as `naive`.
    """

    config: Config
    panel: Panel
    splits: Splits
    scaling: Scaling
    filled: Floats
    room: LeftPadding
    scaled: Floats
    season_length: int
    known_naive: Floats | None = None

    @property
    def timesteps(self) -> int:
        """Steps back."""
        return self.config.window.timesteps or 1

    @property
    def horizon(self) -> int:
        """Steps ahead that the user wants."""
        return self.config.window.horizon or 1

    @property
    def steps_at_once(self) -> int:
        """Steps ahead that the network gives in one call."""
        return 1 if self.config.window.mode == "many-to-one" else self.horizon

    @property
    def targets(self) -> list[int]:
        """Where the targets stand among the features."""
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
        """What scaled targets mean; a series that never errs counts as it is."""
        error = self.naive_error
        shares, losses = None, (self.config.training.loss, *self.config.ensemble.losses)
        if "owa" in losses:
            values, end = self.panel.values[:, self.targets], self.splits.bounds("train")[1]
            season = self.season_length
            shares = seasonal_smape(values, self.panel.indptr, end, season_length=season)
        known = np.where(error > 0, error, 1.0)
        return Units(self.scaling.only(self.targets), known, shares)

    @cached_property
    def owners(self) -> Ints:
        """The series of each row of `scaled`, int32."""
        return owners(cumulate(self.panel.lengths + self.room.added)).astype(np.int32)

    def starts(self, part: Part, *, horizon: int, timesteps: int | None = None) -> Ints:
        """The first rows, in `scaled`, of the windows whose targets lie within a split.

        Args:
            part: The split.
            horizon: Steps ahead.
            timesteps: Steps back; those of the configuration where None.
        """
        back = timesteps or self.timesteps
        begin, end = (each + self.room.shift for each in self.splits.bounds(part))
        first = self.room.first_starts(timesteps=back, least=LEAST_KNOWN)
        # What was trained on no row of a series is not judged by it.
        trained = self.splits.train_end > self.splits.indptr[:-1]
        end = np.where(trained, end, begin)
        starts = window_starts(first, begin, end, timesteps=back, horizon=horizon)
        if self.config.data.missing == "mask" or not self.panel.missing_rows.any():
            return starts
        # A gap that reaches up to the targets was filled with a look at them.
        ends = self.room.original(starts + back - 1)
        if self.config.network.head == "sequence":
            # Here each row of a window has targets of its own.
            count = np.concatenate([[0], np.cumsum(self.panel.missing_rows)])
            first = self.panel.indptr[owner_series(self.panel.indptr, ends)]
            begins = np.maximum(ends + 1 - back, first)
            whole: Ints = starts[count[ends + 1] == count[begins]]
            return whole
        return starts[~self.panel.missing_rows[ends]]

    def origins(self, part: Part) -> Ints:
        """The rows of the panel from which the whole horizon lies within a split.

        Before the first actual value of a series nothing could be forecast of it.
        """
        origins = self.room.original(self.starts(part, horizon=self.horizon) + self.timesteps)
        if self.config.data.missing != "mask":
            return origins
        rows, indptr = np.arange(len(self.panel.values))[:, None], self.panel.indptr
        known = np.isfinite(self.panel.values[:, self.targets])
        firsts = np.minimum.reduceat(np.where(known, rows, len(rows)), indptr[:-1]).max(axis=1)
        later: Ints = origins[origins > firsts[owner_series(indptr, origins)]]
        return later


def on_all_rows(dataset: Dataset) -> Dataset:
    """The same with every row in the training split, to refit on."""
    return scaled_dataset(
        dataset.panel, dataset.config, everything(dataset.panel), dataset.season_length
    )


def scaled_dataset(panel: Panel, config: Config, splits: Splits, season: int) -> Dataset:
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
    """A dataset whose scaler is known: what a network that is trained already is judged on.

    Args:
        panel: With the features of the network, in its order.
        config: Of the network, everything filled in.
        splits: What may be judged is its test split.
        season: Steps in a season.
        filled: Shape `(n_rows, features)`, original units, without gaps.
        scaling: Of the series of the panel, in their order.
    """
    timesteps = config.window.timesteps or 1
    begin, end = splits.bounds("train")
    # A network that can skip missing steps learns from series shorter than its window too.
    short = (end - begin < timesteps + 1) & config.network.takes_short
    room = make_room(panel.indptr, short, timesteps=timesteps)
    scaled = room.spread(
        scaling.each(panel.owners).transform(filled).astype(np.float32),
        first=config.network.padding == "first",
    )
    return Dataset(config, panel, splits, scaling, filled, room, scaled, season)


def fit_scaling_by_scope(rows: Floats, splits: Splits, columns: Columns, config: Config) -> Scaling:
    """The scaler, fitted on the training rows of each series or of all."""
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
    """Whose training rows the scaler of each feature is fitted on.

    What is the same in all rows of a series has a scale over all series alone; categories and
    calendar features have none.
    """
    known = columns.covariates
    return [
        "none" if name in known.categories or name in known.calendar
        else "all" if name in known.static else scale_by
        for name in columns.features
    ]  # fmt: skip
