"""Last values far outside all before them are said once, and ordinary ends are not."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import forecast_cli as fc
from forecast_cli.data.last_values import FAR, FEWEST, MOST, find_far_ends

RNG = np.random.default_rng(0)


def ends_of(*series):
    """What is found in series of one column, as row, count and value of each."""
    values = np.concatenate([np.asarray(each, float) for each in series])[:, None]
    indptr = np.concatenate([[0], np.cumsum([len(each) for each in series])])
    return [(each.row, each.length, each.value) for each in find_far_ends(values, indptr)]


def slow(series):
    """How many last values of a series are far outside those before, by a loop."""
    known = [value for value in series if np.isfinite(value)]
    if len(known) < FEWEST + MOST:
        return 0
    for count in range(MOST, 0, -1):
        before, last = known[:-count], known[-count:]
        low, high = min(before), max(before)
        unit = high - low or abs(high)
        if unit and max(min(last) - high, low - max(last)) > FAR * unit:
            return count
    return 0


@given(
    st.lists(
        st.lists(
            st.sampled_from([0.0, 1.0, 2.0, 3.0, -20.0, 15.0, 99.0, np.nan, np.inf]), max_size=25
        ),
        max_size=4,
    )
)
def test_the_ends_are_those_of_a_loop(series):
    values = np.array([value for each in series for value in each])[:, None]
    indptr = np.concatenate([[0], np.cumsum([len(each) for each in series], dtype=int)])
    found = {each.series: each.length for each in find_far_ends(values, indptr)}
    expected = {place: slow(each) for place, each in enumerate(series)}
    assert found == {place: count for place, count in expected.items() if count}


def test_a_last_value_a_thousand_times_the_others_is_found():
    usual = RNG.normal(50, 3, 60)
    assert ends_of([*usual, 51165.0]) == [(60, 1, 51165.0)]
    assert ends_of(usual, [*usual, -999.0, -999.0], usual) == [(120, 2, -999.0)]
    # Missing values are no last values.
    assert ends_of([*usual, 51165.0, np.nan, np.nan]) == [(60, 1, 51165.0)]
    # It is one of the values before as soon as a usual one comes after it.
    assert not ends_of([*usual, 51165.0, 50.0])


def test_values_that_never_varied_are_measured_by_their_size():
    assert ends_of([*[5.0] * 20, 26.0]) == [(20, 1, 26.0)]
    assert not ends_of([*[5.0] * 20, 24.0])
    # A first demand is no mistake.
    assert not ends_of([*[0.0] * 40, 7.0])


def test_too_few_values_have_no_range():
    assert not ends_of([*RNG.normal(50, 3, FEWEST + MOST - 2), 51165.0])
    assert ends_of([*RNG.normal(50, 3, FEWEST + MOST - 1), 51165.0])


@pytest.mark.parametrize(
    "series",
    [
        RNG.normal(size=(50, 300)),
        RNG.standard_t(4, (50, 300)),
        np.cumsum(RNG.normal(size=(50, 300)), axis=1),
        100 * np.exp(np.cumsum(RNG.normal(0, 0.05, (50, 300)), axis=1)),
        RNG.negative_binomial(0.5, 0.2, (50, 300)),
        50 * np.sin(np.arange(300) / 4) + RNG.normal(size=(50, 300)),
        np.exp(0.05 * np.arange(300)) * RNG.uniform(0.9, 1.1, (50, 300)),
    ],
    ids=["noise", "heavy tails", "walk", "prices", "sales", "season", "growth"],
)
def test_ordinary_series_end_as_they_were(series):
    assert not ends_of(*series)


@pytest.fixture
def weekly(tmp_path):
    """Weekly values near 50 whose last is a thousand times as large."""
    weeks = pd.date_range("2022-01-02", periods=60, freq="W").strftime("%Y-%m-%d")
    frame = pd.DataFrame({"week": weeks, "y": RNG.normal(50, 3, 60).round(1)})
    frame.loc[59, "y"] = 51165
    frame.to_csv(tmp_path / "weekly.csv", index=False)
    return frame


WORDS = 'the last value of "y" is far outside all before: 51165 (2023-02-19), '


def test_now_and_inspect_say_so_once(run, weekly):
    code, out, _ = run("now", "weekly.csv", "--column", "y", "--json")
    said = [note for note in json.loads(out)["notes"] if "far outside" in note]
    assert code == 0 and len(said) == 1 and said[0].startswith(WORDS)
    assert "correct or remove" in said[0]
    code, out, _ = run("inspect", "weekly.csv", "--json")
    about = [text for text in json.loads(out)["warnings"] if "51165" in text]
    assert code == 0 and len(about) == 1 and "line 61)" in about[0]
    assert run("now", "weekly.csv", "--column", "y", "--strict")[0] != 0


def test_train_and_predict_say_so_once(run, weekly, linear_training):
    settings = ("--column", "y", "--horizon", "2", "--timesteps", "4", "-m", "m.forecast")
    code, _, err = run("train", "weekly.csv", *settings)
    assert code == 0 and err.count(WORDS) == 1
    code, _, err = run("predict", "weekly.csv", "-m", "m.forecast")
    assert code == 0 and err.count(WORDS) == 1
    # From a row before it there is nothing to say.
    code, _, err = run("predict", "weekly.csv", "-m", "m.forecast", "--start", "2023-02-19")
    assert code == 0 and "far outside all before" not in err


def test_many_series_are_one_warning_with_an_example(weekly):
    heard = []
    frame = pd.concat([weekly.assign(id=each) for each in "abc"])
    frame.loc[(frame["id"] == "b") & (frame["y"] == 51165), "y"] = 50.0
    fc.now(frame, column="y", series="id", on_event=heard.append)
    said = [each.text for each in heard if "far outside" in getattr(each, "text", "")]
    assert len(said) == 1 and said[0].startswith(
        "2 of 3 series end with values far outside all before: 51165 (2023-02-19 of series a), "
    )
