"""The maps that are members of an ensemble: their lookbacks, and all of them fitted at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.error_scale import seasonal_error
from ..core.windows import Floats, Ints, window_starts
from .linear_map import Sample, last_map, sample_windows, seasonal_map, widened
from .ridge import fit_ridge
from .smoothing import fit_smoothing
from .structural import fit_structure

# How many seasons maps look back, and how many steps a season counts as where there is none.
SHORT, MIDDLE, LONG, PLAIN = 3, 5, 10, 8
# Steps that a linear map looks back at most, and a structure, whose parameters are few.
FARTHEST, SEASONAL = 400, 1100
# A season that is longer is not smoothed: its states would be too many for a window.
SMOOTHED = 60


def map_window(
    rows: int, *, horizon: int, season: int, count: int = LONG, seasons: Sequence[int] = ()
) -> int:
    """How many steps a map looks back.

    That many seasons, and two of each that must be seen; but so few that at least a third of the
    rows, and five, are left as origins to learn from.

    Args:
        rows: Training rows of a series.
        horizon: Steps ahead.
        season: Steps in the season that is usual for the frequency; 1 for none.
        count: Seasons back.
        seasons: Steps of the seasons that must be seen twice.

    >>> map_window(144, horizon=12, season=12, count=5)
    60
    >>> map_window(60, horizon=12, season=12, count=5)
    32
    >>> map_window(5000, horizon=24, season=24, seasons=(24, 168))
    360
    """
    wanted = min(count * (season if season > 1 else PLAIN), FARTHEST)
    wanted = max(wanted, 2 * max(seasons) + season if seasons else 1)
    room = rows - horizon
    enough = room - max(5, room // 3)
    return max(1, min(max(min(wanted, enough), season + 2), room))


@dataclass(frozen=True, eq=False)
class FitProblem:
    """What maps are fitted to.

    Args:
        values: Shape `(n_rows,)`, series of any size made alike.
        indptr: Shape `(n_series + 1,)`.
        end: Shape `(n_series,)`: the row after the last training row of each series.
        horizon: Steps ahead.
        season: Steps in the season that is usual for the frequency; 1 for none.
        seasons: Steps of the seasons that were found.
        timesteps: The longest lookback.
    """

    values: Floats
    indptr: Ints
    end: Ints
    horizon: int
    season: int
    seasons: tuple[int, ...]
    timesteps: int

    @property
    def rows(self) -> int:
        """Training rows of the series in the middle, by length."""
        return int(np.median(self.end - self.indptr[:-1]))

    def window(self, count: int, farthest: int = 0) -> int:
        """The lookback: so many seasons, and two of each that does not make it longer than that."""
        most = min(farthest, self.rows // 2)
        twice = [each for each in self.seasons if 2 * each + self.season <= most]
        steps = map_window(
            self.rows, horizon=self.horizon, season=self.season, count=count, seasons=twice
        )
        return min(steps, self.timesteps)

    def origins(self, timesteps: int) -> Ints:
        """The rows of the first target of all training windows, shape `(samples,)`."""
        first = self.indptr[:-1]
        starts = window_starts(first, first, self.end, timesteps=timesteps, horizon=self.horizon)
        return starts.astype(np.int64) + timesteps

    def sample(self, timesteps: int) -> Sample:
        """Some of the training windows."""
        return sample_windows(
            self.values, self.origins(timesteps), timesteps=timesteps, horizon=self.horizon
        )


def longest_lookback(rows: int, *, horizon: int, season: int, seasons: Sequence[int] = ()) -> int:
    """How many steps the map looks back that looks back farthest; as for `map_window`."""
    whole, end = np.array([0, rows]), np.array([rows])
    ground = FitProblem(np.empty(0), whole, end, horizon, season, tuple(seasons), rows)
    return max(ground.window(MIDDLE, SEASONAL), ground.window(LONG, FARTHEST))


def fit_maps(
    values: Floats,
    indptr: Ints,
    end: Ints,
    *,
    horizon: int,
    season: int,
    seasons: Sequence[int] = (),
    names: Sequence[str],
    timesteps: int | None = None,
) -> dict[str, Floats]:
    """Maps that are fitted to the training rows alone.

    Args:
        values: Shape `(n_rows,)`, all series (and channels) end to end, in the units (scaled,
            logarithms) in which they will forecast; NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        end: Shape `(n_series,)`: the row after the last training row of each series.
        horizon: Steps ahead.
        season: Steps in the season that is usual for the frequency; 1 for none.
        seasons: Steps of the seasons that were found.
        names: Which maps. Those that the rows are too few or the season is too long for are left
            out.
        timesteps: The longest lookback; None for as many as each map asks for.

    Returns:
        A matrix `(timesteps, horizon)` for each name, all of the same timesteps.
    """
    end = np.asarray(end)
    most = max(end - indptr[:-1]) if timesteps is None else timesteps
    alike = _alike(values, indptr, end)
    ground = FitProblem(alike, indptr, end, horizon, season, tuple(seasons), int(most))
    found = {name: FITS[name](ground) for name in names}
    maps = {name: each for name, each in found.items() if each is not None}
    longest = max((len(each) for each in maps.values()), default=1)
    return {name: widened(each, longest) for name, each in maps.items()}


def _alike(values: Floats, indptr: Ints, end: Ints) -> Floats:
    """Return series, shape `(n_rows,)`, divided by their mean absolute step, of equal influence."""
    if len(indptr) == 2:
        return values
    unit = seasonal_error(values[:, None], indptr, end, season_length=1)[:, 0]
    usable = np.isfinite(unit) & (unit > 0)
    alike: Floats = values / np.repeat(np.where(usable, unit, 1.0), indptr[1:] - indptr[:-1])
    return alike


def _seasonal(ground: FitProblem) -> Floats | None:
    if not 1 < ground.season <= min(ground.rows, ground.timesteps):
        return None
    return seasonal_map(ground.season, ground.horizon, season=ground.season)


def _smoothing(ground: FitProblem) -> Floats | None:
    timesteps = ground.window(MIDDLE)
    if ground.season > SMOOTHED or timesteps < 2:
        return None
    # A season that was not found is smoothed as well: a weak one is learned as such.
    sample = ground.sample(timesteps)
    return fit_smoothing(sample, season=ground.season if ground.season < sample.timesteps else 1)


def _structure(ground: FitProblem) -> Floats | None:
    timesteps = ground.window(MIDDLE, SEASONAL)
    if timesteps < 2:
        return None
    sample = ground.sample(timesteps)
    found = ground.seasons or ((ground.season,) if ground.season > 1 else ())
    return fit_structure(sample, seasons=[each for each in found if each < sample.timesteps])


def _corrected(ground: FitProblem) -> Floats | None:
    smoothed = _smoothing(ground)
    return None if smoothed is None else _ridge(ground, len(smoothed), smoothed)


def _linear(count: int, farthest: int = 0) -> Callable[[FitProblem], Floats]:
    return lambda ground: _ridge(ground, ground.window(count, farthest), None)


def _ridge(ground: FitProblem, timesteps: int, towards: Floats | None) -> Floats:
    return fit_ridge(
        ground.values,
        ground.origins(timesteps),
        timesteps=timesteps,
        horizon=ground.horizon,
        towards=towards,
    )


# The maps of `forecast_cli.config.registries.BASELINES`; None where the rows are too few or the
# season is too long.
FITS: dict[str, Callable[[FitProblem], Floats | None]] = {
    "naive": lambda ground: last_map(1, ground.horizon),
    "seasonal-naive": _seasonal,
    "smoothing": _smoothing,
    "smoothing-ridge": _corrected,
    "structural": _structure,
    "ridge-short": _linear(SHORT),
    "ridge": _linear(MIDDLE),
    "ridge-long": _linear(LONG, FARTHEST),
    "ridge-half": lambda ground: _ridge(ground, -(-ground.timesteps // 2), None),
    "ridge-full": lambda ground: _ridge(ground, ground.timesteps, None),
}
