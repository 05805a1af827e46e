"""Effects of future covariates and the calendar; the members of an ensemble forecast the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..baselines.effect_fitting import fit_effects
from ..baselines.effects import Effects, row_effects
from ..baselines.member_maps import fit_maps
from ..config.schema import Config
from ..core.events import Listener, Note
from ..core.parallel import one_thread
from ..core.ragged import cumulate
from ..core.windows import Floats, Ints, gather
from ..data.dataset import Dataset
from ..forecasting.intervals.calibration import evenly
from ..model.runtime import chunks
from .effect_problem import make_problem
from .preparation import with_usual_spread

# Values of windows that effects are judged by at most, and the baseline that judges.
JUDGED, JUDGE = 4_000_000, "ridge"


@dataclass(frozen=True)
class Adjusted:
    """A dataset whose targets are less the effects on them.

    Args:
        dataset: As prepared, with the usual spread of what the effects leave.
        rest: The same, but `scaled` is without the effects.
        effects: On each target; empty where they are not estimated.
        removed: Shape `(n_rows + padding, targets)`: what was taken from each row, scaled.
    """

    dataset: Dataset
    rest: Dataset
    effects: tuple[Effects, ...] = ()
    removed: Floats | None = None

    def removed_from(self, origins: Ints) -> Floats:
        """Return what the effects take from the steps ahead, as a forecast may know them.

        Args:
            origins: Shape `(samples,)`, rows of the panel.

        Returns:
            Shape `(samples, steps, targets)`, scaled.
        """
        dataset, steps = self.dataset, self.dataset.steps_at_once
        if self.removed is None:
            return np.zeros((len(origins), steps, len(dataset.targets)))
        removed = gather(self.removed, dataset.padding.moved(origins), timesteps=steps)
        return removed + _effect_errors(dataset, self.effects, origins)

    @property
    def found(self) -> bool:
        """Whether there is an effect on any target."""
        return any(each.terms for each in self.effects)

    def with_config(self, config: Config) -> "Adjusted":
        """Return the same with another configuration."""
        dataset, rest = (replace(each, config=config) for each in (self.dataset, self.rest))
        return Adjusted(dataset, rest, self.effects, self.removed)


def adjust(
    dataset: Dataset,
    effects: Sequence[Effects] | None,
    on_event: Listener,
    before: Sequence[Effects] | None = None,
) -> Adjusted:
    """Return a dataset without the effects of what is known ahead, where they are estimated.

    Args:
        dataset: As prepared.
        effects: Those of a saved model; None to fit them.
        on_event: Notified of the effects that were found.
        before: Those that were found on fewer rows: they are fitted again where there were any,
            and not judged again, since a refit has no validation split.
    """
    if not dataset.config.ensemble.covariate_effects:
        return Adjusted(dataset, dataset)
    if effects is None:
        with one_thread():
            effects = _fit_all(dataset, before)
        if before is None:
            report_effects(effects, on_event)
    indptr = cumulate(dataset.panel.lengths + dataset.padding.added)
    removed = row_effects(effects, dataset.scaled[:, _places(dataset)], indptr)
    scaled = dataset.scaled.copy()
    scaled[:, dataset.targets] -= removed
    rest = with_usual_spread(replace(dataset, scaled=scaled))
    return Adjusted(replace(dataset, config=rest.config), rest, tuple(effects), removed)


def _effect_errors(dataset: Dataset, effects: Sequence[Effects], origins: Ints) -> Floats:
    """Return how far the errors of future covariates move the effects ahead; 0 without errors.

    Shape `(samples, steps, targets)`, scaled; `origins` as in `Adjusted.removed_from`.
    """
    steps, places = dataset.steps_at_once, _places(dataset)
    if dataset.future_errors is None:
        return np.zeros((len(origins), steps, len(effects)))
    back, width = dataset.timesteps, len(places)
    moved = []
    for part in chunks(origins, timesteps=back + steps, features=width):
        # Before the first row stands nothing that its errors could change.
        rows = dataset.padding.moved(part)[:, None] + np.arange(-back, steps)
        known = dataset.scaled[np.maximum(rows, 0)][..., places]
        noisy = known.copy()
        noisy[:, back:] = dataset.rows_from(part, steps)[..., places]
        indptr = (back + steps) * np.arange(len(part) + 1)
        both = [row_effects(effects, each.reshape(-1, width), indptr) for each in (noisy, known)]
        moved.append((both[0] - both[1]).reshape(len(part), back + steps, -1)[:, back:])
    return np.concatenate(moved) if moved else np.zeros((0, steps, len(effects)))


def report_effects(effects: Sequence[Effects], on_event: Listener) -> None:
    """Note which covariates and calendar features have an effect."""
    names = dict.fromkeys(term.name for each in effects for term in each.terms)
    found = ", ".join(names) if names else "none that lowers the error"
    on_event(Note(f"effects estimated by regression: {found}"))


def _places(dataset: Dataset) -> list[int]:
    return list(dataset.panel.columns.inputs.ahead)


def _fit_all(dataset: Dataset, before: Sequence[Effects] | None) -> tuple[Effects, ...]:
    """Return the effects on each target that lower its error, or did so before."""
    panel = dataset.panel
    rows = dataset.scaled[dataset.padding.moved(np.arange(len(dataset.filled)))].astype(np.float64)
    found = []
    for number, target in enumerate(dataset.targets):
        if before is not None and not before[number].terms:
            found.append(Effects())
            continue
        values = np.where(np.isnan(panel.values[:, target]), np.nan, rows[:, target])
        problem = make_problem(
            panel, dataset.splits, (values, rows[:, _places(dataset)]), config=dataset.config,
            season=dataset.season_length, timesteps=dataset.timesteps,
        )  # fmt: skip
        effects = fit_effects(problem)
        helps = before is not None or _helps(dataset, effects, rows, target)
        found.append(effects if helps else Effects())
    return tuple(found)


def _helps(dataset: Dataset, effects: Effects, rows: Floats, target: int) -> bool:
    """Whether a linear map errs less on the validation split where effects are taken out.

    `rows`, shape `(n_rows, features)`, are those of the panel, scaled.
    """
    if not effects.terms:
        return False
    known = rows[:, _places(dataset)]
    removed = row_effects([effects], known, dataset.panel.indptr)[:, 0]
    values = rows[:, target]
    without = _map_error(dataset, values, target, ())
    return not _map_error(dataset, values - removed, target, [effects]) > without


def _map_error(dataset: Dataset, values: Floats, target: int, effects: Sequence[Effects]) -> float:
    """Return the mean absolute error of a linear map on the validation split; NaN without one.

    Args:
        dataset: As prepared.
        values: Shape `(n_rows,)`: the target less the effects, scaled.
        target: Its position among the features.
        effects: Those that are added to the forecasts of the map, if any.
    """
    panel, horizon = dataset.panel, dataset.steps_at_once
    begin, end = dataset.splits.bounds("validation")
    made = fit_maps(
        values, panel.indptr, begin, horizon=horizon, season=dataset.season_length,
        seasons=(), names=[JUDGE],
    )[JUDGE]  # fmt: skip
    back = len(made)
    origins = [
        np.arange(max(first, start + back), last - horizon + 1)
        for start, first, last in zip(panel.indptr[:-1], begin, end, strict=True)
    ]
    rows: Ints = evenly(np.concatenate(origins), back + horizon, JUDGED)
    if not len(rows):
        return float("nan")
    forecast = gather(values, rows - back, timesteps=back) @ made
    for each in effects:
        forecast = forecast + _effect_errors(dataset, [each], rows)[..., 0]
    error = np.abs(gather(values, rows, timesteps=horizon) - forecast)
    error[np.isnan(gather(panel.values[:, target], rows, timesteps=horizon))] = np.nan
    return float(np.nanmean(error))
