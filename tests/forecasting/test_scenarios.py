"""Scenarios: what-if questions, and several tables of future covariates."""

import io
import json
import shutil

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.config.covariates import Covariates
from forecast_cli.core.events import Note
from forecast_cli.data.columns import Columns
from forecast_cli.forecasting.scenarios import parse_what_if

ROWS, HORIZON = 60, 4


def sales(shops=("A",)):
    draw = np.random.default_rng(1)
    dates = pd.date_range("2024-01-01", periods=ROWS)
    return pd.concat(
        pd.DataFrame(
            {
                "shop": shop,
                "date": dates,
                "sales": 100 + 10 * draw.standard_normal(ROWS),
                "price": draw.uniform(2, 3, ROWS) * (number + 1),
                "price-usd": draw.uniform(4, 5, ROWS),
                "weather": np.resize(["dry", "wet"], ROWS),
                "seen": draw.standard_normal(ROWS),
            }
        )
        for number, shop in enumerate(shops)
    )


FUTURE = ("price", "price-usd", "weather")


@pytest.fixture(scope="module")
def model(linear):
    return linear(
        sales(("A", "B")), column="sales", series="shop", future_covariates=FUTURE,
        past_covariates="seen", horizon=HORIZON, timesteps=6,
    )  # fmt: skip


@pytest.fixture(scope="module")
def plan(model):
    frame = model.future()
    return frame.assign(**{"price": [2.5] * 4 + [5.0] * 4, "price-usd": 4.5, "weather": "dry"})


def values(frame, scenario=None):
    part = frame if scenario is None else frame[frame["scenario"] == scenario]
    return part["sales"].to_numpy()


@pytest.mark.parametrize(
    ("what_if", "changed"),
    [
        ("price+0.1", {"price": lambda old: old + 0.1}),
        ("price - 0.1", {"price": lambda old: old - 0.1}),
        ("price*1.1", {"price": lambda old: old * 1.1}),
        ("price/1.1", {"price": lambda old: old / 1.1}),
        ("price=-2.4e0", {"price": lambda old: 0 * old - 2.4}),
        ("price-usd-0.2", {"price-usd": lambda old: old - 0.2}),
        ("weather=wet", {"weather": lambda old: ["wet"] * len(old)}),
        (
            "price*0.9, weather=wet",
            {"price": lambda old: old * 0.9, "weather": lambda old: ["wet"] * len(old)},
        ),
    ],
)
def test_a_change_is_the_forecast_with_a_table_changed_by_hand(model, plan, what_if, changed):
    by_hand = plan.assign(**{name: change(plan[name]) for name, change in changed.items()})
    found = model.predict(future=plan, what_if=what_if)
    assert list(found) == ["scenario", "shop", "date", "sales"]
    assert list(dict.fromkeys(found["scenario"])) == ["base", what_if]
    np.testing.assert_allclose(values(found, "base"), values(model.predict(future=plan)))
    np.testing.assert_allclose(
        values(found, what_if), values(model.predict(future=by_hand)), rtol=1e-5
    )
    assert not np.allclose(values(found, what_if), values(found, "base"))


def test_several_tables_are_compared_by_their_names(model, plan, tmp_path):
    other = plan.assign(price=plan["price"] * 1.01)
    plan.to_csv(tmp_path / "plan.csv", index=False)
    other.to_csv(tmp_path / "other.csv", index=False)
    expected = [values(model.predict(future=each)) for each in (plan, other)]
    for names, future in (
        (["plan.csv", "other.csv"], [tmp_path / "plan.csv", tmp_path / "other.csv"]),
        (["future 1", "future 2"], [plan, other]),
        (["low", "high"], {"low": plan, "high": other}),
    ):
        found = model.predict(future=future, level=80)
        assert list(dict.fromkeys(found["scenario"])) == names
        assert {"sales_lo80", "sales_hi80"} <= {*found}
        for name, each in zip(names, expected, strict=True):
            np.testing.assert_allclose(values(found, name), each)


def test_the_past_of_a_table_is_not_changed_and_its_later_rows_are_known(model):
    table = sales(("A", "B"))
    plain = model.predict(table, start="2024-02-20")
    found = model.predict(table, start="2024-02-20", what_if="price+0.05", only="B")
    np.testing.assert_allclose(values(found, "base"), values(plain[plain["shop"] == "B"]))
    later = table[table["date"] >= "2024-02-20"].drop(columns="sales")
    later["price"] += 0.05
    earlier = table[table["date"] < "2024-02-20"]
    by_hand = model.predict(earlier, future=later, only="B")
    np.testing.assert_allclose(values(found, "price+0.05"), values(by_hand))


def test_a_value_outside_the_range_in_training_is_warned_about(model, plan):
    def warnings(**how):
        notes = []
        model.predict(on_event=notes.append, **how)
        return [each.text for each in notes if isinstance(each, Note) and each.warning]

    assert not warnings(future=plan, what_if=["price+0.1", "weather=wet"])
    (text,) = warnings(future=plan, what_if=["price*2", "price*1.01"])
    low, high = (sales()["price"].agg(each) for each in ("min", "max"))
    assert text.startswith('scenario "price*2": "price" of 2 of 2 series (A, B) is 5, outside')
    assert f"{low:.6g} to {high:.6g}" in text
    far = plan.assign(**{"price-usd": 6.0})
    (text,) = warnings(future={"near": plan, "far": far})
    assert text.startswith('scenario "far": "price-usd"')


@pytest.mark.parametrize(
    ("what_if", "said"),
    [
        ("prize+1", 'no future covariate "prize".*Did you mean "price"'),
        ("sales+1", '"sales" is a column that is forecast'),
        ("seen+1", '"seen" is a past covariate.*future_covariates=seen'),
        ("date=3", "time column"),
        ("shop=A", "names the series"),
        ("price", "not a change of a covariate.*temperature"),
        ("price*10%", r'"10%" after "price" is not a number.*price\*0.9'),
        ("price+nan", "not a number"),
        ("price/0", "by 0"),
        ("price+1,price+2", "twice"),
        ("weather+1", "categorical.*weather=dry"),
        ("weather=dyr", 'no category "dyr".*Did you mean "dry"'),
        (["price+1", "price+1"], "twice"),
    ],
)
def test_what_cannot_be_changed_is_refused_with_the_reason(model, plan, what_if, said):
    with pytest.raises(fc.UsageError, match=said):
        model.predict(future=plan, what_if=what_if)


def test_static_and_calendar_covariates_are_refused_with_the_reason():
    known = Covariates(future=("price",), static=("size",), calendar=("hour_sin",))
    columns = Columns("date", ("sales",), ("sales",), known)
    for text, said in (("size=3", "static"), ("hour_sin+1", "computed from the times")):
        with pytest.raises(fc.UsageError, match=said):
            parse_what_if(text, columns)


def test_without_known_values_the_way_to_them_is_named(model, plan):
    with pytest.raises(fc.DataError, match=r"missing for 8 of 8 steps.*`future`.*`start`"):
        model.predict(what_if="price+1")
    with pytest.raises(fc.UsageError, match="one `future` with `what_if`"):
        model.predict(future=[plan, plan], what_if="price+1")


def test_a_model_without_future_covariates_has_no_scenarios(linear):
    model = linear(sales(), column="sales", horizon=2, timesteps=4)
    with pytest.raises(fc.UsageError, match="reads no future covariates"):
        model.predict(what_if="price+1")
    with pytest.raises(fc.UsageError, match="reads no future covariates"):
        model.predict(future=[sales(), sales()])


@pytest.fixture
def saved(model, plan, tmp_path):
    model.save(tmp_path / "model.forecast")
    plan.to_csv(tmp_path / "plan.csv", index=False)


def test_the_command_writes_scenarios_one_below_the_other(run, saved, model, plan):
    asked = ("--future", "plan.csv", "--what-if", "price+0.05")
    code, out, err = run("predict", *asked)
    expected = model.predict(future=plan, what_if="price+0.05")
    got = pd.read_csv(io.StringIO(out))
    assert (code, err, list(got)) == (0, "", list(expected))
    np.testing.assert_allclose(values(got), values(expected))
    code, out, err = run("predict", *asked, "--json")
    assert [row["scenario"] for row in json.loads(out)["forecast"]] == [*expected["scenario"]]


def test_a_terminal_gets_scenarios_beside_each_other(run, saved, monkeypatch):
    asked = ("predict", "--future", "plan.csv", "--only", "A", "-H", "1", "--what-if")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "120")
    code, out, _ = run(*asked, "price=2.4")
    assert code == 0
    assert out.split()[:5] == ["shop", "date", "base", "price=2.4", "change"]
    numbers = [float(each) for each in out.split()[-3:]]
    assert numbers[2] == pytest.approx(numbers[1] - numbers[0], abs=1e-3)
    # Wider ones stay one below the other.
    code, out, _ = run(*asked, "price=2.4", "--level", "80")
    assert "change" not in out and "base" in out and "price=2.4" in out


def test_the_environment_names_several_tables_on_lines_of_their_own(run, saved, monkeypatch):
    monkeypatch.setenv("FORECAST_FUTURE", "plan.csv")
    assert run("predict")[1].startswith("shop,date")
    shutil.copy("plan.csv", "other plan.csv")
    monkeypatch.setenv("FORECAST_FUTURE", "plan.csv\nother plan.csv")
    got = pd.read_csv(io.StringIO(run("predict")[1]))
    assert list(dict.fromkeys(got["scenario"])) == ["plan.csv", "other plan.csv"]


def test_a_column_called_scenario_is_refused(linear):
    model = linear(
        sales().rename(columns={"shop": "scenario"}), column="sales", series="scenario",
        future_covariates="price", horizon=2, timesteps=4,
    )  # fmt: skip
    plan = model.future().assign(price=2.5)
    with pytest.raises(fc.UsageError, match="Rename that column"):
        model.predict(future=plan, what_if="price+0.1")
