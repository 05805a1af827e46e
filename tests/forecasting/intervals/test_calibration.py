"""The errors that intervals are made of, against loops over series and forecasts."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.resolution import configure
from forecast_cli.core.error_scale import DECAY, PRIOR, seasonal_error
from forecast_cli.core.forecast import Forecast
from forecast_cli.core.padding import owner_series
from forecast_cli.core.series_features import demand_sizes
from forecast_cli.data.reading import read_panel
from forecast_cli.forecasting.intervals import calibration as module
from forecast_cli.forecasting.intervals.calibration import (
    DRAWN,
    LEAST_SHARE,
    RecentErrors,
    calibrate,
    estimate_units,
    evenly,
    mean_losses,
    measure_errors,
    measure_units,
    scaled_targets,
    usual_errors,
    validation_errors,
)
from forecast_cli.forecasting.intervals.conformal import grown, step_sizes
from forecast_cli.model.runtime import chunks
from forecast_cli.training.preparation import make_dataset

HORIZON = 3
SIZES = {"A": 1.0, "B": 50.0, "C": 7.0}


def table(names="ABC", targets=("y", "z"), seed=0, rows=(60, 80, 50), demand=False):
    """Series of different size and length, with a gap in one of them."""
    draw, tables = np.random.default_rng(seed), []
    for name, count in zip(names, rows, strict=False):
        days = pd.date_range("2024-01-01", periods=80)[80 - count :]
        values = {
            target: SIZES[name] * (5 + np.sin(np.arange(count)) + draw.normal(0, 1, count))
            for target in targets
        }
        if demand:
            values = {
                target: draw.integers(1, 9, count) * (draw.random(count) < 0.3) * SIZES[name]
                for target in targets
            }
        tables.append(pd.DataFrame({"id": name, "day": days} | values))
    return pd.concat(tables, ignore_index=True)


def prepared(frame, **own):
    targets = tuple(name for name in frame if name not in ("id", "day"))
    config = configure({
        "column": targets, "series": ("id",), "time": "day", "horizon": HORIZON, "timesteps": 4,
        "preset": "classic", "test": 9, "validation": 12, "season_length": 2, **own,
    })  # fmt: skip
    panel = read_panel(frame, config.data)
    return make_dataset(panel, config, on_event=lambda event: None)


def all_scaled(dataset):
    return scaled_targets(dataset, np.arange(len(dataset.panel.values)))


class Network:
    """Forecasts the last known value, scaled, and remembers from where; quantiles around it."""

    def __init__(self, dataset, quantiles=0):
        self.dataset, self.asked = dataset, []
        self.runtime = SimpleNamespace(quantile_count=quantiles)
        self.scaled = all_scaled(dataset)

    def forecast(self, origins):
        self.asked.append(origins)
        point = np.repeat(self.scaled[origins - 1][:, None], HORIZON, axis=1)
        count = self.runtime.quantile_count
        around = point[..., None] + np.arange(count) - count // 2
        return Forecast(point, quantiles=around if count else None)

    def in_units(self, scaled, origins):
        series = owner_series(self.dataset.panel.indptr, origins)
        scaling = self.dataset.scaling.only(self.dataset.targets)
        return scaling.each(series, steps=True).inverse(scaled)

    def origins(self, part):
        return self.dataset.origins(part)


@pytest.fixture(scope="module")
def dataset():
    return prepared(table())


@pytest.fixture(scope="module")
def demand():
    found = prepared(table(demand=True))
    assert found.intermittent
    return found


def actual(dataset):
    return dataset.panel.values[:, dataset.targets]


def test_each_error_is_the_actual_value_less_the_forecast(dataset):
    network, scaled = Network(dataset), all_scaled(dataset)
    origins = dataset.origins("validation")
    found = measure_errors(network, origins)
    assert found.origins is origins and found.quantiles is None
    assert found.errors.shape == (len(origins), HORIZON, 2)
    for origin, own in zip(origins, found.errors, strict=True):
        for step in range(HORIZON):
            expected = scaled[origin + step] - scaled[origin - 1]
            np.testing.assert_allclose(own[step], expected, rtol=1e-12)
    assert found.stored.tolist() == list(range(len(origins)))
    assert measure_errors(network, origins[:0]) is None


def test_losses_are_in_the_units_of_the_table(dataset):
    network, values = Network(dataset), actual(dataset)
    origins = dataset.origins("validation")
    losses = measure_errors(network, origins).losses
    for origin, own in zip(origins, losses, strict=True):
        series = int(owner_series(dataset.panel.indptr, np.array([origin]))[0])
        apart = np.abs(values[origin : origin + HORIZON] - values[origin - 1])
        assert own == pytest.approx((apart / dataset.naive_error[series]).mean())


def test_rows_without_a_value_have_no_error():
    frame = table()
    frame.loc[frame["id"].eq("A") & frame["day"].eq("2024-03-01"), "y"] = np.nan
    dataset = prepared(frame, missing="interpolate", max_filled=1.0)
    network, scaled = Network(dataset), all_scaled(dataset)
    hole = np.flatnonzero(np.isnan(actual(dataset)).any(axis=1))
    assert len(hole) == 1 and np.isnan(scaled[hole[0], 0]) and np.isfinite(scaled[hole[0], 1])
    origins = dataset.origins("validation")
    before = origins[origins + 1 == hole[0]]
    found = measure_errors(network, before)
    assert np.isnan(found.errors[0, 1, 0]) and np.isfinite(found.errors[0, 1, 1])
    assert np.isfinite(found.losses).all()


@pytest.mark.parametrize("squared", [False, True])
def test_mean_losses_are_means_of_what_is_known(dataset, demand, squared):
    data = demand if squared else dataset
    unit = data.naive[1] if squared else data.naive_error
    errors = np.random.default_rng(1).normal(size=(5, HORIZON, 2))
    errors[1, :, 0] = np.nan
    errors[2] = np.nan
    errors[3].ravel()[1:] = np.nan
    series = np.array([0, 1, 2, 2, 0])
    found = mean_losses(data, errors, series)
    for place, (own, each) in enumerate(zip(errors, series, strict=True)):
        share = (own**2 if squared else np.abs(own)) / unit[each]
        known = share[np.isfinite(share)]
        if len(known):
            assert found[place] == pytest.approx(known.mean())
        else:
            assert np.isnan(found[place])


def test_a_small_unit_is_one_too(dataset):
    small = replace(dataset, naive=np.full((2, 3, 2), 0.25))
    assert mean_losses(small, np.full((1, HORIZON, 2), -0.5), np.array([1])).tolist() == [2.0]


def test_a_series_whose_seasonal_naive_never_errs_has_a_unit_of_1(dataset):
    constant = replace(dataset, naive=np.array([[[0.0, np.nan]] * 3] * 2))
    errors = np.full((1, HORIZON, 2), -0.5)
    assert mean_losses(constant, errors, np.array([1])).tolist() == [0.5]


def test_errors_of_quantiles_are_those_of_the_stored_samples(dataset, monkeypatch):
    network, scaled = Network(dataset, quantiles=3), all_scaled(dataset)
    origins = dataset.origins("validation")
    monkeypatch.setattr(module, "MOST_KEPT", 7 * HORIZON * 2 * 3)
    monkeypatch.setattr(module, "parted", lambda dataset, origins: np.array_split(origins, 3))
    found = measure_errors(network, origins)
    assert len(network.asked) == 3 and len(found.errors) == len(origins)
    assert len(found.stored) == 7 and found.quantiles.shape == (7, HORIZON, 2, 3)
    for place, own in zip(found.stored, found.quantiles, strict=True):
        origin = origins[place]
        around = scaled[origin - 1][:, None] + np.array([-1.0, 0.0, 1.0])
        for step in range(HORIZON):
            np.testing.assert_allclose(own[step], scaled[origin + step][:, None] - around)


@pytest.mark.parametrize("kept", [13, 1000])
def test_errors_of_quantiles_are_the_same_in_parts_of_any_size(dataset, monkeypatch, kept):
    origins = dataset.origins("validation")
    monkeypatch.setattr(module, "MOST_KEPT", kept * HORIZON * 2 * 3)
    whole = measure_errors(Network(dataset, quantiles=3), origins).quantiles
    assert len(whole) == min(len(origins), kept)
    monkeypatch.setattr(module, "parted", lambda dataset, rows: np.split(rows, [7, 11, 20]))
    parts = measure_errors(Network(dataset, quantiles=3), origins).quantiles
    np.testing.assert_array_equal(parts, whole)


def test_validation_errors_are_of_some_origins_where_there_are_many(dataset, monkeypatch):
    network, origins = Network(dataset), dataset.origins("validation")
    assert np.array_equal(validation_errors(network).origins, origins)
    monkeypatch.setattr(module, "MOST_WORKED", 4 * HORIZON * 2)
    some = validation_errors(network).origins
    assert len(some) == 4 and some[0] == origins[0] and some[-1] == origins[-1]
    assert np.isin(some, origins).all()
    assert validation_errors(Network(prepared(table(), validation=0))) is None


def test_parts_of_origins_fit_into_memory(dataset, monkeypatch):
    asked = []

    def remember(origins, **how):
        asked.append(how)
        return chunks(origins, **how)

    monkeypatch.setattr(module, "chunks", remember)
    module.parted(dataset, dataset.origins("validation"))
    module.parted(prepared(table(), timesteps=2), np.arange(9))
    assert asked == [{"timesteps": 4, "features": 2}, {"timesteps": 3, "features": 2}]


@pytest.mark.parametrize("count", [0, 1, 5, 6, 7, 100, 1001])
def test_evenly_takes_the_first_and_the_last(count):
    items = 10 * np.arange(count)
    some = evenly(items, 2, 12)
    assert len(some) == min(count, 6)
    if count > 6:
        assert some[0] == items[0] and some[-1] == items[-1]
        gaps = np.diff(some) / 10
        assert gaps.max() - gaps.min() <= 1
    else:
        assert np.array_equal(some, items)
    assert len(evenly(items, 1000, 12)) == min(count, 1)


def test_usual_errors_are_means_of_shares():
    errors = np.array([[[2.0, np.nan], [-3.0, 4.0]], [[np.nan, np.nan], [np.nan, -8.0]]])
    sizes = np.array([[1.0, 2.0], [2.0, 4.0]])
    found = usual_errors(errors, sizes)
    np.testing.assert_array_equal(found, [[(2 + 1.5) / 2, 1.0], [np.nan, 2.0]])


def test_what_has_no_unit_gets_that_of_the_middle():
    errors = np.array([[2.0, np.nan], [0.0, np.nan], [4.0, -1.0], [np.inf, 0.0], [9.0, np.nan]])
    found = estimate_units(errors)
    np.testing.assert_array_equal(found[:, 0], [2.0, 4.0, 4.0, 4.0, 9.0])
    np.testing.assert_array_equal(found[:, 1], np.ones(5))
    given = estimate_units(errors, np.array([5.0, 6.0]))
    np.testing.assert_array_equal(given[:, 0], [2.0, 5.0, 4.0, 5.0, 9.0])
    np.testing.assert_array_equal(given[:, 1], np.full(5, 6.0))


def test_units_are_errors_of_the_seasonal_naive_in_the_training_rows(dataset):
    end = dataset.splits.bounds("train")[1]
    scaled, indptr = all_scaled(dataset), dataset.panel.indptr
    expected = seasonal_error(scaled, indptr, end, season_length=2)
    found = measure_units(dataset, end, intermittent=False)
    np.testing.assert_array_equal(found, expected)
    # What comes after them has no part in it.
    changed = replace(dataset.panel, values=dataset.panel.values.copy())
    for row in end:
        changed.values[row] *= 100
    later = measure_units(replace(dataset, panel=changed), end, intermittent=False)
    np.testing.assert_array_equal(later, found)


def test_units_of_intermittent_demand_are_sizes_of_a_demand(demand):
    end = demand.splits.bounds("train")[1]
    scaled = all_scaled(demand)
    targets = demand.scaling.only(demand.targets).each(demand.panel.owners)
    zero = targets.transform(np.zeros_like(scaled))
    expected = demand_sizes(scaled, zero, demand.panel.indptr, end)
    np.testing.assert_array_equal(measure_units(demand, end, intermittent=True), expected)
    made = calibrate(demand, validation_errors(Network(demand)))
    np.testing.assert_array_equal(made.units, expected)


def shares_by_loop(errors, series, count):
    """The errors of each series beside those of all, drawn towards them; by loops."""
    usual = usual_errors(errors, step_sizes(errors))
    found = np.ones((count, errors.shape[2]))
    for target in range(errors.shape[2]):
        known = [(each, own) for each, own in zip(series, usual[:, target], strict=True)
                 if np.isfinite(own)]  # fmt: skip
        whole = np.mean([own for _, own in known]) or 1.0
        for place in range(count):
            mine = [own for each, own in known if each == place]
            if mine:
                apart = len(mine) / HORIZON
                found[place, target] = (DRAWN + apart * np.mean(mine) / whole) / (DRAWN + apart)
    return np.maximum(found, LEAST_SHARE)


@pytest.mark.parametrize("names", ["ABC", "AB"])
def test_a_calibration_has_errors_in_units_of_their_series(names):
    dataset = prepared(table(names))
    measured = validation_errors(Network(dataset))
    series = owner_series(dataset.panel.indptr, measured.origins)
    end = dataset.splits.bounds("train")[1]
    plain = estimate_units(measure_units(dataset, end, intermittent=False))
    shares = shares_by_loop(measured.errors / plain[series][:, None], series, len(names))
    made = calibrate(dataset, measured)
    np.testing.assert_allclose(made.units, plain * shares, rtol=1e-12)
    assert not np.allclose(shares, 1.0)
    expected = measured.errors / made.units[series][:, None]
    np.testing.assert_allclose(made.errors, expected, rtol=1e-6)
    assert made.errors.dtype == np.float32


def test_a_series_without_errors_is_like_all_and_one_of_hardly_any_is_not_nothing(dataset):
    measured = validation_errors(Network(dataset))
    series = owner_series(dataset.panel.indptr, measured.origins)
    errors = measured.errors.copy()
    errors[series == 1] = np.nan
    errors[series == 2] *= 1e-9
    end = dataset.splits.bounds("train")[1]
    plain = estimate_units(measure_units(dataset, end, intermittent=False))
    units = calibrate(dataset, replace(measured, errors=errors)).units / plain
    shares = shares_by_loop(errors / plain[series][:, None], series, 3)
    np.testing.assert_allclose(units, shares, rtol=1e-9)
    # A single error counts too.
    single = errors.copy()
    single[np.flatnonzero(series == 1)[0], 0] = 30.0 * plain[1]
    own = calibrate(dataset, replace(measured, errors=single)).units / plain
    expected = shares_by_loop(single / plain[series][:, None], series, 3)
    np.testing.assert_allclose(own, expected, rtol=1e-9)
    assert (own[1] > 2).all()
    np.testing.assert_allclose(units[1], 1.0)
    count = np.sum(series == 2) / HORIZON
    np.testing.assert_allclose(units[2], DRAWN / (DRAWN + count), rtol=1e-6)
    # So many forecasts leave nothing of what all are like.
    many = replace(
        measured,
        errors=np.tile(errors, (400, 1, 1)),
        origins=np.tile(measured.origins, 400),
        stored=np.arange(3),
    )
    order = np.argsort(many.origins, kind="stable")
    many = replace(many, errors=many.errors[order], origins=many.origins[order])
    least = calibrate(dataset, many).units / plain
    np.testing.assert_allclose(least[2], LEAST_SHARE)


def test_errors_of_nothing_at_all_have_units_too(dataset):
    measured = validation_errors(Network(dataset))
    zero = calibrate(dataset, replace(measured, errors=measured.errors * 0.0))
    assert np.isfinite(zero.units).all() and (zero.units > 0).all()


def test_there_is_no_calibration_without_errors(dataset):
    measured = validation_errors(Network(dataset))
    assert calibrate(dataset, None) is None
    assert calibrate(dataset, replace(measured, errors=measured.errors * np.nan)) is None
    one = np.full_like(measured.errors, np.nan)
    one[0, 0, 0] = 1.0
    made = calibrate(dataset, replace(measured, errors=one))
    end = dataset.splits.bounds("train")[1]
    # One error is as large as all are.
    np.testing.assert_allclose(
        made.units, estimate_units(measure_units(dataset, end, intermittent=False))
    )


def test_the_unit_of_a_single_series_is_1():
    frame = table("A", ("y",))
    dataset = prepared(frame)
    measured = validation_errors(Network(dataset))
    made = calibrate(dataset, measured)
    assert made.units.tolist() == [[1.0]]
    np.testing.assert_array_equal(made.errors, measured.errors.astype(np.float32))


def test_a_calibration_of_quantiles_has_their_errors(dataset):
    measured = validation_errors(Network(dataset, quantiles=3))
    made = calibrate(dataset, measured)
    series = owner_series(dataset.panel.indptr, measured.origins)
    expected = measured.quantiles / made.units[series][:, None, :, None]
    np.testing.assert_allclose(made.errors, expected, rtol=1e-6)
    plain = calibrate(dataset, replace(measured, quantiles=None))
    np.testing.assert_array_equal(made.recent, plain.recent)
    assert made.errors.dtype == np.float32


def recent_by_loop(dataset, made, measured, own, place):
    """The size of the latest errors of a series known at a row, by a loop over its origins."""
    origins, errors = measured.origins, measured.errors
    series = owner_series(dataset.panel.indptr, origins)
    sizes = grown(step_sizes(made.errors), HORIZON)
    total, weight = np.zeros(2), np.zeros(2)
    for origin, each, error in zip(origins, series, errors, strict=True):
        if each == own and origin <= place - HORIZON:
            usual = usual_errors(error[None] / made.units[own], sizes)[0]
            known = np.isfinite(usual)
            share = DECAY ** (place - HORIZON - origin)
            total += share * np.where(known, usual, 0.0)
            weight += share * known
    return (PRIOR + total) / (PRIOR + weight)


def test_the_recent_errors_are_those_whose_horizon_is_past(dataset):
    measured = validation_errors(Network(dataset))
    made = calibrate(dataset, measured)
    for place in (0, 5, len(measured.origins) // 2, len(measured.origins) - 1):
        row = measured.origins[place]
        own = int(owner_series(dataset.panel.indptr, np.array([row]))[0])
        expected = recent_by_loop(dataset, made, measured, own, row)
        np.testing.assert_allclose(made.recent[place], expected, rtol=1e-6)
    # The end of a series knows all of its errors.
    last = dataset.panel.indptr[1:] - 1
    for series, row in enumerate(last):
        expected = recent_by_loop(dataset, made, measured, series, row + HORIZON)
        np.testing.assert_allclose(made.ended.size[series], expected, rtol=1e-6)


def test_stored_samples_alone_are_kept(dataset, monkeypatch):
    monkeypatch.setattr(module, "MOST_KEPT", 5 * HORIZON * 2)
    measured = validation_errors(Network(dataset))
    made = calibrate(dataset, measured)
    assert made.errors.shape == (5, HORIZON, 2) and made.recent.shape == (5, 2)
    series = owner_series(dataset.panel.indptr, measured.origins[measured.stored])
    expected = measured.errors[measured.stored] / made.units[series][:, None]
    np.testing.assert_allclose(made.errors, expected, rtol=1e-6)
    seen = RecentErrors(dataset, made.units, made.errors)
    seen.add(measured.origins, measured.errors)
    expected = seen.sizes_at(measured.origins)[measured.stored]
    np.testing.assert_array_equal(made.recent, expected)


def test_forecasts_that_are_added_are_compared_with_the_actual_values(dataset):
    network, measured = Network(dataset), validation_errors(Network(dataset))
    made = calibrate(dataset, measured)
    one, two = (RecentErrors(dataset, made.units, made.errors) for _ in range(2))
    one.add(measured.origins, measured.errors)
    two.add_forecasts(measured.origins, network.forecast(measured.origins).point)
    np.testing.assert_allclose(one.ended().total, two.ended().total, rtol=1e-12)
    np.testing.assert_array_equal(one.ended().weight, two.ended().weight)
    # What was known before these rows counts a little less than they do.
    later = RecentErrors(dataset, made.units, made.errors, before=one.ended())
    assert (later.ended().weight == 0).all()
    later.add(measured.origins, measured.errors)
    assert (later.ended().weight > one.ended().weight).all()
