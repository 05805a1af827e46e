"""What the scores say, in one plain sentence, and what to try next."""

from typing import TYPE_CHECKING

import numpy as np

from ..config.registries import BASELINES, NAIVE, PLAIN_PRESET, PRESETS
from ..core.errors import counted
from ..core.padding import owner_series
from ..core.windows import Floats, Ints
from ..data.dataset import Dataset
from ..data.panel import Panel
from .significance import chance, examined

if TYPE_CHECKING:
    from .scoring import ScoreSums

# Below this many percent a difference is called none.
NOTABLE = 1.0
# From fewer forecasts nothing is concluded.
ENOUGH = 10
# Business days and what has no season at all: there the last value often is the best forecast.
RANDOM_WALK_SEASON = 5


def verdict(
    skill: float | None, best: str, tally: "ScoreSums", dataset: Dataset, *, measure: str = "mae"
) -> str:
    """One plain sentence: the network beats the simple forecasts, or it does not and what to try.

    Args:
        skill: Percent by which its MAE is lower than that of the best simple forecast; None where
            that one makes no error.
        best: The name of that forecast.
        tally: The errors of all.
        dataset: What it was trained on.
        measure: Of the errors that are compared.
    """
    who = "network" if dataset.config.ensemble.alone else "ensemble"
    if skill is None:
        return f"The {who} does not beat the simple forecasts: {best} makes no error at all."
    if BASELINES[best].for_walks and is_last_value(tally, dataset):
        return (
            "The forecast is the last value: nothing that was tried is better by more than chance, "
            "as of prices and of whatever moves like a random walk."
        )
    doubt, error = _chance(tally, best, dataset), "error" if measure == "mae" else "MASE"
    if skill >= NOTABLE:
        return (
            f"The {who} beats the simple forecasts: its {error} is {skill:.1f} % below that of "
            f"{best}, the best of them.{doubt}"
        )
    how = (
        f"about as large as that of {best} ({-skill:+.1f} %)"
        if skill > -NOTABLE
        else f"{-skill:.1f} % above that of {best}"
    )
    return (
        f"The {who} does not beat the simple forecasts: its {error} is {how}.{doubt} "
        f"{_advice(best, dataset)}"
    )


def is_last_value(tally: "ScoreSums", dataset: Dataset) -> bool:
    """Whether the forecasts are the last value, given all the weight because nothing beats it."""
    if dataset.config.ensemble.combine != "weights" or NAIVE not in tally.losses:
        return False
    own, last = tally.losses["network"], tally.losses[NAIVE]
    same = np.allclose(own, last, rtol=1e-4, atol=1e-3, equal_nan=True)
    return bool(same and np.isfinite(last).any())


def _chance(tally: "ScoreSums", best: str, dataset: Dataset) -> str:
    """Whether the difference could be chance; empty where there is none to speak of."""
    origins = len(tally.origins)
    if origins < ENOUGH:
        return f" That is from {counted(origins, 'forecast')}, too few to tell."
    difference = tally.losses["network"] - tally.losses[best]
    test = examined(by_time(dataset.panel, tally.origins, difference), lags=dataset.horizon - 1)
    said = chance(test, f"{origins} forecasts of {dataset.horizon} steps that overlap")
    return f" {said[:1].upper()}{said[1:]}."


def by_time(panel: Panel, origins: Ints, values: Floats) -> Floats:
    """The means over series of what belongs to origins, one for each time, in time order.

    Args:
        panel: With the series; where it has no times, its series end together.
        origins: Shape `(samples,)`: rows of the panel.
        values: Shape `(samples,)`; NaN does not count.
    """
    known = np.isfinite(values)
    origins, values = origins[known], values[known]
    if panel.timeline is not None:
        times = panel.timeline.times[origins].asi8
    else:
        times = origins - panel.indptr[1:][owner_series(panel.indptr, origins)]
    _, places = np.unique(times, return_inverse=True)
    means: Floats = np.bincount(places, values) / np.maximum(np.bincount(places), 1)
    return means


def _advice(best: str, dataset: Dataset) -> str:
    """What to try next, after what won and what was not tried yet."""
    network, season = dataset.config.network, dataset.season_length
    if dataset.config.data.missing == "mask":
        return "Try --missing interpolate, which lets simple forecasts stand beside the network."
    if stronger := PRESETS[dataset.config.preset or PLAIN_PRESET].stronger:
        return f"Try --preset {stronger} or forecast tune, or use the {best}."
    columns = dataset.filled[:, : len(dataset.panel.columns.columns)]
    positive = dataset.config.transform == "none" and np.nanmin(columns) > 0
    untried = ["--transform log"] if positive else []
    if network.head != "sequence" and not network.stateful:
        untried += ["--anchor last"] if network.anchor == "none" else []
        untried += ["--skip linear"] if network.skip == "none" else []
    if BASELINES[best].needs_season and dataset.timesteps < 2 * season:
        segment = network.segment or 1
        untried.append(f"--timesteps {-(-2 * season // segment) * segment}")
    if BASELINES[best].for_walks and dataset.season_length <= RANDOM_WALK_SEASON:
        return (
            "The last value is hard to beat where a series moves like a random walk, as prices do"
            + (f"; try {' '.join(untried)}, or use the last value." if untried else ".")
        )
    if untried:
        return f"Try {' '.join(untried)}."
    return f"Try other --units, --timesteps and --learning-rate, or use the {best}."
