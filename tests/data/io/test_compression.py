"""Tables that unpack to more than they may, and tables that nobody would write by accident."""

import bz2
import gzip
import io
import json
import lzma
import subprocess
import sys
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from forecast_cli.config.sections import Dialect
from forecast_cli.core.errors import DataError
from forecast_cli.data.io.opening import open_table

# 3 MB of rows.
ROWS = b"date,y\n" + b"2024-01-01,1.5\n" * 200_000
COLUMNS = {"date": np.zeros(400_000), "y": np.zeros(400_000)}


def zipped(data):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.csv", data)
    return stream.getvalue()


def in_format(write, columns, **how):
    stream = io.BytesIO()
    write(pa.table(columns), stream, **how)
    return stream.getvalue()


def workbook(part="xl/worksheets/sheet2.xml", data=b" " * 4_000_000):
    """A small workbook of which one part is another; by default, one that nothing reads."""
    from openpyxl import Workbook

    book, small, made = Workbook(), io.BytesIO(), io.BytesIO()
    for row in (["date", "y"], ["2024-01-01", 1], ["2024-01-02", 2]):
        book.active.append(row)
    book.save(small)
    with (
        zipfile.ZipFile(small) as before,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            if name != part:
                after.writestr(name, before.read(name))
        after.writestr(part, data)
    return made.getvalue()


SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def sheet(rows, after="", before=""):
    whole = f'{before}<worksheet xmlns="{SHEETS}"><sheetData>{rows}</sheetData>{after}</worksheet>'
    return workbook("xl/worksheets/sheet1.xml", whole.encode())


def cell(place):
    return f'<c r="{place}"><v>1</v></c>'


LARGE_WORKBOOKS = {
    "one cell far away": lambda: sheet(f'<row r="1048576">{cell("XFD1048576")}</row>'),
    "wide rows": lambda: sheet(
        "".join(f'<row r="{at}">{cell(f"XFD{at}")}</row>' for at in range(1, 9000))
    ),
    "cells without places": lambda: sheet("<row>" + "<c/>" * 3000 + "</row>" + "<row/>" * 5000),
    "objects in a sheet": lambda: sheet("", '<x><y sqref="A1"/></x>' * 100_000),
    "styles": lambda: workbook(
        "xl/styles.xml", f'<styleSheet xmlns="{SHEETS}">{"<font/>" * 200_000}</styleSheet>'.encode()
    ),
    "texts": lambda: workbook(
        "xl/sharedStrings.xml", f'<sst xmlns="{SHEETS}">{"<si/>" * 2_100_000}</sst>'.encode()
    ),
}


@pytest.mark.parametrize("kind", LARGE_WORKBOOKS)
def test_no_more_of_a_workbook_is_made_than_max_size(write, kind):
    name = write(LARGE_WORKBOOKS[kind](), "large.xlsx")
    with pytest.raises(DataError, match=r"unpacks to more than 0\.2 GB"):
        open_table(name, Dialect(max_size=0.2)).read()


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
IMPOSSIBLE_WORKBOOKS = {
    "rows": (lambda: sheet(f'<row r="2000000000">{cell("A1")}</row>'), "row 2000000000"),
    "columns": (lambda: sheet(f"<row>{cell('ZZZ1')}</row>"), "column 18278"),
    "entities": (lambda: sheet("<row><c><v>&b;</v></c></row>", before=ENTITIES), "entities"),
    "no sheet": (lambda: workbook("xl/worksheets/sheet1.xml", b"<a>"), "no element found"),
}


@pytest.mark.parametrize("kind", IMPOSSIBLE_WORKBOOKS)
def test_workbooks_that_none_writes_are_refused(run, write, kind):
    made, reason = IMPOSSIBLE_WORKBOOKS[kind]
    code, out, err = run("inspect", write(made(), "odd.xlsx"))
    assert (code, out) == (3, "")
    assert "cannot be read" in err and reason in err


PACKED = {
    "gzip": lambda: gzip.compress(ROWS),
    "bz2": lambda: bz2.compress(ROWS),
    "xz": lambda: lzma.compress(ROWS, preset=0),
    "zstd": lambda: pa.compress(ROWS, codec="zstd", asbytes=True),
    "zip": lambda: zipped(ROWS),
    "parquet": lambda: in_format(parquet.write_table, COLUMNS),
    "parquet of text": lambda: in_format(
        parquet.write_table, {"date": ["x" * 10_000] * 600, "y": np.zeros(600)}
    ),
    "feather": lambda: in_format(feather.write_feather, COLUMNS, compression="zstd"),
    "workbook": workbook,
}


@pytest.mark.parametrize("kind", PACKED)
def test_no_more_is_unpacked_than_max_size(write, kind):
    name = write(PACKED[kind](), "packed")
    with pytest.raises(DataError, match=r"0\.002 GB.*`max_size=0\.0"):
        open_table(name, Dialect(max_size=0.002)).read()
    assert open_table(name).read().columns.num_rows


MANY_ROWS = b"2024-01-01,1.5\n" * 200_000
# Rows of 300 MB, which take that much or more in memory.
LARGE = {
    "gzip": lambda: gzip.compress(b"date,y\n") + gzip.compress(MANY_ROWS) * 100,
    "xz": lambda: lzma.compress(b"date,y\n") + lzma.compress(MANY_ROWS, preset=0) * 100,
    "zip": lambda: zipped(b"date,y\n" + MANY_ROWS * 100),
    "gzip of JSON": lambda: gzip.compress(b'{"y":1}\n' * 200_000) * 190,
}
MEASURE = """
import resource, sys
from forecast_cli.config.sections import Dialect
from forecast_cli.core.errors import DataError
from forecast_cli.data.io.opening import open_table
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
open_table("small").read()
before = peak()
try:
    open_table("packed", Dialect(max_size=0.29)).read()
except DataError as error:
    print(peak() - before, error)
"""


# Rows that are worth reading by their size, and take several times as much.
REPEATED = {
    "gzip": lambda: gzip.compress(b"y\n" + b"0\n" * 300_000),
    "xz": lambda: lzma.compress(b"y\n" + b"0\n" * 2_000_000, preset=0),
    "zip": lambda: zipped(b"y\n" + b"0\n" * 300_000),
    "gzip of JSON": lambda: gzip.compress(b'{"y":1}\n' * 300_000),
    "parquet": lambda: in_format(
        parquet.write_table, {"date": np.zeros(150_000), "y": np.zeros(150_000)}
    ),
    "feather": lambda: in_format(
        feather.write_feather,
        {"date": np.zeros(150_000), "y": np.zeros(150_000)},
        compression="zstd",
    ),
}


@pytest.mark.parametrize("kind", REPEATED)
def test_rows_that_hardly_take_room_count_by_what_reading_them_takes(run, write, kind):
    name = write(REPEATED[kind](), "packed")
    code, _, err = run("inspect", name, "--max-size", "0.01")
    assert code == 3 and "rows or more, which take about 0." in err
    assert open_table(name).read().columns.num_rows >= 150_000


@pytest.mark.slow
@pytest.mark.parametrize("kind", LARGE)
def test_what_is_too_large_is_refused_before_it_is_held(write, kind):
    write(LARGE[kind](), "packed")
    write(gzip.compress(b"date,y\n2024-01-01,1\n"), "small")
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True)
    growth, _, message = done.stdout.partition(" ")
    assert "; 0.29 GB are allowed" in message or "more than 0.29 GB" in message, done.stderr
    # In KB.
    assert int(growth) < 60_000


def test_a_compressed_table_is_looked_at_to_its_end(write):
    rows = "".join(f"{day},{day % 7}\n" for day in range(30_000))
    name = write(gzip.compress(f"day,y\n{rows}Total,90000\n".encode()))
    opened = open_table(name)
    assert "Total" in " ".join(opened.notes)
    assert opened.read().columns.num_rows == 30_000


def test_the_flag_raises_the_limit(run, write):
    name = write(gzip.compress(b"date,y\n" + b"2024-01-01,1.5\n" * 1000))
    code, _, err = run("inspect", name, "--max-size", "0.00001")
    assert (code, "pass --max-size 2e-05 or more" in err) == (3, True)


def csv_of(value, rows=28):
    return "date,y\n" + "".join(
        f"2024-01-{day:02d},{value if day == 5 else day}\n" for day in range(1, rows + 1)
    )


ODD = {
    "a line of 20 MB": "date,y\n2024-01-01," + "1" * 20_000_000 + "\n2024-01-02,3\n",
    "one line": "x" * 20_000_000,
    "many columns": ",".join(map(str, range(150_000))) + "\n" + ",".join(["1"] * 150_000) + "\n",
    "zero bytes": "date,y\n2024-01-01,1\0\n",
    "an open quote": 'date,y\n2024-01-01,"1\n' + "2024-01-02,2\n" * 20_000,
    "infinity": csv_of("inf"),
    "a number that is too large": csv_of("1e400"),
    "two columns of one name": "date,y,y\n2024-01-01,1,2\n",
    "nested deep": "[" * 10_000 + "]" * 10_000,
    "lines nested deep": '{"a":' * 10_000 + "1" + "}" * 10_000 + "\n",
    "integers beyond 64 bits": json.dumps([{"date": "2024-01-01", "y": 10**25}]),
    "Parquet in name alone": "PAR1" + "x" * 100 + "PAR1",
    "a cut archive": zipped(ROWS)[:500],
}


@pytest.mark.parametrize("line", ["1" * 2_000_000, '"1\n' + "2024-01-02,2\n" * 200_000])
def test_a_row_without_end_is_named(run, write, line):
    code, _, err = run("inspect", write(f"date,y\n2024-01-01,{line}", "endless"))
    assert code == 3 and "endless has a row that does not end within" in err, err


@pytest.mark.parametrize("kind", ODD)
def test_odd_tables_are_refused_with_a_reason(run, write, kind):
    name = write(ODD[kind], "odd")
    code, out, err = run("train", name, "-c", "y", "--preset", "classic", "--horizon", "2")
    assert (code, out) == (3, ""), err
    assert err.startswith("error: ")
    assert len(err) < 2000


def test_an_encrypted_archive_is_refused(run, write):
    data = bytearray(zipped(b"date,y\n2024-01-01,1\n"))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    code, _, err = run("inspect", write(bytes(data), "x.zip"))
    assert (code, "encrypted" in err) == (3, True)
