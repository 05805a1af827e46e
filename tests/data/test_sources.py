"""Files as people have them: what is read of their head, and what is said of the bad ones."""

import gzip
import io
from pathlib import Path

import pytest

from forecast_cli.data.csvtables import read_source
from forecast_cli.data.sources import HEAD_BYTES, Source
from forecast_cli.errors import DataError

ROWS = "Date,Close\n2020-01-01,1\n2020-01-02,2\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(write, delimiter):
    source = Source(write(ROWS.replace(",", delimiter)))
    assert source.delimiter == delimiter
    assert source.header == ["Date", "Close"]
    assert read_source(source).numbers("Close").tolist() == [1, 2]


def test_one_column_needs_no_delimiter(write):
    assert read_source(Source(write("y\n1\n2\n"))).numbers("y").tolist() == [1, 2]


def test_delimiters_inside_quotes_do_not_count(write):
    source = Source(write('"Date";"Sales, net, EUR"\n2020-01-01;1\n'))
    assert source.header == ["Date", "Sales, net, EUR"]


def test_line_ends_inside_quotes_do_not_end_the_header(write):
    assert Source(write('"Date\n(UTC)";Sales\n2020-01-01;1\n')).header == ["Date\n(UTC)", "Sales"]


def test_a_header_may_begin_with_an_empty_name(write):
    assert Source(write("\tClose\n2020-01-01\t1\n")).header == ["", "Close"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_every_line_end_is_read(write, end):
    source = Source(write(ROWS.replace("\n", end)))
    assert source.header == ["Date", "Close"]
    assert read_source(source).numbers("Close").tolist() == [1, 2]


@pytest.mark.parametrize("header", ["Date,Close", '"Date","Close"'])
def test_a_byte_order_mark_is_no_part_of_the_first_name(write, header):
    source = Source(write(f"\ufeff{header}\n2020-01-01,1\n"))
    assert source.header == ["Date", "Close"]
    assert read_source(source).names == ["Date", "Close"]


def test_a_compressed_table_is_read_like_a_plain_one(write):
    source = Source(write(gzip.compress(ROWS.encode()), "table.csv.gz"))
    assert source.header == ["Date", "Close"]
    assert read_source(source).numbers("Close").tolist() == [1, 2]
    assert source.line(1) == "table.csv.gz line 3"


@pytest.mark.parametrize(
    "content",
    [ROWS.encode(), gzip.compress(ROWS.encode())[:-8], gzip.compress(ROWS.encode() * 50000)[:-8]],
    ids=["not compressed", "cut short", "long and cut short"],
)
def test_a_broken_compressed_table_is_an_error_that_names_it(write, content):
    with pytest.raises(DataError, match=r"table\.csv\.gz"):
        read_source(Source(write(content, "table.csv.gz")))


def test_standard_input_is_read_once_and_opened_often():
    source = Source("-", stdin=io.BytesIO(ROWS.encode()))
    assert source.header == ["Date", "Close"]
    assert [read_source(source).numbers("Close").tolist() for _ in range(2)] == [[1, 2], [1, 2]]
    assert source.line(1) == "standard input line 3"


def test_empty_standard_input_is_named():
    with pytest.raises(DataError, match="standard input is empty"):
        _ = Source("-", stdin=io.BytesIO()).head


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a,b\n1,2\n3,4\n", [2, 3]),
        ("a,b\r\n1,2\r\n3,4\r\n", [2, 3]),
        ("\n\na,b\n\n1,2\n\n\n3,4\n\n", [5, 8]),
        ('a,b\n"x\ny\nz",2\n"v\nw",4\n5,6', [2, 5, 7]),
        ('"a\nb",c\n1,2\n', [3]),
        ("\ufeffa,b\n1,2\n", [2]),
    ],
    ids=["plain", "windows", "blank lines", "quoted newlines", "in the header", "mark"],
)
def test_a_row_is_found_at_its_line(write, text, lines):
    source = Source(write(text))
    assert [source.line(row) for row in range(len(lines))] == [f"table.csv line {n}" for n in lines]


def test_a_row_that_is_not_there_is_named_by_its_number(write):
    assert Source(write(ROWS)).line(7) == "table.csv row 8"


def test_the_head_of_a_long_file_has_whole_lines_only(write):
    row = "2020-01-01,1.5\n"
    head = Source(write("Date,Close\n" + row * HEAD_BYTES)).head
    assert set(head.splitlines()[1:]) == {row.strip()}
    assert 0 < len(head) <= HEAD_BYTES


def test_a_missing_file_names_the_nearest(write):
    write(ROWS, "prices.csv")
    with pytest.raises(DataError, match=r"no file pirces\.csv.*Did you mean prices\.csv\?"):
        _ = Source("pirces.csv").head


def test_a_missing_folder_is_named(write):
    write(ROWS)
    with pytest.raises(DataError, match=r"no file data/table\.csv.*no directory data"):
        _ = Source("data/table.csv").head


def test_a_directory_is_not_read(write):
    write(ROWS)
    Path("folder").mkdir()
    with pytest.raises(DataError, match="folder is a directory"):
        _ = Source("folder").head


@pytest.mark.parametrize("content", ["", "\n \n\n", "\ufeff"], ids=["no byte", "blank", "mark"])
def test_an_empty_file_is_called_empty(write, content):
    with pytest.raises(DataError, match=r"table\.csv is empty"):
        _ = Source(write(content)).header


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04\0\0\0\0", "not a text table"),
        (b"\x89PNG\r\n\x1a\n\0", "not text in UTF-8"),
        (ROWS.encode("utf-16"), "not text in UTF-8"),
        (ROWS.encode("utf-16-le"), "not a text table"),
        ("Date,Größe\n2020-01-01,1\n".encode("latin-1"), "not text in UTF-8.*LATIN1"),
    ],
    ids=["zip", "picture", "utf-16", "utf-16 without a mark", "latin-1"],
)
def test_what_is_no_text_is_refused(write, content, said):
    with pytest.raises(DataError, match=said):
        _ = Source(write(content)).header


def test_columns_of_the_same_name_are_refused(write):
    with pytest.raises(DataError, match=r'table\.csv has 2 columns named "y"'):
        _ = Source(write("Date,y,x,y\n2020-01-01,1,2,3\n")).header
