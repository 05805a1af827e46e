"""Tables of many series as panels: each one on its own grid, and as though it were alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.config.sections import Data, Split
from forecast_cli.core.errors import DataError
from forecast_cli.data.missing import fill_missing
from forecast_cli.data.reading import read_panel
from forecast_cli.data.splits import PARTS, all_training, split_rows

NAN = np.nan
POLICIES = ["interpolate", "ffill", "season"]


def read(source, notes=None, column=("y",), series=("id",), **data):
    notes = [] if notes is None else notes
    settings_ = Data(column=column, series=series, **data)
    return read_panel(source, settings_, on_event=lambda event: notes.append(event.text))


def rows_of(panel, series):
    return slice(*panel.indptr[series : series + 2].tolist())


def values_of(panel, series, place=0):
    return panel.values[rows_of(panel, series), place].tolist()


def local_days(panel, series):
    return [str(time.date()) for time in panel.timeline.times[rows_of(panel, series)]]


def table(*rows, header="id,t,y"):
    return "\n".join([header, *rows]) + "\n"


def make(name, begin, count, freq="D", tz=None, gaps=()):
    times = pd.date_range(begin, periods=count, freq=freq, tz=tz)
    numbers = np.random.default_rng(count).normal(50, 9, count).round(3)
    frame = pd.DataFrame({"id": name, "t": times, "y": numbers})
    return frame.drop(index=list(gaps))


def mixed(*frames, seed=0):
    """The rows of all in no order; their series in that of the first rows."""
    return pd.concat(frames).sample(frac=1, random_state=seed).reset_index(drop=True)


@st.composite
def several(draw, freqs=("h", "D", "W-WED", "MS", "ME", "QS")):
    """Series of one frequency with different beginnings, lengths and gaps, and their alias."""
    alias = draw(st.sampled_from(freqs))
    frames = []
    for name in "abc"[: draw(st.integers(2, 3))]:
        length = draw(st.integers(3, 25))
        begin = pd.date_range("2020-01-15", periods=20, freq=alias)[draw(st.integers(0, 19))]
        gaps = draw(st.sets(st.integers(1, length - 2), max_size=length // 3))
        frames.append(make(name, begin, length, alias, gaps=gaps))
    return alias, mixed(*frames, seed=draw(st.integers(0, 99)))


@given(several())
def test_each_series_is_read_as_though_it_were_alone(known):
    alias, frame = known
    panel = read(frame, freq=alias, missing="interpolate", max_filled=1.0)
    assert panel.ids["id"].tolist() == frame["id"].drop_duplicates().tolist()
    assert panel.indptr[-1] == len(panel.values) == len(panel.timeline.times)
    for series, name in enumerate(panel.ids["id"]):
        alone = frame[frame["id"] == name].drop(columns="id")
        expected = read(alone, series=(), freq=alias, missing="interpolate", max_filled=1.0)
        rows = rows_of(panel, series)
        np.testing.assert_array_equal(panel.values[rows], expected.values)
        assert (panel.timeline.times[rows] == expected.timeline.times).all()
        assert panel.lasts[series] == expected.lasts[0]


@given(st.permutations(range(12)))
def test_rows_of_several_series_may_stand_in_any_order(order):
    frame = pd.concat([make("b", "2024-01-01", 7), make("a", "2024-03-01", 5)])
    panel = read(frame.iloc[list(order)])
    for series, name in enumerate(panel.ids["id"]):
        assert values_of(panel, series) == frame[frame["id"] == name]["y"].tolist()
        days = frame[frame["id"] == name]["t"]
        assert local_days(panel, series) == [str(day.date()) for day in days]


def test_the_order_of_rows_is_said_of_each_series_and_not_across_them():
    frame = pd.concat([make("a", "2024-01-01", 5), make("b", "2020-01-01", 5)])
    notes = []
    read(frame, notes)
    assert notes == []
    read(pd.concat([make("a", "2024-01-01", 5)[::-1], make("b", "2020-01-01", 5)[::-1]]), notes)
    assert notes == ["newest rows first: sorted by time"]
    notes.clear()
    read(pd.concat([make("a", "2024-01-01", 5)[::-1], make("b", "2020-01-01", 5)]), notes)
    assert notes == ["rows not in order of time: sorted"]


def test_the_frequency_of_the_longest_series_is_that_of_one_row_too():
    panel = read(mixed(make("a", "2024-01-31", 9, "ME"), make("b", "2024-03-31", 1, "ME")))
    assert panel.timeline.frequency.alias == "ME"
    assert sorted(panel.lengths) == [1, 9]


@pytest.mark.parametrize("long_first", [True, False])
def test_a_series_that_breaks_the_frequency_is_named_with_its_line(write, long_first):
    ten = [f"a,2024-01-{day:02},1" for day in range(1, 11)]
    gap = ["b,2024-02-01,1", "b,2024-02-02,2", "b,2024-02-05,3"]
    rows = ten + gap if long_first else gap + ten
    line = 14 if long_first else 4
    with pytest.raises(
        DataError, match=rf"table\.csv line {line}, series b: .*2024-02-05"
    ) as caught:
        read(write(table(*rows)))
    assert "`missing=interpolate`" in caught.value.hint


def test_a_gap_in_one_of_several_series_is_filled_in_that_one_alone(write):
    ten = [f"a,2024-01-{day:02},1" for day in range(1, 11)]
    gap = ["b,2024-02-01,1", "b,2024-02-02,2", "b,2024-02-05,3"]
    panel = read(write(table(*ten, *gap)), missing="ffill")
    assert panel.lengths.tolist() == [10, 5]
    assert local_days(panel, 1) == [f"2024-02-{day:02}" for day in range(1, 6)]
    np.testing.assert_array_equal(panel.values[10:, 0], [1, 2, np.nan, np.nan, 3])


def test_a_series_of_another_frequency_is_named(write):
    monthly = [f"b,2024-{month:02}-01,1" for month in range(1, 6)]
    daily = [f"a,2024-01-{day:02},1" for day in range(1, 11)]
    with pytest.raises(DataError, match=r"table\.csv line 13, series b: .*2024-02-01 is 31 days"):
        read(write(table(*daily, *monthly)))


def test_a_gap_in_the_longest_series_is_named_with_its_line(write):
    rows = [f"a,2024-01-{day:02},1" for day in range(1, 12) if day != 7]
    with pytest.raises(DataError, match=r"table\.csv line 8, series a: .*2024-01-08"):
        read(write(table(*rows, "b,2024-01-01,1", "b,2024-01-02,1")))


@pytest.mark.parametrize("rows", [1, 2])
def test_too_few_rows_in_every_series_is_said(write, rows):
    few = [f"{name},2024-01-0{day + 1},1" for name in "ab" for day in range(rows)]
    with pytest.raises(DataError, match=f"{rows} rows? in its longest series"):
        read(write(table(*few)))


def test_months_of_another_day_than_the_others_are_refused():
    frames = [make("a", "2024-01-01", 9, "MS"), make("b", "2024-01-01", 9, "MS")]
    frames[1]["t"] += pd.Timedelta(days=14)
    with pytest.raises(DataError, match="series b"):
        read(pd.concat(frames))


def test_a_time_may_come_again_in_another_series():
    panel = read(mixed(make("a", "2024-01-01", 5), make("b", "2024-01-01", 5)))
    assert panel.lengths.tolist() == [5, 5]


def test_a_time_that_comes_again_within_a_series_is_named(write):
    rows = [f"{name},2024-01-0{day},1" for name in "ab" for day in range(1, 6)]
    with pytest.raises(
        DataError, match=r"1 duplicate timestamp: table\.csv line 12 \(2024-01-03\)"
    ) as caught:
        read(write(table(*rows, "b,2024-01-03,9")))
    assert "`duplicates=first`" in caught.value.hint
    assert "There seem to be several series" not in caught.value.hint


@pytest.mark.parametrize(
    ("duplicates", "expected"),
    [
        ("first", [[1, 2, 3], [10, 20, 30]]),
        ("last", [[1, 5, 3], [10, 20, 70]]),
        ("mean", [[1, 3.5, 3], [10, 20, 50]]),
        ("sum", [[1, 7, 3], [10, 20, 100]]),
    ],
)
def test_rows_at_the_same_time_become_one_within_each_series(write, duplicates, expected):
    rows = ["a,2024-01-01,1", "b,2024-01-01,10", "a,2024-01-02,2", "b,2024-01-02,20",
            "a,2024-01-03,3", "b,2024-01-03,30", "a,2024-01-02,5", "b,2024-01-03,70"]  # fmt: skip
    notes = []
    panel = read(write(table(*rows)), notes, duplicates=duplicates)
    assert [values_of(panel, series) for series in range(2)] == expected
    assert f"2 duplicate timestamps: {duplicates}" in notes


@given(
    st.sampled_from(["mean", "sum", "first", "last", "min", "max"]),
    st.sampled_from(["2h", "D", "W", "MS"]),
    st.integers(0, 99),
)
def test_each_series_is_resampled_as_though_it_were_alone(aggregate, alias, seed):
    rng = np.random.default_rng(seed)
    frames = []
    for name, start in (("a", "2024-01-03 05:00"), ("b", "2024-01-29 21:10")):
        minutes = np.sort(rng.choice(60 * 24 * 33, 60, replace=False))
        times = pd.Timestamp(start) + pd.to_timedelta(minutes, unit="min")
        frames.append(pd.DataFrame({"id": name, "t": times, "y": rng.normal(size=60)}))
    how = {"resample": alias, "aggregate": aggregate, "missing": "interpolate"}
    how |= {"max_filled": 1.0, "partial": "keep"}
    panel = read(mixed(*frames, seed=seed), **how)
    for series, name in enumerate(panel.ids["id"]):
        alone = next(each for each in frames if each["id"].iloc[0] == name)
        expected = read(alone.drop(columns="id"), series=(), **how)
        np.testing.assert_array_equal(panel.values[rows_of(panel, series)], expected.values)
        own = panel.timeline.times[rows_of(panel, series)]
        assert (own == expected.timeline.times).all()


@given(several(freqs=("D", "MS")), st.sampled_from(POLICIES), st.integers(0, 3))
def test_no_series_is_filled_with_a_look_at_another_or_at_a_later_split(known, policy, kept):
    alias, frame = known
    panel = read(frame, freq=alias, missing=policy, max_filled=1.0)
    kept = min(kept, int(panel.lengths.max() - 1) // 2)
    splits = split_rows(panel, Split(validation=kept, test=kept), horizon=1)

    def filled(panel, splits):
        return fill_missing(panel.values, splits, policy, source="t", season_length=3)

    whole = filled(panel, splits)
    assert not np.isnan(whole).any()
    for series, name in enumerate(panel.ids["id"]):
        rows = rows_of(panel, series)
        alone = read(frame[frame["id"] == name], freq=alias, missing=policy, max_filled=1.0)
        if splits.train_end[series] == panel.indptr[series + 1]:
            own = all_training(alone)
        else:
            own = split_rows(alone, Split(validation=kept, test=kept), horizon=1)
        np.testing.assert_array_equal(whole[rows], filled(alone, own))
    for part in PARTS:
        # Whatever comes after the part, in any series, nothing of it changes.
        begin, end = splits.bounds(part)
        inside = np.zeros(len(whole), bool)
        later = np.zeros(len(whole), bool)
        for first, last, over in zip(begin, end, panel.indptr[1:], strict=True):
            inside[first:last] = True
            later[last:over] = True
        changed = panel.values.copy()
        changed[later] = 1e9
        other = fill_missing(changed, splits, policy, source="t", season_length=3)
        np.testing.assert_array_equal(other[inside], whole[inside])


def test_missing_rows_are_named_with_their_series(write):
    rows = ["a,2024-01-01,1", "a,2024-01-02,1", "a,2024-01-03,1", "b,2024-01-01,1",
            "b,2024-01-03,1", "c,2024-02-01,1", "c,2024-02-03,1"]  # fmt: skip
    with pytest.raises(DataError, match="no row for 2024-01-02, 2024-02-02 in series b, c"):
        read(write(table(*rows)), freq="D")


def test_missing_values_are_named_with_their_lines(write):
    rows = ["a,2024-01-01,1", "b,2024-01-01,1", "a,2024-01-02,1", "b,2024-01-02,",
            "a,2024-01-03,1", "b,2024-01-03,1"]  # fmt: skip
    with pytest.raises(DataError, match=r"table\.csv line 5 \(17 % of the steps\)\."):
        read(write(table(*rows)))


def test_rows_that_are_not_whole_are_dropped_from_their_series_alone(write):
    rows = ["a,2024-01-01,1", "b,2024-01-01,10", "a,2024-01-02,", "b,2024-01-02,20",
            "a,2024-01-03,3", "b,2024-01-03,30", "a,2024-01-04,4", "a,2024-01-05,5"]  # fmt: skip
    panel = read(write(table(*rows)), missing="drop")
    assert panel.indptr.tolist() == [0, 4, 7]
    assert [values_of(panel, series) for series in range(2)] == [[1, 3, 4, 5], [10, 20, 30]]
    assert local_days(panel, 0) == ["2024-01-01", "2024-01-03", "2024-01-04", "2024-01-05"]


def test_a_series_of_which_every_row_is_dropped_is_named(write):
    rows = [f"{name},2024-01-0{day},{'' if name == 'b' else day}"
            for name in "ab" for day in range(1, 5)]  # fmt: skip
    with pytest.raises(DataError, match=r"\bb\b"):
        read(write(table(*rows)), missing="drop")


def test_the_first_value_that_is_missing_is_filled_from_no_other_series(write):
    rows = [f"{name},2024-01-0{day},{'' if (name, day) == ('b', 1) else day}"
            for name in "ab" for day in range(1, 5)]  # fmt: skip
    panel = read(write(table(*rows)), missing="ffill")
    with pytest.raises(DataError, match="begins with missing values"):
        fill_missing(panel.values, all_training(panel), "ffill", source=panel.source)
    filled = fill_missing(panel.values, all_training(panel), "interpolate", source=panel.source)
    assert filled[4:, 0].tolist() == [2, 2, 3, 4]


@pytest.mark.parametrize("keys", [("shop",), ("shop", "item")])
def test_times_that_come_again_hint_at_what_names_the_series(write, keys):
    items = ["x", "y"] if len(keys) == 2 else ["x"]
    rows = [f"{shop},{item},2024-01-0{day},1.5,2"
            for shop in ("north", "south") for item in items for day in range(1, 6)]  # fmt: skip
    name = write(table(*rows, header="shop,item,t,y,n"))
    with pytest.raises(DataError, match="duplicate timestamps") as caught:
        read(name, series=())
    assert f"`series={','.join(keys)}`." in caught.value.hint
    assert "`duplicates` to first, last, mean or sum" in caught.value.hint
    panel = read(name, series=keys)
    assert panel.count == 2 * len(items)


def test_times_that_come_again_without_a_name_ask_which_counts(write):
    rows = [f"x,2024-01-0{day},{day}" for day in (1, 2, 3, 3)]
    with pytest.raises(DataError) as caught:
        read(write(table(*rows)), series=())
    assert "There seem to be several series" not in caught.value.hint


BERLIN = "Europe/Berlin"


@pytest.mark.parametrize("change", ["2024-03-30 20:00", "2024-10-26 20:00"])
@pytest.mark.parametrize("order", ["one after the other", "row by row", "newest first"])
@pytest.mark.parametrize("freq", ["h", "30min"])
def test_clocks_are_changed_in_each_series_of_a_table(write, change, order, freq):
    frames = [
        make("a", change, 40, freq, tz=BERLIN),
        make("b", pd.Timestamp(change) + pd.Timedelta(hours=1), 33, freq, tz=BERLIN),
        make("c", pd.Timestamp(change), 2, freq, tz=BERLIN),
    ]
    frame = pd.concat(frames, ignore_index=True)
    if order == "row by row":
        frame = frame.sort_values("t", kind="stable")
    frame = frame[::-1] if order == "newest first" else frame
    rows = [f"{row.id},{row.t:%Y-%m-%d %H:%M},{row.y}" for row in frame.itertuples()]
    panel = read(write(table(*rows)), timezone=BERLIN)
    assert panel.timeline.frequency.alias == freq
    for series, name in enumerate(panel.ids["id"]):
        own = frames["abc".index(name)]
        assert (panel.timeline.times[rows_of(panel, series)] == pd.DatetimeIndex(own["t"])).all()
        assert values_of(panel, series) == own["y"].tolist()


def test_names_of_series_stay_what_they_are(write):
    rows = [f"{name},{part},2024-01-0{day},1"
            for name, part in (("007", "1.0"), ("7", "1.0"), ("07", "1e3"))
            for day in (1, 2, 3)]  # fmt: skip
    panel = read(write(table(*rows, header="id,part,t,y")), series=("id", "part"))
    assert panel.ids.to_numpy().tolist() == [["007", "1.0"], ["7", "1.0"], ["07", "1e3"]]
    assert [panel.name(series) for series in range(3)] == ["007 1.0", "7 1.0", "07 1e3"]


def test_a_row_without_the_name_of_its_series_is_an_error_with_its_line(write):
    rows = ["a,2024-01-01,1", "a,2024-01-02,1", ",2024-01-03,1"]
    with pytest.raises(DataError, match=r'table\.csv line 4: column "id" is empty'):
        read(write(table(*rows)))


@pytest.mark.parametrize("name", ["NA", "None", "null", "nan"])
def test_a_series_may_be_called_like_a_missing_value(write, name):
    rows = [f"{each},2024-01-0{day},{day}" for each in ("EU", name) for day in (1, 2, 3)]
    assert read(write(table(*rows))).ids["id"].tolist() == ["EU", name]


def test_without_times_the_rows_of_each_series_are_its_steps(write):
    rows = ["b,1", "a,10", "b,2", "b,3", "a,20"]
    panel = read(write(table(*rows, header="id,y")))
    assert panel.timeline is None
    assert panel.lasts is None
    assert panel.ids["id"].tolist() == ["b", "a"]
    assert [values_of(panel, series) for series in range(2)] == [[1, 2, 3], [10, 20]]


def test_some_series_of_a_panel_are_chosen_in_the_order_asked_for():
    panel = read(pd.concat([make("a", "2024-01-01", 5), make("b", "2024-02-01", 3),
                            make("c", "2024-03-01", 4)]))  # fmt: skip
    some = panel.only(np.array([2, 0]))
    assert some.ids["id"].tolist() == ["c", "a"]
    assert some.lengths.tolist() == [4, 5]
    for place, series in enumerate((2, 0)):
        assert values_of(some, place) == values_of(panel, series)
        assert local_days(some, place) == local_days(panel, series)
    assert panel.only(np.array([], np.int64)).count == 0


STATIC = {"series": ("id",), "static_covariates": ("size",)}


def test_a_static_covariate_holds_in_steps_without_a_row(write):
    rows = ["a,2024-01-01,1,5", "a,2024-01-03,3,", "b,2024-01-01,1,7", "b,2024-01-02,2,7"]
    name = write(table(*rows, header="id,t,y,size"))
    panel = read(name, freq="D", missing="interpolate", **STATIC)
    assert [values_of(panel, series, 1) for series in range(2)] == [[5, 5, 5], [7, 7]]


def test_a_static_covariate_that_changes_is_named_with_line_and_series(write):
    rows = ["a,2024-01-01,1,5", "a,2024-01-02,3,5", "b,2024-01-01,1,7", "b,2024-01-02,2,8"]
    name = write(table(*rows, header="id,t,y,size"))
    with pytest.raises(DataError, match=r'line 5: column "size" changes within the series b'):
        read(name, freq="D", **STATIC)


@pytest.mark.parametrize("empty", [0, 1])
def test_an_empty_cell_of_a_static_covariate_of_words_is_no_change(write, empty):
    rows = [f"a,2024-01-0{day + 1},1,{'' if day == empty else 'big'}" for day in range(3)]
    name = write(table(*rows, header="id,t,y,size"))
    assert values_of(read(name, **STATIC), 0, 1) == [1, 1, 1]


def test_what_names_a_series_may_be_a_static_covariate_too(write):
    rows = [f"{name},2024-01-0{day},{day}" for name in ("x", "w") for day in (1, 2, 3)]
    panel = read(write(table(*rows)), static_covariates=("id",))
    assert panel.columns.covariates.categories == {"id": ("w", "x")}
    assert [values_of(panel, series, 1) for series in range(2)] == [[2, 2, 2], [1, 1, 1]]


def test_series_end_where_their_last_value_is(write):
    rows = ["a,2024-01-01,1,1", "a,2024-01-02,2,2", "a,2024-01-03,3,3", "a,2024-01-04,,4",
            "b,2024-01-01,1,5", "b,2024-01-02,2,6", "b,2024-01-03,,7",
            "b,2024-01-04,,8"]  # fmt: skip
    panel = read(write(table(*rows, header="id,t,y,x")), future_covariates=("x",))
    assert panel.lengths.tolist() == [3, 2]
    assert [str(last.date()) for last in panel.lasts] == ["2024-01-03", "2024-01-02"]
    np.testing.assert_array_equal(panel.ahead[..., 1], [[4, NAN], [7, 8]])
    assert np.isnan(panel.ahead[..., 0]).all()


def test_a_series_that_is_nothing_but_future_is_named(write):
    rows = ["a,2024-01-01,1,1", "a,2024-01-02,2,2", "a,2024-01-03,3,3", "b,2024-01-01,,5",
            "b,2024-01-02,,6"]  # fmt: skip
    with pytest.raises(DataError, match="series b has no value of y"):
        read(write(table(*rows, header="id,t,y,x")), future_covariates=("x",))


def test_without_future_covariates_rows_without_a_value_are_missing(write):
    rows = ["2024-01-01,1,1", "2024-01-02,2,2", "2024-01-03,3,3", "2024-01-04,,4"]
    with pytest.raises(DataError, match="1 missing value"):
        read(write(table(*rows, header="t,y,x")), series=(), past_covariates=("x",))


def test_features_stand_in_the_order_of_their_kinds(write):
    rows = [f"a,2024-01-0{day},1,2,3,4,5" for day in (1, 2, 3)]
    panel = read(
        write(table(*rows, header="id,t,s,f,p,y2,y")),
        column=("y", "y2"),
        static_covariates=("s",),
        future_covariates=("f",),
        past_covariates=("p",),
        calendar_features=("weekend",),
    )
    assert panel.columns.features == ("y", "y2", "p", "f", "s", "weekend")
    assert panel.values[0].tolist() == [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("chunk", [b"PAR1", b"csv"])
def test_a_panel_of_a_file_is_that_of_the_frame(tmp_path, chunk):
    frame = mixed(make("b", "2024-01-01", 7), make("a", "2024-03-01", 5))
    path = tmp_path / "t"
    frame.to_parquet(path) if chunk == b"PAR1" else frame.to_csv(path, index=False)
    from_file, from_frame = read(str(path)), read(frame)
    np.testing.assert_array_equal(from_file.values, from_frame.values)
    assert (from_file.timeline.times == from_frame.timeline.times).all()
    assert from_file.ids.to_numpy().tolist() == from_frame.ids.to_numpy().tolist()
