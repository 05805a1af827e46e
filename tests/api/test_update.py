"""New rows for a model: it forecasts as if it had been given the whole table, without training."""

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc

ROWS, NEW = 90, 7
SMALL = {"horizon": 3, "timesteps": 6, "validation": 20, "test": 10}
COVARIATES = {"past_covariates": "p", "future_covariates": "x", "static_covariates": "size",
              "calendar_features": "dayofweek"}  # fmt: skip


def shop(name, seed, rows=ROWS + NEW, first=0):
    draw = np.random.default_rng(seed)
    y = 50.0 * seed + 5 * np.sin(np.arange(rows) / 3) + draw.normal(size=rows)
    p, x = draw.normal(size=(2, rows))
    dates = pd.date_range("2024-01-01", periods=rows) + pd.Timedelta(first, "D")
    return pd.DataFrame({"shop": name, "date": dates, "y": y, "p": p, "x": x, "size": 1.0 * seed})


def several():
    return pd.concat([shop("a", 1), shop("b", 2), shop("c", 3, 60, first=37)], ignore_index=True)


def split(table):
    """The rows that are trained on, and those that follow in each series."""
    old = table["date"] < table["date"].min() + pd.Timedelta(ROWS, "D")
    return table[old], table[~old]


CASES = {
    "one": (shop("a", 1).drop(columns="shop"), {"column": "y"}),
    "two": (shop("a", 1).drop(columns="shop"), {"column": ("y", "p")}),
    "logarithms": (shop("a", 1).drop(columns="shop"), {"column": "y", "transform": "log"}),
    "several": (several(), {"column": "y", "series": "shop"}),
    "covariates": (several(), {"column": "y", "series": "shop", "scale_by": "series",
                               **COVARIATES}),
}  # fmt: skip


@pytest.fixture(params=CASES)
def case(request, linear):
    table, settings = CASES[request.param]
    old, new = split(table)
    return linear(old, **SMALL, **settings), table, new


def future_of(model, table):
    """Covariates of the steps after a table, where the model reads some."""
    if not model.bundle.manifest.covariates.future:
        return None
    return model.future(table, horizon=3).assign(x=0.5)


@pytest.mark.parametrize("pieces", [[NEW], [1, 2, NEW]], ids=["at once", "in pieces"])
def test_an_updated_model_forecasts_as_from_the_whole_table(case, pieces, tmp_path):
    model, table, new = case
    dates = np.sort(new["date"].unique())
    updated, begin = model, 0
    for end in pieces:
        updated = updated.update(new[new["date"].isin(dates[begin:end])])
        begin = end
    future = future_of(model, table)
    expected = model.predict(table, future=future)
    pd.testing.assert_frame_equal(updated.predict(future=future), expected, rtol=1e-6)
    updated.save(tmp_path / "m.forecast")
    again = fc.load(tmp_path / "m.forecast").predict(future=future)
    pd.testing.assert_frame_equal(again, expected, rtol=1e-6)
    assert updated.bundle.weights == model.bundle.weights


@pytest.mark.parametrize("name", ["one", "several"])
@pytest.mark.parametrize("method", ["conformal", "adaptive"])
def test_intervals_of_an_updated_model_are_those_of_the_whole_table(linear, name, method):
    table, settings = CASES[name]
    old, new = split(table)
    model = linear(old, **SMALL, **settings)
    expected = model.predict(table, level=80, intervals=method)
    found = model.update(new).predict(level=80, intervals=method)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-6)


def test_series_without_new_rows_stay_as_they_are(linear):
    old, new = split(several())
    model = linear(old, column="y", series="shop", **SMALL)
    before, after = model.predict(), model.update(new[new["shop"] == "b"]).predict()
    own = after["shop"] != "b"
    pd.testing.assert_frame_equal(after[own], before[own])
    assert (after[~own]["date"] > before[~own]["date"].max()).any()


def test_what_is_known_ahead_moves_on(linear):
    old, new = split(shop("a", 1).drop(columns=["shop", "p", "size"]))
    model = linear(old, column="y", future_covariates="x", **SMALL)
    updated = model.update(new[:2])
    with pytest.raises(fc.DataError):
        updated.predict()
    ahead = new[2:5][["date", "x"]]
    expected = model.predict(pd.concat([old, new[:2]]), future=ahead)
    pd.testing.assert_frame_equal(updated.predict(future=ahead), expected, rtol=1e-6)


def test_rows_without_times_follow_in_order(linear):
    values = shop("a", 1)["y"].to_numpy()
    model = linear(values[:ROWS], column="value", **SMALL)
    updated = model.update(values[ROWS:])
    pd.testing.assert_frame_equal(updated.predict(), model.predict(values), rtol=1e-6)


def test_rows_that_do_not_follow_are_refused(linear):
    table, settings = CASES["one"]
    old, new = split(table)
    model = linear(old, **SMALL, **settings)
    with pytest.raises(fc.DataError) as caught:
        model.update(new[1:])
    assert caught.value.message == (
        "the table begins at 2024-04-01; the stored history ends at 2024-03-30 and continues with "
        "2024-03-31."
    )
    with pytest.raises(fc.DataError, match="continues with"):
        model.update(table)


def test_series_that_are_new_are_refused(linear):
    old, new = split(several())
    model = linear(old, column="y", series="shop", **SMALL)
    with pytest.raises(fc.DataError, match="series that the model was not trained on: d"):
        model.update(new.replace({"shop": {"a": "d"}}))


def test_models_without_a_history_or_a_state_say_so(golden, linear, tmp_path):
    labels = fc.load(golden.with_name("format-2-labels.forecast"))
    with pytest.raises(fc.UsageError, match="labels"):
        labels.update(golden.with_name("format-2-labels-rows.csv"))
    with pytest.raises(fc.UsageError, match="not stateful"):
        fc.load(golden).save_state(tmp_path / "state.json")
    assert not list(tmp_path.iterdir())


def test_the_state_of_a_stateful_model_is_carried_over(golden, tmp_path):
    model = fc.load(golden.with_name("format-2.forecast"))
    draw = np.random.default_rng(0)
    rows = model.predict(horizon=9)
    rows[["value", "other"]] += draw.normal(size=(9, 2))
    updated = model.update(rows[:4]).update(rows[4:])
    path = tmp_path / "state.json"
    model.save_state(path)
    carried = model.update(rows[:4], state=path)
    carried.save_state(path)
    carried = carried.update(rows[4:], state=path)
    pd.testing.assert_frame_equal(updated.predict(), carried.predict(), rtol=1e-6)
    assert updated.predict()["date"][0] > rows["date"].max()
    with pytest.raises(fc.DataError, match="the state ends at"):
        model.update(rows[5:], state=path)
