"""Forecasts from several origins, with what is known of their uncertainty."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .ragged import Flags
from .windows import Floats, Ints


@dataclass(frozen=True)
class Forecast:
    """Forecasts from several origins: scaled from a network, in original units from a backtest.

    Args:
        point: Shape `(samples, steps, targets)`: the point forecasts.
        quantiles: Shape `(samples, horizon, targets, quantiles)`, of a network that predicts them;
            over its own horizon, for any number of steps.
        spread: Shape `(samples, steps, targets)`, at most the horizon: the standard deviation of
            the forecasts under dropout, where the network has that.
        ends: Shape `(2, samples, steps, targets, levels)`: the lower and upper ends of intervals,
            NaN where a forecast has none; None where there are no intervals at all.
        replaced: How many forecasts are the last value, for want of rows.
        notes: Further remarks, in sentences.
        makers: Name and description of the trained models that made it; empty for baselines.
    """

    point: Floats
    quantiles: Floats | None = None
    spread: Floats | None = None
    ends: Floats | None = None
    replaced: int = 0
    notes: tuple[str, ...] = ()
    makers: tuple[tuple[str, str], ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader of the scores should know of the forecasts, in sentences."""
        total, texts = f"of {len(self.point):,} forecasts", []
        if self.replaced:
            which = f"{self.replaced:,} {total}"
            texts.append(f"{which} are the last value: there are too few rows before them")
        if self._unbounded:
            which = f"{self._unbounded:,} {total}"
            texts.append(f"{which} have no interval: coverage and width are of the others")
        return (*texts, *self.notes)

    def only(self, kept: Flags) -> "Forecast":
        """Return the forecasts of a backtest from some of the origins, `kept` `(samples,)`."""
        ends = None if self.ends is None else self.ends[:, kept]
        return replace(self, point=self.point[kept], ends=ends)

    @property
    def _unbounded(self) -> int:
        """How many forecasts lack an end, where others have some."""
        if self.ends is None:
            return 0
        return int(np.isnan(self.ends).any(axis=(0, 2, 3, 4)).sum())


def concatenate(forecasts: Sequence[Forecast]) -> Forecast:
    """Put the forecasts of a network from several batches of windows end to end."""
    return Forecast(
        np.concatenate([each.point for each in forecasts]),
        _together([each.quantiles for each in forecasts]),
        _together([each.spread for each in forecasts]),
    )


def _together(parts: Sequence[Floats | None]) -> Floats | None:
    """Arrays end to end, shape `(samples, ...)`; None where there are none."""
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known else None


def join(parts: Sequence[tuple[Ints, Forecast]], count: int) -> Forecast:
    """Put the forecasts of all folds of a backtest into the order of their samples.

    Args:
        parts: The samples of each fold, shape `(samples in the fold,)`, and their forecasts;
            together all samples.
        count: How many samples there are.
    """
    points = np.empty((count, *parts[0][1].point.shape[1:]))
    for places, each in parts:
        points[places] = each.point
    replaced = sum(each.replaced for _, each in parts)
    # Folds give much the same notes, with other numbers, and come in any order.
    noted = [(int(places[0]), each.notes) for places, each in parts if each.notes]
    notes = min(noted)[1] if noted else ()
    in_order = sorted(parts, key=lambda part: int(part[0][0]))
    makers = tuple(dict.fromkeys(maker for _, each in in_order for maker in each.makers))
    known = [(places, each.ends) for places, each in parts if each.ends is not None]
    if len(known) < len(parts):
        return Forecast(points, replaced=replaced, notes=notes, makers=makers)
    ends = np.empty((2, count, *known[0][1].shape[2:]))
    for places, own in known:
        ends[:, places] = own
    return Forecast(points, ends=ends, replaced=replaced, notes=notes, makers=makers)
