import csv
import io
import json

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def forecast(frame, tmp_path):
    """A forecast of the last twelve months of the table, with intervals."""
    rows = frame.tail(12)[["date", "value"]].copy()
    rows["value"] += np.arange(12) - 4.0
    rows["value_lo80"], rows["value_hi80"] = rows["value"] - 3, rows["value"] + 3
    rows.to_csv(tmp_path / "forecast.csv", index=False)
    return rows


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def measures(text, forecaster="forecast"):
    return {row["measure"]: row[forecaster] for row in rows_of(text)}


def test_a_forecast_is_scored_against_what_came(run, forecast, table, frame):
    code, out, err = run("evaluate", "forecast.csv", table)
    assert code == 0
    errors = np.arange(12) - 4.0
    found = measures(out)
    assert float(found["mae"]) == pytest.approx(np.abs(errors).mean())
    assert float(found["bias"]) == pytest.approx(errors.mean())
    assert float(found["coverage80"]) == pytest.approx(100 * (np.abs(errors) <= 3).mean())
    values = frame["value"].to_numpy()
    last = np.abs(values[-12:] - values[-13]).mean()
    assert float(measures(out, "naive")["mae"]) == pytest.approx(last)
    season = np.abs(values[-12:] - values[-24:-12]).mean()
    assert float(measures(out, "seasonal-naive")["mae"]) == pytest.approx(season)
    assert "1 forecast, horizon 12" in err
    assert "smape (0 to 200, as in M4)" in err
    assert "in-sample errors of the seasonal naive (season 12)" in err


def test_quiet_leaves_the_words_out(run, forecast, table):
    code, out, err = run("evaluate", "forecast.csv", table, "-q")
    assert (code, err) == (0, "")
    assert rows_of(out)


def test_tables_by_step_and_by_series(run, forecast, table):
    rows = rows_of(run("evaluate", "forecast.csv", table, "--by", "step")[1])
    assert [float(row["mae"]) for row in rows] == pytest.approx(list(np.abs(np.arange(12) - 4.0)))
    assert len(rows_of(run("evaluate", "forecast.csv", table, "--by", "series")[1])) == 1


def test_json_is_one_document_with_all_tables(run, forecast, table):
    code, out, err = run("evaluate", "forecast.csv", table, "--json", "--owa")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["forecasts"] == document["series"] == 1
    assert document["steps"] == len(document["by_step"]) == 12
    assert {row["measure"] for row in document["overall"]} >= {"mae", "mase", "owa", "crps"}
    assert set(document["overall"][0]) >= {"forecast", "naive", "seasonal-naive", "naive2"}
    assert len(document["by_series"]) == 1
    assert document["notes"] == []


def test_several_series_and_columns_called_otherwise(run, frame, tmp_path):
    truth = pd.concat([frame.assign(shop=name) for name in ("a", "b")])
    truth.to_csv("truth.csv", index=False)
    given = truth.groupby("shop").tail(3).rename(columns={"date": "ds", "value": "yhat"})
    given[["shop", "ds", "yhat"]].assign(other=0.0).to_csv("given.csv", index=False)
    words = ("--column", "value", "--series", "shop")
    code, out, err = run(
        "evaluate", "given.csv", "truth.csv", *words, "--forecast", "yhat", "--forecast", "other"
    )
    assert code == 0
    assert float(measures(out, "yhat")["mae"]) == 0.0
    assert float(measures(out, "other")["wape"]) == 100.0
    assert "yhat" not in err
    assert "of 2 series" in err
    rows = rows_of(run("evaluate", "given.csv", "truth.csv", *words, "--forecast", "other",
                       "--by", "series")[1])  # fmt: skip
    assert {row["shop"] for row in rows} == {"a", "b"}


def test_one_of_both_may_come_from_a_pipe(run, forecast, table, monkeypatch):
    expected = run("evaluate", "forecast.csv", table)[1]
    text = forecast.to_csv(index=False).encode()
    stdin = io.TextIOWrapper(io.BytesIO(text))
    monkeypatch.setattr("sys.stdin", stdin)
    assert run("evaluate", "-", table)[:2] == (0, expected)


def test_the_levels_of_sample_paths(run, forecast, table):
    rng = np.random.default_rng(0)
    paths = forecast[["date", "value"]].loc[forecast.index.repeat(20)]
    paths["value"] += rng.normal(0, 3, len(paths))
    paths.assign(sample=np.tile(np.arange(20), 12)).to_csv("paths.csv", index=False)
    code, out, err = run("evaluate", "paths.csv", table, "--level", "50")
    assert code == 0
    assert "coverage50" in measures(out)
    assert "coverage80" not in measures(out)
    assert "median of the sample paths" in err


def test_rows_that_have_not_come_are_told(run, forecast, frame, tmp_path):
    frame.head(234).to_csv("earlier.csv", index=False)
    code, out, err = run("evaluate", "forecast.csv", "earlier.csv")
    assert code == 0
    assert "warning: 6 of 12 rows of forecast.csv have no actual value in earlier.csv" in err
    assert float(measures(out)["mae"]) == pytest.approx(np.abs(np.arange(6) - 4.0).mean())


def test_a_model_is_scored_on_new_rows_beside_the_simple_forecasts(run, golden, table):
    code, out, err = run("evaluate", golden, table)
    assert code == 0
    assert list(rows_of(out)[0]) == [
        "measure", "column", "lstm", "naive", "seasonal-naive", "drift",
    ]  # fmt: skip
    assert "the baselines" in err
    assert run("evaluate", table, "-m", golden)[1] == out
    document = json.loads(run("evaluate", golden, table, "--json")[1])
    assert document["verdict"] in err
    assert document["overall"][0]["lstm"] == pytest.approx(float(rows_of(out)[0]["lstm"]))
    assert all(warning in err for warning in document["warnings"])


def test_owa_of_a_model(run, golden, table):
    code, out, err = run("evaluate", golden, table, "--owa")
    assert code == 0
    rows = {row["measure"]: row for row in rows_of(out) if row["column"] == "value"}
    assert float(rows["owa"]["naive2"]) == pytest.approx(1.0)
    assert float(rows["owa"]["lstm"]) > 0
    assert "owa below 1 is better than Naive2" in err


@pytest.mark.slow
@pytest.mark.tf
def test_how_the_intervals_of_a_model_are_made(run, trained, table, tmp_path):
    trained.save(tmp_path / "model.forecast")
    words = ("evaluate", "model.forecast", table, "--level", "80")
    usual, adaptive = (run(*words, *more)[1] for more in ((), ("--intervals", "adaptive")))
    assert run(*words, "--intervals", "conformal")[1] == usual
    assert measures(adaptive, "lstm")["width80"] != measures(usual, "lstm")["width80"]
    code, out, err = run(*words, "--intervals", "cqr")
    assert (code, out) == (2, "")
    assert "The model was not trained for intervals by cqr" in err


def test_settings_of_the_training_in_the_environment_are_none_of_a_table(
    run, forecast, table, monkeypatch
):
    expected = run("evaluate", "forecast.csv", table)
    for name, value in (("LEVEL", "80"), ("INTERVALS", "cqr"), ("MISSING", "mask")):
        monkeypatch.setenv(f"FORECAST_{name}", value)
    assert run("evaluate", "forecast.csv", table) == expected


def test_it_is_said_of_which_quantiles_the_loss_is(run, forecast, table):
    assert (
        "pinball (mean over the quantiles 0.05 to 0.95" in run("evaluate", "forecast.csv", table)[2]
    )


def test_the_backtest_of_a_table_whose_columns_are_series(run, frame):
    frame.to_csv("wide.csv", index=False)
    words = ("--layout", "columns")
    code, out, err = run(
        "backtest", "wide.csv", *words, "--models", "naive,drift", "--horizon", 3, "--n-windows", 2,
        "-o", "long.csv",
    )  # fmt: skip
    assert code == 0
    code, out, err = run("evaluate", "long.csv", "wide.csv", *words)
    assert code == 0
    assert list(rows_of(out)[0]) == ["measure", "naive", "drift", "seasonal-naive"]
    assert "4 forecasts of 2 series, horizon 3" in err


def test_the_first_date_that_a_model_is_scored_on(run, golden, table):
    document = json.loads(run("evaluate", golden, table, "--start", "2018-01-01", "--json")[1])
    assert document["forecasts"] == 22
    assert document["steps"] == 3


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("forecast.csv", "table.csv", "--column", "valu"), 3, 'Did you mean "value"?'),
        (("forecast.csv", "table.csv", "--column", "other"), 3, "pass --forecast NAME"),
        (("forecast.csv", "table.csv", "--forecast", "val"), 3, 'Did you mean "value"?'),
        (("forecast.csv", "table.csv", "--start", "2010-01-01"), 2, "a table of forecasts says"),
        (("forecast.csv", "table.csv", "--missing", "mask"), 2, "--missing is for a model"),
        (("forecast.csv", "table.csv", "table.csv"), 2, "is no model"),
        (("forecast.csv", "nowhere.csv"), 3, "nowhere.csv"),
        (("-", "-"), 2, "stdin is one table"),
        (("forecast.csv", "table.csv", "--level", "120"), 2, "Invalid level 120"),
        (("none.forecast", "table.csv"), 4, "There is no model none.forecast"),
        (("model.forecast",), 2, "nothing to score model.forecast on"),
        (("table.csv", "--forecast", "value"), 2, "--forecast is for a table"),
        (("forecast.csv", "table.csv", "--intervals", "cqr"), 2, "--intervals is for a model"),
        (("table.csv", "--column", "value"), 2, "the model determines it"),
    ],
)
def test_what_cannot_be_is_refused(run, forecast, table, arguments, code, words):
    found, out, err = run("evaluate", *arguments)
    assert (found, out) == (code, "")
    assert words in err
