"""Files as people have them: what is read of their head, and what is said of the bad ones."""

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from forecast_cli.config.sections import Dialect
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.io import storage
from forecast_cli.data.io.csv_reader import read_source
from forecast_cli.data.io.sources import Source
from forecast_cli.data.io.storage import HEAD_BYTES


def zipped(*contents):
    """An archive of files with these contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}.csv", content)
    return buffer.getvalue()


def zstd(content):
    return pa.compress(content, "zstd", asbytes=True)


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


@pytest.mark.parametrize("name", ["Close", "Close\n(USD)", "a,b"])
def test_a_quoted_name_may_be_all_there_is(write, name):
    assert Source(write(f'"{name}"')).header == [name]


@pytest.mark.parametrize("content", ['""', ",,\n,,\n", '""\n""\n'])
def test_a_table_of_empty_cells_is_refused_as_one(write, content):
    with pytest.raises(DataError, match=r"All cells of .*table\.csv are empty"):
        _ = Source(write(content)).header


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
    [gzip.compress(ROWS.encode())[:-8], gzip.compress(ROWS.encode() * 50000)[:-8]],
    ids=["cut short", "long and cut short"],
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
        (b"PK\x03\x04\0\0\0\0", "cannot be read"),
        (b"\x89PNG\r\n\x1a\n\0", "not a text table"),
        (bytes(range(256)), "not a text table"),
    ],
    ids=["zip", "picture", "bytes"],
)
def test_what_is_no_text_is_refused(write, content, said):
    with pytest.raises(DataError, match=said):
        _ = Source(write(content)).header


def test_columns_of_the_same_name_are_refused(write):
    with pytest.raises(DataError, match=r'table\.csv has 2 columns named "y"'):
        _ = Source(write("Date,y,x,y\n2020-01-01,1,2,3\n")).header


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252", "cp949"],
)
def test_a_text_is_read_in_the_encoding_that_it_has(write, encoding):
    name = "종가" if encoding == "cp949" else "Größe"
    rows = f"Date,{name}\n2020-01-01,1\n2020-01-02,x\n"
    source = Source(write(rows.encode(encoding)))
    assert source.header == ["Date", name]
    assert read_source(source).columns[name].to_pylist() == ["1", "x"]
    assert source.line(1) == "table.csv line 3"
    assert bool(source.notes) == (not encoding.startswith("utf-8"))


def test_an_encoding_can_be_named(write):
    path = write("Date,Größe\n2020-01-01,1\n".encode("cp850"))
    assert Source(path, Dialect(encoding="cp850")).header == ["Date", "Größe"]
    with pytest.raises(UsageError, match='Unknown encoding "cp9999"'):
        _ = Source(path, Dialect(encoding="cp9999")).header
    with pytest.raises(DataError, match="not a text table in utf-8"):
        _ = Source(path, Dialect(encoding="utf-8")).header


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zipped, zstd])
def test_a_compressed_table_is_known_by_its_bytes(write, pack):
    source = Source(write(pack(ROWS.encode()), "table under any name"))
    assert read_source(source).numbers("Close").tolist() == [1, 2]
    piped = Source("-", stdin=io.BytesIO(pack(ROWS.encode())))
    assert read_source(piped).numbers("Close").tolist() == [1, 2]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zipped, zstd])
def test_how_far_a_file_is_read_is_known_in_bytes_of_the_file(monkeypatch, write, pack):
    monkeypatch.setattr(storage, "LARGE", 0)
    events, content = [], pack((ROWS * 9).encode())
    read_source(Source(write(content), on_event=events.append), ["Close"])
    assert [event.size for event in events] == [len(content)] * len(events) and events
    # It is asked later too, when the file is closed.
    assert events[-1].so_far() == len(content)


def test_how_far_a_pipe_is_read_is_known_in_rows(write):
    events, text = [], ROWS + "2020-01-03,3\n" * 9000
    source = Source("-", stdin=io.BytesIO(text.encode()), on_event=events.append)
    assert len(read_source(source).columns) == 9002
    assert (events[0].so_far(), events[0].unit, events[0].size) == (9003, "rows", None)


def test_an_archive_of_several_files_is_refused(write):
    with pytest.raises(DataError, match="an archive of 2 files"):
        _ = Source(write(zipped(b"a", b"b"), "tables.zip")).header


def test_a_decimal_comma_is_found_where_it_can_be_nothing_else(write):
    source = Source(write("Date;Close\n2020-01-01;1,5\n2020-01-02;1.234,25\n"))
    assert read_source(source).numbers("Close").tolist() == [1.5, 1234.25]
    assert source.notes == ["commas read as decimal marks (`decimal=.` if they are not)"]


def test_a_delimiter_can_be_named(write):
    source = Source(write("Date,a;b\n2020-01-01,1;2\n"), Dialect(delimiter=";"))
    assert source.header == ["Date,a", "b"]
