"""Forecasts of one series from regular rows, by arrays alone.

A server makes them in a fraction of a millisecond, where reading a table takes ten.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from ..config.registries import Intervals
from ..core.errors import singular
from ..core.forecast import Forecast
from ..core.levels import FACTOR, Levels, block_length, find_jumps
from ..core.scaling import ABOVE, rounded
from ..core.windows import Floats
from ..data.last_values import find_far_ends
from ..data.time.frequency import DAY
from ..data.time.steps import describe_closed
from ..model.bundle import Bundle
from ..model.runtime import roll_out
from ..model.series_networks import network_of
from .frames import end_columns
from .intervals.interval_methods import Bands, few_errors, make_bands
from .level_check import FEWEST_SHARED, trained_levels
from .prediction_request import PredictionRequest, check_request

# The formats of times that are read here, and their precision.
STYLES = {
    "%Y-%m-%d": (r"\d{4}-\d\d-\d\d", "D"),
    **{
        f"%Y-%m-%d{join}%H:%M{end}": (rf"\d{{4}}-\d\d-\d\d{join}\d\d:\d\d{digits}", unit)
        for join in ("T", " ")
        for end, digits, unit in (("", "", "m"), (":%S", r":\d\d", "s"))
    },
}
# Fewer rows may have been taken for those of another frequency: five days for weekdays.
FEWEST = 8
# The years of times, and the largest numbers, that are read here.
YEARS = ("1800", "2200")
LARGEST = 1e15
# Of business days, the least share of steps of one day, and the most days between two rows.
LEAST_SINGLE, MOST_DAYS = 0.8, 3
# So many combinations of levels and methods are kept.
MOST_KEPT = 32
FIRST = np.zeros(1, np.int64)

Answer = tuple[list[dict[str, Any]], list[str]]


@dataclass(frozen=True)
class Rows:
    """Rows that were read: `times` and `values` have shapes `(n,)` and `(n, features)`."""

    times: Any
    values: Floats
    notes: list[str]


class RegularRows:
    """Forecasts from rows that need no reading: numbers at regular times in ISO 8601.

    The forecasts and notes are those of `predict`; what is not certain to be so is left to it.

    Args:
        bundle: A model for which `takes` is true.
    """

    def __init__(self, bundle: Bundle) -> None:
        manifest = bundle.manifest
        time = manifest.time
        if time is None:
            raise ValueError("the model has no times")
        self.bundle, self.time, self.style = bundle, time.column, time.style
        pattern, unit = STYLES[time.style]
        self.pattern, self.unit = re.compile(pattern), f"datetime64[{unit}]"
        self.frequency = time.frequency
        step = self.frequency.step
        self.step = None if step is None else np.timedelta64(int(step.total_seconds()), "s")
        self.least = max(manifest.timesteps, FEWEST)
        self.scaling = bundle.scaling
        self.targets = self.scaling.only(manifest.target_places)
        self.known = Levels(*(each[0] for each in trained_levels(bundle)))
        self.last = np.datetime64(time.last, "s")
        self.length = block_length(manifest.timesteps)
        self.level = np.median(bundle.history[-self.length :], axis=0)
        self.bands = lru_cache(MOST_KEPT)(self._bands)

    @staticmethod
    def takes(bundle: Bundle) -> bool:
        """Whether forecasts of a model can be made here: of one series without known covariates."""
        manifest = bundle.manifest
        time, config, names = manifest.time, manifest.config, manifest.columns
        if time is None or manifest.labels is not None or bundle.series is not None:
            return False
        frequency, data = time.frequency, config.data
        whole = frequency.step is not None and frequency.step < 7 * DAY
        plain = (
            not frequency.open_days
            and (frequency.alias == "B" or whole)
            and (frequency.alias != "B" or time.style == "%Y-%m-%d")
            and time.style in STYLES
            and time.timezone is None
            and "," not in time.column
        )
        read = data.layout in (None, "long") and not (data.resample or data.na)
        covariates = names.covariates
        numbers = not (covariates.future or covariates.static or covariates.calendar)
        numbers = numbers and not covariates.categories and not names.series
        other = config.network.stateful or bundle.dropout is not None or data.missing == "drop"
        kept = len(bundle.history) > 0 and np.isfinite(bundle.history).all()
        return bool(plain and read and numbers and not other and kept)

    def forecast(
        self, rows: Sequence[Mapping[str, Any]], wanted: PredictionRequest
    ) -> Answer | None:
        """Forecast from rows, each with values by the names of columns.

        Args:
            rows: The oldest first.
            wanted: Horizon and levels.

        Returns:
            A record for each step, as `predict` has them in JSON, and its notes; None where that
            is left to it.

        Raises:
            UsageError: The model has no such intervals.
        """
        check_request(wanted)
        other = wanted.only or wanted.begin or wanted.future is not None or wanted.what_if
        horizon = self.bundle.manifest.horizon
        steps = wanted.horizon or horizon
        if other or wanted.samples or not 1 <= steps <= horizon:
            return None
        found = self._read(rows)
        if found is None or not self._is_usual(found):
            return None
        bands = self.bands(wanted.level, wanted.intervals) if wanted.level else None
        if wanted.level and (bands is None or self._has_errors(bands, len(rows))):
            return None
        return self._forecast(found, steps, bands)

    def _has_errors(self, bands: Bands, rows: int) -> bool:
        """Whether some of so many rows may show how large errors are at present."""
        manifest = self.bundle.manifest
        before = 2 if manifest.config.network.takes_short else manifest.timesteps
        return bands.method.by_recent and rows >= before + manifest.horizon

    def _read(self, rows: Sequence[Mapping[str, Any]]) -> Rows | None:
        """Read times and numbers; None where something is not plain and regular."""
        names, time = self.bundle.manifest.features, self.time
        try:
            texts = [row[time] for row in rows]
            cells = [[row[name] for name in names] for row in rows]
        except KeyError:
            return None
        whole = self.pattern.fullmatch
        if len(rows) < self.least or not all(type(x) is str and whole(x) for x in texts):
            return None
        if not {type(cell) for row in cells for cell in row} <= {int, float}:
            return None
        try:
            times = np.array(texts, self.unit)
            values = np.array(cells, np.float64)
        except (ValueError, OverflowError):
            return None
        if not (np.abs(values) < LARGEST).all():
            return None
        if times[0] < np.datetime64(YEARS[0]) or times[-1] > np.datetime64(YEARS[1]):
            return None
        notes = self._steps(times)
        return None if notes is None else Rows(times, values, notes)

    def _steps(self, times: Any) -> list[str] | None:
        """Return what there is to note of times, shape `(n,)`; None where they are not regular."""
        if self.step is not None:
            return [] if (np.diff(times) == self.step).all() else None
        if not np.is_busday(times).all():
            return None
        days = np.busday_count(times[:-1], times[1:])
        if not ((days >= 1) & (days <= MOST_DAYS)).all() or (days == 1).mean() < LEAST_SINGLE:
            return None
        text = describe_closed(int(days.sum()) - len(days), 0, self.frequency)
        return [singular(text)] if text else []

    def _is_usual(self, rows: Rows) -> bool:
        """Whether it is certain that no value is worth a warning, as other forecasts have them."""
        values, known, scaling = rows.values, self.known, self.scaling
        names = self.bundle.manifest.columns
        if (values[:, : len(names.columns)] <= ABOVE[scaling.before]).any():
            return False
        places = list(names.target_places)
        if scaling.lower is not None and (values[:, places] < scaling.lower[places]).any():
            return False
        latest = values[-self.length :]
        low, high, size = latest.min(axis=0), latest.max(axis=0), np.abs(latest)
        near = (size.max(axis=0) <= FACTOR * known.most) & (
            FACTOR * size.min(axis=0) >= known.least
        )
        near &= high - low <= FACTOR * known.change
        if not near.all() or find_far_ends(values[:, places], np.array([0, len(values)])):
            return False
        return self._continues(rows)

    def _continues(self, rows: Rows) -> bool:
        """Whether rows fit those that the model keeps: equal at the same times, no jump after."""
        times, values, kept = rows.times, rows.values, self.bundle.history
        later = int(np.searchsorted(times, self.last, "right"))
        if later and times[later - 1] == self.last:
            count = min(later, len(kept))
            same = np.array_equal(values[later - count : later], kept[-count:])
            if count >= FEWEST_SHARED and not same:
                return False
        count = min(len(values) - later, self.length)
        if count < FEWEST_SHARED:
            return True
        change = self.known.change * (1 + self._steps_after(times[later]) / self.length)
        level = np.median(values[-count:], axis=0)
        return not find_jumps(self.level, level, self.known._replace(change=change)).any()

    def _steps_after(self, time: Any) -> float:
        """Return how many steps a time is after the last row that the model keeps."""
        if self.step is None:
            day = np.timedelta64(1, "D")
            return float(np.busday_count(self.last.astype("datetime64[D]") + day, time + day))
        return float(np.rint((time - self.last) / self.step))

    def _bands(self, level: tuple[float, ...], method: Intervals | None) -> Bands | None:
        """Return what intervals are made of; None where there is something to note on them."""
        config = self.bundle.manifest.config
        bands = make_bands(self.bundle.calibration, config, level=level, method=method)
        return None if few_errors(bands) else bands

    def _intervals(self, bands: Bands, forecast: Forecast) -> dict[str, Floats]:
        """Return the ends of intervals, scaled, by the ends of the names of their columns."""
        units: Floats = np.ones((1, len(self.bundle.manifest.targets)))
        recent = units
        calibration = bands.calibration
        if calibration is not None:
            units = calibration.units[:1]
            recent = calibration.ended.at(FIRST).size if bands.method.by_recent else recent
        lower, upper = (np.moveaxis(e, -1, 0) for e in bands.around(forecast, units, recent))
        return end_columns("", bands.level, list(lower), list(upper))

    def _forecast(self, rows: Rows, steps: int, bands: Bands | None) -> Answer | None:
        """Return the forecasts from rows; None where they would need a warning."""
        manifest, targets = self.bundle.manifest, self.targets
        window = self.scaling.transform(rows.values[-manifest.timesteps :])[None]
        inputs = manifest.columns.inputs
        window = window.astype(self.scaling.dtype)
        made = roll_out(
            network_of(self.bundle.network, FIRST), window, None, inputs=inputs, horizon=steps
        )
        if (member := self.bundle.member) is not None:
            known = rows.values[:, list(manifest.target_places)]
            made = member.join(made, member.forecast([known], targets, steps))
        if not np.isfinite(made.point).all():
            return None
        free = replace(targets, lower=None).inverse(made.point)
        if targets.lower is not None and (free < targets.lower).any():
            return None
        scaled = {"": made.point} | (self._intervals(bands, made) if bands else {})
        columns = {
            f"{target}{end}": values[0, :, place]
            for end, each in scaled.items()
            for values in (rounded(targets.inverse(each)),)
            for place, target in enumerate(manifest.targets)
        }
        order = [f"{target}{end}" for target in manifest.targets for end in scaled]
        if len(columns) < len(order) or self.time in columns:
            return None
        cells = [self._times_after(rows.times[-1], steps)]
        cells += [columns[name].tolist() for name in order]
        names = [self.time, *order]
        records = [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]
        return records, rows.notes

    def _times_after(self, last: Any, steps: int) -> list[str]:
        """Return the times of the next steps, written as those of the table."""
        count = np.arange(1, steps + 1)
        if self.step is None:
            times = np.busday_offset(last, count, roll="backward")
        else:
            times = (last + count * self.step).astype(self.unit)
        texts: list[str] = np.datetime_as_string(times).tolist()
        return [text.replace("T", " ") for text in texts] if " " in self.style else texts
