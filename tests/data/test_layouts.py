"""Tables whose columns or rows are series: the same panel as of a long table written by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.io.sources import Source
from forecast_cli.data.reading import read_panel

relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(source, layout, notes=None, **data):
    notes = [] if notes is None else notes
    return read_panel(source, Data(layout=layout, **data), on_event=lambda e: notes.append(e.text))


def table(*rows):
    return "\n".join(rows) + "\n"


def values_of(panel, series):
    return panel.values[slice(*panel.indptr[series : series + 2]), 0].tolist()


def same(panel, expected):
    """Whether two panels hold the same series; what their columns are called aside."""
    np.testing.assert_array_equal(panel.values, expected.values)
    assert panel.indptr.tolist() == expected.indptr.tolist()
    assert panel.ids.to_numpy().tolist() == expected.ids.to_numpy().tolist()
    assert (panel.timeline is None) == (expected.timeline is None)
    if panel.timeline:
        assert (panel.timeline.times == expected.timeline.times).all()
        assert panel.timeline.frequency == expected.timeline.frequency
        assert panel.timeline.style == expected.timeline.style


@st.composite
def wide(draw):
    """Series as columns, with empty cells before, within and after them; at least one value."""
    rows = draw(st.integers(3, 12))
    cell = st.none() | st.none() | st.integers(-99, 99).map(float)
    columns = {}
    for name in ["b", "a", "7", "c d"][: draw(st.integers(1, 4))]:
        cells = draw(st.lists(cell, min_size=rows, max_size=rows))
        cells[draw(st.integers(0, rows - 1))] = 0.5
        columns[name] = cells
    return pd.DataFrame(columns, dtype=float)


def long(frame, times):
    """A row for each cell from the first value of its column to the last."""
    rows = []
    for name, column in frame.items():
        known = np.flatnonzero(column.notna())
        span = slice(known[0], known[-1] + 1)
        rows.append(pd.DataFrame({"t": times[span], "id": name, "v": column[span]}))
    return pd.concat(rows)


@relaxed
@given(wide(), st.sampled_from(["D", "MS", "h", "W-TUE"]), st.sampled_from([1, -1]))
def test_columns_are_read_as_the_long_table_of_them(write, frame, freq, order):
    times = pd.date_range("2024-01-02", periods=len(frame), freq=freq)
    form = "%Y-%m-%d %H:%M" if freq == "h" else "%Y-%m-%d"
    how = {"freq": freq, "missing": "interpolate"}
    by_hand = long(frame, times).to_csv(index=False, date_format=form)
    expected = read(write(by_hand, "long.csv"), "long", series=("id",), column=("v",), **how)
    frame.insert(len(frame) % 2, "t", times)
    name = write(frame[::order].to_csv(index=False, date_format=form), "wide.csv")
    for source in (name, pd.read_csv(name, parse_dates=["t"]) if freq != "h" else name):
        same(read(source, "columns", **how), expected)


def test_columns_end_where_they_do_in_time_whatever_the_order_of_the_rows(write):
    text = table("t,a", "2024-01-03,", "2024-01-01,1", "2024-01-05,", "2024-01-02,2")
    panel = read(write(text), "columns", freq="D")
    assert values_of(panel, 0) == [1, 2]
    assert str(panel.lasts[0].date()) == "2024-01-02"


@relaxed
@given(wide(), st.sampled_from(["\r\n", "\n"]), st.sampled_from([0, 1]))
def test_rows_are_read_as_the_long_table_of_them(write, frame, end, quoting):
    by_hand = long(frame, range(len(frame))).drop(columns="t").to_csv(index=False)
    expected = read(
        write(by_hand, "long.csv"), "long", series=("id",), column=("v",), time="none",
        missing="mask",
    )  # fmt: skip
    rows = frame.T.rename_axis("id").add_prefix("V").reset_index()
    rows["id"] = "s " + rows["id"]
    name = write(rows.to_csv(index=False, lineterminator=end, quoting=quoting), "rows.csv")
    expected.ids["id"] = "s " + expected.ids["id"]
    same(read(name, "rows", missing="mask"), expected)
    same(read(name, "rows", missing="mask", series=("id",)), expected)


WIDE = table("t,north,south", "2024-01-01,,1", "2024-01-02,2,2", "2024-01-03,3,3", "2024-01-04,4,")
ROWS = table("id,V1,V2,V3,V4", "H1,1,2,3,4", "H2,5,6,,", "H3,,7,8,9")


def test_empty_cells_before_and_after_a_column_are_no_steps(write):
    notes = []
    panel = read(write(WIDE), "columns", notes)
    assert [values_of(panel, series) for series in range(2)] == [[2, 3, 4], [1, 2, 3]]
    assert [str(last.date()) for last in panel.lasts] == ["2024-01-04", "2024-01-03"]
    assert panel.ids["series"].tolist() == ["north", "south"]
    assert "2 columns as series: north, south" in notes


def test_short_rows_end_in_empty_cells(write):
    notes = []
    panel = read(write(ROWS), "rows", notes)
    assert [values_of(panel, series) for series in range(3)] == [[1, 2, 3, 4], [5, 6], [7, 8, 9]]
    assert panel.timeline is None
    assert panel.ids["id"].tolist() == ["H1", "H2", "H3"]
    assert notes == ["3 rows as series, named by id"]


def test_only_the_columns_that_are_named_are_series(write):
    panel = read(write(WIDE), "columns", column=("south",))
    assert panel.ids["series"].tolist() == ["south"]
    assert values_of(panel, 0) == [1, 2, 3]
    steps = read(write(ROWS), "rows", column=("V3", "V2"))
    assert [values_of(steps, series) for series in range(3)] == [[3, 2], [6], [8, 7]]


def test_columns_without_times_are_steps(write):
    panel = read(write(table("a,b", "1,", "2,20", "3,30")), "columns")
    assert panel.timeline is None
    assert [values_of(panel, series) for series in range(2)] == [[1, 2, 3], [20, 30]]


def test_the_time_of_columns_may_stand_in_parts(write):
    text = table("a,year,month,b", "1,2024,11,", "2,2024,12,20", "3,2025,1,30")
    panel = read(write(text), "columns", time="year,month")
    assert panel.ids["series"].tolist() == ["a", "b"]
    assert panel.timeline.frequency.alias == "MS"
    assert [str(last.date()) for last in panel.lasts] == ["2025-01-01"] * 2


@pytest.mark.parametrize("name", ["series", "value"])
def test_a_time_of_columns_that_is_called_as_we_call_them_is_refused(write, name):
    with pytest.raises(UsageError, match=f'The time column is called "{name}"') as caught:
        read(write(WIDE.replace("t,", f"{name},")), "columns", time=name)
    assert caught.value.hint == "Rename it."


def test_many_columns_are_said_in_a_few_words(write):
    names = [f"c{number}" for number in range(12)]
    notes = []
    read(write(table(",".join(names), *[",".join("1" * 12)] * 3)), "columns", notes)
    assert "12 columns as series: c0, c1, c2, ..., c11" in notes


@pytest.mark.parametrize(
    ("layout", "text", "place"),
    [
        ("columns", table("t,a,b", "2024-01-01,1,1", "2024-01-02,2,", "2024-01-03,3,3"),
         'line 3, column "b"'),
        ("rows", table("id,V1,V2,V3", "x,1,2,3", "y,1,,3"), 'line 3, column "V2"'),
    ],
)  # fmt: skip
def test_a_gap_within_a_series_is_named_with_line_and_column(write, layout, text, place):
    with pytest.raises(DataError, match=f"1 missing value .*: table.csv {place}") as caught:
        read(write(text), layout)
    assert "`missing=interpolate`" in caught.value.hint
    panel = read(write(text), layout, missing="interpolate")
    assert np.isnan(panel.values[:, 0]).sum() == 1


def test_a_row_that_is_not_there_is_a_gap_of_every_column_around_it(write):
    text = table("t,a,b", "2024-01-01,1,", "2024-01-02,2,", "2024-01-04,4,5", "2024-01-05,5,6")
    panel = read(write(text), "columns", freq="D", missing="interpolate")
    np.testing.assert_array_equal(values_of(panel, 0), [1, 2, np.nan, 4, 5])
    assert values_of(panel, 1) == [5, 6]


@pytest.mark.parametrize(
    ("layout", "text", "place"),
    [
        ("columns", table("t,a,b", "2024-01-01,1,1", "2024-01-02,2,x"),
         'line 3: column "b" holds "x"'),
        ("rows", table("id,V1,V2", "H1,1,2", "H2,3,x"), 'line 3: column "V2" holds "x"'),
    ],
)  # fmt: skip
def test_a_cell_that_is_no_number_is_named_with_line_and_column(write, layout, text, place):
    with pytest.raises(DataError, match=f"table.csv {place}"):
        read(write(text), layout)


@pytest.mark.parametrize(
    ("layout", "text", "said"),
    [
        ("columns", table("t,a,b", "2024-01-01,1,", "2024-01-02,2,"), "table.csv: b holds no"),
        ("rows", table("id,V1,V2", "H1,,", "H2,,"), "table.csv line 2 holds no value"),
        ("rows", table("id,V1,V2", "H1,1,2", "H1,3,4"), "line 3 is a second row for H1"),
        ("rows", table("id,V1,V2", "H1,1,2", ",3,4"), 'line 3.*column "id" is empty'),
        ("columns", table("t,a", "2024-01-01,1", "2024-01-02,2", "2024-01-02,3"),
         'line 4, column "a"'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_series_is_said(write, layout, text, said):
    with pytest.raises(DataError, match=said):
        read(write(text), layout, freq="D")


def test_a_column_that_is_not_there_is_named(write):
    for layout, text in (("columns", WIDE), ("rows", ROWS)):
        with pytest.raises(DataError, match='no column "nort"'):
            read(write(text), layout, column=("nort",))
    with pytest.raises(DataError, match='no column "shop"'):
        read(write(ROWS), "rows", series=("shop",))


def test_several_columns_name_the_series_of_a_row(write):
    text = table("shop,V1,item,V2", "n,1,x,2", "n,3,y,4", "s,5,x,6")
    panel = read(write(text), "rows", series=("shop", "item"))
    assert panel.ids.to_numpy().tolist() == [["n", "x"], ["n", "y"], ["s", "x"]]
    assert [values_of(panel, series) for series in range(3)] == [[1, 2], [3, 4], [5, 6]]


def test_rows_without_a_name_are_counted(write):
    panel = read(write(table("V1,V2", "1.5,2", "3,4")), "rows")
    assert panel.ids["series"].astype(str).tolist() == ["1", "2"]
    assert [values_of(panel, series) for series in range(2)] == [[1.5, 2], [3, 4]]


def test_names_of_rows_stay_what_they_are(write):
    panel = read(write(table("id,V1,V2", "007,1,2", "08,3,4")), "rows", series=("id",))
    assert panel.ids["id"].tolist() == ["007", "08"]


@pytest.mark.parametrize(
    "store",
    [
        "csv",
        "json",
        "frame",
        "parquet",
    ],
)
def test_the_names_of_rows_are_found_in_every_form_of_a_table(tmp_path, store):
    frame = pd.DataFrame({"id": ["H1", "H2"], "V1": [1.0, 3.0], "V2": [2.0, 4.0]})
    path = tmp_path / f"t.{store}"
    if store == "csv":
        frame.to_csv(path, index=False)
    elif store == "json":
        frame.to_json(path, orient="records")
    elif store == "parquet":
        frame.to_parquet(path)
    panel = read(frame if store == "frame" else str(path), "rows")
    assert panel.ids["id"].tolist() == ["H1", "H2"]
    assert [values_of(panel, series) for series in range(2)] == [[1, 2], [3, 4]]


def test_where_rows_stand_is_looked_up_for_messages_alone(write, monkeypatch):
    asked = []
    monkeypatch.setattr(Source, "line", lambda self, row: asked.append(row) or f"line {row}")
    rows = [f"H{number},1,2" for number in range(50)]
    panel = read(write(table("id,V1,V2", *rows)), "rows")
    assert panel.count == 50
    assert len(asked) <= 1


def test_a_table_like_that_of_a_competition_is_read_whole(write):
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 40, 60)
    lengths[7] = 40
    series = [rng.integers(1, 999, length) for length in lengths]
    head = ",".join(f'"V{number}"' for number in range(1, 42))
    rows = [
        ",".join([f'"W{n}"', *[f'"{each}"' for each in own], *[""] * (40 - len(own))])
        for n, own in enumerate(series, start=1)
    ]
    panel = read(write(table(head, *rows)), "rows", freq="W")
    assert panel.lengths.tolist() == lengths.tolist()
    assert panel.values[:, 0].tolist() == np.concatenate(series).tolist()
    assert panel.ids["V1"].tolist() == [f"W{number}" for number in range(1, 61)]


@pytest.mark.parametrize("layout", ["columns", "rows"])
def test_a_table_is_read_again_with_the_settings_that_were_found(write, layout):
    text = {"columns": WIDE, "rows": ROWS}[layout]
    first = read(write(text), layout)
    assert first.data.layout == layout
    again = read_panel(
        write(text),
        first.data,
        frequency=first.timeline and first.timeline.frequency,
        categories={},
    )
    same(again, first)


def test_series_of_a_later_table_are_known_by_their_names(write):
    data = read(write(WIDE), "columns").data
    later = table("t,east,south,north", "2024-01-05,9,4,5", "2024-01-06,9,5,6", "2024-01-07,9,6,7")
    panel = read_panel(write(later), data)
    known = dict(zip(panel.ids["series"], range(panel.count), strict=True))
    assert values_of(panel, known["north"]) == [5, 6, 7]
    assert values_of(panel, known["south"]) == [4, 5, 6]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"layout": "columns", "series": ("id",)}, "the columns name the series"),
        ({"layout": "columns", "past_covariates": ("x",)}, "leave out covariates"),
        ({"layout": "rows", "target": ("x",)}, "leave out `target`"),
        ({"layout": "rows", "time": "t"}, "names of the columns are the times"),
        ({"layout": "rows", "resample": "D"}, "no times: leave out `resample`"),
        (
            {"layout": "rows", "calendar_features": ("auto",)},
            "no times: leave out `calendar_features`",
        ),
        ({"layout": "rows", "calendar": "KR"}, "no times: leave out `calendar`"),
    ],
)
def test_what_a_layout_has_no_place_for_is_refused(data, why):
    from forecast_cli.config.resolution import configure

    with pytest.raises(UsageError, match=why):
        configure(data)


YEARS = [str(year) for year in range(1980, 2020)]


def countries(names):
    cells = [[name, *(10.0 * at + np.arange(40))] for at, name in enumerate(["A", "B", "C"])]
    return pd.DataFrame(cells, columns=["country", *names])


def test_a_model_of_numbered_columns_forecasts_columns_of_years(linear):
    model = linear(countries([f"V{at}" for at in range(1, 41)]), layout="rows", horizon=3)
    own = model.predict()
    assert own["step"].tolist() == [1, 2, 3] * 3
    later = model.predict(countries(YEARS))
    assert later["time"].dt.year.tolist() == [2020, 2021, 2022] * 3
    assert later["value"].tolist() == own["value"].tolist()


def test_years_in_columns_may_be_steps(write):
    path = write(countries(YEARS).to_csv(index=False))
    assert read(path, "rows", time="none").timeline is None
    assert len(read(path, "rows").timeline.times) == 120
