"""Ensembles from a table to their forecasts, by the Python API, and what cannot be together."""

import io

import h5py
import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.baselines.linear_map import last_map, seasonal_map
from forecast_cli.config.resolution import configure
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.core.events import Epoch, Note, ignore
from forecast_cli.data.reading import read_panel
from forecast_cli.training.preparation import make_dataset

QUICK = {"preset": "classic", "units": 3, "epochs": 2, "patience": 0, "batch_size": 128}
SMALL = {**QUICK, "column": "value", "horizon": 3, "timesteps": 12}
STEPS = np.arange(240)
MONTHS = pd.DataFrame(
    {
        "date": pd.date_range("2000-01-01", periods=240, freq="MS"),
        "value": 100 + 0.1 * STEPS + 10 * np.sin(np.pi * STEPS / 6) + np.sin(STEPS**2),
        "other": np.sin(STEPS / 5),
    }
)
WEIGHED = {"baselines": ["ridge-short"], "combine": "weights", "timesteps": 36}
SEASONAL = {**SMALL, "baselines": ["naive", "seasonal-naive"]}


def fitted(frame, **settings):
    """What training gives before anything is scored or saved."""
    from forecast_cli.training.network_training import train_network

    config = configure({**settings, "column": (settings["column"],)})
    panel = read_panel(frame, config.data, on_event=ignore)
    return train_network(make_dataset(panel, config, on_event=ignore))


def numbers(model, layer):
    """What a layer holds in the file of the weights."""
    with h5py.File(io.BytesIO(model.bundle.weights)) as file:
        return np.array(file["layers"][layer]["vars"]["0"])


@pytest.fixture
def frame():
    return MONTHS.copy()


@pytest.fixture(scope="module")
def mixed():
    """Three networks of unlike windows and anchors beside two simple forecasts, weighed."""
    return fc.train(
        MONTHS,
        ensemble=3,
        combine="weights",
        member_timesteps=[12, 6],
        member_anchors=["last", "mean"],
        member_losses=["mae", "owa", "mse"],
        intervals="ensemble",
        **SEASONAL,
    )


# One model like any other.


@pytest.mark.slow
@pytest.mark.tf
def test_an_ensemble_survives_its_file(mixed, frame, tmp_path):
    mixed.save(tmp_path / "m.forecast")
    loaded = fc.load(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(loaded.predict(level=80), mixed.predict(level=80))
    pd.testing.assert_frame_equal(loaded.predict(frame), mixed.predict())
    assert loaded.config == mixed.config
    assert loaded.config.ensemble.size == 3
    assert np.isfinite(mixed.predict()["value"]).all()


@pytest.mark.tf
def test_its_log_tells_the_epochs_of_every_network(mixed):
    log = mixed.bundle.epochs
    assert [(each["network"], each["number"]) for each in log] == [
        (network, number) for network in (1, 2, 3) for number in (1, 2)
    ]
    assert mixed.bundle.manifest.run.epochs == 6


@pytest.mark.tf
def test_weights_are_shares_of_one(mixed):
    shares = numbers(mixed, "weighted")
    assert shares.shape == (5, 1)
    assert (shares >= 0).all()
    assert shares.sum() == pytest.approx(1.0, rel=1e-5)
    # What validation says has moved them.
    assert np.ptp(shares) > 1e-3


@pytest.mark.tf
def test_intervals_by_spread_nest_widen_and_hold_the_forecast(mixed, frame):
    forecast = mixed.predict(level=(50, 80, 95))
    ends = [f"value_{end}" for end in ("lo95", "lo80", "lo50", "hi50", "hi80", "hi95")]
    held = forecast[[*ends[:3], "value", *ends[3:]]].to_numpy()
    assert (np.diff(held, axis=1) >= 0).all()
    assert (held[:, -1] > held[:, 0]).all()
    pd.testing.assert_frame_equal(forecast[["date", "value"]], mixed.predict())
    longer = mixed.predict(level=80, horizon=9)
    width = (longer["value_hi80"] - longer["value_lo80"]).to_numpy()
    assert (width > 0).all()
    assert width[-1] >= width[0]
    with pytest.raises(UsageError, match="not trained for intervals by cqr"):
        mixed.predict(level=80, intervals="cqr")
    assert list(mixed.predict(level=80, intervals="conformal")) == list(mixed.predict(level=80))


@pytest.mark.tf
def test_a_spread_that_grows_widens_the_interval(mixed):
    from forecast_cli.core.forecast import Forecast
    from forecast_cli.forecasting.intervals.interval_methods import make_bands

    bands = make_bands(mixed.bundle.calibration, mixed.config)
    point = np.zeros((1, 3, 1))
    one = np.ones((1, 1))

    def width(spread):
        quantiles = np.stack([point - spread, point, point + spread], axis=-1)
        lower, upper = bands.around(Forecast(point, quantiles=quantiles), one, one)
        return upper - lower

    # Both levels reach as much further as the spread does.
    np.testing.assert_allclose(width(0.5) - width(0.2), 0.6, rtol=1e-6)
    assert (width(0.2)[..., 1] >= width(0.2)[..., 0]).all()


@pytest.mark.slow
@pytest.mark.tf
def test_the_mean_of_an_ensemble_is_the_mean_of_its_networks(frame):
    together = fc.train(frame, ensemble=2, **SMALL).predict()["value"]
    alone = [fc.train(frame, seed=seed, **SMALL).predict()["value"] for seed in (0, 1)]
    np.testing.assert_allclose(together, np.mean(alone, axis=0), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("place", [0, 1], ids=["naive", "seasonal-naive"])
def test_a_simple_forecast_with_all_the_weight_is_that_forecast(frame, place, monkeypatch):
    def only(forecasts, actual, prior, **_):
        return np.eye(len(forecasts))[1 + place]

    monkeypatch.setattr("forecast_cli.training.ensemble_fitting.fit_weights", only)
    model = fc.train(frame, combine="weights", **{**SEASONAL, "horizon": 5})
    last = frame["value"].to_numpy()[-12:]
    matrix = (last_map(12, 5), seasonal_map(12, 5, season=12))[place]
    np.testing.assert_allclose(model.predict()["value"], last @ matrix, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("how", [{}, {"channels": "independent"}], ids=["joint", "independent"])
def test_each_of_several_columns_has_maps_and_weights_of_its_own(frame, how):
    settings = {**SEASONAL, "column": ["value", "other"], "combine": "weights"} | how
    model = fc.train(frame, **settings)
    assert numbers(model, "weighted").shape == (3, 2)
    np.testing.assert_allclose(numbers(model, "weighted").sum(axis=0), 1.0, rtol=1e-5)
    maps = numbers(model, "maps")
    assert maps.shape == (2, 2, 12, 3)
    np.testing.assert_allclose(maps[0, 1], last_map(12, 3))
    assert list(model.predict()) == ["date", "value", "other"]


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("intervals", ["quantile", "cqr"])
def test_networks_that_forecast_quantiles_are_combined_too(frame, intervals):
    model = fc.train(frame, ensemble=2, combine="weights", intervals=intervals, **SMALL)
    forecast = model.predict(level=(80, 95))
    assert (forecast["value_hi95"] >= forecast["value_hi80"]).all()
    assert numbers(model, "weighted").shape == (2, 1)


# Many-to-one, covariates and several series.


@pytest.mark.slow
@pytest.mark.tf
def test_an_ensemble_of_single_steps_goes_on_from_its_own_forecasts(frame):
    model = fc.train(frame, mode="many-to-one", combine="weights", **SEASONAL)
    first = model.predict(horizon=1)
    extended = pd.concat([frame[["date", "value"]], first], ignore_index=True)
    second = model.predict(extended, horizon=1)["value"][0]
    assert model.predict()["value"][1] == pytest.approx(second, rel=1e-6)


@pytest.mark.slow
@pytest.mark.tf
def test_several_series_and_what_is_known_ahead(frame):
    sizes = {"a": 1, "b": 9}
    parts = [frame.assign(shop=name, value=frame["value"] * by) for name, by in sizes.items()]
    model = fc.train(
        pd.concat(parts),
        series="shop",
        ensemble=2,
        combine="weights",
        calendar_features="month",
        **SEASONAL,
    )
    forecast = model.predict()
    assert forecast["shop"].tolist() == ["a"] * 3 + ["b"] * 3
    assert forecast["value"][5] / forecast["value"][2] == pytest.approx(9.0, rel=1e-3)


# What may be seen, and when it ends.


@pytest.mark.slow
@pytest.mark.tf
def test_the_test_part_changes_neither_networks_nor_maps_nor_weights(frame):
    settings = {**SMALL, **WEIGHED, "baselines": ["seasonal-naive", "ridge-short"], "test": 24}
    before = fitted(frame, **settings)
    changed = frame.copy()
    changed.loc[len(frame) - 24 :, "value"] = np.linspace(-1000, 1000, 24)
    after = fitted(changed, **settings)
    assert after.fitted.weights == before.fitted.weights
    np.testing.assert_array_equal(after.fitted.shares, before.fitted.shares)


@pytest.mark.slow
@pytest.mark.tf
def test_the_validation_part_moves_the_weights_alone(frame):
    settings = {**SMALL, **WEIGHED, "validation": 24}
    before = fitted(frame, **settings)
    changed = frame.copy()
    rows = slice(len(frame) - 48 - 24, len(frame) - 48 - 1)
    changed.loc[rows, "value"] = 100.0
    after = fitted(changed, **settings)
    assert (after.fitted.shares != before.fitted.shares).any()

    def held(trained, layer):
        with h5py.File(io.BytesIO(trained.fitted.weights)) as file:
            found = []
            file["layers"][layer].visititems(
                lambda _, each: found.append(np.array(each)) if hasattr(each, "shape") else None
            )
            return found

    for layer in ("maps", "functional"):
        for ours, theirs in zip(held(before, layer), held(after, layer), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
@pytest.mark.tf
def test_a_refit_keeps_the_weights_of_the_members(frame):
    settings = {**SEASONAL, "combine": "weights", "ensemble": 2}
    plain, refit = fc.train(frame, **settings), fc.train(frame, refit=True, **settings)
    np.testing.assert_array_equal(numbers(refit, "weighted"), numbers(plain, "weighted"))
    assert refit.bundle.manifest.run.refitted
    assert refit.bundle.weights != plain.bundle.weights
    assert refit.evaluation.scores == plain.evaluation.scores


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"combine": "weights"},
        {"intervals": "ensemble"},
        {"member_timesteps": [6, 12]},
        {"baselines": ["naive"], "combine": "median"},
    ],
    ids=["mean", "weights", "spread", "windows", "baselines"],
)
def test_stopping_in_the_first_network_leaves_a_whole_model_of_it(frame, tmp_path, more):
    heard = []
    model = fc.train(
        frame,
        ensemble=3,
        on_event=lambda event: heard.append(event) if isinstance(event, Epoch) else None,
        should_stop=lambda: len(heard) == 1,
        **{**SMALL, **more},
    )
    assert model.config.ensemble.size == 1
    assert model.bundle.manifest.run.stopped == "interrupted"
    model.save(tmp_path / "m.forecast")
    loaded = fc.load(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(loaded.predict(level=80), model.predict(level=80))
    assert loaded.config == model.config
    pd.testing.assert_frame_equal(loaded.predict(frame), model.predict())


@pytest.mark.slow
@pytest.mark.tf
def test_a_network_that_has_hardly_begun_is_left_out_when_training_is_stopped(frame):
    heard = []
    model = fc.train(
        frame,
        ensemble=3,
        on_event=heard.append,
        should_stop=lambda: sum(isinstance(event, Epoch) for event in heard) == 5,
        **{**SMALL, "epochs": 4, "patience": 0},
    )
    assert model.config.ensemble.size == 1
    assert model.bundle.manifest.run.stopped == "interrupted"
    warnings = [event.text for event in heard if isinstance(event, Note) and event.warning]
    assert any("the model has 1 of 3 networks" in each for each in warnings)
    alone = fc.train(frame, **{**SMALL, "epochs": 4, "patience": 0, "refit": False})
    pd.testing.assert_frame_equal(model.predict(), alone.predict())


@pytest.mark.tf
def test_a_tiny_budget_leaves_two_epochs_of_one_network_and_a_whole_model(frame, tmp_path):
    said = []
    settings = {**SMALL, "epochs": 50, "ensemble": 2, "time_budget": 0.01}
    model = fc.train(frame, on_event=said.append, **settings)
    assert [each["number"] for each in model.bundle.epochs] == [1, 2]
    assert "the time is enough for 1 of 2 networks" in [getattr(each, "text", "") for each in said]
    model.save(tmp_path / "m.forecast")
    assert len(fc.load(tmp_path / "m.forecast").predict()) == 3
    assert model.config.training.time_budget == 0.01


@pytest.mark.tf
def test_a_window_longer_than_that_of_a_lone_member_is_a_window(frame):
    model = fc.train(frame, member_timesteps=6, **SMALL)
    changed = frame.copy()
    changed.loc[: len(frame) - 7, "value"] = 100.0
    np.testing.assert_allclose(model.predict(changed)["value"], model.predict()["value"], rtol=1e-6)


# What cannot be, and what was meant.


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ensemble": 2, "member_timesteps": [3, 4, 5]}, "timesteps` has 3 values for 2 networks"),
        ({"member_losses": ["mae", "mse"], "ensemble": 1}, "losses` has 2 values for 1 network"),
        ({"ensemble": 2, "member_anchors": ["last"] * 3}, "anchors` has 3 values for 2 networks"),
        ({"baselines": ["naive", "naive"]}, "`baselines` names one twice"),
        ({"combine": "median", "preset": "classic"}, "`combine=median` needs several members"),
        ({"baselines": ["theta"]}, "theta"),
        ({"ensemble": 0}, "ensemble.size = 0"),
        ({"intervals": "ensemble", "ensemble": 1}, "needs several members, and there is one"),
        (
            {"intervals": "ensemble", "ensemble": 2, "validation": 0},
            "`intervals=ensemble` needs a validation split",
        ),
        (
            {"ensemble": 2, "member_timesteps": [6, 12], "timesteps": 8},
            "`timesteps` 8 is less than the lookback of a network, 12",
        ),
        ({"ensemble": 2, "stateful": True}, "stateful networks cannot be members"),
        (
            {"ensemble": 2, "intervals": "dropout", "dropout": 0.1},
            "`intervals=dropout` is for one network; `intervals=ensemble` for several",
        ),
        (
            {"baselines": ["naive"], "intervals": "cqr"},
            "forecasts quantiles: leave out `baselines`",
        ),
        (
            {"ensemble": 2, "member_losses": ["mae"], "intervals": "quantile"},
            "forecasts quantiles: leave out `member_losses`",
        ),
        (
            {"member_losses": ["mae"], "intervals": "quantile"},
            "quantiles: leave out `member_losses`",
        ),
        ({"baselines": ["naive"], "missing": "mask"}, "`baselines` cannot skip missing steps"),
        (
            {"ensemble": 2, "intervals": "ensemble", "mode": "many-to-one"},
            "the spread of an ensemble needs the whole horizon: give `mode=many-to-many`",
        ),
        ({"ensemble": 2, "head": "sequence", "member_anchors": ["last"]}, "`head=sequence`"),
        ({"ensemble": 2, "label": ("y",)}, "`ensemble.size` 2 is for forecasts"),
        ({"baselines": ["naive"], "label": ("y",)}, "`ensemble.baselines` .* is for forecasts"),
        ({"member_losses": ["mae"], "label": ("y",)}, "`ensemble.losses` .* is for forecasts"),
        ({"pretrained_weight": 0.3, "label": ("y",)}, "`ensemble.pretrained_weight` 0.3 is for"),
        ({"average": 3, "patience": 4}, "`average` uses the last epochs"),
        ({"average": 3, "ema": 0.9}, "`ema` averages the weights already: leave out `average`"),
        ({"time_budget": 0}, "time_budget = 0"),
        ({"time_budget": float("inf")}, "time_budget = inf"),
    ],
)
def test_what_cannot_be_together_is_refused(settings, words):
    with pytest.raises(UsageError, match=words):
        configure(settings)


@pytest.mark.tf
def test_a_simple_forecast_that_cannot_be_is_named(frame):
    with pytest.raises(DataError, match="no season, for the baseline seasonal-naive"):
        fc.train(frame, **SMALL, baselines=["seasonal-naive"], season_length=1)


def test_an_anchor_of_a_member_knows_the_season(frame):
    config = configure(
        {**SMALL, "column": ("value",), "ensemble": 2, "member_anchors": ["season", "last"]}
    )
    panel = read_panel(frame, config.data, on_event=ignore)
    assert make_dataset(panel, config, on_event=ignore).config.network.season_length == 12
    short = configure(
        {**SMALL, "column": ("value",), "ensemble": 2, "member_anchors": ["season", "last"]}
        | {"timesteps": 6}
    )
    with pytest.raises(UsageError, match="the season is 12 steps, the window 6"):
        make_dataset(panel, short, on_event=ignore)


def test_a_loss_of_a_member_is_refused_where_it_has_no_value(frame):
    with pytest.raises(DataError, match="mape divides by the actual value"):
        fc.train(frame.assign(value=0.0), ensemble=2, member_losses=["mae", "mape"], **SMALL)
    with pytest.raises(UsageError, match="cross-entropy is for classes"):
        fc.train(frame, ensemble=2, member_losses=["mae", "cross-entropy"], **SMALL)


@pytest.mark.slow
@pytest.mark.tf
def test_a_network_of_averaged_weights_for_labels_is_saved_too(tmp_path):
    draw = np.random.default_rng(0)
    table = pd.DataFrame(draw.normal(size=(60, 5)), columns=[*"abcd", "y"])
    model = fc.train(table, label="y", layout="rows", units=3, epochs=3, average=2)
    model.save(tmp_path / "m.forecast")
    assert fc.load(tmp_path / "m.forecast").config == model.config


@pytest.mark.slow
@pytest.mark.tf
def test_a_refit_that_is_stopped_leaves_the_networks_before_it(frame):
    settings = {**SEASONAL, "combine": "weights", "ensemble": 3, "epochs": 1}
    heard = []
    stopped = fc.train(
        frame,
        refit=True,
        on_event=lambda event: heard.append(event) if isinstance(event, Epoch) else None,
        # In the second network of the refit.
        should_stop=lambda: len(heard) == 5,
        **settings,
    )
    assert not stopped.bundle.manifest.run.refitted
    assert stopped.bundle.weights == fc.train(frame, **settings).bundle.weights
