"""Tables that are given to a saved model and are not like those that it was trained on."""

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

    def call(command, model, *tables, flags=()):
        model.save(tmp_path / "model.forecast")
        names = []
        for number, table in enumerate(tables):
            table.to_csv(tmp_path / f"table{number}.csv", index=False)
            names.append(f"table{number}.csv")
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
    assert "3 steps without a row" in err


def test_a_table_that_was_trained_on_with_a_frequency_of_its_own_can_be_forecast(linear, ask):
    table = sales("2023-01-02", 100, "B")
    model = linear(table, column="sales", freq="D", missing="interpolate", **SMALL)
    assert ask("predict", model, table)[0] == 0


def test_several_series_for_a_model_of_one_are_not_named_by_a_flag_that_is_not_there(daily, ask):
    table = sales("2023-08-01", 20)
    both = pd.concat([table.assign(store="N"), table.assign(store="S")])
    code, _, err = ask("predict", daily, both)
    assert code == 3
    assert "trained on one series" in err
    assert "--series" not in err
