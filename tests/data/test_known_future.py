"""What is known of the steps to come: from the table, from another one, from the calendar."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError
from forecast_cli.data.future_table import with_future
from forecast_cli.data.groups import find_places
from forecast_cli.data.known_future import (
    before,
    frame_ahead,
    require_ahead,
    rows_ahead,
    times_ahead,
)
from forecast_cli.data.reading import read_panel
from forecast_cli.data.time.calendars import named_calendar

NAN = np.nan
BERLIN = "Europe/Berlin"
same = np.testing.assert_array_equal


def read(source, column=("y",), future=("x",), **data):
    return read_panel(source, Data(column=column, future_covariates=future, **data))


def make(ends, *, freq="D", begin="2024-01-01", tz=None, **columns):
    """Series of so many rows, named a, b, c, with a covariate that counts on."""
    frames = []
    for name, rows in zip("abc", ends, strict=False):
        times = pd.date_range(begin, periods=rows, freq=freq, tz=tz)
        counts = np.arange(rows, dtype=float) + 100 * "abc".index(name)
        frames.append(pd.DataFrame({"id": name, "t": times, "y": 1.0, "x": counts, **columns}))
    return pd.concat(frames, ignore_index=True)


def coming(panel, steps, freq=None, value=lambda series, step: 1000.0 * series + step):
    """A frame of the covariate for so many steps of each series, made by pandas alone."""
    rows = []
    for series in range(panel.count):
        last = panel.lasts[series]
        times = pd.date_range(last, periods=steps + 1, freq=freq or panel.timeline.frequency.alias)
        names = tuple(panel.ids.iloc[series]) if len(panel.ids.columns) else ()
        rows += [(*names, time, value(series, step)) for step, time in enumerate(times[1:], 1)]
    return pd.DataFrame(rows, columns=[*panel.ids.columns, "t", "x"])


def known(panel, steps):
    """The covariate of the next steps, shape (n_series, steps)."""
    return rows_ahead(panel, steps)[:, :, panel.columns.features.index("x")]


def test_rows_behind_the_last_value_are_known_ahead():
    frame = make([6, 5])
    frame.loc[frame["t"] > "2024-01-04", "y"] = NAN
    panel = read(frame, series=("id",))
    assert panel.lengths.tolist() == [4, 4]
    same(known(panel, 2), [[4, 5], [104, NAN]])
    same(known(panel, 1), [[4], [104]])
    same(known(panel, 4), [[4, 5, NAN, NAN], [104, NAN, NAN, NAN]])
    require_ahead(panel, rows_ahead(panel, 1))


def test_a_table_without_rows_ahead_knows_nothing_of_them():
    panel = read(make([4]), series=("id",))
    assert panel.ahead.shape == (1, 0, 2)
    assert np.isnan(known(panel, 3)).all()


def test_a_series_goes_up_to_the_last_row_with_any_of_its_columns():
    frame = make([5], z=[1.0, 1, 1, 1, NAN])
    frame.loc[2:, "y"] = NAN
    panel = read(frame.drop(columns="id"), column=("y", "z"), missing="interpolate")
    assert panel.lengths.tolist() == [4]
    assert rows_ahead(panel, 1)[0, 0, 2] == 4


@pytest.mark.parametrize("missing", ["interpolate", "drop"])
def test_a_row_that_is_missing_ahead_is_named_with_series_and_time(missing):
    frame = make([7, 7])
    frame.loc[frame["t"] > "2024-01-04", "y"] = NAN
    panel = read(frame.drop(index=[12]), series=("id",), freq="D", missing=missing)
    same(known(panel, 3), [[4, 5, 6], [104, NAN, 106]])
    with pytest.raises(DataError, match='"x" is missing for 1 of 6 steps ahead: b 2024-01-06'):
        require_ahead(panel, rows_ahead(panel, 3))


def test_what_is_missing_ahead_is_named_first_with_the_way_to_mend_it():
    panel = read(make([4, 4]), series=("id",))
    with pytest.raises(DataError, match="8 of 8 steps ahead: a 2024-01-05, a 2024-01-06") as caught:
        require_ahead(panel, rows_ahead(panel, 4))
    assert "with `future`" in caught.value.hint
    steps = read(make([4]).drop(columns=["id", "t"]))
    with pytest.raises(DataError, match="2 of 2 steps ahead: step 1, step 2"):
        require_ahead(steps, rows_ahead(steps, 2))


def test_nothing_is_required_where_there_are_no_future_covariates():
    panel = read_panel(make([4]), Data(column=("y",), past_covariates=("x",), series=("id",)))
    rows = rows_ahead(panel, 3)
    assert np.isnan(rows).all()
    require_ahead(panel, rows)


def test_static_and_calendar_covariates_are_known_of_any_step():
    frame = make([4, 3]).assign(size=lambda rows: rows["id"].map({"a": 7.0, "b": 8.0}))
    panel = read_panel(
        frame,
        Data(column=("y",), past_covariates=("x",), static_covariates=("size",), series=("id",),
             calendar_features=("weekend", "dayofweek")),
    )  # fmt: skip
    rows = rows_ahead(panel, 5)
    names = panel.columns.features
    assert (rows[:, :, names.index("size")] == [[7.0], [8.0]]).all()
    assert np.isnan(rows[:, :, names.index("x")]).all()
    for series, last in enumerate(panel.lasts):
        days = pd.date_range(last, periods=6)[1:]
        same(rows[series, :, names.index("weekend")], days.day_of_week >= 5)
        angle = 2 * np.pi * days.day_of_week / 7
        np.testing.assert_allclose(rows[series, :, names.index("dayofweek_sin")], np.sin(angle))


FREQS = ["s", "15min", "h", "2h", "D", "B", "W-THU", "MS", "ME", "QS", "YS"]


@given(
    st.sampled_from(FREQS),
    st.lists(st.integers(3, 12), min_size=1, max_size=3),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_another_table_tells_what_is_ahead_in_any_order(freq, lengths, steps, random):
    panel = read(make(lengths, freq=freq), series=("id",), freq=freq)
    table = coming(panel, steps, freq)
    # Of a series that nobody knows, and of steps that are over.
    table = pd.concat(
        [table, table.assign(id="unknown", x=-1), make(lengths, freq=freq)[["id", "t"]]]
    )
    table = table.assign(x=table["x"].fillna(-2)).iloc[random.sample(range(len(table)), len(table))]
    found = with_future(panel, table, panel.data)
    same(known(found, steps), coming(panel, steps, freq)["x"].to_numpy().reshape(-1, steps))
    same(found.values, panel.values)
    require_ahead(found, rows_ahead(found, steps))
    same(times_ahead(found, steps), pd.DatetimeIndex(coming(panel, steps, freq)["t"]))


@pytest.mark.parametrize("change", ["2024-03-30 20:00", "2024-10-26 20:00"])
@pytest.mark.parametrize("freq", ["15min", "h", "D"])
def test_clocks_may_be_changed_ahead(write, change, freq):
    frame = make([6], freq=freq, begin=change, tz=BERLIN)
    panel = read(frame, series=("id",))
    table = coming(panel, 30, freq)
    expected = table["x"].to_numpy()[None]
    same(known(with_future(panel, table, panel.data), 30), expected)
    # The same by the clock on the wall, and in UTC.
    data = Data(column=("y",), future_covariates=("x",), series=("id",), timezone=BERLIN)
    utc = table.assign(t=table["t"].dt.tz_convert("UTC"))
    same(known(with_future(panel, utc, data), 30), expected)
    wall = table.assign(t=[f"{time:%Y-%m-%d %H:%M}" for time in table["t"]])
    name = write(wall.to_csv(index=False), "future.csv")
    same(known(with_future(panel, name, data), 30), expected)


def test_rows_of_both_tables_are_known_and_the_other_counts():
    frame = make([6, 5])
    frame.loc[frame["t"] > "2024-01-04", "y"] = NAN
    panel = read(frame, series=("id",))
    days = pd.to_datetime(["2024-01-06", "2024-01-07", "2024-01-02"])
    table = pd.DataFrame({"id": "a", "t": days, "x": [50.0, 60.0, 70.0]})
    found = with_future(panel, table, panel.data)
    same(known(found, 4), [[4, 50, 60, NAN], [104, NAN, NAN, NAN]])
    short = with_future(panel, table[:1], panel.data)
    same(known(short, 3), [[4, 50, NAN], [104, NAN, NAN]])
    same(known(panel, 3), [[4, 5, NAN], [104, NAN, NAN]])


def test_a_row_that_is_not_in_the_other_table_is_missing():
    panel = read(make([4, 4]), series=("id",))
    table = coming(panel, 4).drop(index=[1, 6])
    found = with_future(panel, table, panel.data)
    same(known(found, 4), [[1, NAN, 3, 4], [1001, 1002, NAN, 1004]])
    with pytest.raises(DataError, match="2 of 8 steps ahead: a 2024-01-06, b 2024-01-07"):
        require_ahead(found, rows_ahead(found, 4))


@pytest.mark.parametrize(
    ("freq", "time"),
    [
        ("D", "2024-01-06 07:00"),
        ("h", "2024-01-05 02:40"),
        ("MS", "2024-06-02"),
        ("ME", "2024-06-29"),
        ("W-THU", "2024-06-21"),
        ("B", "2024-01-06"),
    ],
)
def test_a_time_that_follows_in_no_number_of_steps_is_named_with_its_line(write, freq, time):
    panel = read(make([4], freq=freq), series=("id",), freq=freq)
    rows = [f"b,{panel.lasts[0]},1", f"a,{time},2"]
    name = write("\n".join(["id,t,x", *rows]), "future.csv")
    with pytest.raises(DataError, match=rf"future\.csv line 3: {time[:10]}.* does not follow"):
        with_future(panel, name, panel.data)


@pytest.mark.parametrize("column", ["t", "id", "x"])
def test_a_column_that_the_other_table_lacks_is_named(column):
    panel = read(make([4]), series=("id",))
    with pytest.raises(DataError, match=f'no column "{column}"'):
        with_future(panel, coming(panel, 2).drop(columns=column), panel.data)


def test_a_cell_of_the_other_table_is_named_with_its_line(write):
    panel = read(make([4]), series=("id",))
    name = write("id,t,x\na,2024-01-05,1\na,2024-01-06,oops\n", "future.csv")
    with pytest.raises(DataError, match='line 3: column "x" holds "oops"'):
        with_future(panel, name, panel.data)


def test_names_of_series_are_the_same_in_text_and_in_numbers(write):
    frame = make([4, 4]).assign(id=lambda rows: rows["id"].map({"a": 7, "b": 12}))
    panel = read(frame, series=("id",))
    name = write(coming(panel, 2).to_csv(index=False), "future.csv")
    same(known(with_future(panel, name, panel.data), 2), [[1, 2], [1001, 1002]])


def test_places_of_series_are_found_by_all_parts_of_their_names():
    ids = pd.DataFrame({"one": ["a", "a", "b"], "two": ["x", "y", "x"]})
    other = pd.DataFrame({"one": ["b", "a", "b"], "two": ["x", "y", "y"]})
    assert find_places(other, ids).tolist() == [2, 1, -1]
    assert find_places(ids.iloc[:1], pd.DataFrame(index=[0])).tolist() == [0]


def test_without_times_the_rows_of_the_other_table_are_the_next_steps(write):
    frame = make([4, 4])
    panel = read(frame.drop(columns="t"), series=("id",))
    name = write("id,x\nb,5\na,1\nb,6\n", "future.csv")
    same(known(with_future(panel, name, panel.data), 2), [[1, NAN], [5, 6]])
    one = read(frame[:4].drop(columns=["t", "id"]))
    same(known(with_future(one, write("x\n8\n9\n", "future.csv"), one.data), 2), [[8, 9]])


def test_the_times_of_the_other_table_may_stand_in_parts(write):
    panel = read(write("year,month,y,x\n2024,10,1,1\n2024,11,2,2\n2024,12,3,3\n"),
                 time="year,month")  # fmt: skip
    name = write("x,month,year\n20,2,2025\n10,1,2025\n", "future.csv")
    same(known(with_future(panel, name, panel.data), 2), [[10, 20]])


def test_other_words_and_dates_are_read_as_those_of_the_table(write):
    text = "t;y;x\n" + "".join(f"{day:02}.01.2024;{day};{day},5\n" for day in range(1, 5))
    panel = read(write(text))
    name = write("t;x\n06.01.2024;6,5\n05.01.2024;5,5\n", "future.csv")
    same(known(with_future(panel, name, panel.data), 2), [[5.5, 6.5]])


@pytest.mark.parametrize("calendar", ["XNYS", "US", "data"])
def test_open_days_ahead_are_those_of_the_calendar(calendar):
    code = "XNYS" if calendar == "data" else calendar
    every = pd.date_range("2010-01-04", "2020-05-29")
    open_ = named_calendar(code, every[0].date(), every[-1].date())
    every = every[open_.is_open(every.to_numpy().astype("datetime64[D]"))]
    past, later = every[every < "2019-12-19"], every[every >= "2019-12-19"]
    panel = read(pd.DataFrame({"t": past, "y": 1.0, "x": 1.0}), calendar=calendar)
    assert (times_ahead(panel, len(later)) == later).all()
    table = pd.DataFrame({"t": later, "x": np.arange(len(later), dtype=float)})
    found = with_future(panel, table[::-1], panel.data)
    same(known(found, len(later)), table["x"].to_numpy()[None])


def test_a_closed_day_ahead_is_refused_by_the_calendar():
    days = pd.bdate_range("2023-12-01", "2023-12-22")
    panel = read(pd.DataFrame({"t": days, "y": 1.0, "x": 1.0}), calendar="XNYS")
    christmas = pd.DataFrame({"t": [pd.Timestamp("2023-12-25")], "x": 2.0})
    with pytest.raises(DataError, match="2023-12-25 does not follow 2023-12-22"):
        with_future(panel, christmas, panel.data)


@pytest.mark.parametrize("freq", ["h", "D", "MS"])
@pytest.mark.parametrize("series", [(), ("id",)])
def test_the_frame_to_fill_in_can_be_given_back(write, freq, series):
    frame = make([6, 5] if series else [6], freq=freq)
    frame.loc[frame.groupby("id").cumcount() > 3, "y"] = NAN
    panel = read(frame if series else frame.drop(columns="id"), series=series)
    empty = frame_ahead(panel, 3)
    assert list(empty) == [*series, "t", "x"]
    assert (pd.DatetimeIndex(empty["t"]) == times_ahead(panel, 3)).all()
    same(empty["x"].to_numpy().reshape(panel.count, 3), known(panel, 3))
    filled = empty.assign(x=empty["x"].fillna(9.5)).sample(frac=1, random_state=0)
    name = write(filled.to_csv(index=False), "future.csv")
    found = with_future(panel, name, panel.data)
    require_ahead(found, rows_ahead(found, 3))
    same(known(found, 3), np.nan_to_num(known(panel, 3), nan=9.5))


def test_the_frame_to_fill_in_counts_steps_where_there_are_no_times():
    panel = read(make([4, 3]).drop(columns="t"), series=("id",))
    frame = frame_ahead(panel, 2)
    assert frame["step"].tolist() == [1, 2, 1, 2]
    assert frame["id"].tolist() == ["a", "a", "b", "b"]
    assert frame["x"].isna().all()


def test_the_frame_to_fill_in_has_words_for_categories():
    frame = make([6]).assign(x=["sun", "rain", "sun", "rain", "rain", "sun"])
    frame.loc[4:, "y"] = NAN
    panel = read(frame, series=("id",))
    assert frame_ahead(panel, 3)["x"].tolist()[:2] == ["rain", "sun"]
    assert frame_ahead(panel, 3)["x"].isna().tolist() == [False, False, True]


@given(st.lists(st.integers(3, 20), min_size=1, max_size=3), st.integers(1, 25))
def test_a_panel_up_to_a_date_knows_the_covariates_of_its_later_rows(lengths, day):
    panel = read(make(lengths), series=("id",))
    date = pd.Timestamp("2024-01-01") + pd.Timedelta(days=day)
    if day > min(lengths):
        with pytest.raises(DataError, match="The next step of"):
            before(panel, date)
        return
    cut = before(panel, date)
    steps = 30
    for series, length in enumerate(lengths):
        kept = min(day, length)
        assert cut.lengths[series] == kept
        assert cut.lasts[series] < date
        same(cut.values[slice(*cut.indptr[series : series + 2])],
             panel.values[panel.indptr[series] : panel.indptr[series] + kept])  # fmt: skip
        later = 100 * series + np.arange(kept, length, dtype=float)
        same(known(cut, steps)[series], [*later, *[NAN] * (steps - len(later))])
    assert np.isnan(cut.ahead[:, :, 0]).all()


def test_a_series_that_begins_no_earlier_is_named():
    frame = pd.concat([make([5]), make([5], begin="2024-01-03").assign(id="b")])
    panel = read(frame, series=("id",))
    with pytest.raises(DataError, match="series b has no row before 2024-01-03"):
        before(panel, pd.Timestamp("2024-01-03"))
    with pytest.raises(DataError, match="no times"):
        before(read(make([5]).drop(columns=["t", "id"])), pd.Timestamp("2024-01-03"))


def test_what_was_known_ahead_stays_known_behind_an_earlier_end():
    frame = make([6])
    frame.loc[4:, "y"] = NAN
    panel = before(read(frame, series=("id",)), pd.Timestamp("2024-01-03"))
    same(known(panel, 5), [[2, 3, 4, 5, NAN]])


def test_offsets_after_a_table_without_them_are_a_data_error(write):
    panel = read(make([4], freq="h"), series=("id",))
    name = write("id,t,x\na,2024-01-01T04:00Z,1\n", "future.csv")
    with pytest.raises(DataError, match=r"offset|zone"):
        with_future(panel, name, panel.data)


def test_a_step_that_the_other_table_tells_twice_is_an_error():
    panel = read(make([4]), series=("id",))
    table = coming(panel, 2)
    with pytest.raises(DataError):
        with_future(panel, pd.concat([table, table[:1].assign(x=77)]), panel.data)


def test_an_empty_cell_of_the_other_table_takes_nothing_away():
    frame = make([5])
    frame.loc[4:, "y"] = NAN
    panel = read(frame, series=("id",))
    table = coming(panel, 2).assign(x=[NAN, 8.0])
    same(known(with_future(panel, table, panel.data), 2), [[4, 8]])


def test_a_series_may_end_on_a_closed_day(write):
    days = pd.bdate_range("2023-12-01", "2023-12-25")
    panel = read(pd.DataFrame({"t": days, "y": 1.0, "x": 1.0}), calendar="XNYS")
    later = pd.DatetimeIndex(["2023-12-26", "2023-12-27", "2023-12-28"])
    assert (times_ahead(panel, 3) == later).all()
    table = pd.DataFrame({"t": later, "x": [1.0, 2.0, 3.0]})
    same(known(with_future(panel, table, panel.data), 3), [[1, 2, 3]])


@pytest.mark.parametrize("calendar", [None, "XNYS"])
def test_a_business_day_that_is_missing_ahead_shifts_no_other(calendar):
    days = pd.bdate_range("2024-12-02", "2024-12-31").drop(["2024-12-25", "2024-12-26"])
    frame = pd.DataFrame({"t": days, "y": 1.0, "x": [float(day.day) for day in days]})
    frame.loc[days > "2024-12-24", "y"] = NAN
    panel = read(frame, freq=None if calendar else "B", calendar=calendar)
    times = times_ahead(panel, 4)
    there = times.isin(days)
    same(known(panel, 4)[0], np.where(there, times.day, NAN))


def test_the_hour_that_comes_twice_is_told_by_the_order_of_its_rows():
    panel = read(make([4], freq="h", begin="2024-10-26 22:00", tz=BERLIN), series=("id",))
    table = coming(panel, 5)
    wall = table.assign(t=table["t"].dt.tz_localize(None))
    assert wall["t"].duplicated().any()
    same(known(with_future(panel, wall, panel.data), 5), table["x"].to_numpy()[None])


@pytest.mark.parametrize(
    ("end", "steps"),
    [("9999-12-31", 1), ("9999-12-01", 40), ("2024-01-01", 10**7), ("2024-01-01", 10**18)],
)
def test_no_step_is_after_the_year_9999(end, steps):
    times = pd.date_range(end=pd.Timestamp(end).as_unit("s"), periods=9, freq="D", unit="s")
    frame = pd.DataFrame({"t": times.astype(str), "y": np.arange(9.0)})
    with pytest.raises(DataError, match="would be after the year 9999"):
        times_ahead(read(frame, future=(), date_format="%Y-%m-%d"), steps)
