"""A good table with one fault in it is read as it was, or the fault is named, or it is refused."""

import os
import random

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import forecast_cli as fc
from forecast_cli.config.resolution import configure
from forecast_cli.core.errors import ForecastError
from forecast_cli.core.events import Note
from forecast_cli.training.pipeline import read_dataset

EXAMPLES = 1000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 12
FEW = {"preset": "classic", "horizon": 2, "timesteps": 3, "validation": 0, "test": 0}
ROWS = 60


def season(rows, length, seed):
    noise = np.random.default_rng(seed).normal(0, 1, rows)
    return (200 + 30 * np.sin(2 * np.pi * np.arange(rows) / length) + 3 * noise).round(1)


def make(freq, form, length, *, stores=("",), rows=ROWS):
    """A good table: its header, and its rows of text."""
    times = pd.date_range("2022-01-03", periods=rows, freq=freq)
    written = [f"{each.year}-Q{each.quarter}" if form == "Q" else each.strftime(form)
               for each in times]  # fmt: skip
    table = []
    for seed, store in enumerate(stores):
        key = [store] if store else []
        values = season(rows, length, seed)
        table += [
            [*key, day, f"{value}", str(7 * at % 5)]
            for at, (day, value) in enumerate(zip(written, values, strict=True))
        ]
    key = ["store"] if stores[0] else []
    return [*key, "date", "sales", "promo"], table


GOOD = {
    "days": (make("D", "%Y-%m-%d", 7), "%Y-%m-%d"),
    "hours": (make("h", "%Y-%m-%d %H:%M", 24), "%Y-%m-%d %H:%M"),
    "weeks": (make("W-MON", "%Y-%m-%d", 52), "%Y-%m-%d"),
    "months": (make("MS", "%Y-%m", 12), "%Y-%m"),
    "business days": (make("B", "%Y-%m-%d", 5), "%Y-%m-%d"),
    "stores": (make("D", "%Y-%m-%d", 7, stores=("S1", "S2", "007")), "%Y-%m-%d"),
}


class Mutation:
    """A table to change, with the place of its columns and the form of its dates."""

    def __init__(self, kind, draw):
        (header, rows), self.form = GOOD[kind]
        self.header, self.rows = [*header], [[*row] for row in rows]
        self.draw = draw
        self.delimiter, self.above, self.below, self.encoding = ",", "", "", "utf-8"
        self.time, self.value = self.header.index("date"), self.header.index("sales")

    def row(self):
        return self.rows[self.draw.randrange(len(self.rows))]

    def redate(self, *forms):
        form = self.draw.choice(forms)
        if "%d" not in self.form:
            form = self.draw.choice(["%m/%Y", "%Y/%m", "%b %Y", "%Y%m"])
        form += " %H:%M" * ("%H" in self.form)
        for row in self.rows:
            row[self.time] = pd.to_datetime(row[self.time], format=self.form).strftime(form)

    def text(self):
        lines = [self.header, *self.rows]
        cells = [[f'"{cell}"' if self.delimiter in cell else cell for cell in line]
                 for line in lines]  # fmt: skip
        body = "".join(self.delimiter.join(line) + "\n" for line in cells)
        return (self.above + body + self.below).encode(self.encoding)


def rename_time(table):
    table.header[table.time] = table.draw.choice(["Datum", "when", "x", "TIME_PERIOD", ""])


def rename_value(table):
    table.header[table.value] = "Sales"


def move_row(table):
    table.rows.insert(table.draw.randrange(len(table.rows)), table.rows.pop(
        table.draw.randrange(len(table.rows))))  # fmt: skip


def reverse(table):
    table.rows.reverse()


def shuffle(table):
    table.draw.shuffle(table.rows)


def redate_all(table):
    table.redate("%d.%m.%Y", "%Y/%m/%d", "%b %d, %Y", "%d %B %Y", "%Y%m%d", "%d-%b-%Y", "%m/%d/%y")


def redate_one(table):
    row = table.row()
    time = pd.to_datetime(row[table.time], format=table.form)
    form = table.draw.choice(["%d.%m.%Y", "%Y/%m/%d", "%B %d", "%d/%m/%Y", "%m/%d/%Y"])
    row[table.time] = time.strftime(form)


def mistype_year(table):
    row = table.row()
    row[table.time] = table.draw.choice(["2012", "2023", "2202"]) + row[table.time][4:]


def shift_date(table):
    row = table.row()
    time = pd.to_datetime(row[table.time], format=table.form)
    row[table.time] = (time + pd.Timedelta(days=table.draw.choice([-40, -1, 1, 33]))).strftime(
        table.form
    )


def repeat_row(table):
    table.rows.insert(table.draw.randrange(len(table.rows)), [*table.row()])


def drop_row(table):
    del table.rows[table.draw.randrange(1, len(table.rows) - 1)]


def blank(table):
    table.row()[table.value] = table.draw.choice(["", " ", "n/a", "-", ".", "?", "#REF!"])


def another_writing(table):
    writings = ["${}", "{} kWh", "€ {}", "{}%", "+{}", " {} ", "{}e0", "'{}"]
    write = table.draw.choice(writings)
    for row in table.rows if table.draw.random() < 0.5 else [table.row()]:
        row[table.value] = write.format(row[table.value])


def negative_writing(table):
    row = table.row()
    row[table.value] = table.draw.choice(["({})", "{}-"]).format(row[table.value])


def decimal_comma(table):
    table.delimiter = table.draw.choice(";\t|")
    for row in table.rows:
        row[table.value] = row[table.value].replace(".", ",")


def larger_unit(table):
    factor = table.draw.choice([1000, 100, 0.001])
    begin = table.draw.randrange(ROWS // 3, ROWS - 8)
    for row in table.rows[begin:ROWS]:
        row[table.value] = f"{float(row[table.value]) * factor:g}"


def slipped_point(table):
    row = table.row()
    row[table.value] = row[table.value].replace(".", "") + "00"


def sentinel(table):
    for _ in range(table.draw.randrange(1, 4)):
        table.row()[table.value] = table.draw.choice(["-999", "-9999", "99999"])


def total(table):
    whole = sum(float(row[table.value]) for row in table.rows)
    cells = [""] * len(table.header)
    cells[0], cells[table.value] = (
        table.draw.choice(["Total", "Summe", "Grand total"]),
        f"{whole:g}",
    )
    table.rows.append(cells)


def title(table):
    table.above = table.draw.choice(
        ["Sales report\n", "Sales report\n\n", "sep=,\n", "# made today\n"]
    )


def note_below(table):
    table.below = table.draw.choice(["\n", "\nSource: shop\n", ",,\n", "* estimated\n"])


def swap_columns(table):
    for row in [table.header, *table.rows]:
        row[table.time], row[table.value] = row[table.value], row[table.time]


def other_encoding(table):
    table.header[-1] = "Prämie"
    table.encoding = table.draw.choice(["latin-1", "utf-16", "utf-8-sig"])


def name_alike(table):
    if table.header[0] == "store":
        table.row()[0] = table.draw.choice(["s1", "S1 ", " S2", "7"])


def header_again(table):
    table.rows.insert(table.draw.randrange(1, len(table.rows)), [*table.header])


# With these the table means the same: it is read as it was, or refused.
SAME = (
    rename_time, move_row, reverse, shuffle, redate_all, decimal_comma, title, note_below,
    swap_columns, other_encoding, another_writing,
)  # fmt: skip
FAULTS = (
    rename_value, redate_one, mistype_year, shift_date, repeat_row, drop_row, blank, larger_unit,
    negative_writing, slipped_point, sentinel, total, name_alike, header_again,
)  # fmt: skip


def understood(content, path, keys):
    """What a training makes of a table, and everything that it and an inspection say of it."""
    path.write_bytes(content)
    said = []
    asked = configure(FEW | {"column": "sales", "series": tuple(keys)})
    dataset = read_dataset(str(path), asked, on_event=said.append)
    panel = dataset.panel
    report = fc.inspect(str(path), column="sales", series=tuple(keys))
    texts = {each.text for each in said if isinstance(each, Note)} | {*report.warnings}
    times = None if panel.timeline is None else panel.timeline.times.tz_localize(None)
    series = {}
    for at in range(panel.count):
        rows = slice(panel.indptr[at], panel.indptr[at + 1])
        own = range(panel.lengths[at]) if times is None else times[rows]
        series[panel.name(at)] = pd.Series(panel.values[rows, 0], index=pd.Index(own))
    return series, texts


def equal(one, other):
    return one.keys() == other.keys() and all(
        len(one[name]) == len(other[name])
        and (one[name].index == other[name].index).all()
        and np.allclose(one[name], other[name], equal_nan=True)
        for name in one
    )


ORACLES = {}


def oracle(kind, path):
    if kind not in ORACLES:
        table = Mutation(kind, random.Random(0))
        ORACLES[kind] = understood(table.text(), path, keys(table))
    return ORACLES[kind]


def keys(table):
    return ["store"] if table.header[0] == "store" else []


@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    kind=st.sampled_from(sorted(GOOD)),
    change=st.sampled_from([*SAME, *FAULTS]),
    seed=st.integers(0, 10_000),
)
def test_no_fault_passes_in_silence(tmp_path, kind, change, seed):
    path = tmp_path / "table.csv"
    expected, known = oracle(kind, path)
    table = Mutation(kind, random.Random(seed))
    names = keys(table)
    change(table)
    try:
        found, said = understood(table.text(), path, names)
    except ForecastError:
        return
    if not equal(found, expected):
        text = path.read_bytes()[:300]
        assert change not in SAME, text
        assert said - known, text
