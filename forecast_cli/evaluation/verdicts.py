"""The verdict on a model, in one or two sentences, and what to try next."""

from typing import TYPE_CHECKING

import numpy as np

from ..config.model_name import ENSEMBLE
from ..config.registries import (
    DEFAULT_INTERVALS,
    LOSSES,
    NAIVE,
    PLAIN_PRESET,
    PRESETS,
    PRETRAINED_PRESET,
    Score,
    baseline_entry,
)
from ..core.diebold_mariano import Comparison, diebold_mariano
from ..core.errors import counted, listed, singular
from ..core.padding import owner_series
from ..core.windows import Floats, Ints
from ..data.dataset import Dataset
from ..data.panel import Panel

if TYPE_CHECKING:
    from .scoring import ScoreSums

# So many forecasts that do not overlap are the least that is tested.
FEWEST = 3
# A difference with a larger p-value is not significant.
P_VALUE = 0.05
# Errors that differ by less than this many percent are called about the same.
NOTABLE = 1.0
# From fewer forecasts nothing is concluded.
ENOUGH = 10
# Business days and what has no season at all: there the last value often is the best forecast.
RANDOM_WALK_SEASON = 5


def compare_losses(difference: Floats, *, lags: int) -> Comparison | None:
    """Test a difference by Diebold and Mariano; None where forecasts are too few for that.

    Args:
        difference: Shape `(samples,)`: the loss of one less that of the other, in time order.
        lags: How many later forecasts overlap with one.
    """
    if len(difference) < FEWEST * (lags + 1):
        return None
    return diebold_mariano(difference, lags=lags)


def is_significant(test: Comparison | None) -> bool:
    """Whether the difference is significant at 5 %."""
    return test is not None and test.p_value < P_VALUE


def describe_significance(test: Comparison | None, untested: str) -> str:
    """A clause on whether a difference is significant.

    Args:
        test: The result of the test.
        untested: Why there is none, e.g. "2 cutoffs are too few".

    >>> describe_significance(Comparison(-3.0, 0.0031, -1.0, 40), "")
    'the difference is significant (Diebold-Mariano, p = 0.003)'
    """
    if test is None:
        return f"significance not tested: {untested}"
    p = "p < 0.001" if test.p_value < 0.0005 else f"p = {test.p_value:.3f}"
    significant = "significant" if is_significant(test) else "not significant"
    return f"the difference is {significant} (Diebold-Mariano, {p})"


def verdict(
    skill: float | None, best: str, tally: "ScoreSums", dataset: Dataset, *, measure: Score = "mae"
) -> str:
    """Whether the model beats the baselines, and what a forecast means where most values are 0.

    The arguments are those of `compare_with_baselines`.
    """
    text = compare_with_baselines(skill, best, tally, dataset, measure=measure)
    if noisy := dataset.noisy_covariates:
        text += f" Future values of {listed(noisy)} had simulated errors."
    return singular(f"{text} {_for_stock(dataset, measure)}" if dataset.intermittent else text)


def _for_stock(dataset: Dataset, measure: Score) -> str:
    """What means and medians are for stock, where most of the values are 0."""
    config = dataset.config
    setting = "member_losses" if config.ensemble.losses else "loss"
    losses = config.ensemble.losses or (config.training.loss,)
    why = (
        f"Most values are 0, so {measure.upper()} is compared: the lowest MAE is that of the "
        "median, a forecast of 0 or nearly 0 that would leave no stock."
    )
    if all(LOSSES[loss or "mse"].for_means for loss in losses):
        return (
            f"{why} The forecast is the mean demand of a step; for stock that is to last, order up "
            "to the upper end of an interval."
        )
    way = f"`{setting}=mse`"
    if config.quantile_levels:
        way = f"`intervals={DEFAULT_INTERVALS}` and `loss=mse`"
    return f"{why} This model forecasts the median: train with {way} for the mean demand."


def compare_with_baselines(
    skill: float | None, best: str, tally: "ScoreSums", dataset: Dataset, *, measure: Score
) -> str:
    """Whether the model beats the baselines, and if not, what to try.

    Args:
        skill: Percent by which its error is lower than that of the best baseline; None where that
            one makes no error.
        best: The name of that baseline.
        tally: The errors of all.
        dataset: What it was trained on.
        measure: Of the errors that are compared.
    """
    who = _called(tally, dataset)
    if skill is None:
        return f"The {who} does not beat the baselines: {best} makes no error at all."
    if baseline_entry(best).for_walks and is_last_value(tally, dataset):
        return (
            f"No model was significantly better than the {best} forecast, as is typical of random "
            "walks. The saved model forecasts the last value."
        )
    significance, error = _significance(tally, best, dataset), measure.upper()
    if skill >= NOTABLE:
        return (
            f"The {who} beats the baselines: its {error} is {skill:.1f} % lower than that of "
            f"{best}, the best of them.{significance}"
        )
    how = (
        f"about the same as that of {best} ({-skill:+.1f} %)"
        if skill > -NOTABLE
        else f"{-skill:.1f} % higher than that of {best}"
    )
    return (
        f"The {who} does not beat the baselines: its {error} is {how}.{significance} "
        f"{_advice(best, dataset)}"
    )


def _called(tally: "ScoreSums", dataset: Dataset) -> str:
    """Return what a sentence calls the model."""
    if dataset.config.network.pretrained:
        return "pretrained network"
    if dataset.config.ensemble.alone:
        return "network"
    return "ensemble" if tally.name == ENSEMBLE else f"model, {tally.name},"


def is_last_value(tally: "ScoreSums", dataset: Dataset) -> bool:
    """Whether the forecasts are the last value, which has all the weight since nothing beats it."""
    if dataset.config.ensemble.combine != "weights" or NAIVE not in tally.losses:
        return False
    own, last = tally.losses[tally.model], tally.losses[NAIVE]
    same = np.allclose(own, last, rtol=1e-4, atol=1e-3, equal_nan=True)
    return bool(same and np.isfinite(last).any())


def _significance(tally: "ScoreSums", best: str, dataset: Dataset) -> str:
    """Whether the difference is significant, as a sentence after a blank."""
    origins = len(tally.origins)
    if origins < ENOUGH:
        return f" {counted(origins, 'forecast')} are too few to draw a conclusion."
    difference = tally.losses[tally.model] - tally.losses[best]
    means = average_by_time(dataset.panel, tally.origins, difference)
    test = compare_losses(means, lags=dataset.horizon - 1)
    text = describe_significance(test, "the forecasts overlap too much (use a backtest)")
    return f" {text[:1].upper()}{text[1:]}."


def average_by_time(panel: Panel, origins: Ints, values: Floats) -> Floats:
    """The means over series of values at origins, one for each time, in time order.

    Args:
        panel: With the series; where it has no times, its series end together.
        origins: Shape `(samples,)`: rows of the panel.
        values: Shape `(samples,)`; NaN does not count.

    Returns:
        Shape `(times,)`.
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
    """What to try next, after which baseline is best and what was not tried yet."""
    network, season = dataset.config.network, dataset.season_length
    if dataset.config.data.missing == "mask":
        return "Try `missing=interpolate`, which lets baselines join the network."
    preset = PRETRAINED_PRESET if network.pretrained else dataset.config.preset
    if stronger := PRESETS[preset or PLAIN_PRESET].stronger:
        return f"Try `preset={stronger}` or tune the settings, or use the {best} forecast."
    columns = dataset.filled[:, : len(dataset.panel.columns.columns)]
    positive = dataset.config.transform == "none" and np.nanmin(columns) > 0
    untried = ["`transform=log`"] if positive else []
    if network.head != "sequence" and not network.stateful:
        anchor = "mean" if dataset.intermittent else "last"
        untried += [f"`anchor={anchor}`"] if network.anchor == "none" else []
        untried += ["`skip=linear`"] if network.skip == "none" else []
    if baseline_entry(best).needs_season and dataset.timesteps < 2 * season:
        segment = network.segment or 1
        untried.append(f"`timesteps={-(-2 * season // segment) * segment}`")
    if baseline_entry(best).for_walks and dataset.season_length <= RANDOM_WALK_SEASON:
        walk = f"The {best} forecast is hard to beat where a series resembles a random walk"
        return f"{walk}; try {', '.join(untried)}, or use it." if untried else f"{walk}."
    if untried:
        return f"Try {', '.join(untried)}."
    return f"Try other `units`, `timesteps` and `learning_rate`, or use the {best} forecast."
