"""Covariates that are names of something, as numbers: known, unknown and missing ones."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.config.sections import Data, Split
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data import categories
from forecast_cli.data.categories import (
    category_numbers,
    find_categories,
    kept_numbers,
    with_known_categories,
)
from forecast_cli.data.io.in_memory import from_frame
from forecast_cli.data.reading import read_panel
from forecast_cli.data.splits import all_training, split_rows

NAN = np.nan
words = st.lists(st.sampled_from(["sun", "rain", "Sun", "snow", "서울", None]), min_size=1)


def find(frame, *covariates, **data):
    return find_categories(from_frame(frame), Data(past_covariates=covariates, **data))


def panel_of(names, lengths=None, *, kind="past_covariates", **data):
    """A panel whose covariate holds the names."""
    lengths = lengths or [len(names)]
    ids = np.repeat([*"abc"][: len(lengths)], lengths)
    days = np.concatenate([pd.date_range("2024-01-01", periods=rows) for rows in lengths])
    frame = pd.DataFrame({"id": ids, "t": days, "y": 1.0, "c": names})
    return read_panel(frame, Data(column=("y",), series=("id",), **{kind: ("c",)}, **data))


def back(panel, values):
    """What the numbers stand for."""
    known = panel.columns.covariates.categories["c"]
    return [known[int(each) - 1] if each > 0 else None for each in values]


@given(words)
def test_numbers_stand_for_the_names(column):
    table = from_frame(pd.DataFrame({"c": pd.array(column, dtype="string")}))
    known = find_categories(table, Data(past_covariates=("c",), categorical=("c",)))["c"]
    assert list(known) == sorted({each for each in column if each is not None})
    numbers = category_numbers(table, "c", known)
    assert numbers.dtype == np.float64
    assert [None if np.isnan(each) else known[int(each) - 1] for each in numbers] == column


@given(words, st.lists(st.sampled_from(["rain", "snow", "hail"]), unique=True))
def test_names_that_are_not_known_are_none_of_them_and_missing_ones_missing(column, known):
    table = from_frame(pd.DataFrame({"c": pd.array(column, dtype="string")}))
    expected = [known.index(each) + 1.0 if each in known else 0.0 for each in column]
    missing = np.array([each is None for each in column], bool)
    np.testing.assert_array_equal(
        category_numbers(table, "c", known), np.where(missing, np.nan, expected)
    )


@given(st.sets(st.integers(0, 9)), st.lists(st.integers(0, 10) | st.just(NAN)))
def test_numbers_are_counted_anew_where_some_names_are_kept(kept, numbers):
    known = [f"name {number}" for number in range(10)]
    names = [known[each] for each in sorted(kept)]
    found = kept_numbers(np.array(numbers, float), known, names)
    for before, after in zip(numbers, found, strict=True):
        if np.isnan(before):
            assert np.isnan(after)
        else:
            name = known[before - 1] if before else None
            assert (names[int(after) - 1] if after else None) == (name if name in names else None)


def test_words_are_categories_and_numbers_are_not(write):
    rows = ["t,y,word,number,comma,mixed"]
    rows += [
        f'2024-01-0{day},1,red,{day},"{day},5",{"x" if day == 3 else day}' for day in (1, 2, 3)
    ]
    names = ("word", "number", "comma", "mixed")
    panel = read_panel(write("\n".join(rows)), Data(column=("y",), past_covariates=names))
    assert panel.columns.covariates.categories == {"word": ("red",), "mixed": ("1", "2", "x")}
    assert panel.data.categorical == ("word", "mixed")
    assert panel.values[:, 1:].tolist() == [[1, 1, 1.5, 1], [1, 2, 2.5, 2], [1, 3, 3.5, 3]]


def test_numbers_can_be_names(write):
    text = "t,y,store\n2024-01-01,1,10\n2024-01-02,1,9\n2024-01-03,1,10\n"
    data = Data(column=("y",), past_covariates=("store",), categorical=("store",))
    panel = read_panel(write(text), data)
    assert panel.columns.covariates.categories == {"store": ("10", "9")}
    assert panel.values[:, 1].tolist() == [1, 2, 1]
    # The same number written in another way is the same name.
    later = pd.DataFrame(
        {"t": pd.date_range("2024-01-04", periods=3), "y": 1.0, "store": [9.0, 10, 8]}
    )
    known = panel.columns.covariates.categories
    assert read_panel(later, panel.data, categories=known).values[:, 1].tolist() == [2, 1, 0]


def test_what_was_a_category_in_training_is_one_in_every_table(write):
    name = write("t,y,c\n2024-01-01,1,7\n2024-01-02,1,8\n2024-01-03,1,7\n")
    data = Data(column=("y",), past_covariates=("c",))
    panel = read_panel(name, data, categories={"c": ("7", "blue")})
    assert panel.values[:, 1].tolist() == [1, 0, 1]
    with pytest.raises(DataError, match='column "c" holds "blue"'):
        read_panel(
            write("t,y,c\n2024-01-01,1,7\n2024-01-02,1,blue\n2024-01-03,1,7\n"), data, categories={}
        )


@pytest.mark.parametrize("missing", ["error", "interpolate", "ffill", "drop", "mask"])
def test_a_name_that_is_missing_is_one_that_is_not_known(write, missing):
    text = "t,y,c\n2024-01-01,1,a\n2024-01-02,2,\n2024-01-03,3,NA\n2024-01-04,4,b\n"
    data = Data(column=("y",), past_covariates=("c",), missing=missing)
    panel = read_panel(write(text), data)
    assert panel.values[:, 1].tolist() == [1, 0, 0, 2]


def test_more_markers_stand_for_a_missing_name(write):
    text = "t,y,c\n2024-01-01,1,a\n2024-01-02,2,?\n2024-01-03,3,b\n"
    panel = read_panel(write(text), Data(column=("y",), past_covariates=("c",), na=("?",)))
    assert panel.values[:, 1].tolist() == [1, 0, 2]


@pytest.mark.parametrize("kind", ["past_covariates", "future_covariates", "static_covariates"])
def test_covariates_of_every_kind_may_be_names(kind):
    panel = panel_of(["x"] * 4 + ["w"] * 3, [4, 3], kind=kind)
    assert panel.columns.covariates.categories == {"c": ("w", "x")}
    assert back(panel, panel.values[:, 1]) == ["x"] * 4 + ["w"] * 3
    assert panel.columns.inputs.categories == {1: 2}


def test_too_many_names_teach_nothing(monkeypatch):
    monkeypatch.setattr(categories, "MOST_CATEGORIES", 3)
    assert len(find(pd.DataFrame({"c": ["a", "b", "c"]}), "c")["c"]) == 3
    with pytest.raises(DataError, match='"c" has 4 categories'):
        find(pd.DataFrame({"c": ["a", "b", "c", "d"]}), "c")


def test_truths_are_numbers_unless_they_are_called_names():
    frame = pd.DataFrame({"c": [True, False, True]})
    assert find(frame, "c") == {}
    assert find(frame, "c", categorical=("c",)) == {"c": ("false", "true")}


def test_a_category_that_is_no_covariate_is_a_usage_error(write):
    name = write("t,y,c\n2024-01-01,1,a\n2024-01-02,2,b\n")
    with pytest.raises(UsageError, match='`categorical` "d" is not among the covariates'):
        read_panel(name, Data(column=("y",), past_covariates=("c",), categorical=("d",)))


# The vocabulary.


@given(
    st.lists(st.sampled_from(["p", "q", "r", "s"]), min_size=7, max_size=20),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_only_names_of_training_rows_are_known(names, test, validation):
    panel = panel_of(names)
    splits = split_rows(panel, Split(validation=validation, test=test), horizon=1)
    known = with_known_categories(panel, splits)
    train = len(names) - test - validation
    assert known.columns.covariates.categories["c"] == tuple(sorted(set(names[:train])))
    expected = [each if each in names[:train] else None for each in names]
    assert back(known, known.values[:, 1]) == expected
    assert back(panel, panel.values[:, 1]) == names


def test_names_of_any_series_in_training_are_known_in_all():
    names = [*"ppppp", *"qqqqp"]
    panel = panel_of(names, [5, 5])
    splits = split_rows(panel, Split(validation=0, test=1), horizon=1)
    known = with_known_categories(panel, splits)
    assert known.columns.covariates.categories["c"] == ("p", "q")
    assert back(known, known.values[:, 1]) == names


@given(st.lists(st.sampled_from([*"pqrst", None]), min_size=3, max_size=3))
def test_what_comes_later_changes_nothing_of_what_is_known(later):
    names = [*"qrqrqr"]
    seen = []
    for end in (["q"] * 3, later):
        panel = panel_of(names + end)
        known = with_known_categories(
            panel, split_rows(panel, Split(validation=0, test=3), horizon=1)
        )
        seen.append((known.columns, known.values[:6].tolist()))
    assert seen[0] == seen[1]


def test_names_ahead_are_those_that_are_known():
    frame = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=6), "y": [1, 2, 3, 4, NAN, NAN],
                          "c": list("qrqrsq")})  # fmt: skip
    panel = read_panel(frame, Data(column=("y",), future_covariates=("c",)))
    known = with_known_categories(panel, all_training(panel))
    assert known.columns.covariates.categories["c"] == ("q", "r")
    assert known.ahead[0, :, 1].tolist() == [0, 1]


def test_a_panel_without_names_stays_as_it_is():
    panel = panel_of([1.0, 2, 3])
    assert with_known_categories(panel, all_training(panel)) is panel


def test_a_step_ahead_without_a_row_stays_missing():
    names = [*"qrqrqr", *"qrqr"]
    frame = pd.DataFrame({"id": [*"aaaaaa", *"bbbb"], "c": names, "y": 1.0})
    frame["t"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame.groupby("id").cumcount(), "D")
    frame.loc[frame["t"] > "2024-01-03", "y"] = NAN
    panel = read_panel(frame, Data(column=("y",), future_covariates=("c",), series=("id",)))
    assert np.isnan(panel.ahead[1, 1:, 1]).all()
    known = with_known_categories(panel, all_training(panel))
    np.testing.assert_array_equal(known.ahead, panel.ahead)


def test_a_row_that_is_missing_ahead_is_no_unknown_name():
    days = pd.date_range("2024-01-01", periods=7).delete(5)
    frame = pd.DataFrame({"t": days, "y": [1, 2, 3, 4, NAN, NAN], "c": list("qrqrqr")})
    panel = read_panel(frame, Data(column=("y",), future_covariates=("c",), freq="D"))
    np.testing.assert_array_equal(panel.ahead[0, :, 1], [1, NAN, 2])


@pytest.mark.parametrize(
    "how",
    [
        {"resample": "D"},
        {"resample": "D", "aggregate": "sum"},
        {"duplicates": "mean"},
        {"duplicates": "sum"},
    ],
    ids=str,
)
def test_names_of_several_rows_make_no_other_name(how):
    times = pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-02", "2024-01-03"])
    frame = pd.DataFrame({"t": times, "y": 1.0, "c": ["a", "c", "b", "b"]})
    try:
        panel = read_panel(frame, Data(column=("y",), past_covariates=("c",), **how))
    except (DataError, UsageError):
        return
    assert panel.values[0, 1] in (0, 1, 3)


def test_the_categories_of_pandas_are_names():
    panel = panel_of(pd.Categorical(["x", "w", "x"]))
    assert panel.columns.covariates.categories == {"c": ("w", "x")}
