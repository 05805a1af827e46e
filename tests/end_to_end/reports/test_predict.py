"""Tables that are given to a saved model and are not like those that it was trained on."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

RNG = np.random.default_rng(5)
SMALL = {"horizon": 3, "timesteps": 6}


def sales(begin, rows, freq="D", level=100.0):
    """A table of one series with a season of a week and a little noise."""
    values = level * (1 + 0.1 * np.sin(np.arange(rows) * 2 * np.pi / 7) + RNG.normal(0, 0.02, rows))
    dates = pd.date_range(begin, periods=rows, freq=freq)
    return pd.DataFrame({"date": dates, "sales": values.round(2)})


@pytest.fixture(scope="module")
def daily(linear):
    return linear(sales("2023-01-01", 200), column="sales", **SMALL)


@pytest.fixture
def ask(run, tmp_path):
    """Run a command for a model with tables: its exit code, stdout and stderr."""

    def call(command, model, *tables, future=None, flags=()):
        model.save(tmp_path / "model.forecast")
        names = []
        for number, table in enumerate(tables):
            table.to_csv(tmp_path / f"table{number}.csv", index=False)
            names.append(f"table{number}.csv")
        if future is not None:
            future.to_csv(tmp_path / "future.csv", index=False)
            names += ["--future", "future.csv"]
        return run(command, *names, *flags)

    return call


@pytest.mark.parametrize("command", ["predict", "evaluate"])
@pytest.mark.parametrize(
    ("freq", "words"),
    [
        ("h", "hourly"),
        ("W", "weekly"),
        ("MS", "monthly"),
        ("ME", "monthly"),
        ("QS", "quarterly"),
        ("B", "in business days"),
        ("15min", "in steps of 15 minutes"),
    ],
)
def test_a_table_of_another_frequency_is_refused_in_words(daily, ask, command, freq, words):
    code, out, err = ask(command, daily, sales("2023-08-01", 40, freq))
    assert (code, out) == (3, "")
    assert f"the model is daily, this table is {words} (" in err
    assert "--freq" not in err
    assert "--time" not in err
    assert "without a row" not in err


@pytest.mark.parametrize(
    ("own", "other", "words"),
    [
        ("MS", "D", "the model is monthly, this table is daily"),
        ("W", "D", "the model is weekly, this table is daily"),
        ("B", "D", "the model is in business days, this table is daily"),
        ("B", "W-FRI", "the model is in business days, this table is weekly"),
        ("h", "D", "the model is hourly, this table is daily"),
    ],
)
def test_models_of_every_frequency_refuse_others(linear, ask, own, other, words):
    model = linear(sales("2023-01-02", 80, own), column="sales", **SMALL)
    code, _, err = ask("predict", model, sales("2023-08-04", 40, other))
    assert code == 3
    assert words in err


def test_a_gap_is_no_other_frequency(daily, ask):
    table = sales("2023-08-01", 40).drop(index=[7, 8, 20])
    code, _, err = ask("predict", daily, table, flags=["--missing", "interpolate"])
    assert code == 0
    assert "3 of 40 steps (7.5 %) without a row" in err


def test_a_table_that_was_trained_on_with_a_frequency_of_its_own_can_be_forecast(linear, ask):
    table = sales("2023-01-02", 100, "B")
    model = linear(table, column="sales", freq="D", missing="interpolate", max_filled=0.3, **SMALL)
    assert ask("predict", model, table)[0] == 0


def test_several_series_for_a_model_of_one_are_not_named_by_a_flag_that_is_not_there(daily, ask):
    table = sales("2023-08-01", 20)
    both = pd.concat([table.assign(store="N"), table.assign(store="S")])
    code, _, err = ask("predict", daily, both)
    assert code == 3
    assert "trained on one series" in err
    assert "--series" not in err


def stores(names, begin="2023-01-01", rows=60, **more):
    tables = [sales(begin, rows, **more).assign(store=name) for name in names]
    return pd.concat([table.assign(promo=np.arange(rows) % 2) for table in tables])


SHOPS = {"column": "sales", "series": "store", "future_covariates": "promo", **SMALL}


@pytest.fixture(scope="module")
def shops(linear):
    return linear(stores(["S1", "Shop 2"]), **SHOPS)


@pytest.mark.parametrize("other", ["s1", "S1 ", " S1", "S1\u00a0"])
@pytest.mark.parametrize("command", ["train", "inspect"])
def test_names_that_differ_in_case_or_blanks_are_asked_about(run, tmp_path, command, other):
    table = stores(["S1"])
    table.loc[table.index % 2 == 1, "store"] = other
    table.to_csv(tmp_path / "t.csv", index=False)
    flags = ["--series", "store", "--column", "sales"]
    code, out, err = run(command, "t.csv", *flags)
    words = f'line 3: the series "{other}" differs from "S1" only in case or blanks'
    if command == "train":
        assert code == 3
        assert words in err
        assert "--similar-names merge" in err
    else:
        assert words in out
        assert "--similar-names merge" in out


def test_the_names_are_merged_or_kept_as_asked(run, tmp_path):
    table = stores(["S1"])
    table.loc[table.index % 2 == 1, "store"] = "s1 "
    table.to_csv(tmp_path / "t.csv", index=False)
    counts = {}
    for how in ("merge", "keep"):
        _, out, _ = run("inspect", "t.csv", "--series", "store", "--similar-names", how, "--json")
        report = json.loads(out)
        counts[how] = (report["count"], report["shortest"])
    assert counts == {"merge": (1, 60), "keep": (2, 30)}


@pytest.mark.parametrize("names", [("0012", "12"), ("12", "1 2"), ("A-1", "A1"), ("a", "ä")])
def test_other_names_are_of_different_series(run, tmp_path, names):
    stores(names).to_csv(tmp_path / "t.csv", index=False)
    _, out, _ = run("inspect", "t.csv", "--series", "store", "--json")
    report = json.loads(out)
    assert report["count"] == 2
    assert not any("differs" in note for note in report["notes"])


@pytest.mark.parametrize(("name", "like"), [("s1", "S1"), ("S1 ", "S1"), ("shop  2", "Shop 2")])
def test_a_table_for_a_model_is_asked_about_its_names(shops, ask, name, like):
    table = stores(["S1", "Shop 2"]).replace({"store": {like: name}})
    for command, tables in (("predict", [table]), ("evaluate", [table])):
        code, _, err = ask(command, shops, *tables)
        assert code == 3
        assert f'the series "{name}" differs from "{like}" only in case or blanks' in err


@pytest.mark.parametrize(("name", "like"), [("s1", "S1"), ("S1 ", "S1"), ("SHOP 2", "Shop 2")])
def test_a_table_of_the_future_is_asked_about_its_names(shops, ask, name, like):
    known = stores(["S1", "Shop 2"])
    future = stores(["S1", "Shop 2"], "2023-03-02", 3).drop(columns="sales")
    right = ask("predict", shops, known, future=future)[1]
    future = future.replace({"store": {like: name}})
    code, _, err = ask("predict", shops, known, future=future)
    assert code == 3
    assert f'Did you mean "{like}"?' in err
    assert "missing for" not in err
    merged = ask("predict", shops, known, future=future, flags=["--similar-names", "merge"])
    assert merged[:2] == (0, right)
    assert f'"{name}" as "{like}"' in merged[2]


def test_a_mistyped_name_in_a_table_of_the_future_is_asked_about(shops, ask):
    known = stores(["S1", "Shop 2"])
    future = stores(["S1", "Shop-2"], "2023-03-02", 3).drop(columns="sales")
    code, _, err = ask("predict", shops, known, future=future)
    assert code == 3
    assert 'no row of the series "Shop 2". Did you mean it by "Shop-2"' in err


def test_the_nearest_name_is_named_whatever_its_case(shops, ask):
    code, _, err = ask("predict", shops, flags=["--only", "s1"])
    assert code == 2
    assert "Did you mean S1?" in err


def test_a_series_that_ended_long_before_the_others_is_named(linear, ask):
    table = pd.concat(
        [sales("2023-01-01", rows).assign(store=name) for name, rows in (("N", 90), ("S", 40))]
    )
    notes = []
    model = linear(table, column="sales", series="store", on_event=notes.append, test=0, **SMALL)
    words = "1 of 2 series ended long before 2023-03-31: S at 2023-02-09 (50 days before)"
    for tables in ([], [table]):
        code, out, err = ask("predict", model, *tables)
        assert code == 0
        assert f"warning: {words}; forecasts of them are of times past" in err
        assert "S,2023-02-10" in out
    assert ask("predict", model, flags=["--only", "N"])[2] == ""


def test_a_series_whose_last_rows_are_empty_ended_with_its_last_value(linear, ask):
    table = pd.concat([sales("2023-01-01", 90).assign(store=name) for name in ("N", "S")])
    table.loc[(table["store"] == "S") & (table["date"] > "2023-02-09"), "sales"] = np.nan
    reading = {"series": "store", "missing": "interpolate"}
    model = linear(table, column="sales", **reading, **SMALL)
    words = "1 of 2 series ended long before 2023-03-31: S at 2023-02-09 (50 days before)"
    assert words in ask("predict", model)[2]
    assert words in ask("predict", model, table)[2]


def test_series_that_are_only_late_are_not_named(linear, ask):
    table = pd.concat(
        [sales("2023-01-01", rows).assign(store=name) for name, rows in (("N", 90), ("S", 80))]
    )
    model = linear(table, column="sales", series="store", **SMALL)
    assert ask("predict", model)[2] == ""


# The same values in another unit: of money, weight, temperature, pressure.
UNITS = {
    "thousands": lambda x: 1000 * x,
    "thousandths": lambda x: x / 1000,
    "cents": lambda x: 100 * x,
    "tens": lambda x: x / 10,
    "pounds": lambda x: 2.2046 * x,
    "fahrenheit": lambda x: 1.8 * x + 32,
}
FAR = 'the values of "sales" in table0.csv are far outside'


def seen(table, unit):
    return table.assign(sales=UNITS[unit](table["sales"]))


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("begin", "rows"), [("2023-07-20", 30), ("2023-01-01", 220)])
def test_another_unit_is_warned_of_with_both_ranges(linear, ask, unit, begin, rows):
    level = 15.0 if unit == "fahrenheit" else 100.0
    old, new = sales("2023-01-01", 200, level=level), sales(begin, rows, level=level)
    overlap = rows > 200
    if overlap:
        new.loc[:199, "sales"] = old["sales"]
    model = linear(old, column="sales", **SMALL)
    other = seen(new, unit)
    for command, flags in (("predict", []), ("predict", ["--in-sample"]), ("evaluate", [])):
        code, _, err = ask(command, model, other, flags=flags)
        assert code == 0
        assert f"warning: {FAR}" in err
        assert f"{old['sales'].min():.6g} to {old['sales'].max():.6g} in training" in err
        assert FAR not in ask(command, model, new, flags=flags)[2]


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit != "fahrenheit"])
def test_rows_after_the_training_in_another_unit_are_warned_of(daily, ask, unit):
    table = sales("2023-01-01", 214)
    table.loc[200:, "sales"] = seen(table, unit)["sales"]
    for command, flags in (("predict", []), ("predict", ["--in-sample"]), ("evaluate", [])):
        assert FAR in ask(command, daily, table, flags=flags)[2]


def test_rows_without_times_are_compared_too(linear, ask):
    old, new = (sales("2023-01-01", rows)[["sales"]] for rows in (200, 40))
    model = linear(old, column="sales", **SMALL)
    assert ask("predict", model, new)[2] == ""
    assert FAR in ask("predict", model, seen(new, "thousands"))[2]


def test_a_series_of_several_and_a_covariate_in_another_unit_are_named(shops, ask):
    table = stores(["S1", "Shop 2"])
    other = table["store"] == "Shop 2"
    table.loc[other, "sales"] *= 1000
    flags = ["--horizon", "1", "--start", "2023-02-27"]
    code, _, err = ask("predict", shops, table, flags=flags)
    assert code == 0
    assert 'the values of "sales" of 1 of 2 series (Shop 2) in table0.csv are far outside' in err


def test_future_values_in_another_unit_are_warned_of(linear, ask):
    table = sales("2023-01-01", 100)
    table["price"] = 5 + 0.1 * np.sin(np.arange(100))
    model = linear(table, column="sales", future_covariates="price", **SMALL)
    future = sales("2023-04-11", 3)[["date"]].assign(price=[5.0, 5.1, 4.9])
    assert ask("predict", model, table, future=future)[2] == ""
    err = ask("predict", model, table, future=future.assign(price=future["price"] * 100))[2]
    assert 'the future values of "price" in table0.csv are far outside' in err


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    {
        "doubled": np.linspace(1, 2, 500),
        "halved": np.linspace(1, 0.5, 500),
        "random walk": np.exp(np.cumsum(RNG.normal(0.0005, 0.02, 500))),
        "around zero": RNG.normal(0, 1, 500),
        "counts": RNG.poisson(0.3, 500).astype(float),
        "yearly season": 10 + 9 * np.sin(np.arange(500) / 58),
    }.items(),
    ids=lambda item: item[0],
)
def test_a_trend_a_season_or_zeros_are_no_other_unit(linear, ask, path):
    table = sales("2023-01-01", 500).assign(sales=(100 * path[1]).round(3))
    model = linear(table[:370], column="sales", **SMALL)
    for new in (table, table[370:], table[450:]):
        for command, flags in (("predict", []), ("predict", ["--in-sample"]), ("evaluate", [])):
            assert FAR not in ask(command, model, new, flags=flags)[2]


@pytest.mark.parametrize("scaler", ["minmax", "standard", "robust", "none"])
def test_models_of_older_versions_tell_units_by_their_scaler(linear, ask, scaler):
    old = sales("2023-01-01", 200)
    model = linear(old, column="sales", scaler=scaler, **SMALL)
    older = replace(model, bundle=replace(model.bundle, levels=None))
    new = sales("2023-07-20", 30)
    assert FAR not in ask("predict", older, new)[2]
    for unit in ("thousands", "thousandths", "cents"):
        assert FAR in ask("predict", older, seen(new, unit))[2]


def test_strict_makes_a_warning_an_error(daily, ask, tmp_path):
    new = sales("2023-07-20", 30)
    other = seen(new, "thousands")
    for command, flags in (("predict", []), ("predict", ["--in-sample"]), ("evaluate", [])):
        flags = [*flags, "--strict"]
        code, out, err = ask(command, daily, other, flags=[*flags, "--quiet"])
        assert (code, out) == (3, "")
        assert err.startswith(f"error: {FAR}")
        assert "--strict" in err
    assert ask("predict", daily, new, flags=["--strict"])[0] == 0
    code, out, _ = ask("predict", daily, other, flags=["--strict", "--json"])
    assert json.loads(out)["error"]["code"] == "data"
    assert ask("predict", daily, flags=["--horizon", "9", "--strict", "-o", "out.csv"])[0] == 3
    assert not (tmp_path / "out.csv").exists()


def test_a_strict_training_writes_no_model_after_a_warning(run, tmp_path):
    table = sales("2023-01-01", 100).assign(other=1.0)
    table.to_csv(tmp_path / "t.csv", index=False)
    flags = ("-c", "sales", "--past-covariate", "other", "--preset", "classic")
    code, out, err = run("train", "t.csv", *flags, "--strict")
    assert (code, out) == (3, "")
    assert '"other" is constant in the training rows (1)' in err
    assert not (tmp_path / "model.forecast").exists()


def test_forecasts_of_a_series_by_another_spelling_are_asked_about(run, tmp_path):
    actual = stores(["S1", "Shop 2"]).drop(columns="promo")
    actual.to_csv(tmp_path / "actual.csv", index=False)
    late = actual[actual["date"] >= "2023-02-20"].replace({"store": {"S1": "s1"}})
    late.to_csv(tmp_path / "forecasts.csv", index=False)
    tables = ("forecasts.csv", "actual.csv", "--series", "store", "--column", "sales")
    code, _, err = run("evaluate", *tables)
    assert code == 3
    assert 'the series "s1" differs from "S1" only in case or blanks' in err
    code, _, err = run("evaluate", *tables, "--similar-names", "merge")
    assert code == 0
    assert "left out" not in err


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_what_is_filled_of_a_table_is_said_with_its_share(daily, ask, command):
    table = sales("2023-06-01", 60)
    table.loc[[40, 41, 42, 50], "sales"] = np.nan
    code, _, err = ask(command, daily, table, flags=("--missing", "interpolate"))
    assert code == 0
    filled = "warning: 4 missing values, 6.7 % of all, filled by interpolate, at most 3 in a row"
    assert f"{filled}, from 2023-07-11" in err
    assert ask(command, daily, table, flags=("--missing", "interpolate", "--strict"))[0] == 3
