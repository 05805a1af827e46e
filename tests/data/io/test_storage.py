"""Tables that end in mid-row, or are removed while they are read: said, never silently wrong."""

import io
import sys

import pandas as pd
import pytest

from forecast_cli.core.errors import DataError
from forecast_cli.data.io.opening import open_table

from ...vanishing import vanishing

WRITERS = {
    "table.csv": lambda frame, path: frame.to_csv(path, index=False),
    "table.csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    "table.parquet": lambda frame, path: frame.to_parquet(path),
    "table.json": lambda frame, path: frame.to_json(path, orient="records"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_table_that_vanishes_while_it_is_read_is_an_error_or_read_whole(tmp_path, name):
    # More than the head of it that is looked at first.
    frame = pd.DataFrame({"date": range(20_000), "value": range(20_000)})
    path, refused = tmp_path / name, 0
    for number in range(1, 100):
        WRITERS[name](frame, path)
        try:
            with vanishing(path, number):
                read = open_table(path).read().columns.num_rows
        except DataError as error:
            assert name in error.message
            refused += 1
        else:
            assert read == len(frame)
        if path.exists():
            break
    assert 0 < refused < 100


def stdin(monkeypatch, end, rows=3):
    text = b"date,value,note\n" + b"".join(b"2020-01-%02d,%d,x\n" % (n, n) for n in range(1, rows))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text + end)))
    return open_table("-")


@pytest.mark.parametrize("rows", [3, 10_000])
@pytest.mark.parametrize("end", [b"2020-03-01,1,y", b'2020-03-01,1,"y"', b"2020-03-01,1,"])
def test_a_last_row_without_a_newline_is_read_and_said_of_standard_input(monkeypatch, end, rows):
    opened = stdin(monkeypatch, end, rows)
    note = "standard input ends without a newline: where it was cut off, the last row is not whole"
    assert any(each == f'{note}: "{end.decode()}"' for each in opened.notes)
    assert opened.read().columns.num_rows == rows
    assert not any(note in each for each in stdin(monkeypatch, end + b"\n", rows).notes)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (b"2020-03-01,1", "has 2 cells; the header has 3. No newline ends the last line: the"),
        (b"2020-0", "has 1 cell; the header has 3. No newline ends the last line: the"),
        (b'2020-03-01,1,"y', "ends within a quoted cell: "),
    ],
)
def test_a_last_row_that_is_not_whole_is_refused(monkeypatch, end, words):
    with pytest.raises(DataError, match="standard input") as caught:
        stdin(monkeypatch, end).read()
    assert words in caught.value.message
