"""Reasons not to rely on scores, or on the network: each one sentence, with its numbers."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..core.padding import owner_series
from ..core.ragged import cumulate, reduced, row_numbers
from ..core.windows import Floats, Ints
from ..data.dataset import Dataset
from ..forecasting.intervals.interval_methods import few_errors
from ..forecasting.network_forecaster import NetworkForecaster
from .persistence import find_copy
from .scoring import NETWORK, IntervalSpec, ScoreSums, score
from .verdicts import is_last_value

# Fewer horizons than this that do not overlap are too few to tell a few percent apart.
FEW_HORIZONS = 5
# Errors that differ by this factor between two splits are said.
UNLIKE = 2.0
# Intervals that hold so many percent less than their level are said.
SHORT_OF = 10.0
# A row outside of the range of training by this share of it is far out; so many of many series may
# have one before it is said.
FAR, MANY = 0.05, 0.1
# So many origins show what a network does.
SOME = 2000


def doubts_about(
    network: NetworkForecaster,
    tally: ScoreSums,
    claims: IntervalSpec | None,
    *,
    trained: bool = True,
) -> tuple[str, ...]:
    """What makes the scores, the network, or its intervals doubtful.

    Args:
        network: What was scored.
        tally: What its forecasts were like.
        claims: Its intervals; None for none.
        trained: Whether the training rows of its dataset are those that it learned from.
    """
    found = (_short_test, _unlike_splits, _copies, *([_outside] if trained else []))
    few = [] if claims is None else [few_errors(claims.bands), _unheld(tally)]
    return (
        *(text for doubt in found for text in doubt(network, tally)),
        *(text for text in few if text),
    )


def _short_test(network: NetworkForecaster, tally: ScoreSums) -> Iterator[str]:
    """A test split of so few forecasts that luck decides."""
    dataset, horizon = network.dataset, network.dataset.horizon
    counts = np.bincount(owner_series(dataset.panel.indptr, tally.origins))
    apart = int(np.sum(-(-counts // horizon)))
    if apart < FEW_HORIZONS:
        rows = dataset.splits.rows("test")
        yield (
            f"the {rows} rows that are scored hold {apart} stretches of {horizon} steps that do "
            "not overlap: too few to tell forecasts apart by some percent (give more rows, or use "
            "forecast backtest)"
        )


def _unlike_splits(network: NetworkForecaster, tally: ScoreSums) -> Iterator[str]:
    """Errors that are not what validation promised."""
    origins = _some(network.dataset.origins("validation"))
    if not len(origins):
        return
    before = _mean(score(replace(network), {}, origins).losses[NETWORK])
    after = _mean(tally.losses[NETWORK])
    if not (before > 0 and after > 0) or 1 / UNLIKE <= after / before <= UNLIKE:
        return
    yield (
        f"the error in the test split is {after / before:.2g} times that in the validation split "
        f"({after:.3g} and {before:.3g} in errors of the seasonal naive in training): the series "
        "has changed, or one of the two is too short"
    )


def _unheld(tally: ScoreSums) -> str:
    """Intervals that hold much less than they are to; empty where all hold about that."""
    if tally.intervals is None:
        return ""
    held = tally.intervals.overall()["coverage"].mean(axis=0)
    short = [
        f"{level:g} % hold {share:.0f} %"
        for level, share in zip(tally.intervals.level, held, strict=True)
        if share < level - SHORT_OF
    ]
    if not short:
        return ""
    return (
        f"the intervals do not hold what they promise ({', '.join(short)}): what was scored is not "
        "like the validation split; try --intervals adaptive"
    )


def _mean(losses: Floats) -> float:
    known = losses[np.isfinite(losses)]
    return float(known.mean()) if len(known) else 0.0


def _copies(network: NetworkForecaster, tally: ScoreSums) -> Iterator[str]:
    """The classic trap: forecasts that are the last value again."""
    dataset, horizon = network.dataset, network.dataset.horizon
    origins = _some(tally.origins[row_numbers(dataset.panel.indptr)[tally.origins] >= horizon])
    if not len(origins) or is_last_value(tally, dataset):
        return
    steps, groups = np.arange(horizon), owner_series(dataset.panel.indptr, origins)
    forecast = replace(network)(origins)
    for place, name in zip(dataset.targets, dataset.panel.columns.targets, strict=True):
        target = dataset.targets.index(place)
        values = dataset.panel.values[:, place]
        actual, before = (
            values[origins[:, None] + steps],
            values[origins[:, None] - horizon + steps],
        )
        copy = find_copy(forecast[:, :, target], before, actual, groups)
        if copy is None:
            continue
        ahead = "a step" if copy.step == 1 else f"{copy.step} steps"
        yield (
            f'the network copies the last value of "{name}": its forecasts {ahead} ahead go with '
            f"what was known when they were made (correlation {copy.with_last:.3f}) rather than "
            f"with what came ({copy.with_actual:.3f})"
        )


def _outside(network: NetworkForecaster, tally: ScoreSums) -> Iterator[str]:
    """The rows that the next forecast goes on from, where training has seen nothing like them."""
    dataset, config = network.dataset, network.dataset.config
    if config.network.anchor != "none" or config.training.refit:
        return
    for place, name in zip(dataset.targets, dataset.panel.columns.targets, strict=True):
        low, high = _ranges(dataset, place)
        beyond = _beyond(dataset, place, low, high)
        far = beyond > FAR
        rows, series = int(np.sum(far)), int(np.sum(far.any(axis=1)))
        if series <= MANY * (dataset.panel.count - 1):
            continue
        many = dataset.panel.count > 1
        which = f"of {series} of {dataset.panel.count} series " if many else ""
        seen = "" if many else f" ({low[0]:.6g} to {high[0]:.6g})"
        yield (
            f'{rows} of the last {int(np.isfinite(beyond).sum())} rows of "{name}" {which}lie '
            f"outside of what training has seen{seen}, by up to {100 * np.nanmax(beyond):.0f} % of "
            "its range: the network has to guess there (--anchor last, or --refit)"
        )


def _ranges(dataset: Dataset, place: int) -> tuple[Floats, Floats]:
    """The least and the largest training value of each series, or of all where they share one."""
    begin, end = dataset.splits.bounds("train")
    rows = dataset.splits.training_rows(dataset.filled[:, [place]])
    indptr = cumulate(end - begin)
    low, high = (reduced(of, rows, indptr)[:, 0] for of in (np.fmin, np.fmax))
    if not dataset.scaling.by_series:
        low, high = np.full_like(low, np.nanmin(low)), np.full_like(high, np.nanmax(high))
    return low, high


def _beyond(dataset: Dataset, place: int, low: Floats, high: Floats) -> Floats:
    """How far the last rows lie outside, in ranges, shape `(n_series, timesteps)`; NaN: no row."""
    indptr = dataset.panel.indptr
    rows = indptr[1:, None] - np.arange(dataset.timesteps, 0, -1)
    values = dataset.filled[np.maximum(rows, 0), place]
    values = np.where(rows >= indptr[:-1, None], values, np.nan)
    size = np.where(high > low, high - low, 1.0)[:, None]
    return np.maximum(np.maximum(low[:, None] - values, values - high[:, None]) / size, 0.0)


def _some(origins: Ints) -> Ints:
    """At most so many of the origins as show what a network does, evenly."""
    return origins[:: -(-len(origins) // SOME) or 1]
