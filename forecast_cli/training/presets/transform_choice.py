"""Choose a transform by the error of baselines on held-out training rows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...baselines.effect_fitting import EffectProblem, fit_effects, mean_innovation
from ...baselines.linear_map import apply_map
from ...baselines.member_maps import fit_maps
from ...core.error_scale import seasonal_error
from ...core.ragged import cumulate, row_numbers
from ...core.scaling import BACKWARD, FORWARD, Transform
from ...core.windows import Floats, Ints, window_starts

# The baselines that are fitted, and the last rows of each series and the series used, at most.
JUDGES, ROWS, SERIES = ("smoothing", "structural", "ridge"), 3000, 40
# The share of the rows that is held out, and the origins there, at most.
HELD, ORIGINS = 0.2, 2000
# The error with logarithms over that without, at most: where all values are above 0, since changes
# are mostly proportional to the value then, and where some are 0.
LOG, LOG1P = 1.02, 0.98


def choose_transform(
    values: Floats,
    indptr: Ints,
    end: Ints,
    *,
    horizon: int,
    season: int,
    seasons: Sequence[int] = (),
) -> tuple[Transform, float]:
    """Return the transform with which baselines have the lower error in original units.

    Args:
        values: Shape `(n_rows,)`, all series end to end, original units; NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        end: Shape `(n_series,)`: the row after the last training row of each series.
        horizon: Steps ahead.
        season: Steps in the season of the frequency; 1 for none.
        seasons: Steps of the seasons that were found.

    Returns:
        `none`, `log` (all known training values are above 0) or `log1p` (none is below); and the
        error with logarithms over that without, NaN where it could not be taken.
    """
    training = row_numbers(indptr) < np.repeat(end - indptr[:-1], indptr[1:] - indptr[:-1])
    least = np.min(values[training & np.isfinite(values)], initial=np.inf)
    if not 0 <= least < np.inf:
        return "none", np.nan
    name: Transform = "log" if least > 0 else "log1p"
    margin = LOG if name == "log" else LOG1P
    parts, ends = _some(values, indptr, end)
    names: tuple[Transform, ...] = ("none", name)
    how: Any = {"horizon": horizon, "season": season, "seasons": seasons}
    errors = [_error(parts, ends, each, **how) for each in names]
    if None in errors or not errors[0]:
        return "log" if name == "log" else "none", np.nan
    ratio = float(errors[1] or 0.0) / float(errors[0])
    return name if ratio < margin else "none", ratio


def choose_by_effects(problem: EffectProblem) -> Transform | None:
    """Return the transform with which effects and the steps before explain each step better.

    Mean absolute errors are compared in original units, those of logarithms at the geometric mean
    of the values. Shapes as in `EffectProblem`, the target in original units.

    Returns:
        As `choose_transform`; None where neither finds effects.

    Source: Box and Cox (1964), with a Laplace density.
    """
    values = problem.target[np.isfinite(problem.target)]
    if not len(values) or values.min() < 0:
        return None
    name: Transform = "log" if values.min() > 0 else "log1p"
    errors, found = [], False
    for each in ("none", name):
        own = replace(problem, target=FORWARD.get(each, np.array)(problem.target))
        effects = fit_effects(own)
        found |= bool(effects.terms)
        errors.append(mean_innovation(own, effects))
    ahead = values if name == "log" else 1.0 + values
    ratio = errors[1] * np.exp(np.log(ahead).mean()) / max(errors[0], 1e-300)
    if not found:
        return None
    return name if ratio < (LOG if name == "log" else LOG1P) else "none"


def _some(values: Floats, indptr: Ints, end: Ints) -> tuple[Floats, Ints]:
    """Return the last training rows of some series, and their bounds `(n_series + 1,)`."""
    count = len(indptr) - 1
    some = np.unique(np.linspace(0, count - 1, min(count, SERIES)).astype(int))
    rows = [values[max(indptr[each], end[each] - ROWS) : end[each]] for each in some]
    return np.concatenate(rows), cumulate(np.array([len(each) for each in rows]))


def _error(
    values: Floats,
    indptr: Ints,
    name: Transform,
    *,
    horizon: int,
    season: int,
    seasons: Sequence[int],
) -> float | None:
    """Return the scaled error of the mean of baselines on held-out rows; None if undefined.

    Shapes `(n_rows,)`, original units, and `(n_series + 1,)`.
    """
    ends, first = indptr[1:], indptr[:-1]
    held = np.maximum(HELD * (ends - first), 2 * horizon).astype(np.int64)
    begin = ends - np.minimum(held, (ends - first) // 3)
    given, back = FORWARD.get(name, np.array)(values), BACKWARD.get(name, np.array)
    maps = fit_maps(
        given, indptr, begin, horizon=horizon, season=season, seasons=seasons, names=JUDGES
    )
    timesteps = len(next(iter(maps.values())))
    starts = window_starts(first, begin, ends, timesteps=timesteps, horizon=horizon)
    origins = starts.astype(np.int64)[:: len(starts) // ORIGINS + 1] + timesteps
    forecasts = [back(apply_map(given, origins, each)) for each in maps.values()]
    actual = values[origins[:, None] + np.arange(horizon)]
    unit = seasonal_error(values[:, None], indptr, begin, season_length=1)[:, 0]
    unit = np.where(np.isfinite(unit) & (unit > 0), unit, np.nan)
    own = unit[np.searchsorted(indptr, origins, side="right") - 1]
    errors = np.abs(np.mean(forecasts, axis=0) - actual) / own[:, None]
    known = errors[np.isfinite(errors)]
    return float(known.mean()) if len(known) else None
