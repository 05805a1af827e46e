"""Covariates: what of them reaches a forecast, and that nothing of the future does by mistake."""

import hashlib
import io
import json
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import forecast_cli as fc
from forecast_cli.config.covariates import Inputs
from forecast_cli.config.resolution import configure
from forecast_cli.core.events import ignore
from forecast_cli.core.windows import gather
from forecast_cli.data.reading import read_panel
from forecast_cli.model.runtime import roll_out
from forecast_cli.training.preparation import make_dataset

ROWS, HORIZON, TEST = 60, 3, 12
# The day after the last of 48 rows: a forecast begins there.
ORIGIN = "2020-02-18"
COVARIATES = {
    "past_covariates": ("p", "kind"),
    "future_covariates": ("x", "event"),
    "static_covariates": ("size", "region"),
    "calendar_features": ("dayofweek",),
}
QUICK = {"preset": "classic", "column": "y", "series": "shop", "horizon": HORIZON, "timesteps": 5,
         "cell": "rnn", "units": 4, "epochs": 1, "patience": 0, "test": TEST,
         # What is hardly trained may forecast anything.
         "lower_bound": "none"}  # fmt: skip


def one(name, seed, ahead=0, rows=ROWS):
    """A series that follows its covariates; the last rows know of the future alone."""
    draw, every = np.random.default_rng(seed), 80
    x, p = draw.normal(size=(2, every)).round(4)
    event, kind = draw.choice(["none", "sale", "fair"], every), draw.choice(["a", "b"], every)
    y = (10.0 + 5.0 * seed) * (3 + x + 0.3 * np.roll(p, 1)) + 5 * (event == "sale")
    frame = pd.DataFrame(
        {
            "shop": name, "date": pd.date_range("2020-01-01", periods=every), "y": y.round(4),
            "p": p, "kind": kind, "x": x, "event": event, "size": 100.0 * seed,
            "region": "north" if seed % 2 else "south",
        }
    )  # fmt: skip
    frame.loc[rows:, ["y", "p"]] = np.nan
    return frame.head(rows + ahead)


def table(ahead=0, rows=ROWS):
    return pd.concat([one("A", 1, ahead, rows), one("B", 2, ahead, rows)], ignore_index=True)


def dataset(frame, **more):
    flat = {"column": ("y",), "series": ("shop",), "horizon": HORIZON, "timesteps": 5,
            "test": TEST} | COVARIATES | more  # fmt: skip
    config = configure(flat)
    return make_dataset(read_panel(frame, config.data), config, on_event=ignore)


def spoiled(frame, rows, columns):
    """The table with other values in some rows."""
    changed, draw = frame.copy(), np.random.default_rng(99)
    for name in columns:
        old = changed.loc[rows, name]
        if name in ("kind", "event"):
            changed.loc[rows, name] = "never seen"
        else:
            changed.loc[rows, name] = old * -7 + draw.normal(100, 50, len(old))
    return changed


def same(ours, theirs, exact=False):
    pd.testing.assert_frame_equal(
        ours.reset_index(drop=True), theirs.reset_index(drop=True), check_exact=exact,
        rtol=1e-5, atol=0, check_dtype=False,
    )  # fmt: skip


def differ(ours, theirs):
    """At which steps ahead, of any series, two forecasts differ."""
    apart = ~np.isclose(ours["y"], theirs["y"], rtol=1e-5, atol=0)
    return np.flatnonzero(apart.reshape(2, -1).any(axis=0)).tolist()


# Columns, scalers and categories, without a network.


def test_every_covariate_has_its_place_and_its_role():
    # Even where the table knows more of the days to come.
    panel = dataset(table(ahead=2).assign(p=1.0)).panel
    names = ["y", "p", "kind", "x", "event", "size", "region", "dayofweek_sin", "dayofweek_cos"]
    assert list(panel.columns.features) == names
    assert panel.columns.covariates.categories == {
        "kind": ("a", "b"), "event": ("fair", "none", "sale"), "region": ("north", "south"),
    }  # fmt: skip
    inputs = panel.columns.inputs
    assert (inputs.features, inputs.targets, inputs.columns) == (9, (0,), 1)
    assert inputs.known == (3, 4, 5, 6, 7, 8)
    assert inputs.ahead == (3, 4, 7, 8)
    assert inputs.categories == {2: 2, 4: 3, 6: 2}
    # Beyond the end of the target nothing is known but what is named for that.
    assert panel.lengths.tolist() == [ROWS, ROWS]
    assert panel.ahead.shape == (2, 2, 9)
    coming = table(ahead=2)[lambda frame: frame["y"].isna()]
    assert panel.ahead[..., 3].ravel().tolist() == coming["x"].tolist()
    events = {"fair": 1.0, "none": 2.0, "sale": 3.0}
    assert panel.ahead[..., 4].ravel().tolist() == coming["event"].map(events).tolist()
    assert np.isnan(panel.ahead[..., [0, 1]]).all()


@pytest.mark.parametrize("scale_by", ["series", "all"])
@pytest.mark.parametrize("transform", ["none", "log"])
def test_covariates_are_scaled_as_said_and_never_transformed(scale_by, transform):
    made = dataset(table(), scale_by=scale_by, transform=transform)
    scaling, panel = made.scaling, made.panel
    begin, end = made.splits.bounds("train")
    parts = [panel.values[a:b] for a, b in zip(begin, end, strict=True)]
    whole = np.concatenate(parts)
    owners = np.repeat([0, 1], ROWS)
    scaled = made.scaled.astype(float)
    for place, name in enumerate(panel.columns.features):
        if name in ("kind", "event", "region", "dayofweek_sin", "dayofweek_cos"):
            expected = panel.values[:, place]
        else:
            change = np.log if name == "y" and transform == "log" else np.asarray
            own = scale_by == "series" and name != "size"
            low, high = (
                np.array([getattr(change(rows[:, place]), edge)() for rows in
                          (parts if own else [whole, whole])])[owners]
                for edge in ("min", "max")
            )  # fmt: skip
            expected = (change(panel.values[:, place]) - low) / (high - low)
        np.testing.assert_allclose(scaled[:, place], expected, atol=1e-5, err_msg=name)
    assert scaling.columns == 1


def test_values_that_have_no_logarithm_are_refused_in_columns_alone():
    frame = table()
    assert (frame["x"] < 0).any()
    dataset(frame, transform="log")
    with pytest.raises(fc.DataError, match='column "y" holds -1'):
        dataset(frame.assign(y=-1.0), transform="log")


def test_categories_are_those_of_the_training_rows_and_others_are_not_known():
    frame = table()
    late = frame["date"] >= "2020-02-12"
    before = dataset(frame).panel
    panel = dataset(spoiled(frame, late, ["kind", "event"])).panel
    assert panel.columns.covariates == before.columns.covariates
    places = panel.columns.places(("kind", "event"))
    assert (panel.values[late][:, places] == 0).all()
    assert (panel.values[~late] == before.values[~late]).all()


def test_categories_keep_their_numbers_where_some_are_unknown():
    frame = table()
    # "fair", the first in order, comes after the training rows alone.
    frame["event"] = np.where(frame["event"] == "fair", "none", frame["event"])
    frame.loc[frame["date"] >= "2020-02-20", "event"] = "fair"
    panel = dataset(frame).panel
    assert panel.columns.covariates.categories["event"] == ("none", "sale")
    numbers = panel.values[:, panel.columns.features.index("event")]
    expected = frame["event"].map({"none": 1.0, "sale": 2.0, "fair": 0.0})
    assert numbers.tolist() == expected.tolist()


def test_numbers_may_be_named_as_categories():
    frame = table().assign(code=lambda frame: np.arange(len(frame)) % 4)
    made = dataset(frame, past_covariates=("code",), categorical=("code",))
    assert made.panel.columns.covariates.categories["code"] == ("0", "1", "2", "3")
    made = dataset(frame, past_covariates=("code",))
    assert "code" not in made.panel.columns.covariates.categories


def test_patterns_name_covariates_that_have_no_other_role():
    frame = table().rename(columns={"p": "z_p", "x": "z_x"})
    roles = {"past_covariates": ("z_*",), "future_covariates": ("z_x",)}
    made = dataset(frame, **(COVARIATES | roles))
    assert made.panel.columns.covariates.past == ("z_p",)


def test_categories_of_pandas_are_categories():
    frame = table().astype({"kind": "category"})
    assert dataset(frame).panel.columns.covariates == dataset(table()).panel.columns.covariates


@pytest.mark.parametrize("aggregate", ["mean", "sum"])
def test_names_of_rows_that_become_one_step_are_not_reckoned_with(aggregate):
    try:
        made = dataset(table(), resample="2D", aggregate=aggregate, test=6)
    except fc.ForecastError:
        return
    for name, known in made.panel.columns.covariates.categories.items():
        numbers = made.panel.values[:, made.panel.columns.features.index(name)]
        assert len(set(known)) == len(known)
        assert set(numbers) <= set(range(len(known) + 1))


def test_a_static_covariate_that_is_left_empty_ahead_is_that_of_its_series():
    frame = table(ahead=2)
    frame.loc[frame["y"].isna(), "size"] = np.nan
    panel = dataset(frame).panel
    place = panel.columns.features.index("size")
    assert panel.values[:, place].tolist() == [100.0] * ROWS + [200.0] * ROWS


def test_a_static_name_that_is_left_empty_ahead_is_that_of_its_series():
    frame = table(ahead=2)
    frame.loc[frame["y"].isna(), "region"] = None
    dataset(frame)


def daily(frame):
    return frame


def monthly(frame):
    dates = pd.date_range("2020-01-31", periods=len(frame) // 2, freq="ME")
    return frame.assign(date=[*dates, *dates])


def business(frame):
    dates = pd.date_range("2020-01-01", periods=len(frame) // 2, freq="B")
    return frame.assign(date=[*dates, *dates])


def business_with_a_holiday_ahead(frame):
    frame = business(frame)
    return frame[frame["date"] != frame["date"].iloc[ROWS]]


def with_a_gap_at_the_end(frame):
    gap = frame["date"] == frame["date"].iloc[ROWS - 1]
    return frame.assign(p=frame["p"].mask(gap))


def with_a_gap_after_the_origin(frame):
    return frame.assign(p=frame["p"].mask(frame["date"] == ORIGIN))


@pytest.mark.parametrize(
    ("change", "missing", "begin"),
    [
        (daily, "error", None),
        (daily, "error", ORIGIN),
        (monthly, "error", None),
        (monthly, "error", "2022-05-15"),
        (business, "error", None),
        (business, "error", "2020-02-18"),
        (with_a_gap_at_the_end, "interpolate", None),
        (with_a_gap_after_the_origin, "ffill", ORIGIN),
        (business_with_a_holiday_ahead, "error", None),
        (with_a_gap_at_the_end, "drop", None),
        (with_a_gap_after_the_origin, "drop", ORIGIN),
    ],
)
def test_what_is_known_of_a_step_ahead_is_that_of_its_date(change, missing, begin):
    from forecast_cli.data.known_future import before, rows_ahead, times_ahead

    frame = change(table(ahead=6))
    more = {"past_covariates": ("p",), "future_covariates": ("x",), "missing": missing}
    flat = {"column": ("y",), "series": ("shop",), **more}
    panel = read_panel(frame, configure(flat).data)
    panel = panel if begin is None else before(panel, pd.Timestamp(begin))
    known = rows_ahead(panel, 4)[:, :, panel.columns.features.index("x")].ravel()
    held = frame.set_index(["shop", "date"])["x"]
    keys = zip(np.repeat(["A", "B"], 4), times_ahead(panel, 4), strict=True)
    expected = np.array([held.get(key, np.nan) for key in keys])
    np.testing.assert_array_equal(known, expected)


def test_a_missing_row_ahead_of_a_category_is_named_too():
    from forecast_cli.data.known_future import require_ahead, rows_ahead

    frame = table(ahead=HORIZON)
    frame = frame[~((frame["shop"] == "B") & frame["y"].isna())]
    panel = dataset(frame, future_covariates=("event",)).panel
    with pytest.raises(fc.DataError, match="B 2020-03-01"):
        require_ahead(panel, rows_ahead(panel, HORIZON))


# Networks of which the future is made by hand: no network at all.


class Summing:
    """What a network promises, in a line: each step is made of all that it may read."""

    quantile_count = 0

    def __init__(self, horizon, ahead):
        self.horizon = horizon
        self.ahead = ahead

    def reaching(self, steps):
        return self

    def __call__(self, windows, *ahead):
        assert not np.isnan(windows).any()
        assert [each.shape[1:] for each in ahead] == [(self.horizon, self.ahead)] * bool(self.ahead)
        own = np.arange(1, windows.shape[2] + 1)
        state = np.tanh((windows @ own).mean(axis=1) + windows[:, -1] @ own)
        steps = state[:, None] + np.arange(self.horizon)
        steps = steps + (np.tanh(ahead[0].sum(axis=2)) if ahead else 0.0)
        return np.stack([steps, 0.3 - steps / 2], axis=-1).astype(np.float32)


# Two columns, both forecast, the second one first; then what is known of the steps ahead.
READ = {
    "nothing": Inputs(2, (1, 0), 2),
    "static": Inputs(3, (1, 0), 2, known=(2,)),
    "future": Inputs(4, (1, 0), 2, known=(2, 3), ahead=(2, 3)),
    "both": Inputs(4, (1, 0), 2, known=(2, 3), ahead=(2,)),
}


@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 5), st.sampled_from(list(READ)))
def test_going_on_from_forecasts_is_a_loop_by_hand(steps, horizon, timesteps, name):
    inputs, draw = READ[name], np.random.default_rng(0)
    network = Summing(steps, len(inputs.ahead))
    windows = draw.normal(size=(3, timesteps, inputs.features)).astype(np.float32)
    coming = draw.normal(size=(3, horizon, inputs.features)).astype(np.float32)
    coming[..., :2] = np.nan
    known = coming if inputs.known else None
    got = roll_out(network, windows, known, inputs=inputs, horizon=horizon).point
    # Behind the steps that are asked for the last one stands for what is not known.
    coming = np.concatenate([coming, np.repeat(coming[:, -1:], steps, axis=1)], axis=1)
    rows, parts = windows, []
    for done in range(0, horizon, steps):
        next_rows = coming[:, done : done + steps].copy()
        given_ahead = [next_rows[..., list(inputs.ahead)]] if inputs.ahead else []
        parts.append(network(rows[:, -timesteps:], *given_ahead))
        next_rows[..., [1, 0]] = parts[-1]
        rows = np.concatenate([rows, next_rows], axis=1)
    expected = np.concatenate(parts, axis=1)[:, :horizon]
    np.testing.assert_allclose(got, expected, atol=1e-6)
    assert got.shape == (3, horizon, 2)


# Trained networks.

tf = pytest.mark.tf


@pytest.fixture(scope="module")
def model():
    """A network that reads covariates of every kind."""
    return fc.train(table(), **QUICK, **COVARIATES)


@pytest.fixture(scope="module")
def known():
    """Two networks that know all covariates of the steps ahead, one of them step by step."""
    reads = {name: value for name, value in COVARIATES.items() if name != "past_covariates"}
    ahead, both = table(ahead=8), {}
    for mode in ("many-to-many", "many-to-one"):
        more = {"mode": mode, "embedding": 2 if mode == "many-to-one" else None}
        both[mode] = fc.train(
            table(), **QUICK, **reads, **more, future=ahead[["shop", "date", "x", "event"]]
        )
    return both


@pytest.mark.slow
@tf
def test_nothing_past_the_origin_moves_a_forecast_but_what_is_known(model):
    frame = table()
    forecast = model.predict(frame, start=ORIGIN)
    assert forecast["date"].tolist() == list(pd.date_range(ORIGIN, periods=HORIZON)) * 2
    after = frame["date"] >= ORIGIN
    changed = spoiled(frame, after, ["y", "p", "kind"])
    assert not changed.equals(frame)
    same(model.predict(changed, start=ORIGIN), forecast, exact=True)
    beyond = frame["date"] >= pd.Timestamp(ORIGIN) + pd.Timedelta(days=HORIZON)
    changed = spoiled(frame, beyond, ["x", "event"])
    same(model.predict(changed, start=ORIGIN), forecast, exact=True)


@tf
def test_a_gap_before_the_origin_is_filled_without_a_look_behind_it(model):
    frame = table()
    frame.loc[frame["date"].between("2020-02-16", "2020-02-17"), ["p", "y"]] = np.nan
    assert frame["p"].isna().sum() == 4
    after = frame["date"] >= ORIGIN
    forecasts = [
        model.predict(each, start=ORIGIN, missing="interpolate")
        for each in (frame, spoiled(frame, after, ["y", "p", "kind"]))
    ]
    same(*forecasts, exact=True)


@tf
@pytest.mark.parametrize("name", ["p", "kind", "x", "event", "y"])
def test_what_stands_before_the_origin_moves_the_forecast(model, name):
    frame = table()
    rows = frame["date"].between("2020-02-15", "2020-02-17")
    before = model.predict(frame, start=ORIGIN)
    assert 0 in differ(model.predict(spoiled(frame, rows, [name]), start=ORIGIN), before)


@tf
@pytest.mark.parametrize("name", ["x", "event"])
@pytest.mark.parametrize("step", range(HORIZON))
def test_a_future_covariate_moves_the_forecast_of_its_step(model, name, step):
    frame = table()
    before = model.predict(frame, start=ORIGIN)
    day = pd.Timestamp(ORIGIN) + pd.Timedelta(days=step)
    after = model.predict(spoiled(frame, frame["date"] == day, [name]), start=ORIGIN)
    assert differ(after, before) == [step]


@tf
def test_a_future_covariate_behind_the_steps_that_are_asked_for_is_not_read(model):
    frame = table()
    short = model.predict(frame, start=ORIGIN, horizon=1)
    changed = spoiled(frame, frame["date"] > ORIGIN, ["x", "event"])
    same(model.predict(changed, start=ORIGIN, horizon=1), short, exact=True)
    whole = model.predict(frame, start=ORIGIN)
    same(short, whole[whole["date"] == ORIGIN])


@tf
def test_static_covariates_and_the_calendar_move_the_forecast(model):
    frame = table()
    before = model.predict(frame, start=ORIGIN)
    for changed in (
        frame.assign(size=frame["size"] + 500.0),
        frame.assign(region="never seen"),
    ):
        assert differ(model.predict(changed, start=ORIGIN), before) == [0, 1, 2]
    later = frame.assign(date=frame["date"] + pd.Timedelta(days=1))
    after = model.predict(later, start="2020-02-19")
    assert differ(after, before) == [0, 1, 2]
    week = frame.assign(date=frame["date"] + pd.Timedelta(days=7))
    same(model.predict(week, start="2020-02-25")[["shop", "y"]], before[["shop", "y"]], exact=True)


@tf
def test_an_unknown_category_is_none_of_those_that_are_known(model):
    frame = table()
    forecasts = [
        model.predict(frame.assign(kind=each, event=each, region=each), start=ORIGIN)
        for each in ("never seen", "nor that", None, "")
    ]
    assert np.isfinite(forecasts[0]["y"]).all()
    for each in forecasts[1:]:
        same(each, forecasts[0], exact=True)


def learned_of(bundle):
    """All that a training has found: weights, scaler and categories."""
    weights = {}
    with h5py.File(io.BytesIO(bundle.weights)) as file:
        file.visititems(
            lambda name, held: weights.update({name: held[()]})
            if isinstance(held, h5py.Dataset) else None
        )  # fmt: skip
    return weights, bundle.scales, bundle.manifest.covariates


@pytest.mark.slow
@tf
def test_the_test_part_changes_neither_weights_nor_scaler_nor_categories(model):
    frame = table()
    late = frame.groupby("shop").cumcount() >= ROWS - TEST
    changed = spoiled(frame, late, ["y", "p", "kind", "x", "event"])
    again = fc.train(changed, **QUICK, **COVARIATES)
    (ours, scales, names), (theirs, others, them) = (
        learned_of(each.bundle) for each in (again, model)
    )
    assert len(ours) > 4
    assert ours.keys() == theirs.keys()
    for name, held in ours.items():
        np.testing.assert_array_equal(held, theirs[name])
    np.testing.assert_array_equal(scales, others)
    assert names == them
    assert again.bundle.epochs[0]["loss"] == model.bundle.epochs[0]["loss"]
    assert again.evaluation != model.evaluation
    # What is known ahead of rows before the test is the same too.
    same(again.predict(frame, start=ORIGIN), model.predict(frame, start=ORIGIN), exact=True)


@tf
def test_a_score_is_of_a_forecast_that_has_seen_nothing_past_its_origin(model):
    from forecast_cli.forecasting.network_forecaster import NetworkForecaster

    def forecast(frame, which):
        made = make_dataset(read_panel(frame, model.config.data), model.config, on_event=ignore)
        origins = made.origins("test")
        assert len(origins) == 2 * (TEST - HORIZON + 1)
        return NetworkForecaster(made, model.bundle.runtime)(origins)[which]

    frame = table()
    step = frame.groupby("shop").cumcount()
    for which, origin in ((0, ROWS - TEST), (4, ROWS - TEST + 4), (9, ROWS - HORIZON)):
        before = forecast(frame, [which, 10 + which])
        changed = spoiled(frame, step >= origin, ["y", "p", "kind"])
        changed = spoiled(changed, step >= origin + HORIZON, ["x", "event"])
        assert (forecast(changed, [which, 10 + which]) == before).all()
        changed = spoiled(frame, step >= origin, ["x"])
        assert (forecast(changed, [which, 10 + which]) != before).any(axis=(1, 2)).all()


@tf
def test_the_scores_are_those_of_forecasts_from_each_origin(model):
    frame, errors = table(), []
    for origin in range(ROWS - TEST, ROWS - HORIZON + 1):
        date = pd.Timestamp("2020-01-01") + pd.Timedelta(days=origin)
        forecast = model.predict(frame, start=str(date.date()))
        both = forecast.merge(frame[["shop", "date", "y"]], on=["shop", "date"])
        assert len(both) == 2 * HORIZON
        errors.append((both["y_x"] - both["y_y"]).abs().mean())
    mae = model.evaluation.own_scores["mae"]["y"]
    assert mae == pytest.approx(np.mean(errors), rel=1e-5)


@tf
def test_in_sample_forecasts_know_the_future_covariates_of_their_row_alone(model):
    frame = table()
    rows = frame["date"] == "2020-02-10"
    before = model.predict_in_sample(frame)
    value = before["date"].between("2020-01-01", "2020-02-10")
    changed = spoiled(frame, frame["date"] > "2020-02-10", ["y", "p", "kind", "x", "event"])
    changed = spoiled(changed, rows, ["y", "p", "kind"])
    after = model.predict_in_sample(changed)
    assert before.loc[value, "y_forecast"].tolist() == after.loc[value, "y_forecast"].tolist()
    one_step = model.predict(frame, start="2020-02-10", horizon=1)["y"]
    at = before["date"] == "2020-02-10"
    assert before.loc[at, "y_forecast"].to_numpy() == pytest.approx(one_step.to_numpy(), rel=1e-5)


@tf
def test_a_forecast_is_the_network_on_rows_scaled_by_hand(model):
    frame = table(ahead=HORIZON)
    names = model.bundle.manifest.covariates.categories
    panel = read_panel(frame, model.config.data, categories=names)
    center, scale = model.bundle.scales
    places = list(panel.columns.inputs.ahead)
    days = pd.date_range("2020-03-01", periods=HORIZON).day_of_week.to_numpy() * 2 * np.pi / 7
    expected = []
    for series in range(2):
        rows = panel.values[panel.indptr[series] : panel.indptr[series + 1]][-5:]
        coming = panel.ahead[series].copy()
        coming[:, 7:9] = np.stack([np.sin(days), np.cos(days)], axis=1)
        window, ahead = ((each - center[series]) / scale[series] for each in (rows, coming))
        given = [each[None].astype(np.float32) for each in (window, ahead[:, places])]
        expected.append(
            model.bundle.runtime(*given)[0, :, 0] * scale[series, 0] + center[series, 0]
        )
    got = model.predict(frame)["y"].to_numpy()
    assert got == pytest.approx(np.concatenate(expected), rel=1e-5)


@tf
def test_missing_future_rows_are_named(model):
    with pytest.raises(fc.DataError) as caught:
        model.predict()
    assert 'future covariate "x" is missing for 6 of 6 steps ahead' in caught.value.message
    for each in ("A 2020-03-01", "A 2020-03-03"):
        assert each in caught.value.message
    assert "Pass a table of them with `future`" in caught.value.hint
    frame = table(ahead=HORIZON)
    frame = frame.drop(frame.index[-1])
    with pytest.raises(fc.DataError, match=r"missing for 1 of 6 steps ahead: B 2020-03-03\."):
        model.predict(frame)
    frame = table(ahead=HORIZON)
    frame.loc[frame.index[-2], "x"] = np.nan
    with pytest.raises(fc.DataError, match=r"missing for 1 of 6 steps ahead: B 2020-03-02\."):
        model.predict(frame)


@tf
def test_the_future_may_stand_in_the_table_or_in_one_of_its_own(model):
    frame = table(ahead=HORIZON)
    expected = model.predict(frame)
    assert expected["date"].tolist() == list(pd.date_range("2020-03-01", periods=HORIZON)) * 2
    coming = frame[["shop", "date", "x", "event"]]
    same(model.predict(future=coming), expected)
    same(model.predict(table(), future=coming), expected, exact=True)
    same(model.predict(table(), future=coming.sample(frac=1, random_state=0)), expected, exact=True)
    same(
        model.predict(table(), future=coming[coming["date"] >= "2020-03-01"]), expected, exact=True
    )
    # Where both know one, the table of its own counts.
    other = coming.assign(x=coming["x"] + 1.0)
    assert differ(model.predict(frame, future=other), expected) == [0, 1, 2]
    with pytest.raises(fc.DataError, match="B 2020-03-01"):
        model.predict(future=coming[coming["shop"] == "A"])
    same(model.predict(future=coming[coming["shop"] == "A"], only="A"), expected[:HORIZON])
    with pytest.raises(fc.DataError, match="event"):
        model.predict(future=coming.drop(columns="event"))
    hours = coming.assign(date=coming["date"] + pd.Timedelta(hours=11))
    with pytest.raises(fc.DataError, match="does not follow"):
        model.predict(future=hours)


@tf
def test_the_frame_to_fill_in_holds_what_is_known(model):
    from forecast_cli.forecasting.history import future_frame

    frame = table(ahead=HORIZON)
    empty = future_frame(model.bundle, None, None, on_event=ignore)
    assert list(empty) == ["shop", "date", "x", "event"]
    assert empty["date"].tolist() == list(pd.date_range("2020-03-01", periods=HORIZON)) * 2
    assert empty[["x", "event"]].isna().all(axis=None)
    some = future_frame(model.bundle, frame.drop(frame.index[-1]), None, on_event=ignore)
    coming = frame[frame["y"].isna()].reset_index(drop=True)
    assert some["x"].tolist()[:5] == coming["x"].tolist()[:5]
    assert some["event"].tolist()[:5] == coming["event"].tolist()[:5]
    assert some.loc[5, ["x", "event"]].isna().all()
    some.loc[5, ["x", "event"]] = coming.loc[5, ["x", "event"]]
    same(model.predict(table(), future=some), model.predict(frame), exact=True)


@pytest.mark.slow
@tf
def test_from_a_date_all_that_is_known_after_it_is_kept(known):
    frame = table(ahead=6)
    forecast = known["many-to-many"].predict(frame, start="2020-02-28", horizon=8)
    assert len(forecast) == 16


@tf
def test_an_empty_cell_of_the_future_leaves_what_the_table_knows(model):
    frame = table(ahead=HORIZON)
    coming = frame[["shop", "date", "x", "event"]].copy()
    coming.loc[frame["y"].isna() & (frame["shop"] == "B"), "x"] = np.nan
    same(model.predict(frame, future=coming), model.predict(frame))


@tf
def test_two_rows_of_the_future_for_one_step_are_refused(model):
    coming = table(ahead=HORIZON)[["shop", "date", "x", "event"]]
    with pytest.raises(fc.DataError):
        model.predict(future=pd.concat([coming, coming.assign(x=9.0)]))


@tf
@pytest.mark.parametrize("mode", ["many-to-many", "many-to-one"])
def test_what_was_known_in_training_is_kept_for_predictions(known, mode, tmp_path):
    network, frame = known[mode], table(ahead=8)
    expected = network.predict(table(), future=frame)
    same(network.predict(), expected)
    network.save(tmp_path / "m.forecast")
    loaded = fc.load(tmp_path / "m.forecast")
    assert loaded.bundle.ahead.shape == (2, 8, 7)
    np.testing.assert_array_equal(loaded.bundle.ahead, network.bundle.ahead)
    same(loaded.predict(), network.predict(), exact=True)
    same(loaded.predict(horizon=8), network.predict(frame, horizon=8))
    with pytest.raises(fc.DataError, match="missing for 2 of 18 steps"):
        network.predict(horizon=9)
    # Another table goes on from rows of its own, with a future of its own.
    with pytest.raises(fc.DataError, match="is missing for 6 of 6"):
        network.predict(table())


@tf
@pytest.mark.parametrize("mode", ["many-to-many", "many-to-one"])
def test_beyond_its_horizon_a_network_goes_on_from_its_forecasts_and_what_is_known(known, mode):
    network, frame = known[mode], table(ahead=8)
    steps = HORIZON if mode == "many-to-many" else 1
    rolled = network.predict(frame, horizon=7)
    by_hand, parts = frame.copy(), []
    for done in range(0, 7, steps):
        part = network.predict(by_hand, horizon=min(steps, 7 - done))
        parts.append(part)
        by_hand = by_hand.merge(part, on=["shop", "date"], how="left", suffixes=("", "_new"))
        by_hand["y"] = by_hand["y"].fillna(by_hand.pop("y_new"))
    expected = pd.concat(parts).sort_values(["shop", "date"])
    assert rolled["date"].tolist() == expected["date"].tolist()
    np.testing.assert_allclose(rolled["y"], expected["y"], rtol=1e-4)
    # The last step reads the covariates of its own day.
    last = frame["date"] == rolled["date"].max()
    assert differ(network.predict(spoiled(frame, last, ["x"]), horizon=7), rolled) == [6]


@tf
def test_steps_that_would_need_a_coming_past_covariate_are_refused(model):
    with pytest.raises(fc.UsageError, match="it would need the future values of p, kind"):
        model.predict(table(ahead=9), horizon=HORIZON + 1)


def rewritten(path, name, data):
    """A model file with one entry changed and all sums right."""
    with zipfile.ZipFile(path) as archive:
        contents = {each: archive.read(each) for each in archive.namelist()}
    contents[name] = data
    manifest = json.loads(contents["manifest.json"])
    manifest["sha256"] = {
        each: hashlib.sha256(held).hexdigest()
        for each, held in contents.items() if each != "manifest.json"
    }  # fmt: skip
    contents["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for each, held in contents.items():
            archive.writestr(each, held)


def packed(values):
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


@pytest.fixture
def saved(known, tmp_path):
    path = tmp_path / "m.forecast"
    known["many-to-many"].save(path)
    return path


@tf
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("ahead.npy", lambda held: held[0]),
        ("ahead.npy", lambda held: held[:1]),
        ("ahead.npy", lambda held: held[..., 1:]),
        ("ahead.npy", lambda held: held.astype(int)),
        ("scales.npy", lambda held: held[0]),
        ("scales.npy", lambda held: held[:, :1]),
        ("scales.npy", lambda held: held[..., :-1]),
        ("history.npy", lambda held: held[:-1]),
        ("history.npy", lambda held: held[:, 1:]),
        ("history.npy", lambda held: held.astype(str)),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
def test_arrays_that_do_not_fit_the_model_are_refused(saved, name, change):
    with zipfile.ZipFile(saved) as archive:
        held = np.load(io.BytesIO(archive.read(name)))
    rewritten(saved, name, packed(held))
    assert len(fc.load(saved).predict()) == 6
    rewritten(saved, name, packed(change(held)))
    with pytest.raises(fc.ModelFileError, match="is damaged"):
        fc.load(saved)


@tf
@pytest.mark.parametrize(
    "change", [{"ids": [["A"]]}, {"rows": [5]}, {"lasts": ["2020-02-29"]}, {"columns": []}]
)
def test_names_that_do_not_fit_the_series_are_refused(saved, change):
    with zipfile.ZipFile(saved) as archive:
        held = json.loads(archive.read("series.json"))
    rewritten(saved, "series.json", json.dumps(held | change).encode())
    with pytest.raises(fc.ModelFileError, match="is damaged"):
        fc.load(saved)


@tf
def test_a_flat_array_of_what_is_known_ahead_is_refused(saved):
    rewritten(saved, "ahead.npy", packed(np.zeros(5)))
    with pytest.raises(fc.ModelFileError, match="is damaged"):
        fc.load(saved)


@tf
@pytest.mark.parametrize("change", [{"rows": [10, 0]}, {"rows": [11, -1]}, {"lasts": []}])
def test_rows_and_ends_that_cannot_be_are_refused(saved, change):
    with zipfile.ZipFile(saved) as archive:
        held = json.loads(archive.read("series.json"))
    rewritten(saved, "series.json", json.dumps(held | change).encode())
    with pytest.raises(fc.ModelFileError, match="is damaged"):
        fc.load(saved)


@tf
@pytest.mark.parametrize("number", [0.0, np.nan])
def test_scales_that_cannot_be_are_refused(saved, number):
    rewritten(saved, "scales.npy", packed(np.full((2, 2, 7), number)))
    with pytest.raises(fc.ModelFileError, match="is damaged"):
        fc.load(saved)


@pytest.mark.slow
@tf
def test_covariates_lower_the_error_of_the_same_network():
    draw = np.random.default_rng(3)
    x = draw.uniform(-1, 1, 240).round(4)
    frame = pd.DataFrame({"y": 50 + 20 * x + draw.normal(0, 0.5, 240), "x": x})
    settings = {"preset": "classic", "column": "y", "horizon": 2, "timesteps": 4, "cell": "rnn",
                "units": 16, "epochs": 20, "patience": 0, "learning_rate": 0.02}  # fmt: skip
    mae = [
        fc.train(frame, **settings, **more).evaluation.own_scores["mae"]["y"]
        for more in ({}, {"future_covariates": "x"})
    ]
    assert mae[1] < mae[0] / 3


# The command line.


FLAGS = ("--column", "y", "-H", "3", "-t", "5", "-u", "3", "--cell", "rnn", "-e", "1",
         "--preset", "classic")  # fmt: skip


@pytest.mark.usefixtures("linear_training")
@tf
def test_the_future_is_asked_for_written_down_filled_in_and_read(run, tmp_path):
    table().to_csv(tmp_path / "t.csv", index=False)
    code, _, err = run(
        "train", "t.csv", "--series", "shop", *FLAGS, "--past-covariate", "p", "--past-covariate",
        "kind", "--future-covariate", "x", "--future-covariate", "event", "--static-covariate",
        "size", "--calendar-features", "dayofweek,weekend", "--embedding", "2",
    )  # fmt: skip
    assert code == 0, err
    assert "covariates: past p, kind; future x, event; static size" in err
    assert '"event" has 3 categories' in err
    code, _, err = run("predict")
    assert (code, "A 2020-03-01" in err, "Pass a table of them with --future" in err) == (
        3,
        True,
        True,
    ), err
    code, out, err = run("future", "-H", "3")
    assert code == 0, err
    assert out.splitlines()[:2] == ["shop,date,x,event", "A,2020-03-01,,"]
    code, _, _ = run("future", "t.csv", "-o", "future.csv")
    coming = pd.read_csv(tmp_path / "future.csv")
    assert (code, len(coming)) == (0, 6)
    frame = table(ahead=3)
    known = frame[frame["y"].isna()]
    coming = coming.assign(x=known["x"].to_numpy(), event=known["event"].to_numpy())
    coming.to_csv(tmp_path / "future.csv", index=False)
    code, out, err = run("predict", "--future", "future.csv")
    assert code == 0, err
    got = pd.read_csv(io.StringIO(out))
    assert list(got) == ["shop", "date", "y"]
    frame.to_csv(tmp_path / "longer.csv", index=False)
    _, out, _ = run("predict", "longer.csv")
    whole = pd.read_csv(io.StringIO(out))
    assert whole["y"].to_numpy() == pytest.approx(got["y"].to_numpy(), rel=1e-5)
    _, out, _ = run("predict", "t.csv", "--start", "2020-02-27", "--only", "B")
    assert pd.read_csv(io.StringIO(out))["date"].tolist()[0] == "2020-02-27"
    code, _, err = run("predict", "-H", "4", "--future", "future.csv")
    assert (code, "the future values of p, kind" in err) == (2, True)
    code, _, err = run("predict", "t.csv", "--in-sample", "--future", "future.csv")
    assert (code, "--in-sample" in err) == (2, True)


def test_a_model_without_future_covariates_has_none_to_fill_in(run, tmp_path, golden):
    (tmp_path / "model.forecast").write_bytes(golden.read_bytes())
    code, _, err = run("future")
    assert (code, "reads no future covariates" in err) == (2, True)
    table().to_csv(tmp_path / "t.csv", index=False)
    code, _, err = run("predict", "--future", "t.csv")
    assert (code, "Omit --future" in err) == (2, True)


REFUSED = [
    ("--static-covariate x", 3, 't.csv line 3: column "x" changes within the series A'),
    ("--embedding 3", 2, "There are no categories for --embedding"),
    ("--embedding 3 --past-covariate p", 2, "There are no categories for --embedding"),
    ("--past-covariate x --column z --channels independent", 2, "without covariates"),
    ("--calendar-features dayofweek --column z --channels independent", 2, "without covariates"),
    ("--past-covariate p --stateful", 2, "A stateful network reads no covariates"),
    ("--future-covariate x --head sequence", 2, "--head sequence forecasts at every step"),
    ("--calendar-features dayofweek --head sequence", 2, "dayofweek_sin"),
    ("--past-covariate x --future-covariate x", 2, 'Column "x" is named twice'),
    ("--past-covariate y", 2, 'Column "y" is named twice'),
    ("--past-covariate date --time date", 2, 'Column "date" is named twice'),
    ("--categorical kind", 2, "there are none"),
    ("--past-covariate p --categorical kind", 2, '"kind" is not among the covariates'),
    ("--past-covariate nowhere", 3, 'no column "nowhere"'),
    ("--past-covariate nowhere*", 3, "no column like nowhere*"),
    ("--past-covariate p --mode many-to-one -H 2", 2, "it does not forecast p"),
    ("--past-covariate p --head recursive -H 2", 2, "it does not forecast p"),
    ("--calendar-features dayofweek --time none", 2, "--calendar-features needs times"),
    ("--calendar-features fortnight", 2, "fortnight"),
    ("--future t.csv", 2, "no future covariates to read from --future"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("flags", "code", "said"), REFUSED, ids=[each[0] for each in REFUSED])
def test_what_no_network_could_read_is_refused(run, tmp_path, flags, code, said):
    frame = table().assign(z=lambda frame: frame["y"] * 2)
    stateful = "--stateful" in flags or "--time none" in flags
    frame[frame["shop"] == "A"].to_csv(tmp_path / "t.csv", index=False)
    series = [] if stateful else ["--series", "shop"]
    plain = ("--preset", "classic")
    got, _, err = run("train", "t.csv", "--column", "y", *plain, *series, *flags.split())
    assert (got, said in err) == (code, True), err


def test_a_static_covariate_that_changes_names_its_series_and_row(run, tmp_path):
    frame = table()
    frame.loc[frame.index[-2], "region"] = "elsewhere"
    frame.to_csv(tmp_path / "t.csv", index=False)
    code, _, err = run(
        "train", "t.csv", "--column", "y", "--series", "shop", "--static-covariate", "region"
    )
    assert code == 3
    assert 't.csv line 120: column "region" changes within the series B' in err


@tf
def test_windows_and_what_is_known_ahead_are_gathered_from_the_same_rows(model):
    from forecast_cli.networks.batches import WindowFeed

    made = dataset(table())
    inputs = made.panel.columns.inputs
    starts = made.starts("train", horizon=HORIZON)
    feed = WindowFeed(made.scaled, inputs, starts, starts[:0], 5, HORIZON, owners=made.owners)
    rows = starts[[0, 7, -1]]
    (window, ahead), actual, series = feed.gather(made.scaled, rows, training=True)
    both = gather(made.scaled, rows, timesteps=5 + HORIZON)
    np.testing.assert_array_equal(window, both[:, :5])
    np.testing.assert_array_equal(ahead, both[:, 5:][..., [3, 4, 7, 8]])
    np.testing.assert_array_equal(actual, both[:, 5:, :1])
    assert np.asarray(series).tolist() == [0, 0, 1]
