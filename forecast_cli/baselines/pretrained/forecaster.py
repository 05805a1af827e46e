"""Forecasts of any series by the pretrained network."""

from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from ...core.forecast import Forecast
from ...core.memory import require_memory
from ...core.ragged import Flags
from ...core.seasonality import has_season
from ...core.series_features import is_random_walk
from ...core.windows import Floats, Ints
from ..naive import BaselineInput
from .features import look
from .network import MEDIAN, QUANTILES, Network, Rules, inputs_of, packaged

# The last rows of a series that are looked at, and the rows below which the last value is all.
LONGEST, LEAST = 1000, 6
# A season is looked at where it comes so many times. Days of so many steps have weeks.
TIMES, DAYS, WEEK = 2.5, (24, 48, 72, 96, 144, 288), 7
# The share of a random walk in the forecast of a long series that resembles one.
WALK = 0.9
# A series further from 0 than so many times its range is brought as near: what the network sees of
# its changes would be lost in rounding.
FAR = 1e5
# Numbers of one batch in what the network sees, which bounds the memory; bytes of each.
CELLS, FLOAT = 6_000_000, 8


def forecast_pretrained(given: BaselineInput) -> Forecast:
    """Forecast from every origin, with intervals.

    Args:
        given: The rows, without gaps, and the origins.
    """
    shape = len(given.origins), given.horizon, given.values.shape[1]
    point, ends = np.empty(shape), np.empty((2, *shape, len(given.level)))
    series = [given.values[a:b] for a, b in zip(given.first, given.origins, strict=True)]
    for target in range(shape[2]):
        own = [each[:, target] for each in series]
        found = forecast_quantiles(own, given.horizon, given.season_length)
        point[:, :, target] = found[..., MEDIAN]
        ends[:, :, :, target] = ends_of(found, given.level)
    return Forecast(point, ends=ends)


def forecast_quantiles(
    series: Sequence[Floats], horizon: int, season_length: int, *, network: Network | None = None
) -> Floats:
    """Forecast the quantiles `QUANTILES` of the steps after each series.

    Args:
        series: Of shape `(rows,)` each, without gaps, in any units.
        horizon: Steps ahead.
        season_length: Steps in a season; 1 for none.
        network: That of the package where None.

    Returns:
        Shape `(series, horizon, len(QUANTILES))`, ascending along the last axis; not below zero
        where no value of a series is.

    Raises:
        UsageError: There is no memory for so many steps.
    """
    require_memory(
        FLOAT * _numbers(0, horizon),
        f"A forecast of {horizon:,} steps by the pretrained network",
        "Choose a lower `horizon`, or longer steps.",
    )
    network = network or packaged()
    found = np.empty((len(series), horizon, len(QUANTILES)))
    for places, values in _alike(series):
        seasons = seasons_of(values.shape[1], season_length)
        for some, part in _parts(places, values, horizon):
            found[some] = _of_alike(part, horizon, seasons, network)
    return found


def seasons_of(rows: int, season_length: int) -> tuple[int, ...]:
    """Seasons that are looked at in so many rows: the given one, and the week of days."""
    weeks = WEEK * season_length if season_length in DAYS else 0
    return tuple(each for each in (season_length, weeks) if each > 1 and rows >= TIMES * each)


def ends_of(quantiles: Floats, level: Sequence[float]) -> Floats:
    """The ends of intervals, shape `(2, samples, horizon, levels)`.

    Between the quantiles of the network, and beyond them, ends lie as those of a normal
    distribution would.

    Args:
        quantiles: Shape `(samples, horizon, len(QUANTILES))`.
        level: In percent.
    """
    normal = NormalDist()
    known = np.array([normal.inv_cdf(each) for each in QUANTILES])
    tails = np.array([0.5 - each / 200.0 for each in level]).reshape(-1)
    wanted = [[normal.inv_cdf(each) for each in side] for side in (tails, 1.0 - tails)]
    found = np.empty((2, *quantiles.shape[:2], len(tails)))
    for side, places in enumerate(wanted):
        for number, place in enumerate(places):
            right = int(np.clip(np.searchsorted(known, place), 1, len(known) - 1))
            share = (place - known[right - 1]) / (known[right] - known[right - 1])
            low, high = quantiles[..., right - 1], quantiles[..., right]
            found[side, ..., number] = low + share * (high - low)
    return found


def _alike(series: Sequence[Floats]) -> Iterator[tuple[Ints, Floats]]:
    """Series with as many rows: their places, `(some,)`, and values, `(some, rows)`."""
    rows = np.array([min(len(each), LONGEST) for each in series], int)
    for count in np.unique(rows):
        places = np.flatnonzero(rows == count)
        yield places, np.stack([series[int(each)][-count:] for each in places])


def _parts(places: Ints, values: Floats, horizon: int) -> Iterator[tuple[Ints, Floats]]:
    """Batches of series that are few enough."""
    many = max(1, CELLS // _numbers(values.shape[1], horizon))
    for begin in range(0, len(places), many):
        yield places[begin : begin + many], values[begin : begin + many]


def _numbers(rows: int, horizon: int) -> int:
    """About how many numbers are worked on to forecast a series of so many rows."""
    return 2000 * (horizon + 10) + 200 * rows


def _of_alike(values: Floats, horizon: int, seasons: Sequence[int], network: Network) -> Floats:
    """As `forecast_quantiles`, of series with as many rows, `(series, rows)`."""
    small, offset, unit = _shrunk(values)
    found = _as_walks(small, horizon)
    if values.shape[1] >= LEAST:
        share = WALK * values.shape[1] / (values.shape[1] + network.rules.walk_rows)
        trust = np.where(_are_walks(small, seasons), 1.0 - share, 1.0)[:, None, None]
        found += trust * (_by_network(small, horizon, seasons, network) - found)
    found = found * unit[..., None] + offset[..., None]
    constant = np.ptp(values, axis=1) == 0
    found[constant] = values[constant, -1][:, None, None]
    positive = values.min(axis=1) >= 0
    found[positive] = np.maximum(found[positive], 0.0)
    return found


def _shrunk(values: Floats) -> tuple[Floats, Floats, Floats]:
    """The values less an offset, in a unit in which no sum of squares is too large or too small.

    Returns:
        They, of the shape of the values, `(series, rows)`; the offset and the unit, `(series, 1)`.
    """
    # Series that hardly change are brought nearer to 0.
    size = np.abs(values).max(axis=1, keepdims=True)
    room = FAR * np.ptp(values, axis=1, keepdims=True)
    beyond = np.where((room > 0) & (size > room), size - room, 0.0)
    offset: Floats = np.sign(values[:, -1:]) * beyond
    near = values - offset
    unit = np.abs(near).max(axis=1, keepdims=True)
    unit = np.where(unit > 0, unit, 1.0)
    return near / unit, offset, unit


def _by_network(values: Floats, horizon: int, seasons: Sequence[int], network: Network) -> Floats:
    """The quantiles of the network, the wider the fewer horizons long the series are.

    `values`, of units of about 1, have shape `(series, rows)`; `seasons` are steps in each season.
    """
    found, rows = _of_rows(values, horizon, seasons, network), values.shape[1]
    recent = network.rules.recent * max(seasons, default=0)
    if 0 < recent < rows:
        found = (found + _of_rows(values[:, -recent:], horizon, seasons, network)) / 2.0
    middle = found[..., MEDIAN][..., None]
    return middle + _wider(rows, horizon, network.rules)[:, None] * (found - middle)


def _of_rows(values: Floats, horizon: int, seasons: Sequence[int], network: Network) -> Floats:
    """The quantiles of the network by all the rows that it is given, as they are."""
    features = look(values, horizon, network.rules.in_steps(seasons))
    made = network.run(inputs_of(features))
    return features.level[:, None, None] + features.scale[:, None, None] * made


def _wider(rows: int, horizon: int, rules: Rules) -> Floats:
    """The factors of the quantiles' distance from the median, shape `(horizon,)`."""
    steps = np.arange(1, horizon + 1) + horizon / 2.0
    return 1.0 + rules.wider * steps / (rows + horizon)


def _are_walks(values: Floats, seasons: Sequence[int]) -> Flags:
    """Which series have no season, and steps like those of a random walk, shape `(series,)`."""
    season = seasons[0] if seasons else 1
    found = [
        is_random_walk(each) and not (season > 1 and has_season(each, season)) for each in values
    ]
    return np.array(found, bool)


def _as_walks(values: Floats, horizon: int) -> Floats:
    """The quantiles of random walks with normal steps, of any number of rows, `(series, rows)`."""
    steps = np.diff(values, axis=1)
    size = np.sqrt((steps**2).mean(axis=1)) if steps.size else 0.5 * np.abs(values[:, -1])
    places = np.array([NormalDist().inv_cdf(each) for each in QUANTILES])
    away = size[:, None, None] * np.sqrt(np.arange(1, horizon + 1))[:, None] * places
    found: Floats = values[:, -1][:, None, None] + away
    return found


def describe_rows(
    series: Sequence[Floats], ahead: Floats, season_length: int, *, rules: Rules
) -> Iterator[tuple[dict[str, Any], Floats, Floats]]:
    """Describe series as the network sees them, with the actual values after them, to train it on.

    Args:
        series: As in `forecast_quantiles`, none constant, of at least `LEAST` rows.
        ahead: The actual values, shape `(series, horizon)`.
        season_length: Steps in a season; 1 for none.
        rules: Of the network.

    Yields:
        Batches of series with as many rows: the inputs of the network; the actual values, in the
        unit of its forecasts, `(some, horizon)`; and the factors of the distance of its quantiles
        from the median in a forecast, of the same shape.
    """
    horizon = ahead.shape[1]
    for places, values in _alike(series):
        seasons = seasons_of(values.shape[1], season_length)
        for some, part in _parts(places, values, horizon):
            small, offset, unit = _shrunk(part)
            features = look(small, horizon, rules.in_steps(seasons))
            level, scale = features.level[:, None], features.scale[:, None]
            actual = ((ahead[some] - offset) / unit - level) / scale
            wider = np.broadcast_to(_wider(part.shape[1], horizon, rules), actual.shape)
            yield inputs_of(features), actual, wider
