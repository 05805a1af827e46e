"""What names the series of a table, as it stands there."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.errors import DataError
from forecast_cli.data.groups import (
    count_names,
    group_rows,
    has_alike,
    likely_series,
    name_series,
    one_series,
)
from forecast_cli.data.io.in_memory import from_frame
from forecast_cli.data.io.opening import open_table

names = st.lists(st.sampled_from(["b", "a", "007", "7", "A", "a b"]), min_size=1, max_size=30)


def group(frame, *series):
    return group_rows(from_frame(frame), series)


def name_tuples(ids):
    return list(ids.itertuples(index=False, name=None))


@given(names)
def test_series_keep_the_order_in_which_they_come(column):
    found = group(pd.DataFrame({"id": column}), "id")
    assert found.ids["id"].tolist() == list(dict.fromkeys(column))
    assert [found.name(code) for code in found.codes] == column


@given(names, st.randoms(use_true_random=False))
def test_several_columns_together_name_a_series(column, random):
    second = random.choices(["x", "y", "b"], k=len(column))
    frame = pd.DataFrame({"one": column, "two": second})
    found = group(frame, "two", "one")
    pairs = list(zip(second, column, strict=True))
    assert list(found.ids) == ["two", "one"]
    assert name_tuples(found.ids) == list(dict.fromkeys(pairs))
    assert [name_tuples(found.ids)[code] for code in found.codes] == pairs


def test_names_whose_parts_only_look_alike_are_different_series():
    frame = pd.DataFrame({"one": ["a b", "a"], "two": ["c", "b c"]})
    found = group(frame, "one", "two")
    assert found.codes.tolist() == [0, 1]
    assert found.name(0) == found.name(1) == "a b c"


def test_without_a_name_there_is_one_series():
    found = group(pd.DataFrame({"y": [1, 2, 3]}))
    assert found.codes.tolist() == [0, 0, 0]
    assert (len(found.ids), len(found.ids.columns), found.name(0)) == (1, 0, "")
    assert name_series(one_series(), 0) == ""


@pytest.mark.parametrize("count", [1, 2])
def test_a_row_without_a_name_is_an_error_with_its_line(write, count):
    rows = ["shop,item,y", "a,x,1", "b,y,2", "a,,3" if count == 2 else ",x,3"]
    table = open_table(write("\n".join(rows))).read(text=["shop", "item"])
    empty = "item" if count == 2 else "shop"
    with pytest.raises(DataError, match=rf'table\.csv line 4: column "{empty}" is empty') as caught:
        group_rows(table, ["shop", "item"][:count])
    assert "drop the row" in caught.value.hint


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_name_of_a_frame_is_named_with_its_row(missing):
    with pytest.raises(DataError, match='row 3: column "id" is empty'):
        group(pd.DataFrame({"id": ["a", "b", missing]}), "id")


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.Categorical(["b", "a", "b"], categories=["a", "b", "c"]), ["b", "a"]),
        (pd.array(["b", "a", "b"], dtype="string"), ["b", "a"]),
        ([3, 1, 3], [3, 1]),
        ([True, False, True], ["True", "False"]),
        (pd.to_datetime(["2024-01-01", "2023-01-01", "2024-01-01"]), None),
    ],
    ids=["categories", "strings", "numbers", "truths", "dates"],
)
def test_names_of_a_frame_may_be_of_any_kind(column, expected):
    found = group(pd.DataFrame({"id": column, "other": "x"}), "id")
    assert found.codes.tolist() == [0, 1, 0]
    assert len(found.ids) == 2
    if expected:
        assert found.ids["id"].tolist() == expected
    both = group(pd.DataFrame({"id": column, "other": "x"}), "id", "other")
    assert both.codes.tolist() == [0, 1, 0]
    assert len(both.ids) == 2


def long(*keys, days=6, **columns):
    """A row for each name and day, names as tuples."""
    times = pd.date_range("2024-01-01", periods=days)
    rows = [(*name, time) for name in keys for time in times]
    frame = pd.DataFrame(rows, columns=[*"abcde"[: len(keys[0])], "date"])
    return frame.assign(**columns, y=np.arange(len(frame)) / 7)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (long(("x",), ("y",)), ("a",)),
        (long((1,), (2,)), ("a",)),
        (long(("x", "u"), ("x", "v"), ("y", "u")), ("a", "b")),
        (long(*[(a, b, c) for a in "xy" for b in "uv" for c in "pq"]), ("a", "b", "c")),
        (long(("x",)), ()),
        (long((1.5,), (2.5,)), ()),
        (long(("x", "x"), ("y", "x"), ("z", "y")), ("a",)),
        (pd.concat([long(("x",), ("y",))] * 2), ()),
    ],
    ids=[
        "a word",
        "a number",
        "two words",
        "three words",
        "no time twice",
        "a measure",
        "the fewest columns",
        "what tells nothing apart",
    ],
)
def test_what_seems_to_name_the_series_is_found(frame, expected):
    assert likely_series(from_frame(frame.reset_index(drop=True)), ["date"]) == expected


@pytest.mark.parametrize(
    "source",
    [
        "file",
        "frame",
    ],
)
def test_words_name_series_sooner_than_numbers(write, source):
    frame = long((1, "x"), (2, "y"))
    table = (
        from_frame(frame)
        if source == "frame"
        else open_table(write(frame.to_csv(index=False))).read()
    )
    assert likely_series(table, ["date"]) == ("b",)


def test_what_comes_once_names_no_series():
    frame = long(("x",), ("y",)).assign(a=lambda rows: [f"row {each}" for each in rows.index])
    assert likely_series(from_frame(frame), ["date"]) == ()


def test_the_time_may_stand_in_parts():
    frame = long(("x",), ("y",))
    parts = frame.assign(month=frame["date"].dt.month, day=frame["date"].dt.day)
    table = from_frame(parts.drop(columns="date"))
    assert likely_series(table, ["month", "day"]) == ("a",)


@given(st.integers(1, 3), st.integers(2, 5), st.integers(2, 6), st.randoms(use_true_random=False))
def test_what_is_found_tells_every_row_of_a_time_apart(keys, count, days, random):
    table = [tuple(random.choices("xyz", k=keys)) for _ in range(count)]
    frame = long(*dict.fromkeys(table), days=days)
    found = list(likely_series(from_frame(frame), ["date"]))
    if frame["date"].duplicated().any():
        assert found
        assert not frame.duplicated(["date", *found]).any()
        for left_out in found:
            others = [each for each in found if each != left_out]
            assert frame.duplicated(["date", *others]).any()
    else:
        assert found == []


@given(names, names, st.integers(1, 40))
def test_names_are_counted_some_at_a_time(first, second, many):
    frames = [pd.DataFrame({"id": each}) for each in (first, second)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forecast_cli.data.groups.SLICE", many)
        assert count_names(*frames) == len({*first, *second})
        alike = len({" ".join(name.lower().split()) for name in (*first, *second)})
        assert has_alike(*frames) == (alike < len({*first, *second}))


def test_names_are_counted_by_all_their_parts():
    assert count_names(pd.DataFrame({"shop": ["a", "a", "ab"], "item": ["b", "c", ""]})) == 3
