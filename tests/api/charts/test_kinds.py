"""What charts show: the values of forecasts, scores and tables, by series, as plain data."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.api.charts.backtest_charts import describe_backtest, describe_comparison
from forecast_cli.api.charts.description import thinned
from forecast_cli.api.charts.forecast_parts import is_forecast
from forecast_cli.api.charts.kinds import FUNCTIONS, describe
from forecast_cli.api.charts.source import Source
from forecast_cli.api.charts.terminal import render
from forecast_cli.api.results import Backtest, Comparison
from forecast_cli.config.registries import CHARTS
from forecast_cli.config.sections import Data

ROWS, HORIZON = 120, 4
SETTINGS = {"column": "sales", "horizon": HORIZON, "timesteps": 12, "validation": 24, "test": 24}


def table(rows: int = ROWS) -> pd.DataFrame:
    steps = np.arange(rows)
    sales = 100 + steps + 20 * np.sin(2 * np.pi * steps / 12)
    return pd.DataFrame(
        {"date": pd.date_range("2014-01-01", periods=rows, freq="MS"), "sales": sales}
    )


def shops(*names: str) -> pd.DataFrame:
    parts = [table().assign(shop=name, sales=lambda t, k=k: t["sales"] * (k + 1))
             for k, name in enumerate(names)]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def model(linear):
    return linear(table(), **SETTINGS)


@pytest.fixture(scope="module")
def chain(linear):
    """A model of six shops, and their table."""
    frame = shops("north", "south", "east", "west", "up", "down")
    return linear(frame, series="shop", **SETTINGS), frame


def draw(kind, model=None, **source):
    return describe(Source(model and model.bundle, **source), kind)


def named(items, name):
    return [each for each in items if each.name == name]


def test_each_kind_has_a_function():
    assert sorted(FUNCTIONS) == sorted(CHARTS)


@pytest.mark.parametrize("kind", CHARTS)
def test_a_model_and_its_table_have_every_chart_as_plain_data(model, kind):
    chart = draw(kind, model, table=table())
    assert chart.kind == kind and chart.title and chart.text.endswith(".")
    assert json.loads(json.dumps(chart.document(), allow_nan=False))["axes"]


def test_the_forecast_is_that_of_predict_after_the_history(model):
    (axes,) = draw("forecast", model, table=table(), level=(80.0, 95.0)).axes
    made = model.predict(table(), level=(80, 95))
    (actual,), (line,) = named(axes.lines, "actual values"), named(axes.lines, "forecast")
    assert actual.y == tuple(table()["sales"])
    assert line.y == pytest.approx(made["sales"]) and line.x[0] == "2024-01-01T00:00:00"
    # The widest first, so that a narrower one is drawn over it.
    assert [band.level for band in axes.bands] == [95, 80]
    assert axes.bands[0].lower == pytest.approx(made["sales_lo95"])
    assert axes.bands[1].upper == pytest.approx(made["sales_hi80"])


def test_the_splits_begin_where_the_training_says(model):
    (axes,) = draw("forecast", model, table=table()).axes
    begins = {span.name: pd.Timestamp(span.begin).isoformat() for span in axes.spans}
    splits = model.bundle.manifest.splits
    assert begins == {
        "training": "2014-01-01T00:00:00",
        "validation": splits.validation_begins,
        "test": splits.test_begins,
    }


def test_series_whose_splits_begin_at_other_times_have_their_own(linear):
    frame = pd.concat([table().assign(shop="long"), table()[40:].assign(shop="short")])
    model = linear(frame, series="shop", **SETTINGS | {"validation": 0.2, "test": 0.2})
    found = draw("forecast", model, table=frame).axes
    begins = [named(axes.spans, "test")[0].begin[:10] for axes in found]
    # A fifth of 120 rows, and of 80.
    assert begins == ["2022-01-01", "2022-09-01"]
    assert {span.name for span in found[0].spans} == {"training and validation", "test"}


def test_rows_after_those_of_the_training_are_called_new(model):
    (axes,) = draw("series", model, table=table(ROWS + 6)).axes
    assert axes.spans == ()
    (axes,) = draw("forecast", model, table=table(ROWS + 6)).axes
    assert [span.begin for span in named(axes.spans, "new rows")] == ["2024-01-01T00:00:00"]


def test_test_forecasts_and_their_intervals_are_those_of_predict_from_their_rows(model):
    (axes,) = draw("test", model, table=table()).axes
    lines = named(axes.lines, "test forecasts")
    assert len(lines) == 24 // HORIZON
    for line, band in zip(lines, axes.bands[-len(lines) :], strict=True):
        made = model.predict(table(), start=line.x[0], level=80)
        assert line.y == pytest.approx(made["sales"])
        assert band.level == 80 and band.x == line.x
        assert band.lower == pytest.approx(made["sales_lo80"])


def test_last_sets_how_many_rows_are_drawn(model):
    (axes,) = draw("series", model, table=table(), last=7).axes
    assert axes.lines[0].y == tuple(table()["sales"][-7:])
    with pytest.raises(fc.UsageError, match="Invalid `last` 0"):
        draw("series", model, table=table(), last=0)


def test_a_long_history_is_drawn_as_a_whole_and_its_last_rows_again(linear):
    frame = table(400)
    whole, part = draw("forecast", linear(frame, **SETTINGS), table=frame).axes
    assert len(whole.lines[0].y) == 400 and len(part.lines[0].y) == 120
    assert (whole.row, part.row) == (0, 1)


def test_without_a_table_the_stored_rows_are_drawn(model):
    (axes,) = draw("forecast", model).axes
    assert named(axes.lines, "actual values")[0].y == pytest.approx(table()["sales"][-12:])
    with pytest.raises(fc.UsageError, match="Name DATA"):
        draw("test", model)


def test_residuals_have_their_autocorrelation_and_a_whole_histogram(model):
    errors, lags, histogram = draw("residuals", model, table=table()).axes
    found = np.array(errors.lines[0].y)
    made = model.residuals(table())["sales"].to_numpy()
    assert found == pytest.approx(made)
    apart = made - made.mean()
    assert lags.bars[0].heights[2] == pytest.approx(apart[3:] @ apart[:-3] / (apart @ apart))
    assert sum(histogram.bars[0].heights) == len(made)
    assert lags.row == histogram.row == 1
    stored = draw("residuals", model).axes[0]
    assert stored.lines[0].y == pytest.approx(model.residuals().query("step == 1")["sales"])


def test_errors_and_coverage_are_those_of_evaluate(model):
    report = model.evaluate(table(), level=(50, 80)).report
    (axes,) = draw("errors", model, table=table()).axes
    assert axes.lines[0].y == tuple(row["mae"] for row in report.by_step)
    (axes,) = draw("coverage", model, table=table(), level=(50.0, 80.0)).axes
    known = {row["measure"]: row for row in report.overall}
    own = next(name for name in report.overall[0] if name != "measure")
    assert named(axes.lines, "coverage")[0].y == (
        known["coverage50"][own],
        known["coverage80"][own],
    )
    assert len(draw("coverage", model, table=table()).axes[0].points[0].x) == 10
    scores = model.evaluation.intervals
    assert draw("coverage", model).axes[0].points[0].y == tuple(
        each.coverage["sales"] for each in scores
    )


def test_a_seasonal_profile_names_the_months_and_finds_the_highest():
    chart = draw("seasons", table=table(), data=Data(column=("sales",)))
    (axes,) = chart.axes
    assert axes.lines[0].x[0] == "Jan" and len(axes.lines[0].x) == 12
    assert "Highest at Apr" in chart.text and "lowest at Oct" in chart.text


@pytest.mark.parametrize(
    ("freq", "season", "names"),
    [("h", 24, "00:00"), ("D", 7, "Mon"), ("QS", 4, "Q1"), ("h", 168, 0.0), (None, 5, 1.0)],
)
def test_phases_are_called_as_people_call_them(freq, season, names):
    values = np.tile(np.arange(float(season)), 4)
    frame = pd.DataFrame({"y": values})
    if freq:
        # A Monday.
        frame["date"] = pd.date_range("2024-01-01", periods=len(values), freq=freq)
    chart = draw("seasons", table=frame, data=Data(column=("y",), season_length=season))
    lines = [axes.lines[0] for axes in chart.axes if len(axes.lines[0].x) == season]
    assert lines[0].x[0] == names
    assert np.argmax(lines[0].y) == season - 1


def test_gaps_are_shaded_and_filled_values_marked(linear):
    frame = table()
    frame.loc[[50, 51, 90], "sales"] = np.nan
    (axes,) = draw("series", table=frame, data=Data(column=("sales",))).axes
    gaps = [(span.begin[:7], span.end[:7]) for span in axes.spans]
    assert gaps == [("2018-03", "2018-04"), ("2021-07", "2021-07")]
    assert axes.lines[0].y[50] is None and axes.points == ()
    model = linear(frame, missing="interpolate", **SETTINGS)
    (axes,) = draw("series", model, table=frame).axes
    assert axes.points[0].x[0][:7] == "2018-03"
    between = frame["sales"].interpolate()
    assert axes.points[0].y == pytest.approx(between[[50, 51, 90]])


def test_of_many_series_the_first_are_drawn_or_those_that_are_named(chain):
    model, frame = chain
    notes = []
    chart = draw("forecast", model, table=frame, on_event=notes.append)
    assert [axes.title for axes in chart.axes] == [
        f"sales of {n}" for n in ("north", "south", "east", "west")
    ]
    assert any("6 series: the first 4 are drawn" in note.text for note in notes)
    (axes,) = draw("test", model, table=frame, only=("down",)).axes
    assert axes.title == "sales of down"
    with pytest.raises(fc.UsageError, match="Did you mean north"):
        draw("forecast", model, table=frame, only=("nroth",))
    assert len(draw("errors", model, table=frame).axes[1].bars[0].x) == 6
    assert draw("residuals", model, table=frame, only=("up",)).axes[0].title.endswith("sales of up")


def wide() -> pd.DataFrame:
    own = table()
    return pd.DataFrame({"date": own["date"], "a": own["sales"], "b": 2 * own["sales"]})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("frame", "settings", "titles"),
    [
        (wide(), {"layout": "columns", "column": None}, ["a", "b"]),
        (wide(), {"column": ("a", "b")}, ["a", "b"]),
        (table().drop(columns="date"), {"scaler": "standard"}, ["sales"]),
        (table().assign(date=lambda t: t["date"].dt.tz_localize("Asia/Seoul")), {}, ["sales"]),
    ],
    ids=["columns are series", "several targets", "no times", "a time zone"],
)
def test_tables_of_every_layout_are_drawn(linear, frame, settings, titles):
    model = linear(frame, **{k: v for k, v in (SETTINGS | settings).items() if v is not None})
    made = model.predict(frame)
    for kind in ("forecast", "test", "series"):
        chart = draw(kind, model, table=frame)
        assert [axes.title for axes in chart.axes] == titles
        assert render(chart, 80, ascii=False, color=True)
    for title, axes in zip(titles, draw("forecast", model, table=frame).axes, strict=True):
        assert named(axes.lines, "forecast")[0].y == pytest.approx(made[title])
    first = draw("forecast", model, table=frame).axes[0]
    assert first.lines[0].x[0] == (1.0 if "date" not in frame else "2014-01-01T00:00:00")
    for kind in ("residuals", "errors", "coverage"):
        assert draw(kind, model, table=frame).axes


def test_a_table_of_forecasts_is_drawn_alone_or_after_its_actual_values(model, tmp_path):
    path = tmp_path / "forecast.csv"
    made = model.predict(table(), level=80)
    made.to_csv(path, index=False)
    assert is_forecast(path) and not is_forecast(table())
    (axes,) = draw(None, forecast=path).axes
    assert axes.lines[0].y == pytest.approx(made["sales"]) and axes.bands[0].level == 80
    (axes,) = draw(None, forecast=path, table=table(), data=Data(column=("sales",))).axes
    assert [line.name for line in axes.lines] == ["actual values", "forecast"]
    after = {"forecast": path, "table": table(ROWS + HORIZON), "data": Data(column=("sales",))}
    assert len(draw("errors", **after).axes[0].lines[0].x) == HORIZON
    assert draw("coverage", **after).axes[0].points[0].x == (80.0,)
    with pytest.raises(fc.UsageError, match="residuals is of a model"):
        draw("residuals", **after)


def test_a_chart_that_a_table_does_not_have_is_refused_with_those_it_has():
    with pytest.raises(fc.UsageError, match=r"pass `kind=seasons` or `kind=series`"):
        draw("forecast", table=table(), data=Data(column=("sales",)))
    with pytest.raises(fc.UsageError, match='Did you mean "seasons"'):
        draw("saesons", table=table())


def test_effects_are_drawn_by_kind_and_sum_to_the_forecast(linear):
    frame = table().assign(price=np.tile([9.0, 7.0, 8.0], ROWS // 3))
    model = linear(frame.iloc[:-HORIZON], future_covariates="price", **SETTINGS)
    future = frame.iloc[-HORIZON:][["date", "price"]]
    chart = draw("effects", model, future=future)
    assert [axes.title for axes in chart.axes] == [
        "sales, forecast and level", "sales, trend and seasons", "sales, effects of covariates",
    ]  # fmt: skip
    lines = {line.name: np.array(line.y) for axes in chart.axes for line in axes.lines}
    forecast = lines.pop("forecast")
    assert {*lines} == {"level", "trend", "season", "price"} and chart.axes[0].kind == "time"
    assert sum(lines.values()) == pytest.approx(forecast)
    assert forecast == pytest.approx(model.predict(future=future)["sales"])
    assert len(model.plot(kind="effects", future=future)) == 3


def test_of_many_covariates_the_smallest_effects_are_drawn_as_a_sum(linear):
    names = [f"x{number}" for number in range(8)]
    values = np.random.default_rng(1).normal(size=(ROWS, len(names)))
    frame = pd.concat([table(), pd.DataFrame(values, columns=names)], axis=1)
    model = linear(frame.iloc[:-HORIZON], future_covariates=names, **SETTINGS)
    found = model.explain(future=frame.iloc[-HORIZON:])
    *_, axes = draw("effects", model, future=frame.iloc[-HORIZON:]).axes
    assert len(axes.lines) == 6 and axes.lines[-1].name == "3 others"
    whole = np.sum([line.y for line in axes.lines], axis=0)
    assert whole == pytest.approx(found.effects[found.covariates].sum(axis=1))


def test_effects_are_those_of_the_first_series_unless_others_are_named(chain):
    model, frame = chain
    assert {axes.title.split(",")[0] for axes in draw("effects", model).axes} == {"north"}
    both = draw("effects", model, table=frame, only=("south", "up")).axes
    assert [axes.title.split(",")[0] for axes in both] == ["south", "south", "up", "up"]
    assert [axes.row for axes in both] == [0, 1, 2, 3]


def test_weights_of_members_are_drawn_as_bars(model):
    weights = {"network": {"sales": 0.25}, "structural": {"sales": 0.75}}
    manifest = model.bundle.manifest.model_copy(update={"weights": weights})
    source = Source(dataclasses.replace(model.bundle, manifest=manifest))
    (bars,) = describe(source, "effects").axes[-1].bars
    assert bars.x == ("structural", "network") and bars.heights == (75.0, 25.0)


def test_a_model_of_labels_has_its_errors_and_its_training_history(golden):
    labels = fc.load(golden.with_name("format-2-labels.forecast"))
    assert draw("loss", labels).axes[0].lines
    ours, classes = draw(None, labels).axes
    accuracy = labels.evaluation.own_scores["accuracy"]["y"]
    assert ours.bars[0].heights[0] == pytest.approx(100 * (1 - accuracy))
    counts = labels.evaluation.confusion
    wrong = [100 * (1 - own[at] / sum(own)) for at, own in enumerate(counts)]
    assert classes.bars[0].heights == pytest.approx(wrong)
    with pytest.raises(fc.UsageError, match="kind=loss"):
        draw("forecast", labels)


def test_losses_have_a_line_for_each_network(golden):
    model = fc.load(golden.with_name("format-8.forecast"))
    (axes,) = draw("loss", model).axes
    validation = named(axes.lines, "validation")
    assert [line.number for line in validation] == [0, 1]
    own = model.history.query("network == 2")["validation_loss"]
    assert validation[1].y == pytest.approx(own)


def test_long_lines_are_thinned_and_keep_their_extremes():
    values = np.sin(np.arange(50_000) / 500)
    values[31_234] = 9.0
    kept = thinned(values)
    assert len(kept) <= 2000 and 31_234 in kept and kept == sorted(kept)


@pytest.fixture(scope="module")
def backtest():
    plan = fc.Plan(models=("naive", "seasonal-naive"), n_windows=3)
    return fc.backtest(table(), plan, column="sales", horizon=HORIZON)


def test_a_backtest_shows_its_errors_or_its_forecasts(backtest):
    assert isinstance(backtest, Backtest)
    steps, cutoffs = describe_backtest(backtest, "errors").axes
    assert [line.name for line in steps.lines] == ["naive", "seasonal-naive"]
    assert steps.lines[0].y == tuple(row["naive"] for row in backtest.by_step)
    assert len(cutoffs.lines[0].x) == 3 and cutoffs.kind == "time"
    (axes,) = describe_backtest(backtest, "test").axes
    assert len(named(axes.lines, "naive")) == 3
    frame = backtest.frame
    assert named(axes.lines, "naive")[0].y == tuple(frame["naive"][:HORIZON])
    with pytest.raises(fc.UsageError, match='no chart "loss" of a backtest'):
        describe_backtest(backtest, "loss")


def test_a_comparison_shows_the_error_of_each_model(golden):
    rows = [
        {"model": "lstm", "mae": 2.0, "mase": 1.0},
        {"model": "naive", "mae": 3.0, "mase": None},
    ]
    bundle = fc.load(golden).bundle
    found = Comparison(rows, bundle, "lstm", {}, "lstm wins.")
    (axes,) = describe_comparison(found).axes
    assert axes.bars[0].x == ("lstm", "naive") and axes.bars[0].heights == (2.0, 3.0)
    assert len(found.plot().patches) == 2


def test_the_page_lists_every_kind():
    page = (Path(__file__).parents[3] / "docs" / "plots.md").read_text()
    assert re.findall(r"^\| `(\w+)`", page, re.MULTILINE) == list(CHARTS)


def test_a_table_is_drawn_as_an_inspection_suggests_where_no_column_is_named():
    frame, notes = shops("north", "south"), []
    frame.loc[7, "sales"] = np.nan
    chart = draw(None, table=frame, on_event=notes.append)
    assert [axes.title for axes in chart.axes] == ["sales of north", "sales of south"]
    assert chart.axes[0].lines[0].y[7] is None
    assert "drawn: sales by shop (choose another with `column`)" in [each.text for each in notes]
