"""Tables read into numbers, and the cells that are none."""

import io
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.config.sections import Dialect
from forecast_cli.core.errors import DataError
from forecast_cli.data.io.csv_reader import read_source
from forecast_cli.data.io.opening import open_table, open_with_notes
from forecast_cli.data.io.sources import Source
from forecast_cli.data.io.tables import MISSING_MARKERS


def numbers(cells, **how):
    """The column `y` of a piped table that holds these cells."""
    text = "t,y\n" + "".join(f"{row},{cell}\n" for row, cell in enumerate(cells))
    return read_source(Source("-", Dialect(**how), io.BytesIO(text.encode()))).numbers("y")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2", "+3"], [1, -2, 3]),
        (["1.5", ".5", "1e3", "-2E-3"], [1.5, 0.5, 1000, -0.002]),
        (["99999999999999999999", "1"], [1e20, 1]),
        (["9007199254740993", "1"], [2.0**53, 1]),
        (["9223372036854775808", "9007199254740993"], [2.0**63, 2.0**53]),
        (["true", "false"], [1, 0]),
        (["True", "FALSE"], [1, 0]),
        ([" 1.5", "2 "], [1.5, 2]),
        (['"1"', '"2.5"'], [1, 2.5]),
    ],
)
def test_cells_are_read_as_numbers(cells, expected):
    assert numbers(cells).tolist() == expected


@given(st.lists(st.floats(-1e150, 1e150) | st.just(math.nan), min_size=1))
def test_every_float_is_read_as_it_was_written(values):
    cells = ["" if math.isnan(value) else repr(value) for value in values]
    np.testing.assert_array_equal(numbers(cells), values)


@pytest.mark.parametrize("marker", MISSING_MARKERS)
def test_the_usual_markers_stand_for_missing_values(marker):
    assert np.isnan(numbers(["1", marker, "3"])).tolist() == [False, True, False]


@pytest.mark.parametrize("marker", [" NA", "NA ", " ", "  n/a"])
def test_blanks_around_a_marker_do_not_matter(marker):
    assert np.isnan(numbers(["1", marker, "3"])).tolist() == [False, True, False]


def test_a_column_may_be_empty():
    assert np.isnan(numbers(["", ""])).all()


@pytest.mark.parametrize("marker", ["?", "missing", "-999"])
def test_more_markers_can_be_named(marker):
    read = numbers(["1", marker, "", "3"], na=(marker,))
    np.testing.assert_array_equal(read, [1, np.nan, np.nan, 3])


@pytest.mark.parametrize(
    ("cells", "line", "cell"),
    [
        (["1", "2", "three"], 4, "three"),
        (["1", "n.a.", "x"], 3, "n.a."),
        (["1", "", '"1,2,3"'], 4, "1,2,3"),
        (["1", "2020-01-01", "3"], 3, "2020-01-01"),
        ([" 1.5", "abc"], 3, "abc"),
        (["1", "inf"], 3, "inf"),
        (["1", "2", "-Infinity"], 4, "-inf"),
    ],
)
def test_a_cell_that_is_no_number_is_named_with_its_line(cells, line, cell):
    with pytest.raises(DataError, match=rf'line {line}: column "y" holds "{cell}"\. A number'):
        numbers(cells)


@pytest.mark.parametrize(
    ("cells", "how", "expected"),
    [
        (['"1,234.5"', "7", '"12,000"'], {}, [1234.5, 7, 12000]),
        (['"1,5"', '"1,234"'], {}, [1.5, 1.234]),
        (['"1.234,5"', '"-2"'], {}, [1234.5, -2]),
        (['"1 234,5"', '"5 000"'], {}, [1234.5, 5000]),
        (["1'234.5", "5'000"], {}, [1234.5, 5000]),
        (['"1,234"', '"5,678"'], {"decimal": "."}, [1234, 5678]),
        (['"1,234"', '"5,678"'], {"decimal": ","}, [1.234, 5.678]),
        (['"1,234"', '"5,678"'], {"thousands": ","}, [1234, 5678]),
        (["\u22121.5", "2.5"], {}, [-1.5, 2.5]),
        (['"1,2e3"', '"4,5"'], {}, [1200, 4.5]),
    ],
)
def test_numbers_are_read_as_people_write_them(cells, how, expected):
    assert numbers(cells, **how).tolist() == expected


def test_a_mark_that_could_be_either_is_asked_about():
    with pytest.raises(DataError, match=r'"1,234", which could be 1234 or 1\.234.*`decimal=,`'):
        numbers(['"1,234"', '"5,678"'])


def test_two_ways_to_write_numbers_in_one_column_are_refused():
    with pytest.raises(DataError, match=r'line 3: column "y" holds "2,5"\. A number'):
        numbers(['"1,234.5"', '"2,5"', '"3,456.7"'])


def test_the_hint_of_a_cell_that_is_no_number_names_the_marker():
    with pytest.raises(DataError) as caught:
        numbers(["1", "n.a."])
    assert "`na=n.a.`" in caught.value.hint


def test_a_column_of_dates_is_not_taken_for_numbers(write):
    table = open_table(write("t,y\n2020-01-01,1\n2020-01-02,2\n")).read()
    with pytest.raises(DataError, match='column "t" holds'):
        table.numbers("t")


@pytest.mark.parametrize(
    ("row", "cells"),
    [("5,6,7", 3), ("5", 1), (f"{'x' * 300},6,7", 3), ('"a\nb",6,7', 3)],
    ids=["long", "short", "wide", "with a newline"],
)
def test_a_row_of_another_length_is_named_with_its_line(write, row, cells):
    name = write(f'a,b\n1,"2"\n\n3,4\n{row}\n7,8\n')
    with pytest.raises(DataError, match=rf"table\.csv line 5 has {cells} cells?; the header has 2"):
        open_table(name).read()


def test_text_in_another_encoding_far_down_is_a_data_error(write):
    rows = b"t,y\n" + b"a,1\n" * 40_000 + b"\xe9,2\n"
    with pytest.raises(DataError, match="UTF"):
        open_table(write(rows)).read(text=["t"])


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_a_header_alone_has_no_rows(write, end):
    with pytest.raises(DataError, match=r"table\.csv has a header and no rows"):
        open_table(write(f"Date,Close{end}")).read()


def test_a_last_line_needs_no_end(write):
    assert open_table(write("t,y\n1,2\n3,4")).read().numbers("y").tolist() == [2, 4]


def test_columns_come_in_the_order_asked_for(write):
    assert open_table(write("a,b,c\n1,2,3\n")).read(columns=["c", "a"]).names == ["c", "a"]


def test_a_column_can_be_left_as_text(write):
    table = open_table(write("t,y\n007,1\n19580329,2\n")).read(text=["t"])
    assert table.columns["t"].to_pylist() == ["007", "19580329"]


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("Clsoe", 'Did you mean "Close"? There are: Date, Open, Close.'),
        ("close", 'Did you mean "Close"? There are: Date, Open, Close.'),
        ("zzz", "There are: Date, Open, Close."),
    ],
)
def test_an_unknown_column_names_the_nearest(write, wanted, hint):
    with pytest.raises(DataError, match=f'table.csv has no column "{wanted}"') as caught:
        open_table(write("Date,Open,Close\n2020-01-01,1,2\n")).read(columns=[wanted])
    assert caught.value.hint == hint


DAYS = pd.date_range("2020-01-01", periods=3)


@pytest.mark.parametrize(
    ("index", "name"),
    [
        (DAYS, "time"),
        (DAYS.rename("day"), "day"),
        (DAYS.to_period("D"), "time"),
        (DAYS.to_period("D").rename("day"), "day"),
    ],
    ids=["times", "named times", "periods", "named periods"],
)
def test_the_time_index_of_a_frame_is_its_first_column(index, name):
    table = open_table(pd.DataFrame({"y": [1, 2, 3]}, index=index)).read()
    assert table.names == [name, "y"]
    assert pd.DatetimeIndex(table.columns[name].to_pandas()).equals(DAYS.as_unit("ns"))


def test_an_index_of_row_numbers_is_no_column():
    assert open_table(pd.DataFrame({"y": [1, 2]}, index=[7, 8])).read().names == ["y"]


def test_a_time_index_without_a_name_stands_beside_a_column_called_time():
    table = open_table(pd.DataFrame({"y": [1, 2, 3], "time": [4, 5, 6]}, index=DAYS)).read()
    assert table.numbers("time").tolist() == [4, 5, 6]
    assert len(table.names) == 3


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.array([1, None], dtype="Int64"), [1, np.nan]),
        (pd.Categorical([3, 4]), [3, 4]),
        ([True, False], [1, 0]),
        (["1.5", None], [1.5, np.nan]),
        (np.array([1, 2], np.float32), [1, 2]),
    ],
    ids=["nullable", "categories", "truth values", "text", "single precision"],
)
def test_columns_of_a_frame_are_read_as_numbers(column, expected):
    np.testing.assert_array_equal(
        open_table(pd.DataFrame({"y": column})).read().numbers("y"), expected
    )


def test_a_frame_may_have_numbers_for_names():
    assert open_table(pd.DataFrame({0: [1, 2]})).read(columns=["0"]).numbers("0").tolist() == [1, 2]


def test_a_bad_cell_of_a_frame_is_named_with_its_row():
    table = open_table(pd.DataFrame({"y": ["1", "x"]})).read()
    with pytest.raises(DataError, match='row 2: column "y" holds "x"'):
        table.numbers("y")


def test_a_column_of_mixed_objects_does_no_harm_unless_it_is_read():
    frame = pd.DataFrame({"y": [1, 2], "note": [3, "three"]})
    assert open_table(frame).read().numbers("y").tolist() == [1, 2]
    with pytest.raises(DataError, match='column "note" holds "three"'):
        open_table(frame).read().numbers("note")


def test_a_frame_with_two_columns_of_a_name_is_refused():
    with pytest.raises(DataError, match='2 columns named "y"'):
        open_table(pd.DataFrame([[1, 2]], columns=["y", "y"])).read()


@pytest.mark.parametrize("frame", [pd.DataFrame(), pd.DataFrame({"y": []})])
def test_a_frame_without_rows_is_refused(frame):
    with pytest.raises(DataError, match="no rows"):
        open_table(frame).read()


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([1, 2**53 + 1, 2**60 + 1], "row 2 has 9007199254740993, read as 9007199254740992"),
        (["1", "-9007199254740993"], "row 2 has -9007199254740993, read as -9007199254740992"),
        (["1.5", "18446744073709551615.0"], "row 2 has 18446744073709551615"),
        ([1, 2**64 - 1], "row 2 has 18446744073709551615, read as 18446744073709551616"),
        ([2**53, 2**53 + 2, 2**60], None),
        (["1e100", "123456789.12345678901234567890"], None),
        ([1e100, 2.0**70], None),
        ([None, 1], None),
    ],
)
def test_integers_that_are_not_kept_are_warned_about_once(cells, said):
    notes = []
    table = open_with_notes(pd.DataFrame({"y": cells}), Dialect(), notes.append).read()
    assert table.is_all_numbers("y") and not notes
    for _ in range(2):
        table.numbers("y")
    assert len(notes) == bool(said)
    if said:
        assert said in notes[0].text and '"y"' in notes[0].text and notes[0].warning
