"""Intervals by each method: they hold the forecast, wider levels hold narrower ones."""

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.config.schema import Config
from forecast_cli.core.error_scale import unknown
from forecast_cli.core.errors import UsageError
from forecast_cli.core.forecast import Forecast
from forecast_cli.core.scaling import Scaling
from forecast_cli.forecasting.intervals.conformal import grown, radius, step_sizes
from forecast_cli.forecasting.intervals.interval_methods import Bands, few_errors, make_bands
from forecast_cli.model.records import Calibration

LEVEL = (50.0, 80.0, 95.0)
HORIZON, TARGETS, SERIES = 4, 2, 3
QUANTILES = 2 * len(LEVEL) + 1
METHODS = ("conformal", "adaptive", "quantile", "cqr", "dropout")


def calibration(samples=200, *, quantiles=False, seed=0):
    draw = np.random.default_rng(seed)
    sizes = np.sqrt(np.arange(1, HORIZON + 1))[:, None]
    errors = draw.normal(size=(samples, HORIZON, TARGETS)) * sizes
    if quantiles:
        apart = np.linspace(-1.5, 1.5, QUANTILES)
        errors = errors[..., None] - apart * sizes[..., None]
    return Calibration(
        errors,
        draw.uniform(0.5, 2.0, (samples, TARGETS)),
        draw.uniform(0.5, 2.0, (SERIES, TARGETS)),
        unknown(SERIES, TARGETS),
    )


def guess(samples=5, steps=HORIZON, seed=1):
    draw = np.random.default_rng(seed)
    point = draw.normal(size=(samples, steps, TARGETS))
    away = np.sort(draw.normal(size=(samples, HORIZON, TARGETS, QUANTILES)), axis=-1)
    within = min(steps, HORIZON)
    away[:, :within] += (point[:, :within] - away[:, :within, :, QUANTILES // 2])[..., None]
    spread = draw.uniform(0.1, 1.0, (samples, HORIZON, TARGETS))
    return Forecast(point, quantiles=away, spread=spread)


def bands_of(method, level=LEVEL, **more):
    seen = calibration(quantiles=method in ("quantile", "cqr"), **more)
    return Bands(seen, method, level, LEVEL)


def around(bands, guess, units=None, recent=None):
    shape = (len(guess.point), TARGETS)
    units = np.ones(shape) if units is None else units
    return bands.around(guess, units, np.ones(shape) if recent is None else recent)


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 11), samples=st.integers(5, 150))
def test_levels_are_nested_and_hold_the_forecast(method, seed, steps, samples):
    said = guess(steps=steps, seed=seed)
    units = np.random.default_rng(seed).uniform(0.1, 10, (5, TARGETS))
    lower, upper = around(bands_of(method, samples=samples, seed=seed), said, units, units)
    assert lower.shape == upper.shape == (5, steps, TARGETS, len(LEVEL))
    assert (lower <= said.point[..., None]).all()
    assert (upper >= said.point[..., None]).all()
    assert (np.diff(lower, axis=-1) <= 0).all()
    assert (np.diff(upper, axis=-1) >= 0).all()


@pytest.mark.parametrize("method", METHODS)
@given(
    seed=st.integers(0, 10**6),
    transform=st.sampled_from(["none", "log", "log1p"]),
    lower=st.sampled_from([None, 0.0, 0.7]),
)
def test_levels_are_nested_in_the_units_of_the_table_too(method, seed, transform, lower):
    said, units = guess(seed=seed), np.random.default_rng(seed).uniform(0.1, 1, (5, TARGETS))
    center, scale = np.array([0.5, 3.0]), np.array([0.5, 0.1])
    bounds = None if lower is None else np.full(TARGETS, lower)
    scaling = Scaling("standard", center, scale, transform, lower=bounds)
    ends = around(bands_of(method, samples=12, seed=seed), said, units, units)
    low, high = (
        np.stack([scaling.inverse(each) for each in np.moveaxis(side, -1, 0)]) for side in ends
    )
    every = np.concatenate([low[::-1], scaling.inverse(said.point)[None], high])
    assert (np.diff(every, axis=0) >= 0).all()
    assert (np.diff(high - low, axis=0) >= 0).all()
    assert lower is None or every.min() >= lower


def test_conformal_reaches_as_far_as_the_errors_say():
    bands, said, units = bands_of("conformal"), guess(), np.full((5, TARGETS), 3.0)
    lower, upper = around(bands, said, units)
    errors = bands.calibration.errors
    for place, level in enumerate(LEVEL):
        reach = 3.0 * radius(np.abs(errors), level, step_sizes(errors))
        np.testing.assert_allclose(upper[..., place] - said.point, np.tile(reach, (5, 1, 1)))
        np.testing.assert_allclose(said.point - lower[..., place], np.tile(reach, (5, 1, 1)))


def test_adaptive_follows_the_recent_errors_and_is_of_errors_in_units_of_theirs():
    bands, said = bands_of("adaptive"), guess()
    once, twice = (around(bands, said, recent=np.full((5, TARGETS), each)) for each in (1.0, 2.0))
    width = once[1] - once[0]
    np.testing.assert_allclose(twice[1] - twice[0], 2 * width)
    seen = bands.calibration
    shares = np.abs(seen.errors) / seen.recent[:, None]
    reach = radius(shares, 80, step_sizes(seen.errors))
    np.testing.assert_allclose(width[..., 1], np.tile(2 * reach, (5, 1, 1)))


def test_quantiles_are_taken_as_they_are():
    bands, said = bands_of("quantile"), guess()
    lower, upper = around(bands, said)
    middle = QUANTILES // 2
    for place in range(len(LEVEL)):
        np.testing.assert_allclose(lower[..., place], said.quantiles[..., middle - place - 1])
        np.testing.assert_allclose(upper[..., place], said.quantiles[..., middle + place + 1])


def test_quantiles_are_found_by_their_level():
    said, every = guess(), around(bands_of("quantile"), guess())
    lower, upper = around(bands_of("quantile", (80.0,)), said)
    np.testing.assert_array_equal(lower[..., 0], every[0][..., 1])
    np.testing.assert_array_equal(upper[..., 0], every[1][..., 1])


def test_conformalised_quantiles_are_moved_by_what_was_outside_of_them():
    bands, said, units = bands_of("cqr"), guess(), np.full((5, TARGETS), 2.0)
    lower, upper = around(bands, said, units)
    errors, middle = bands.calibration.errors, QUANTILES // 2
    below, above = errors[..., middle - 2], errors[..., middle + 2]
    outside = np.maximum(-below, above)
    move = 2.0 * radius(outside, 80, step_sizes(errors[..., middle]))
    expected = np.maximum(said.quantiles[..., middle + 2] + move, said.point)
    np.testing.assert_allclose(upper[..., 1], np.maximum(expected, upper[..., 0]))
    expected = np.minimum(said.quantiles[..., middle - 2] - move, said.point)
    np.testing.assert_allclose(lower[..., 1], np.minimum(expected, lower[..., 0]))


def test_quantiles_that_hold_too_much_are_drawn_in():
    """Conformalised, intervals may be narrower than what the network says."""
    seen = calibration(quantiles=True)
    apart = 10 * np.linspace(-1, 1, QUANTILES)
    errors = seen.errors[..., [QUANTILES // 2]] - apart
    said = replace(guess(), quantiles=guess().point[..., None] + apart)
    lower, upper = around(Bands(replace(seen, errors=errors), "cqr", LEVEL, LEVEL), said)
    assert ((upper - lower)[..., -1] < 20 * 0.9).all()


def test_dropout_adds_what_the_weights_and_the_noise_leave_open():
    bands, said = bands_of("dropout"), guess()
    units = np.full((5, TARGETS), 2.0)
    lower, upper = around(bands, said, units)
    noise = 2.0 * np.sqrt((bands.calibration.errors**2).mean(axis=0))
    factor = NormalDist().inv_cdf(0.975)
    reach = factor * np.sqrt(said.spread**2 + noise**2)
    np.testing.assert_allclose(upper[..., 2] - said.point, reach)
    np.testing.assert_allclose(said.point - lower[..., 2], reach)


@pytest.mark.parametrize("method", METHODS)
def test_beyond_the_horizon_intervals_grow_with_the_root(method):
    bands, short = bands_of(method), guess()
    later = np.tile(short.point[:, -1:], (1, 3 * HORIZON, 1))
    said = replace(short, point=np.concatenate([short.point, later], axis=1))
    lower, upper = around(bands, said)
    first, _ = around(bands, short)
    np.testing.assert_array_equal(lower[:, :HORIZON], first)
    above = (upper - said.point[..., None])[:, HORIZON - 1 :]
    expected = np.sqrt(np.arange(HORIZON, 4 * HORIZON + 1) / HORIZON)[:, None, None]
    np.testing.assert_allclose(above, above[:, :1] * expected)


@pytest.mark.parametrize("method", METHODS)
def test_fewer_steps_have_the_intervals_of_the_first_ones(method):
    whole = guess()
    part = replace(whole, point=whole.point[:, :2])
    for ours, theirs in zip(
        around(bands_of(method), part), around(bands_of(method), whole), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs[:, :2])


def test_the_units_are_those_of_the_series():
    bands = bands_of("conformal")
    series = np.array([2, 0, 0])
    np.testing.assert_array_equal(bands.units_at(series, 2), bands.calibration.units[series])
    assert (replace(bands, calibration=None).units_at(series, 2) == 1).all()


@pytest.mark.parametrize("level", [37.0, 99.0, 50.0])
def test_conformal_makes_any_level_of_the_errors(level):
    bands = make_bands(calibration(), Config(level=(80.0,)), level=(level,))
    assert bands.level == (level,)
    assert (around(bands, guess())[1] > guess().point[..., None]).all()


@pytest.mark.parametrize("method", ["quantile", "cqr"])
def test_a_level_that_the_network_was_not_trained_for_names_those_that_it_was(method):
    config, seen = Config(intervals=method, level=LEVEL), calibration(quantiles=True)
    with pytest.raises(UsageError, match=r"levels 50, 80, 95, not 90.*one of those.*`level=90`"):
        make_bands(seen, config, level=(80.0, 90.0))
    assert make_bands(seen, config, level=(90.0,), method="conformal").name == "conformal"
    assert make_bands(seen, config, level=(95.0, 80.0)).level == (80.0, 95.0)


@pytest.mark.parametrize("method", ["quantile", "cqr", "dropout"])
def test_what_the_network_was_not_trained_for_is_refused(method):
    with pytest.raises(UsageError, match=f"not trained for intervals by {method}"):
        make_bands(calibration(), Config(), method=method)


@pytest.mark.parametrize("level", [0.0, 0.8, 100.0, -5.0, 120.0])
def test_a_level_that_cannot_be(level):
    with pytest.raises(UsageError, match=f"Invalid level {level:g}: must be"):
        make_bands(calibration(), Config(), level=(level,))


def test_without_errors_quantiles_alone_are_possible():
    with pytest.raises(UsageError, match="`validation` above 0"):
        make_bands(None, Config())
    with pytest.raises(UsageError, match="`validation` above 0"):
        make_bands(None, Config(intervals="quantile"), method="conformal")
    assert make_bands(None, Config(intervals="quantile")).calibration is None


def test_too_few_errors_for_a_level_are_told():
    for samples, expected in ((3, "80, 95 %"), (4, "of 95 %"), (18, "of 95 %")):
        said = few_errors(Bands(calibration(samples), "conformal", (80.0, 95.0)))
        assert said.startswith(f"{samples} validation forecasts are too few")
        assert expected in said
    assert few_errors(Bands(calibration(19), "adaptive", (80.0, 95.0))) == ""
    assert few_errors(Bands(calibration(3), "dropout", (95.0,))) == ""


def test_grown_spreads_are_those_of_the_last_step():
    said, bands = guess(), bands_of("dropout")
    noise = np.sqrt((bands.calibration.errors**2).mean(axis=0))
    longer = replace(said, point=np.zeros((5, 9, TARGETS)))
    _, upper = around(bands, longer)
    spread = np.stack([grown(each, 9) for each in said.spread])
    expected = NormalDist().inv_cdf(0.75) * np.sqrt(spread**2 + grown(noise, 9) ** 2)
    np.testing.assert_allclose(upper[..., 0], expected)
