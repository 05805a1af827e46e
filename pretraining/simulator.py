"""Simulated series, from which a network learns how series go on.

Nothing here is estimated from real series: no file is read, and the ranges of the parameters are
round numbers that were chosen by hand. A series is a sum of components on a linear or on a
logarithmic scale, with noise and events; some are counts of such a series.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from forecast_cli.core.windows import Floats

Generator: TypeAlias = np.random.Generator

# Steps that a component is simulated before the first one that is returned.
WARM_UP = 40
# The seasons of a year of quarters, months and pairs of months.
YEARS = (4, 6, 12)
# The steps of a Gaussian process; longer series are drawn at fewer and interpolated.
GRID = 256


@dataclass(frozen=True)
class Shape:
    """What the series of a batch have in common.

    Args:
        series: How many.
        steps: In each.
        seasons: Steps in each season, the shortest first; empty for none.
    """

    series: int
    steps: int
    seasons: tuple[int, ...] = ()

    @property
    def growth(self) -> "Growth":
        """How the series grow."""
        return OFTEN if not self.seasons or self.seasons[0] in YEARS else HARDLY


@dataclass(frozen=True)
class Growth:
    """How series of some steps grow: what is counted by the month does, by the week or hour hardly.

    Args:
        alone: The share of the series that are of the structural model alone; the others are sums
            of components.
        upwards: The share of slopes that go up.
        slopes: Of the structural model: the least size, and the share that have one.
        changes: The share of those whose growth is faster and slower for a while.
        noise: The share of those with noise.
        exponential: The share on a logarithmic scale.
    """

    alone: float
    upwards: float
    slopes: tuple[float, float]
    changes: float
    noise: float
    exponential: float


OFTEN = Growth(0.85, 0.95, (0.05, 0.95), 0.65, 0.5, 0.5)
HARDLY = Growth(0.75, 0.75, (0.01, 0.85), 0.0, 0.8, 0.35)

Component: TypeAlias = Callable[[Generator, Shape], Floats]


def simulate(rng: Generator, shape: Shape) -> Floats:
    """Simulate a batch of series.

    Args:
        rng: The source of all that is random.
        shape: Of the batch.

    Returns:
        Shape `(series, steps)`, finite, in units that differ from series to series.
    """
    signal = np.zeros((shape.series, shape.steps))
    alone = rng.random(shape.series) < shape.growth.alone
    for name, component in COMPONENTS.items():
        amount = np.where(alone, 0.0, _amounts(rng, shape.series, PROBABILITY[name]))
        _add(rng, signal, amount, component, shape.seasons)
    size = np.exp(rng.uniform(np.log(0.02), np.log(1.0), shape.series))[:, None]
    signal += np.where(alone[:, None], 0.0, size) * noise(rng, shape)
    _add(rng, signal, np.where(alone, 1.0, 0.0), structural, shape.seasons)
    return _in_units(rng, signal + events(rng, shape), shape.growth.exponential)


def _add(
    rng: Generator,
    signal: Floats,
    amount: Floats,
    component: Component,
    seasons: tuple[int, ...],
) -> None:
    """Add a component to the series of which `amount`, shape `(series,)`, is not 0."""
    chosen = np.flatnonzero(amount)
    if len(chosen):
        part = component(rng, Shape(len(chosen), signal.shape[1], seasons))
        signal[chosen] += amount[chosen, None] * _of_unit_size(part)


def structural(rng: Generator, shape: Shape) -> Floats:
    """Level, slope, seasons and noise that each change by shocks of their own size.

    Shape `(series, steps)`. Source: Harvey (1989), Forecasting, Structural Time Series Models and
    the Kalman Filter: the basic structural model, with variances drawn over several magnitudes.
    """
    size, grows = (shape.series, shape.steps), shape.growth

    def spread(least: float, most: float, share: float) -> Floats:
        drawn = np.exp(rng.uniform(np.log(least), np.log(most), shape.series))
        return np.where(rng.random(shape.series) < share, drawn, 0.0)[:, None]

    least, sloping = grows.slopes
    first = _drifts(rng, shape) * spread(least, 0.5, sloping)
    slope = first + np.cumsum(spread(0.001, 0.1, 0.35) * rng.standard_normal(size), axis=1)
    fading = np.where(rng.random(shape.series) < 0.8, 1.0, 0.97)[:, None]
    slope *= fading ** np.arange(shape.steps)
    slope += spread(0.05, 0.7, grows.changes) * _autoregression(rng, shape)
    shocks = spread(0.02, 1.0, 0.55) * _shocks(rng, shape)
    values = np.cumsum(slope + shocks, axis=1)
    values += spread(0.02, 1.0, grows.noise) * _shocks(rng, shape)
    values += spread(0.1, 1.0, 0.5) * _autoregression(rng, shape)
    for part in (season, second_season)[: len(shape.seasons)]:
        values += spread(0.1, 5.0, 0.8) * _of_unit_size(part(rng, shape))
    found: Floats = values
    return found


def _drifts(rng: Generator, shape: Shape) -> Floats:
    """Slopes of which more go up than down, as most that is counted grows; `(series, 1)`."""
    return _signs(rng, shape) * np.abs(rng.standard_normal((shape.series, 1)))


def _signs(rng: Generator, shape: Shape) -> Floats:
    """1 for upwards, -1 for downwards; `(series, 1)`."""
    return np.where(rng.random((shape.series, 1)) < shape.growth.upwards, 1.0, -1.0)


def _autoregression(rng: Generator, shape: Shape) -> Floats:
    """Departures that fade: of the first order, of unit spread; shape `(series, steps)`."""
    lasting = rng.uniform(0.3, 0.97, shape.series)
    shocks = _shocks(rng, shape) * np.sqrt(1.0 - lasting**2)[:, None]
    values, now = np.empty((shape.series, shape.steps)), rng.standard_normal(shape.series)
    for step in range(shape.steps):
        now = lasting * now + shocks[:, step]
        values[:, step] = now
    return values


def trends(rng: Generator, shape: Shape) -> Floats:
    """Straight lines that break at some steps, some of them damped; shape `(series, steps)`."""
    size = (shape.series, shape.steps)
    often = np.exp(rng.uniform(np.log(0.002), np.log(0.05), shape.series))
    often = np.where(rng.random(shape.series) < 0.4, 0.0, often)
    breaks = rng.random(size) < often[:, None]
    breaks[:, 0] = True
    towards = _drifts(rng, shape) * (rng.random((shape.series, 1)) < 0.5)
    jumps = np.where(breaks, towards + 0.5 * rng.standard_normal(size), 0.0)
    # The slope after a break replaces the one before it.
    last = np.maximum.accumulate(np.where(breaks, np.arange(shape.steps), 0), axis=1)
    slopes = np.take_along_axis(jumps, last, axis=1)
    lasting = np.where(rng.random(shape.series) < 0.5, 1.0, rng.uniform(0.8, 0.995, shape.series))
    slopes = slopes * lasting[:, None] ** (np.arange(shape.steps) - last)
    return np.cumsum(slopes, axis=1)


def growth(rng: Generator, shape: Shape) -> Floats:
    """Growth that saturates, or has begun to; shape `(series, steps)`."""
    place = np.linspace(0.0, 1.0, shape.steps)
    middle = rng.uniform(-0.3, 1.3, shape.series)[:, None]
    speed = rng.uniform(3.0, 12.0, shape.series)[:, None]
    return _signs(rng, shape) / (1.0 + np.exp(-speed * (place - middle)))


def season(rng: Generator, shape: Shape) -> Floats:
    """The first season: fixed or changing, smooth or rough, in some multiplied by a level."""
    return _season(rng, shape, shape.seasons[0]) if shape.seasons else _cycle(rng, shape)


def second_season(rng: Generator, shape: Shape) -> Floats:
    """The second season, or a cycle of no fixed length where there is none."""
    if len(shape.seasons) < 2:
        return _cycle(rng, shape)
    short, long = shape.seasons[:2]
    if long % short == 0 and rng.random() < 0.6:
        return _day_types(rng, shape)
    return _season(rng, shape, long)


def _day_types(rng: Generator, shape: Shape) -> Floats:
    """Days of two or three kinds in each week, each with a profile of its own."""
    short, long = shape.seasons[:2]
    days = long // short
    profiles = np.stack([_season_shape(rng, shape.series, short) for _ in range(3)], axis=1)
    profiles += rng.normal(0.0, 1.0, (shape.series, 3, 1))
    kinds = np.zeros((shape.series, days), int)
    kinds[:, -2:] = rng.choice([[1, 1], [1, 2], [0, 1]], shape.series)
    week = profiles[np.arange(shape.series)[:, None], kinds].reshape(shape.series, long)
    place = (np.arange(shape.steps) + rng.integers(long)) % long
    return week[:, place]


def _season(rng: Generator, shape: Shape, length: int) -> Floats:
    """A season of so many steps, shape `(series, steps)`."""
    rows = -(-shape.steps // length)
    change = np.where(rng.random(shape.series) < 0.5, 0.0, rng.uniform(0.02, 0.3, shape.series))
    shapes = np.stack([_season_shape(rng, shape.series, length) for _ in range(rows)], axis=1)
    shapes[:, 1:] *= change[:, None, None]
    shapes = np.cumsum(shapes, axis=1)
    swing = np.cumsum(rng.standard_normal((shape.series, rows)), axis=1) / np.sqrt(rows)
    grows = np.where(rng.random(shape.series) < 0.7, 0.0, 0.5)[:, None]
    whole = (shapes * np.exp(grows * swing)[:, :, None]).reshape(shape.series, -1)
    offset = int(rng.integers(length))
    found: Floats = np.roll(whole, offset, axis=1)[:, : shape.steps]
    return found


def _season_shape(rng: Generator, series: int, length: int) -> Floats:
    """One season of each series: a few harmonics, free values, or a block; `(series, length)`."""
    angle = 2 * np.pi * np.arange(length) / length
    count = max(1, min(8, length // 2))
    order = np.arange(1, count + 1)
    fading = order ** -rng.uniform(0.3, 2.5, series)[:, None]
    waves = rng.standard_normal((2, series, count)) * fading
    smooth = waves[0] @ np.sin(order[:, None] * angle) + waves[1] @ np.cos(order[:, None] * angle)
    rough = rng.standard_normal((series, length))
    start, width = rng.integers(length, size=series), rng.integers(1, max(2, length // 2), series)
    block = ((np.arange(length) - start[:, None]) % length < width[:, None]).astype(float)
    kinds = np.stack([_of_unit_size(each) for each in (smooth, rough, block)])
    kind = rng.choice(3, series, p=[0.6, 0.2, 0.2])
    chosen: Floats = kinds[kind, np.arange(series)]
    centred: Floats = chosen - chosen.mean(axis=1, keepdims=True)
    return centred


def _cycle(rng: Generator, shape: Shape) -> Floats:
    """Waves whose length and height wander, shape `(series, steps)`."""
    length = np.exp(rng.uniform(np.log(5.0), np.log(max(6.0, shape.steps)), shape.series))
    wander = 1.0 + 0.3 * _smooth_walk(rng, shape)
    angle = np.cumsum(2 * np.pi / length[:, None] * wander, axis=1)
    return np.sin(angle + rng.uniform(0, 2 * np.pi, shape.series)[:, None])


def _smooth_walk(rng: Generator, shape: Shape) -> Floats:
    """A walk within bounds, shape `(series, steps)`."""
    walk = np.cumsum(rng.standard_normal((shape.series, shape.steps)), axis=1)
    bounded: Floats = np.tanh(walk / np.sqrt(shape.steps))
    return bounded


def walks(rng: Generator, shape: Shape) -> Floats:
    """Random walks, some with drift and some with heavy tails; shape `(series, steps)`."""
    drift = 0.3 * _drifts(rng, shape) * (rng.random((shape.series, 1)) < 0.5)
    return np.cumsum(_shocks(rng, shape) + drift, axis=1)


def arima(rng: Generator, shape: Shape) -> Floats:
    """Autoregressions with moving averages, some seasonal, some summed; shape `(series, steps)`."""
    steps = shape.steps + WARM_UP
    shocks = _shocks(rng, Shape(shape.series, steps))
    # Two roots within the unit circle; a moving average of the shocks.
    radius, angle = rng.uniform(0.0, 0.95, shape.series), rng.uniform(0, np.pi, shape.series)
    real = rng.random(shape.series) < 0.6
    other = rng.uniform(-0.5, 0.9, shape.series)
    first = np.where(real, radius + other, 2 * radius * np.cos(angle))
    second = np.where(real, -radius * other, -(radius**2))
    mean = np.where(rng.random(shape.series) < 0.5, 0.0, rng.uniform(-0.8, 0.8, shape.series))
    shocks[:, 1:] += mean[:, None] * shocks[:, :-1]
    length = shape.seasons[0] if shape.seasons else 0
    yearly = np.where(rng.random(shape.series) < 0.6, 0.0, rng.uniform(0.2, 0.9, shape.series))
    values = np.zeros((steps, shape.series))
    for step in range(steps):
        now = shocks[:, step]
        if step > 1:
            now = now + first * values[step - 1] + second * values[step - 2]
        values[step] = now
    if length:
        for step in range(length, steps):
            values[step] += yearly * values[step - length]
    whole = values.T[:, WARM_UP:]
    summed = rng.random(shape.series) < 0.3
    return np.where(summed[:, None], np.cumsum(whole, axis=1), whole)


def smoothing(rng: Generator, shape: Shape) -> Floats:
    """Level, damped trend and season that one error moves (ETS); shape `(series, steps)`.

    Source: Hyndman, Koehler, Ord and Snyder (2008), Forecasting with Exponential Smoothing.
    """
    series, length = shape.series, shape.seasons[0] if shape.seasons else 1
    by_level = rng.uniform(0.02, 1.0, series)
    by_trend = by_level * np.where(rng.random(series) < 0.5, 0.0, rng.uniform(0.0, 0.3, series))
    by_season = (1 - by_level) * rng.uniform(0.0, 0.6, series)
    damping = np.where(rng.random(series) < 0.5, 1.0, rng.uniform(0.8, 0.98, series))
    trend = np.where(rng.random(series) < 0.5, 0.0, 0.2 * _drifts(rng, shape)[:, 0])
    level, states = np.zeros(series), 3.0 * _season_shape(rng, series, length).T
    if length == 1:
        states[:] = 0.0
    shocks, values = _shocks(rng, shape), np.empty((shape.steps, series))
    for step in range(shape.steps):
        error, phase = shocks[:, step], step % length
        trend = damping * trend
        values[step] = level + trend + states[phase] + error
        level = level + trend + by_level * error
        trend = trend + by_trend * error
        if length > 1:
            states[phase] += by_season * error
    return values.T


def gaussian_process(rng: Generator, shape: Shape) -> Floats:
    """Gaussian processes of composed kernels; shape `(series, steps)`."""
    points = min(shape.steps, GRID)
    at = np.linspace(0.0, 1.0, points)
    lag = np.abs(at[:, None] - at)
    unit = 1.0 / shape.steps
    kernel: Floats = np.zeros((points, points))
    for _ in range(int(rng.integers(1, 4))):
        kernel = _composed(rng, kernel, _kernel(rng, at, lag, unit, shape.seasons))
    kernel[np.diag_indices(points)] += 1e-6 * (1.0 + kernel.diagonal())
    drawn = rng.standard_normal((shape.series, points)) @ np.linalg.cholesky(kernel).T
    if points == shape.steps:
        return drawn
    fine = np.linspace(0.0, 1.0, shape.steps)
    return np.stack([np.interp(fine, at, each) for each in drawn])


def _composed(rng: Generator, kernel: Floats, other: Floats) -> Floats:
    """The sum or the product of two kernels, shape `(points, points)`."""
    if kernel.any() and rng.random() < 0.4:
        return kernel * other
    return kernel + other


def _kernel(
    rng: Generator, at: Floats, lag: Floats, unit: float, seasons: tuple[int, ...]
) -> Floats:
    """A kernel at given places, `(points, points)`: smooth, rational, linear, rough, periodic."""
    width = np.exp(rng.uniform(np.log(0.02), np.log(1.0)))
    kinds: dict[str, Callable[[], Floats]] = {
        "smooth": lambda: np.exp(-0.5 * (lag / width) ** 2),
        "rational": lambda: 1.0 / (1.0 + (lag / width) ** 2),
        "linear": lambda: _linear_kernel(at - rng.uniform(0.0, 1.0)),
        "rough": lambda: np.exp(-lag / width),
    }
    if seasons:
        length = seasons[int(rng.integers(len(seasons)))] * unit
        bend = rng.uniform(0.5, 2.0)
        kinds["periodic"] = lambda: np.exp(-2.0 * (np.sin(np.pi * lag / length) / bend) ** 2)
    return kinds[str(rng.choice(list(kinds)))]()


def _linear_kernel(at: Floats) -> Floats:
    return 4.0 * np.outer(at, at)


def regimes(rng: Generator, shape: Shape) -> Floats:
    """Two regimes of level, spread and persistence, by a Markov chain; shape `(series, steps)`."""
    size = (shape.series, shape.steps)
    stay = np.exp(-1.0 / np.exp(rng.uniform(np.log(5), np.log(shape.steps), shape.series)))
    switches = rng.random(size) > stay[:, None]
    state = np.cumsum(switches, axis=1) % 2
    levels, spreads = rng.normal(0, 2, (shape.series, 2)), rng.uniform(0.2, 1.5, (shape.series, 2))
    persistence = rng.uniform(0.0, 0.95, (shape.series, 2))
    rows = np.arange(shape.series)
    shocks, values, now = rng.standard_normal(size), np.empty(size), np.zeros(shape.series)
    for step in range(shape.steps):
        which = state[:, step]
        now = persistence[rows, which] * now + spreads[rows, which] * shocks[:, step]
        values[:, step] = levels[rows, which] + now
    return values


def calendar(rng: Generator, shape: Shape) -> Floats:
    """Days of their own: working weeks, months of other lengths, holidays that move."""
    step = np.arange(shape.steps)
    year = float(rng.choice([12.0, 52.18, 365.25]))
    wander = np.round(rng.uniform(-0.04, 0.04, shape.steps // int(year) + 2) * year)
    centre = (np.arange(len(wander)) + rng.random()) * year + wander
    away = np.min(np.abs(step[:, None] - centre[None]), axis=1)
    width = rng.uniform(0.5, 0.02 * year + 0.6, shape.series)[:, None]
    pulses = np.exp(-0.5 * (away / width) ** 2)
    days = 30.44 * np.arange(shape.steps + 1)
    lengths = np.diff(np.floor(days)) - 30.44
    weight = rng.standard_normal((2, shape.series, 1))
    found: Floats = weight[0] * pulses + 0.3 * weight[1] * lengths
    return found


def noise(rng: Generator, shape: Shape) -> Floats:
    """Noise with light or heavy tails whose spread is constant or changes; `(series, steps)`."""
    shocks = _shocks(rng, shape)
    changing = np.where(rng.random(shape.series) < 0.6, 0.0, rng.uniform(0.3, 1.0, shape.series))
    spread = np.exp(changing[:, None] * 2.0 * _smooth_walk(rng, shape))
    return shocks * spread


def events(rng: Generator, shape: Shape) -> Floats:
    """Outliers, steps of the level and turns of the slope, in some series; `(series, steps)`."""
    size = (shape.series, shape.steps)
    hits = rng.random(size) < _rates(rng, shape, 0.25)
    outliers = np.where(hits, 2.0 * rng.standard_t(3, size), 0.0)
    moved = rng.random(size) < _rates(rng, shape, 0.3)
    shifts = np.where(moved, 2.0 * rng.standard_normal(size), 0.0)
    turned = rng.random(size) < _rates(rng, shape, 0.25)
    shifts += np.cumsum(np.where(turned, 0.2 * rng.standard_normal(size), 0.0), axis=1)
    found: Floats = outliers + np.cumsum(shifts, axis=1)
    return found


def _rates(rng: Generator, shape: Shape, share: float) -> Floats:
    """How often something happens in a step, shape `(series, 1)`; never in the other series."""
    rate = np.exp(rng.uniform(np.log(0.003), np.log(0.03), shape.series))
    return np.where(rng.random(shape.series) < share, rate, 0.0)[:, None]


def _shocks(rng: Generator, shape: Shape) -> Floats:
    """Independent shocks: normal, or of heavy tails in a third; shape `(series, steps)`."""
    size = (shape.series, shape.steps)
    heavy = (rng.random(shape.series) < 0.33)[:, None]
    return np.where(heavy, np.clip(rng.standard_t(3, size) / 1.7, -8, 8), rng.standard_normal(size))


def _amounts(rng: Generator, series: int, probability: float) -> Floats:
    """How much of a component each series has, shape `(series,)`; 0 for none."""
    size = np.exp(rng.uniform(np.log(0.2), np.log(2.0), series))
    return np.where(rng.random(series) < probability, size, 0.0)


def _of_unit_size(values: Floats) -> Floats:
    """Bring each series to a spread of 1, shape `(series, steps)`; constants stay."""
    spread = values.std(axis=1, keepdims=True)
    scaled: Floats = values / np.where(spread > 1e-9, spread, 1.0)
    return scaled


def _in_units(rng: Generator, values: Floats, exponential: float) -> Floats:
    """Bring series to units of their own: linear, exponential, never negative, or counted."""
    series = len(values)
    kind = rng.choice(4, series, p=[0.8 - exponential, exponential, 0.1, 0.1])
    level = rng.uniform(-5.0, 20.0, series)[:, None]
    depth = np.exp(rng.uniform(np.log(0.03), np.log(0.7), series))[:, None]
    grown = np.exp(np.clip(depth * values, -6.0, 6.0))
    cut = np.maximum(values + rng.uniform(-0.5, 2.0, series)[:, None], 0.0)
    rate = np.exp(rng.uniform(np.log(0.1), np.log(30.0), series))[:, None]
    counted = rng.poisson(np.clip(rate * grown, 0.0, 1e6)).astype(float)
    kinds = np.stack([values + level, grown, cut, counted])
    unit = np.exp(rng.uniform(-3.0, 8.0, series))[:, None]
    chosen: Floats = kinds[kind, np.arange(series)]
    return np.where((kind == 3)[:, None], chosen, unit * chosen)


COMPONENTS: dict[str, Component] = {
    "trends": trends,
    "growth": growth,
    "season": season,
    "second season": second_season,
    "walks": walks,
    "arima": arima,
    "smoothing": smoothing,
    "gaussian process": gaussian_process,
    "regimes": regimes,
    "calendar": calendar,
}
# The share of the series that have each.
PROBABILITY = {
    "trends": 0.35,
    "growth": 0.08,
    "season": 0.5,
    "second season": 0.25,
    "walks": 0.25,
    "arima": 0.3,
    "smoothing": 0.4,
    "gaussian process": 0.12,
    "regimes": 0.06,
    "calendar": 0.06,
}
