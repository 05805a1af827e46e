"""Many series in one panel: nothing crosses from one to the next, and each is forecast as alone."""

import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import forecast_cli as fc
from forecast_cli.config.resolution import configure
from forecast_cli.core.events import Note, ignore
from forecast_cli.core.padding import owner_series
from forecast_cli.core.windows import gather
from forecast_cli.data.reading import read_panel
from forecast_cli.training.preparation import make_dataset

PARTS = ("train", "validation", "test")
QUICK = {"preset": "classic", "column": "y", "series": "shop", "horizon": 3, "cell": "rnn",
         "units": 4, "epochs": 1, "patience": 0}  # fmt: skip


def one(name, rows, start="2020-01-01", level=100.0, seed=0, freq="D", tz=None):
    """One series with a week in it, and noise."""
    steps = np.arange(rows)
    noise = np.random.default_rng([seed, rows]).normal(size=rows)
    value = level * (1 + 0.2 * np.sin(2 * np.pi * steps / 7) + 0.05 * noise)
    dates = pd.date_range(start, periods=rows, freq=freq, tz=tz)
    return pd.DataFrame({"shop": name, "date": dates, "y": value.round(6)})


def shops():
    """Series of unlike sizes, lengths, beginnings and ends, one shorter than six steps."""
    return pd.concat(
        [
            one("big", 60, level=1000.0),
            one("early", 45, level=5.0, seed=1),
            one("late", 40, "2020-02-10", level=100.0, seed=2),
            one("short", 5, "2020-03-01", level=20.0, seed=3),
        ],
        ignore_index=True,
    )


def dataset(frame, on_event=ignore, **more):
    names = ("column", "series", "horizon")
    flat = {name: QUICK[name] for name in names} | {"timesteps": 6, "preset": "classic"} | more
    flat = {name: (value,) if name in ("column", "series") and isinstance(value, str) else value
            for name, value in flat.items()}  # fmt: skip
    config = configure(flat)
    return make_dataset(
        read_panel(frame, config.data, on_event=on_event), config, on_event=on_event
    )


def of(forecast, name):
    """The forecast of one series."""
    return forecast[forecast["shop"] == name].reset_index(drop=True)


def same(ours, theirs, exact=False):
    pd.testing.assert_frame_equal(
        ours.reset_index(drop=True), theirs.reset_index(drop=True), check_exact=exact,
        rtol=1e-5, atol=0, check_dtype=False,
    )  # fmt: skip


# Windows and scalers, without a network.


@given(
    st.lists(st.integers(2, 40), min_size=2, max_size=5),
    st.integers(1, 7),
    st.integers(1, 4),
    st.sampled_from(["error", "mask"]),
)
def test_no_window_crosses_into_another_series(lengths, timesteps, horizon, missing):
    frame = pd.concat([one(f"s{at}", rows).assign(y=float(at)) for at, rows in enumerate(lengths)])
    try:
        made = dataset(frame, timesteps=timesteps, horizon=horizon, scaler="none", missing=missing)
    except fc.DataError as error:
        assert "rows" in error.message
        return
    owners = np.repeat(np.arange(len(lengths)), made.panel.lengths + made.padding.added)
    assert (made.owners == owners).all()
    for part in PARTS:
        for ahead in (1, horizon):
            starts = made.starts(part, horizon=ahead)
            windows = gather(made.scaled, starts, timesteps=timesteps + ahead)[..., 0]
            held = np.isnan(windows) | (windows == made.owners[starts][:, None])
            assert held.all()
            # What is compared with is never missing, and each window knows of something.
            assert np.isfinite(windows[:, timesteps - 1 :]).all()


@given(st.lists(st.integers(4, 40), min_size=2, max_size=4), st.integers(1, 6), st.integers(1, 3))
def test_targets_lie_in_their_part_and_no_row_of_a_later_one_is_trained_on(
    lengths, timesteps, horizon
):
    frame = pd.concat([one(f"s{at}", rows) for at, rows in enumerate(lengths)])
    try:
        made = dataset(frame, timesteps=timesteps, horizon=horizon)
    except fc.DataError:
        return
    part_of = np.full(len(made.panel.values), -1)
    for number, part in enumerate(PARTS):
        for first, end in zip(*made.splits.bounds(part), strict=True):
            part_of[first:end] = number
    for number, part in enumerate(PARTS):
        origins = made.origins(part)
        assert (part_of[origins[:, None] + np.arange(horizon)] == number).all()
    train = made.starts("train", horizon=horizon)
    rows = train[:, None] + np.arange(timesteps + horizon)
    real = np.isfinite(made.scaled[rows, 0])
    assert (part_of[made.padding.original(rows[real])] == 0).all()


def fitted(kind, rows):
    """Center and scale of a column."""
    low, middle, high = np.percentile(rows, [25, 50, 75])
    return {
        "minmax": (rows.min(), np.ptp(rows)),
        "standard": (rows.mean(), rows.std()),
        "robust": (middle, high - low),
        "none": (0.0, 1.0),
    }[kind]


@pytest.mark.parametrize("scale_by", [None, "series", "all"])
@pytest.mark.parametrize("kind", ["minmax", "standard", "robust", "none"])
def test_scalers_are_fitted_on_the_training_rows_of_each_series_or_of_all(kind, scale_by):
    made = dataset(shops(), scaler=kind, scale_by=scale_by)
    begin, end = made.splits.bounds("train")
    parts = [made.panel.values[a:b, 0] for a, b in zip(begin, end, strict=True)]
    assert made.config.scale_by == (scale_by or "series")
    assert made.scaling.by_series == (scale_by != "all")
    if scale_by == "all":
        expected = np.array([fitted(kind, np.concatenate(parts))])
    else:
        expected = np.array([fitted(kind, rows) for rows in parts])
    got = np.stack([np.atleast_2d(made.scaling.center)[:, 0],
                    np.atleast_2d(made.scaling.scale)[:, 0]], axis=1)  # fmt: skip
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    owners = np.repeat(np.arange(4), made.panel.lengths) if scale_by != "all" else 0
    center, scale = expected[owners].T if scale_by != "all" else expected[0]
    scaled = (made.panel.values[:, 0] - center) / scale
    np.testing.assert_allclose(
        made.scaled[made.padding.moved(np.arange(len(scaled))), 0], scaled, atol=1e-5
    )


def test_a_series_without_a_training_row_has_the_scaler_of_all_together():
    frame = pd.concat([one("old", 40), one("new", 6, "2020-03-01", level=1e6)])
    made = dataset(frame, test="2020-02-05", validation=0)
    assert made.splits.bounds("train")[1].tolist() == [35, 40]
    assert (made.scaling.center[1], made.scaling.scale[1]) == (
        made.scaling.center[0], made.scaling.scale[0],
    )  # fmt: skip


@pytest.mark.parametrize("transform", ["none", "log"])
def test_the_values_of_one_series_change_neither_scaler_nor_windows_of_another(transform):
    before = dataset(shops(), transform=transform)
    frame = shops()
    own = frame["shop"] == "early"
    frame.loc[own, "y"] = frame.loc[own, "y"] ** 2 + 7.0
    after = dataset(frame, transform=transform)
    kept = [0, 2, 3]
    for a, b in ((before.scaling.center, after.scaling.center),
                 (before.scaling.scale, after.scaling.scale)):  # fmt: skip
        assert (a[kept] == b[kept]).all()
        assert (a[1] != b[1]).all()
    others = before.owners != 1
    np.testing.assert_array_equal(before.scaled[others], after.scaled[others])
    assert np.abs(before.scaled[~others] - after.scaled[~others]).max() > 1e-3
    for part in PARTS:
        starts = before.starts(part, horizon=3)
        assert starts.tolist() == after.starts(part, horizon=3).tolist()


def test_one_scaler_for_all_learns_of_every_series():
    frame = shops()
    before = dataset(frame, scale_by="all").scaling
    frame.loc[frame["shop"] == "early", "y"] -= 1000.0
    after = dataset(frame, scale_by="all").scaling
    assert (before.center != after.center).all()


def test_the_test_part_changes_no_scaler():
    frame = shops()
    before = dataset(frame)
    bounds = zip(*before.splits.bounds("test"), strict=True)
    last = np.concatenate([np.arange(first, end) for first, end in bounds])
    frame.loc[last, "y"] = -5e5
    after = dataset(frame)
    assert (before.scaling.center == after.scaling.center).all()
    assert (before.scaling.scale == after.scaling.scale).all()


def test_short_series_are_said_and_get_a_mask():
    heard = []
    made = dataset(shops(), on_event=heard.append)
    assert made.config.network.masked
    assert any("1 of 4 series are shorter than 6 steps" in each.text for each in heard)
    whole = dataset(shops()[lambda frame: frame["shop"] != "short"])
    assert not whole.config.network.masked
    assert not whole.padding.added.any()


def test_steps_back_are_chosen_so_that_every_series_has_them_where_that_is_possible():
    frame = pd.concat([one("a", 200), one("b", 30)])
    assert dataset(frame, timesteps=None).timesteps == 14
    frame = pd.concat([one("a", 200), one("b", 12)])
    made = dataset(frame, timesteps=None)
    assert (made.timesteps, made.config.network.masked) == (12, False)


def test_series_too_short_for_a_split_are_for_training_alone():
    made = dataset(shops())
    sizes = {part: np.subtract(*made.splits.bounds(part)[::-1]).tolist() for part in PARTS}
    assert sizes["train"][3] == 5
    assert sizes["validation"][3] == sizes["test"][3] == 0
    assert all(sizes["test"][:3])


def test_scale_by_needs_series_with_names():
    frame = one("big", 60)
    with pytest.raises(fc.UsageError, match="for several series, and the table has one"):
        dataset(frame.drop(columns="shop"), series=(), scale_by="series")
    # A series that is unseen then is scaled by its own rows, also after training on one.
    assert dataset(frame).scaling.by_series
    assert not dataset(frame, scale_by="all").scaling.by_series


def test_a_stateful_network_goes_along_one_series():
    with pytest.raises(fc.UsageError, match="stateful network is trained on one series"):
        dataset(shops()[lambda frame: frame["shop"] != "short"], stateful=True)


def test_a_series_whose_name_is_missing_is_refused():
    frame = shops()
    frame.loc[7, "shop"] = None
    with pytest.raises(fc.DataError, match='row 8: column "shop" is empty'):
        dataset(frame)


def test_a_panel_without_its_series_is_refused_with_what_names_them():
    with pytest.raises(fc.DataError) as caught:
        dataset(shops(), series=())
    assert "`series=shop`" in caught.value.hint


def test_training_does_not_depend_on_the_order_of_rows_within_series():
    frame = shops()
    first = frame.drop_duplicates("shop").index
    mixed = pd.concat([frame.loc[first], frame.drop(first).sample(frac=1.0, random_state=0)])
    ours, theirs = dataset(mixed), dataset(frame)
    np.testing.assert_array_equal(ours.scaled, theirs.scaled)
    assert (ours.owners == theirs.owners).all()
    assert ours.config == theirs.config
    for part in PARTS:
        assert (ours.starts(part, horizon=3) == theirs.starts(part, horizon=3)).all()


def test_names_of_several_parts_that_read_alike_are_not_mistaken(linear):
    frame = pd.concat([one("a", 40).assign(town="b c"), one("a b", 40).assign(town="c")])
    model = linear(frame, column="y", series=("shop", "town"), horizon=3, timesteps=6)
    with pytest.raises(fc.UsageError, match='Two series are named "a b c"'):
        model.predict(only="a b c")


def test_a_series_of_which_nothing_is_left_is_refused():
    frame = pd.concat([one("a", 40), one("b", 40).assign(y=np.nan)])
    with pytest.raises(fc.DataError, match="b"):
        dataset(frame, missing="drop")


def test_a_series_of_missing_values_alone_is_refused_or_left_to_the_mask():
    from forecast_cli.evaluation.split_evaluation import baselines

    frame = pd.concat([one("a", 40), one("b", 40).assign(y=np.nan)])
    try:
        made = dataset(frame, missing="mask")
    except fc.DataError as error:
        assert "b" in error.message
        return
    origins = made.origins("test")
    for forecaster in baselines(made, origins).values():
        assert np.isfinite(forecaster(origins[made.owners[made.padding.moved(origins)] == 0])).all()


# A network for all series.


@pytest.fixture(scope="module")
def model():
    """One network for all; it has a mask, for one series is shorter than its window."""
    return fc.train(shops(), timesteps=6, test=8, **QUICK)


@pytest.fixture(scope="module")
def plain():
    """The same without the short series, so without a mask."""
    frame = shops()[lambda frame: frame["shop"] != "short"]
    return fc.train(frame, timesteps=6, scale_by="all", transform="log", **QUICK)


NAMES = ["big", "early", "late", "short"]
tf = pytest.mark.tf


@pytest.mark.slow
@tf
def test_every_series_has_its_own_name_dates_and_size(model):
    forecast = model.predict()
    assert list(forecast) == ["shop", "date", "y"]
    assert forecast["shop"].tolist() == [name for name in NAMES for _ in range(3)]
    lasts = shops().groupby("shop")["date"].max()
    for name in NAMES:
        expected = pd.date_range(lasts[name] + pd.Timedelta(days=1), periods=3)
        assert of(forecast, name)["date"].tolist() == list(expected)
    levels = forecast.groupby("shop")["y"].mean()
    assert levels["big"] > levels["late"] > levels["short"] > levels["early"]


@pytest.mark.slow
@tf
@pytest.mark.parametrize("which", ["model", "plain"])
def test_a_panel_is_forecast_like_each_of_its_series_alone(which, request):
    network = request.getfixturevalue(which)
    frame = shops()
    names = NAMES if which == "model" else NAMES[:3]
    frame = frame[frame["shop"].isin(names)]
    forecast = network.predict(frame)
    same(forecast, network.predict())
    for name in names:
        same(network.predict(only=name), of(forecast, name))
        same(network.predict(frame, only=name), of(forecast, name))
        same(network.predict(frame[frame["shop"] == name]), of(forecast, name))
    some = network.predict(only=[names[2], names[0]])
    assert some["shop"].unique().tolist() == [names[2], names[0]]


@tf
def test_neither_the_order_of_rows_nor_that_of_series_matters(model):
    frame, forecast = shops(), model.predict()
    for changed in (
        frame.sample(frac=1.0, random_state=1),
        frame[::-1],
        pd.concat([frame[frame["shop"] == name] for name in ("short", "late", "big", "early")]),
    ):
        got = model.predict(changed)
        assert sorted(got["shop"].unique()) == NAMES
        for name in NAMES:
            same(of(got, name), of(forecast, name))


def by_hand(network, rows, center, scale):
    """The forecast of one series from its rows by the network alone."""
    window = np.full((1, 6, 1), np.nan, np.float32)
    last = (np.asarray(rows)[-6:] - center) / scale
    window[0, 6 - len(last) :, 0] = last
    return network.bundle.runtime(window)[0, :, 0] * scale + center


@tf
def test_a_short_series_is_a_masked_window_padded_by_hand(model):
    rows = shops()[lambda frame: frame["shop"] == "short"]["y"]
    expected = by_hand(model, rows, rows.min(), np.ptp(rows))
    assert of(model.predict(), "short")["y"].to_numpy() == pytest.approx(expected, rel=1e-5)


@tf
def test_a_known_series_keeps_the_scaler_that_it_was_trained_with(model):
    rows = one("early", 30, "2021-05-01", level=50.0)
    center, scale = (float(each[1, 0]) for each in model.bundle.scales)
    forecast = model.predict(rows)
    assert forecast["y"].to_numpy() == pytest.approx(
        by_hand(model, rows["y"], center, scale), rel=1e-5
    )
    assert forecast["date"][0] == pd.Timestamp("2021-05-31")


@tf
def test_an_unseen_series_is_scaled_by_its_own_rows_and_that_is_said(model):
    rows, heard = one("new", 20, level=3e6, seed=9), []
    frame = pd.concat([shops(), rows])
    forecast = model.predict(frame, on_event=heard.append)
    notes = [each.text for each in heard if isinstance(each, Note)]
    assert any("1 series is new to the model" in note and "new" in note for note in notes)
    expected = by_hand(model, rows["y"], rows["y"].min(), np.ptp(rows["y"]))
    assert of(forecast, "new")["y"].to_numpy() == pytest.approx(expected, rel=1e-5)
    same(forecast[forecast["shop"] != "new"], model.predict())


@tf
def test_an_unseen_series_of_another_size_is_forecast_in_that_size(model):
    rows = one("new", 20)
    small, large = (model.predict(rows.assign(y=rows["y"] * size))["y"] for size in (1.0, 1024.0))
    np.testing.assert_allclose(large, small * 1024.0, rtol=1e-5)


@tf
def test_an_unseen_series_has_the_scaler_of_all_where_there_is_one(plain):
    rows = one("new", 20)
    same(
        plain.predict(rows).drop(columns="shop"),
        plain.predict(rows.assign(shop="big")).drop(columns="shop"),
    )


@tf
def test_forecasts_from_a_date_are_those_of_the_rows_before_it(model):
    frame = pd.concat([shops()[lambda each: each["shop"] != "short"], one("new", 60, seed=4)])
    date = "2020-02-14"
    forecast = model.predict(frame, start=date)
    assert forecast["date"].tolist() == list(pd.date_range(date, periods=3)) * 4
    same(forecast, model.predict(frame[frame["date"] < date]), exact=True)
    garbage = frame.copy()
    garbage.loc[garbage["date"] >= date, "y"] = -1e9
    same(model.predict(garbage, start=date), forecast, exact=True)
    same(model.predict(frame, start=date, only="new"), of(forecast, "new"))


@tf
def test_a_series_that_ends_before_the_date_has_no_forecast_from_it(model):
    with pytest.raises(fc.DataError, match="early"):
        model.predict(shops(), start="2020-02-20", only=["big", "early"])
    forecast = model.predict(shops(), start="2020-02-20", only="big")
    assert forecast["date"][0] == pd.Timestamp("2020-02-20")


@tf
def test_what_cannot_be_asked_of_a_panel_is_refused(model, plain):
    with pytest.raises(fc.UsageError, match='There is no series "bigg"') as caught:
        model.predict(only="bigg")
    assert "big" in caught.value.hint
    with pytest.raises(fc.UsageError, match="the model keeps only the last ones"):
        model.predict(start="2020-02-01")
    with pytest.raises(fc.DataError, match=r"late,? has no row before 2020-02-01"):
        model.predict(shops(), start="2020-02-01")
    with pytest.raises(fc.DataError, match="5 rows for short; the model has a lookback of 6"):
        plain.predict(shops())
    with pytest.raises(fc.DataError, match='no column "shop"'):
        model.predict(shops().drop(columns="shop"))


@tf
def test_other_series_may_be_short_where_one_is_asked_for(plain):
    same(plain.predict(shops(), only="late"), plain.predict(only="late"))


@tf
def test_a_model_of_many_series_survives_its_file(model, tmp_path):
    model.save(tmp_path / "m.forecast")
    loaded = fc.load(tmp_path / "m.forecast")
    same(loaded.predict(), model.predict(), exact=True)
    same(loaded.predict(shops(), horizon=5), model.predict(shops(), horizon=5), exact=True)
    assert loaded.bundle.series == model.bundle.series
    assert loaded.bundle.scores == model.bundle.scores
    assert (loaded.bundle.scales == model.bundle.scales).all()
    assert loaded.bundle.manifest.scaling is None


def slow_scores(network, frame, test):
    """Absolute errors of every origin, and the error of the seasonal naive in training."""
    errors, naive = {}, {}
    for name, own in frame.groupby("shop", sort=False):
        actual = own["y"].to_numpy()
        sizes = network.config.split
        train = len(own) - test - max(round(sizes.validation * len(own)), 3)
        if train <= 0:
            continue
        naive[name] = np.mean(np.abs(actual[7:train] - actual[: train - 7]))
        for origin in range(len(own) - test, len(own) - 3 + 1):
            forecast = network.predict(own[:origin])["y"].to_numpy()
            errors.setdefault(name, []).append(np.abs(forecast - actual[origin : origin + 3]))
    return {name: np.array(each) for name, each in errors.items()}, naive


@tf
def test_scores_are_those_of_a_slow_loop_for_each_series_and_overall(model):
    errors, naive = slow_scores(model, shops(), 8)
    mae = {name: each.mean() for name, each in errors.items()}
    mase = {name: mae[name] / naive[name] for name in errors}
    rows = model.bundle.scores
    assert [row["shop"] for row in rows] == sorted(mase, key=mase.get, reverse=True)
    for row in rows:
        assert row["mae"] == pytest.approx(mae[row["shop"]], rel=1e-5)
        assert row["mase"] == pytest.approx(mase[row["shop"]], rel=1e-5)
    evaluation = model.evaluation
    assert (evaluation.series, evaluation.origins) == (3, 18)
    scores = evaluation.own_scores
    every = np.concatenate(list(errors.values()))
    assert scores["mae"]["y"] == pytest.approx(every.mean(), rel=1e-5)
    assert scores["mase"]["y"] == pytest.approx(np.mean(list(mase.values())), rel=1e-5)
    simple = {name: each["mase"]["y"] for name, each in evaluation.scores.items()}
    best = evaluation.best_baseline
    assert best == min((name for name in simple if name != evaluation.model), key=simple.get)
    assert evaluation.skill == pytest.approx(100 * (1 - simple[evaluation.model] / simple[best]))


@tf
def test_in_sample_forecasts_begin_anew_with_each_series(model):
    frame = shops()
    whole = model.predict_in_sample(frame)
    assert whole.groupby("shop").size().to_dict() == {"big": 54, "early": 39, "late": 34}
    for name in NAMES[:3]:
        own = frame[frame["shop"] == name]
        same(model.predict_in_sample(own), of(whole, name))
    tenth = model.predict(frame[frame["shop"] == "late"][:10], horizon=1)["y"][0]
    assert of(whole, "late")["y_forecast"][4] == pytest.approx(tenth, rel=1e-5)


@tf
def test_an_in_sample_forecast_of_an_unseen_series_sees_no_later_row(model):
    rows = one("new", 30)
    changed = rows.copy()
    changed.loc[25:, "y"] *= 10
    before, after = (model.predict_in_sample(each)["y_forecast"][:19] for each in (rows, changed))
    assert before.tolist() == after.tolist()


@tf
def test_series_may_end_on_both_sides_of_a_clock_change(plain):
    bundle = plain.bundle
    ends = ("2024-03-01T00:00:00+01:00", "2024-07-01T00:00:00+02:00", "2024-01-01T00:00:00+01:00")
    time = bundle.manifest.time.model_copy(update={"timezone": "Europe/Berlin", "last": ends[1]})
    bundle = replace(
        bundle,
        manifest=bundle.manifest.model_copy(update={"time": time}),
        series=bundle.series.model_copy(update={"lasts": ends}),
    )
    forecast = fc.Model(bundle).predict(horizon=1)
    expected = [pd.Timestamp(each, tz="Europe/Berlin") for each in
                ("2024-03-02", "2024-07-02", "2024-01-02")]  # fmt: skip
    assert forecast["date"].tolist() == expected


# Losses in the units of each series.


LOSS = {
    "mape": lambda a, f: 100 * abs(a - f) / abs(a),
    "smape": lambda a, f: 200 * abs(a - f) / (abs(a) + abs(f)),
    "mase": lambda a, f: abs(a - f),
}


@tf
@pytest.mark.parametrize("before", ["none", "log1p"])
@pytest.mark.parametrize("own", [True, False], ids=["series", "all"])
@pytest.mark.parametrize("name", LOSS)
def test_losses_in_units_are_taken_in_those_of_each_sample_s_series(name, own, before):
    import tensorflow as tf

    from forecast_cli.config.sections import Training
    from forecast_cli.core.scaling import Scaling, Units
    from forecast_cli.networks.losses import make_loss

    draw = np.random.default_rng(0)
    shape = (3, 2) if own else (2,)
    scaling = Scaling("minmax", draw.uniform(1, 3, shape), draw.uniform(0.5, 2, shape), before)
    naive = draw.uniform(0.1, 9, (3, 2))
    series = np.array([2, 0, 0, 1, 2], np.int32)
    actual, forecast = draw.normal(size=(2, 5, 4, 2)).astype(np.float32)
    loss = make_loss(Training(loss=name), Units(scaling, naive))
    got = loss(tf.constant(actual), tf.constant(forecast), tf.constant(series)).numpy()
    expected = []
    for sample, which in enumerate(series):
        center = scaling.center[which] if own else scaling.center
        scale = scaling.scale[which] if own else scaling.scale
        back = np.expm1 if before == "log1p" else np.asarray
        a, f = (back(each[sample] * scale + center) for each in (actual, forecast))
        values = LOSS[name](a, f) / (naive[which] if name == "mase" else 1.0)
        expected.append(values.mean())
    np.testing.assert_allclose(got, expected, rtol=1e-4)


@pytest.mark.slow
@tf
@pytest.mark.parametrize("name", ["smape", "mase"])
def test_a_network_is_trained_on_the_loss_of_each_series_in_its_units(name):
    # So small a step that the loss of the epoch is that of the network which is kept.
    more = {"loss": name, "learning_rate": 1e-9, "timesteps": 6, "test": 8}
    network = fc.train(shops(), **QUICK, **more)
    made = dataset(shops(), **more)
    starts = made.starts("train", horizon=3)
    windows = gather(made.scaled, starts, timesteps=9)
    series = made.owners[starts]
    assert set(series) == {0, 1, 2, 3}
    scaled = network.bundle.runtime(windows[:, :6])[..., 0].astype(float), windows[:, 6:, 0]
    scaling = made.scaling.each(series)
    forecast, actual = (each * scaling.scale + scaling.center for each in scaled)
    losses = LOSS[name](actual, forecast)
    if name == "mase":
        losses /= made.naive_error[series]
    assert network.bundle.epochs[0]["loss"] == pytest.approx(losses.mean(), rel=1e-3)


# The command line.


def read(text):
    return pd.read_csv(io.StringIO(text), dtype={"shop": str, "region": str})


FLAGS = ("--column", "y", "-H", "2", "-t", "4", "-u", "3", "--cell", "rnn", "-e", "1",
         "--preset", "classic")  # fmt: skip


@pytest.mark.slow
@pytest.mark.usefixtures("linear_training")
@tf
def test_several_columns_name_a_series(run, tmp_path):
    parts = [("north", "007"), ("north", "8"), ("south", "007")]
    frames = [one("x", 40 + at, level=10.0**at).assign(region=region, shop=shop)
              for at, (region, shop) in enumerate(parts)]  # fmt: skip
    pd.concat(frames).to_csv(tmp_path / "t.csv", index=False)
    code, out, err = run("train", "t.csv", "--series", "region,shop", *FLAGS)
    assert code == 0, err
    assert "of 3 series of 40 to 42" in err
    assert "north" in err
    assert "mase" in out
    _, out, _ = run("predict")
    forecast = read(out)
    assert list(forecast) == ["region", "shop", "date", "y"]
    assert list(zip(forecast["region"], forecast["shop"], strict=True))[::2] == parts
    assert forecast["date"].tolist()[::2] == ["2020-02-10", "2020-02-11", "2020-02-12"]
    code, out, _ = run("predict", "--only", "south 007,north 8")
    some = read(out)
    assert (code, some["shop"].tolist()) == (0, ["007", "007", "8", "8"])
    expected = forecast.iloc[[4, 5, 2, 3]]["y"].to_numpy()
    assert some["y"].to_numpy() == pytest.approx(expected, rel=1e-5)
    code, out, _ = run("predict", "t.csv", "--start", "2020-02-05", "--only", "north 8")
    assert (code, read(out)["date"].tolist()) == (0, ["2020-02-05", "2020-02-06"])
    code, _, err = run("predict", "--only", "north 9")
    assert (code, "north 8" in err) == (2, True)
    code, _, err = run("predict", "--start", "2020-02-05")
    assert (code, "Name the table that holds them" in err) == (2, True)


@pytest.mark.usefixtures("linear_training")
@tf
def test_each_row_may_be_a_series_and_the_worst_ten_are_shown(run, tmp_path):
    lengths = range(40, 52)
    rows = {f"H{at}": one("x", n, seed=at)["y"].tolist() for at, n in enumerate(lengths)}
    # Short rows end in empty cells, as in M4.
    cells = {name: pd.Series(values) for name, values in rows.items()}
    pd.DataFrame(cells).T.rename_axis("id").to_csv(tmp_path / "hourly.csv")
    code, _, err = run(
        "train", "hourly.csv", "--layout", "rows", "--season-length", "7", *FLAGS[2:],
        "--scale-by", "all",
    )  # fmt: skip
    assert code == 0, err
    document = fc.load(tmp_path / "model.forecast")
    shown = [line.split()[0] for line in err.splitlines() if line.split()[:1][0] in rows]
    assert shown == [row["id"] for row in document.bundle.scores[:10]]
    assert len(document.bundle.scores) == 12
    mase = [row["mase"] for row in document.bundle.scores]
    assert mase == sorted(mase, reverse=True)
    assert document.bundle.scales is None
    _, out, _ = run("predict")
    forecast = pd.read_csv(io.StringIO(out))
    assert list(forecast) == ["id", "step", "value"]
    assert forecast["step"].tolist() == [1, 2] * 12
    assert forecast["id"].unique().tolist() == list(rows)
    _, again, _ = run("predict", "hourly.csv")
    assert again == out
    _, one_row, _ = run("predict", "--only", "H3")
    assert pd.read_csv(io.StringIO(one_row))["value"].to_numpy() == pytest.approx(
        forecast[forecast["id"] == "H3"]["value"].to_numpy(), rel=1e-5
    )
    code, _, err = run("predict", "hourly.csv", "--start", "2020-01-01")
    assert (code, "there is no time column" in err) == (2, True)


@pytest.mark.usefixtures("linear_training")
@tf
def test_each_column_may_be_a_series_and_so_are_the_forecasts(run, tmp_path):
    frame = one("x", 40)[["date"]].assign(north=one("n", 40)["y"], south=one("s", 40, seed=1)["y"])
    frame.loc[37:, "south"] = np.nan
    frame.loc[:1, "north"] = np.nan
    frame.to_csv(tmp_path / "wide.csv", index=False)
    code, _, err = run("train", "wide.csv", "--layout", "columns", *FLAGS[2:], "--json")
    assert code == 0, err
    code, out, _ = run("predict")
    forecast = pd.read_csv(io.StringIO(out), index_col="date")
    assert (code, list(forecast)) == (0, ["north", "south"])
    days = ["2020-02-07", "2020-02-08", "2020-02-10", "2020-02-11"]
    assert forecast.index.tolist() == days
    assert forecast["north"].isna().tolist() == [True, True, False, False]
    assert forecast["south"].isna().tolist() == [False, False, True, True]
    _, out, _ = run("predict", "wide.csv", "--only", "south")
    alone = pd.read_csv(io.StringIO(out), index_col="date")
    assert list(alone) == ["south"]
    assert alone["south"].to_numpy() == pytest.approx(
        forecast["south"].dropna().to_numpy(), rel=1e-5
    )


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        ("--column y --scale-by series", 2, "for several series, and the table has one"),
        ("--column y --series shop --preset classic --stateful", 2, "is trained on one series"),
        ("--column y --series nowhere", 3, 'no column "nowhere"'),
        ("--column y --series date --time date", 2, 'Column "date" is named twice'),
        ("--column y --series y", 2, 'Column "y" is named twice'),
        ("--column y", 3, "--series shop"),
        ("--layout columns --series shop", 2, "the columns name the series"),
        ("--layout rows --time date", 2, "layout rows: the names of the columns are the times"),
        ("--layout rows --future-covariate y", 2, "has one value per step: leave out covariates"),
    ],
)
def test_what_makes_no_panel_is_refused(run, tmp_path, flags, code, said):
    frame = shops()[lambda frame: frame["shop"].isin(["big", "early"])]
    frame = frame[frame["shop"] == "big"] if "scale-by" in flags else frame
    frame.to_csv(tmp_path / "t.csv", index=False)
    got, _, err = run("train", "t.csv", *flags.split())
    assert (got, said in err) == (code, True), err


def test_two_rows_for_one_series_are_refused(run, tmp_path):
    (tmp_path / "t.csv").write_text("id,a,b,c\nx,1,2,3\ny,1,2,3\nx,4,5,6\n")
    code, _, err = run("train", "t.csv", "--layout", "rows")
    assert (code, "t.csv line 4 is a second row for x" in err) == (3, True), err


@pytest.mark.slow
@tf
def test_a_document_for_machines_has_the_scores_of_every_series(run, tmp_path, model):
    from forecast_cli.api.summaries import training_document, worst_rows

    document = training_document(model.bundle, tmp_path)
    assert json.loads(json.dumps(document))["series_scores"] == model.bundle.scores
    assert [row["shop"] for row in worst_rows(model.bundle)] == [
        row["shop"] for row in model.bundle.scores
    ]


def test_a_row_knows_its_series_in_a_panel_of_many():
    panel = dataset(shops()).panel
    names = [panel.name(each) for each in owner_series(panel.indptr, np.arange(len(panel.values)))]
    assert names == shops()["shop"].tolist()
