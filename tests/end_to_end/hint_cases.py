"""Tables that are refused, each with what the hint says to do, and what comes of it."""

import gzip
import io
import sqlite3
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import forecast_cli as fc
from forecast_cli.backtesting.plan import Plan
from forecast_cli.data.io.database_writer import parse_target, write_rows
from forecast_cli.data.io.writer import render, spare_database
from forecast_cli.forecasting.frames import in_table_style, with_cutoff
from forecast_cli.forecasting.stream.live_model import StreamRequest
from forecast_cli.forecasting.stream.row_reader import LineParser
from forecast_cli.forecasting.stream.stream import Stream

N = 40
NUMBERS = tuple(range(1, N + 1))
DAYS = pd.date_range("2024-01-01", periods=N).strftime("%Y-%m-%d").tolist()


@dataclass(frozen=True)
class Case:
    """A refusal.

    Args:
        said: Words of its message.
        table: The file as text or bytes, several of them by name, or a table in memory.
        then: What the hint says: another table, other settings (None for one that is left out), or
            both.
        settings: Those of the first reading.
        leads: Words of the next message, where the advice leads on.
        keep: The values of the target that must be there then.
        how: How it is read: `panel`, `dataset` (up to the training), or `labels`.
        name: Of the file.
        source: What is read, where it is not the file.
    """

    said: str
    table: Any
    then: Any
    settings: dict[str, Any] = field(default_factory=dict)
    leads: str = ""
    keep: tuple[float, ...] = NUMBERS
    how: str = "panel"
    name: str = "table.csv"
    source: Any = None


def rows(times=DAYS, cells=NUMBERS, header="date,y", delimiter=","):
    lines = [f"{time}{delimiter}{cell}" for time, cell in zip(times, cells, strict=True)]
    return "\n".join([header, *lines]) + "\n"


def with_(cells, **changes):
    """Cells of which some are others: `_7="x"`."""
    return [changes.get(f"_{at}", cell) for at, cell in enumerate(cells)]


def without(cells, *places):
    return [cell for at, cell in enumerate(cells) if at not in places]


def zipped(*names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, rows())
    return stream.getvalue()


def database(*names):
    made = sqlite3.connect(":memory:")
    for name in names:
        pd.DataFrame({"date": DAYS, "y": NUMBERS}).to_sql(name, made, index=False)
    return made.serialize()


def long_(series=("a", "b"), times=DAYS[:20], header="date,who,y"):
    return rows(
        [time for time in times for _ in series],
        [f"{name},{at + 1}" for at, name in enumerate(list(series) * len(times))],
        header,
    )


def wide(cells=NUMBERS, header="date,y,x", x=0):
    return rows(DAYS, [f"{cell},{x if not callable(x) else x(at)}" for at, cell in
                       enumerate(cells)], header)  # fmt: skip


def steps_(cells=None, header="a,b,c,d,l", rows_=30):
    """Sequences, one a row, each with its label."""
    lines = cells or [f"{at},{at + 1},{at + 2},{at + 3},{'pq'[at % 2]}" for at in range(rows_)]
    return "\n".join([header, *lines]) + "\n"


def named_steps(labels="pq", missing=()):
    """Sequences of three rows each."""
    lines = [f"{at // 3},{'' if at in missing else at},{labels[at // 3 % len(labels)]}"
             for at in range(90)]  # fmt: skip
    return "\n".join(["who,v,l", *lines]) + "\n"


GOOD = rows()
X = {"past_covariates": ("x",)}
ROWS = {"layout": "rows", "label": ("l",), "column": ()}
LONG = {"series": ("who",), "label": ("l",), "column": ("v",)}
WHO = {"series": ("who",)}
MONTHS = pd.date_range("2001-01-01", periods=N, freq="MS").strftime("%Y-%m").tolist()
HOURS = pd.date_range("2024-03-04", periods=N, freq="h").strftime("%Y-%m-%d %H:%M").tolist()
MONTH_NAMES = "Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec"


def years(first="2001", cells=None):
    numbers = iter(NUMBERS[:36]) if cells is None else iter(cells)
    lines = [f"{first if year == 2001 else year}," + ",".join(str(next(numbers)) for _ in range(12))
             for year in (2001, 2002, 2003)]  # fmt: skip
    return "\n".join([f"Year,{MONTH_NAMES}", *lines]) + "\n"


def weeks445(pattern=445):
    """Months of 4, 4 and 5 weeks."""
    lengths = np.array([int(each) for each in str(pattern)] * N)[: N - 1] * 7
    days = pd.Timestamp("2021-01-31") + pd.to_timedelta([0, *lengths.cumsum()], unit="D")
    return days.strftime("%Y-%m-%d").tolist()


MANY_WORDS = rows(
    pd.date_range("1800-01-01", periods=100_001).strftime("%Y-%m-%d"),
    [f"{at % N + 1},{at}x" for at in range(100_001)],
    "date,y,x",
)
NAMES = [
    Case("auto finds no calendar", rows(range(1980, 2020), header="year,y"),
         {"calendar_features": None}, {"calendar_features": ("auto",)}),
    Case("no times to compute", "y\n" + "\n".join(map(str, NUMBERS)) + "\n",
         {"calendar_features": None}, {"calendar_features": ("dayofweek",)}),
    Case("have the same name", wide(header="date,y,weekend"), {"past_covariates": None},
         {"calendar_features": ("weekend",), "past_covariates": ("weekend",)}),
    Case("has 100,001 categories", MANY_WORDS, {"past_covariates": None}, X),
    Case("No column was specified", wide(), {"column": ("y",)}, {"column": ()}),
    Case("no column like z*", GOOD, {"column": ("y",)}, {"column": ("z*",)}),
    Case('`target` "x" is not among', wide(), {"column": ("y", "x")}, {"target": ("x",)}),
    Case('"y" is named twice', wide(), {"column": ("y", "x"), "past_covariates": None},
         {"column": ("y", "x"), "past_covariates": ("y",)}),
    Case("is not among the covariates", rows(cells=[f"{at},0,1" for at in NUMBERS],
                                             header="date,y,x,z"), {"past_covariates": ("x", "z")},
         {"categorical": ("x",), "past_covariates": ("z",)}),
    Case('no column "Y"', GOOD, {"column": ("y",)}, {"column": ("Y",)}),
    Case("`day_zone=", rows(HOURS), {"timezone": "UTC"}, {"day_zone": "Europe/Berlin"}),
    Case("Unknown time zone", rows(HOURS), {"day_zone": "Europe/Berlin"},
         {"day_zone": "Europe/Bern", "timezone": "UTC"}),
    Case("Unknown time zone", rows(HOURS), {"timezone": "Europe/Berlin"},
         {"timezone": "Europe/Bern"}),
]  # fmt: skip
# The clock changes: an hour that does not exist.
SKIPPED = ["2024-03-31 02:30" if at == 5 else f"2024-03-31 {at:02d}:30" for at in range(20)]
PARTS = [f"{year},{month}" for year in range(2001, 2011) for month in range(1, 5)]
DATES = [
    Case('column "date" holds no date', rows(with_(DAYS, _39="")), GOOD),
    Case("changes from", rows([f"2024-03-{25 + at}T12:00:00+0{1 + (at > 5)}:00" if at < 7 else
                               f"2024-04-{at - 6:02d}T12:00:00+02:00" for at in range(20)],
                              NUMBERS[:20]),
         {"timezone": "Europe/Berlin"}, keep=NUMBERS[:20]),
    Case("do not exist, or are ambiguous", rows(SKIPPED[:12], NUMBERS[:12]),
         rows([f"2024-03-31T{at:02d}:30Z" for at in range(12)], NUMBERS[:12]),
         {"timezone": "Europe/Berlin"}, keep=NUMBERS[:12]),
    Case("no column holds dates like", GOOD, {"date_format": "%Y-%m-%d"},
         {"date_format": "%d.%m.%Y"}),
    Case("seems to be a day without a year", rows([f"Jan-{at:02d}" for at in range(1, 31)],
                                                  NUMBERS[:30]), {"time": "none"},
         keep=NUMBERS[:30]),
    Case("could be", rows([f"{at:02d}/01/2024" for at in range(1, 13)], NUMBERS[:12]),
         {"dayfirst": False}, keep=NUMBERS[:12]),
    Case("which may be a date", rows([f"{1 + at // 12:02d}-{at % 12 + 1:02d}" for at in range(N)]),
         {"date_format": "%y-%m"}),
    Case("is not a known date format", rows(with_(DAYS, _3="soon")), {"time": "none"}),
    Case("the total of other rows", rows(with_(DAYS, _7="Total")),
         rows(without(DAYS, 7), without(NUMBERS, 7)), leads="not regular"),
    Case("first month of the fiscal year", rows([f"Q{at % 4 + 1} FY{at // 4 + 5:02d}"
                                                 for at in range(N)]), {"fiscal_start": 10}),
    Case("its first month is not known", rows([f"{at}/{(at + 1) % 100:02d}"
                                               for at in range(1975, 2015)], header="season,y"),
         {"fiscal_start": 7}),
    Case("the Buddhist calendar", rows([f"{int(each[:4]) + 543}{each[4:]}" for each in DAYS]),
         {"time": "none"}),
    Case("too many for the parts", rows(DAYS, [f"1,2,3,4,5,6,{cell}" for cell in NUMBERS],
                                        "date,a,b,c,d,e,f,y"), {"time": "date"},
         {"time": "date,a,b,c,d,e,f"}),
    Case("is no valid time", rows([f"{each[:4]},{each[5:7]},{each[8:]}" for each in
                                   with_(DAYS, _29="2024-02-30")], header="year,month,day,y"),
         rows([f"{each[:4]},{each[5:7]},{each[8:]}" for each in DAYS], header="year,month,day,y")),
    Case("a month or a quarter", rows(PARTS, header="year,period,y"),
         {"date_format": "%Y %Q"}, {"time": "year,period"}),
    Case("first month of the fiscal year", rows([f"FY{1980 + at // 4},Q{at % 4 + 1}"
                                                 for at in range(N)], header="year,quarter,y"),
         {"fiscal_start": 10}),
    Case('column "hour" is empty', rows([f"{each[:10]},{int(each[11:13]) if at != 9 else ''}"
                                         for at, each in enumerate(HOURS)], header="date,hour,y"),
         rows([f"{each[:10]},{int(each[11:13])}" for each in HOURS], header="date,hour,y"),
         {"time": "date,hour"}),
    Case("counted from 0 or from 1", rows([f"2024-03-04,{at}" for at in range(1, 13)],
                                          NUMBERS[:12], "date,hour,y"),
         rows([f"2024-03-04 {at:02d}:00" for at in range(1, 13)], NUMBERS[:12]),
         {"time": "date,hour"}, leads='no column "hour"', keep=NUMBERS[:12]),
    Case("on which the clocks change",
         rows([f"{day},{hour}" for day in ("2024-10-26", "2024-10-27", "2024-10-28")
               for hour in range(1, 25 + (day == "2024-10-27"))], range(1, 74), "date,hour,y"),
         {"timezone": "Europe/Berlin"}, keep=tuple(range(1, 74))),
    Case("is no clock time", rows([f"{each[:10]},{each[11:] if at != 9 else '9 bells'}"
                                   for at, each in enumerate(HOURS)], header="date,clock,y"),
         rows([f"{each[:10]},{each[11:]}" for each in HOURS], header="date,clock,y"),
         {"time": "date,clock"}),
    Case("no number of hours", rows([f"{day},{at}" for day in DAYS[:4] for at in range(1, 11)],
                                    header="date,interval,y"),
         rows(HOURS, [f"{at},{at}" for at in NUMBERS], "time,interval,y"),
         {"time": "date,interval"}, leads='no column "date'),
]  # fmt: skip
# Longer than what is looked at to find the encoding.
LONG_DAYS = pd.date_range("1950-01-01", periods=9000).strftime("%Y-%m-%d")
LONG_TEXT = rows([*LONG_DAYS, "1974-08-23"], [*range(9000), "\xb5"])
PLAIN = pd.DataFrame({"date": DAYS, "y": NUMBERS})
FILES = [
    Case("an archive of 2 files", zipped("a.csv", "b.csv"), zipped("a.csv"), name="table.zip"),
    Case("is not text in UTF-8", LONG_TEXT.encode("latin-1"), {"encoding": "latin-1"},
         leads='holds "\xb5"'),
    Case("ends within a quoted cell", rows()[:-3] + '"40', then=rows()),
    Case("has 3 cells; the header has 2", rows(cells=with_(NUMBERS, _30="1,5")),
         rows(cells=NUMBERS)),
    Case("cannot be read", b"PAR1 and no more", GOOD),
    Case("is a SQLite database", gzip.compress(database("t")), database("t")),
    Case("not an Excel workbook", GOOD, {"table.csv": GOOD}, name="table.xlsx",
         source="table.csv"),
    Case("a directory without Parquet", {"folder/x.txt": "", "table.csv": GOOD}, None,
         name="folder", source="table.csv"),
    Case("a line of data, not of names", "2023-12-31,0\n" + GOOD.partition("\n")[2],
         {"no_header": True, "column": ("2",)}, keep=(0, *NUMBERS)),
    Case("no row after its first", GOOD, {"skip_rows": 0}, {"skip_rows": 99}),
    Case("has no names in line", GOOD, {"header": 1}, {"header": 99}),
    Case("could both be the names", "a,y\nb,z\n" + rows(NUMBERS).partition("\n")[2],
         {"header": 2, "column": ("z",)}, keep=NUMBERS),
    Case("no line of names was found", "A title\n\n" + GOOD.partition("\n")[2],
         {"skip_rows": 2, "no_header": True, "column": ("2",)}),
    Case("An array of shape (2, 2, 2)", np.zeros((2, 2, 2)), np.array(NUMBERS, float),
         {"column": ("value",)}),
    Case("has no rows", pd.DataFrame({"date": [], "y": []}),
         pd.DataFrame({"date": DAYS, "y": NUMBERS})),
    Case("cannot be read from 7", 7, GOOD),
    Case("neither an encoding nor a delimiter", pd.DataFrame({"date": DAYS, "y": NUMBERS}),
         {"encoding": None}, {"encoding": "latin-1"}, name="table.parquet"),
    Case("no lines above or below", pd.DataFrame({"date": DAYS, "y": NUMBERS}),
         {"skip_rows": None}, {"skip_rows": 1}, name="table.parquet"),
    Case("is no database", GOOD, {"query": None}, {"query": "select 1"}),
    Case("No file matches", {"table.csv": GOOD}, None, name="part-*.csv", source="table.csv"),
    Case("have different columns", {"a.csv": rows(DAYS[:20], NUMBERS[:20]),
                                    "b.csv": rows(DAYS[20:], NUMBERS[20:], "date,z")},
         {"b.csv": rows(DAYS[20:], NUMBERS[20:])}, name="?.csv"),
    Case("is empty", "", GOOD),
    Case("All cells of", '""\n,,\n', GOOD),
    Case("is not a text table", bytes(range(256)) * 20, GOOD),
    Case("Unknown encoding", GOOD, {"encoding": "utf-8"}, {"encoding": "utf-88"}),
    Case('2 columns named "y"', wide(header="date,y,y"), wide()),
    Case("cannot be read", gzip.compress(rows().encode())[:-20], gzip.compress(rows().encode())),
    Case("rows or more, which take about", gzip.compress(b"y\n" + b"0\n" * 3000),
         {"max_size": 0.00077}, {"max_size": 0.0001}, keep=(0,) * 3000),
    Case("is a directory", {"folder/table.csv": GOOD}, None, name="folder",
         source="folder/table.csv"),
    Case("There is no file", {"table.csv": GOOD}, None, name="tabel.csv", source="table.csv"),
    Case("has a header and no rows", "date,y\n", GOOD),
    Case("has a row that does not end", "date,y\n2024-01-01," + "1" * 100_000, GOOD),
    Case('holds "k.A."', rows(cells=with_(NUMBERS, _7="k.A.")),
         {"na": ("k.A.",), "missing": "interpolate"}, keep=tuple(without(NUMBERS, 7))),
    Case("could be 1125 or 1.125", rows(cells=[f'"{each},125"' for each in NUMBERS]),
         {"decimal": ","}, keep=tuple(each + 0.125 for each in NUMBERS)),
    Case("repeats the names", rows(with_(DAYS, _7="date"), with_(NUMBERS, _7="y")),
         rows(without(DAYS, 7), without(NUMBERS, 7)), leads="not regular"),
    Case("can be computed with", rows(cells=with_(NUMBERS, _3="1e200")), GOOD),
    Case('holds "4o"', rows(cells=with_(NUMBERS, _3="4o")), GOOD),
    Case("holds list<item: int64> values", pd.DataFrame({"date": DAYS, "y": [[1]] * N}),
         pd.DataFrame({"date": DAYS, "y": NUMBERS})),
    Case("no table", database("t", "u"), None, name="sqlite:///table.csv?table=s",
         source="sqlite:///table.csv?table=t"),
    Case("no table in it is named", database("t", "u"), None, name="sqlite:///table.csv",
         source="sqlite:///table.csv?table=t"),
    Case("`query` was given too", database("t"), {"query": None}, {"query": "select * from t"},
         name="sqlite:///table.csv?table=t"),
    Case("names 2 tables", database("t", "u"), None, name="sqlite:///table.csv?table=t&table=u",
         source="sqlite:///table.csv?table=t"),
    Case("cannot be read", database("t"), {"query": "select * from t"}, {"query": "select * frm t"},
         name="sqlite:///table.csv"),
    Case("does more than read", database("t"), {"query": "SELECT * FROM t"},
         {"query": "pragma foreign_keys = on"}, name="sqlite:///table.csv"),
    Case('2 columns named "y"', database("t"), {"query": "SELECT a.date, a.y AS y, b.y AS z FROM t "
         "a JOIN t b ON a.date = b.date"}, {"query": "SELECT a.date, a.y, b.y FROM t a JOIN t b ON "
         "a.date = b.date"}, name="sqlite:///table.csv"),
    Case("names no file", database("t"), None, name="sqlite://?table=t",
         source="sqlite:///table.csv?table=t"),
    Case("is not a valid address", database("t"), None, name="postgresql://host:x/t",
         source="sqlite:///table.csv?table=t"),
    Case("cannot be combined", [PLAIN, PLAIN.assign(y=pd.Timestamp("2024-01-01"))], PLAIN),
    Case("There is no file", database("t"), None, name="sqlite:///tabel.csv?table=t",
         source="sqlite:///table.csv?table=t"),
]  # fmt: skip
LAYOUTS = [
    Case("Each row of table.csv is a year", years(), {"layout": "years"}, {"column": ()},
         keep=NUMBERS[:36]),
    Case("has no column of years", years().replace("Jul", "July x"), years(),
         {"layout": "years", "column": ()}, keep=NUMBERS[:36]),
    Case("holds no value", years(cells=[""] * 36), years(), {"layout": "years", "column": ()},
         keep=NUMBERS[:36]),
    Case("where a year was expected", years("total"), years(), {"layout": "years", "column": ()},
         keep=NUMBERS[:36]),
    Case("is a second row for a", "id,1,2,3,4,5\na,1,2,3,4,5\na,6,7,8,9,10\n",
         "id,kind,1,2,3,4,5\na,p,1,2,3,4,5\na,q,6,7,8,9,10\n",
         {"layout": "rows", "series": ("id",), "column": ()}, leads='column "kind"'),
    Case("is a second row for a", "id,kind,1,2,3,4,5\na,p,1,2,3,4,5\na,q,6,7,8,9,10\n",
         {"series": ("id", "kind")}, {"layout": "rows", "series": ("id",),
         "column": ("1", "2", "3", "4", "5")}, keep=NUMBERS[:10]),
    Case("holds no value", wide(header="date,a,b", x=""), wide(header="date,a,b"),
         {"layout": "columns", "column": ()}),
    Case('time column is called "value"', rows(header="value,y"), rows(),
         {"layout": "columns", "column": (), "time": "value"}, leads='no column "value"'),
    Case("holds the sums of the", rows([*DAYS, "2024-02-10"], [*NUMBERS, sum(NUMBERS)]),
         {"skip_footer": 1}),
    Case("begins with missing values", rows(cells=with_(NUMBERS, _0="")),
         {"missing": "interpolate"}, {"missing": "ffill"}, how="dataset",
         keep=tuple(without(NUMBERS, 0))),
    Case("has no row for", rows([*DAYS[:9], *DAYS[10:]], [*NUMBERS[:9], *NUMBERS[10:]]),
         {"missing": "interpolate"}, {"freq": "D"}, keep=tuple(without(NUMBERS, 9))),
    Case("series b has no value of y", rows(
             [time for time in DAYS[:20] for _ in "ab"],
             [f"a,{at + 1}" if at % 2 == 0 else "b," for at in range(N)], "date,who,y"),
         rows(DAYS[:20], [f"a,{2 * at + 1}" for at in range(20)], "date,who,y"),
         WHO | {"missing": "mask"}, keep=NUMBERS[::2]),
    Case("changes within the series", wide(x=lambda at: at), {"static_covariates": None,
         "past_covariates": ("x",)}, {"static_covariates": ("x",)}),
    Case("2 missing values", rows(cells=with_(NUMBERS, _7="", _9="")),
         {"missing": "interpolate"}, keep=tuple(without(NUMBERS, 7, 9))),
    Case("1 missing value in",
         rows(cells=with_(NUMBERS, _39="")), {"missing": "drop"}, keep=NUMBERS[:39]),
    Case('column "who" is empty', long_().replace("2024-01-05,a", "2024-01-05,"), long_(), WHO),
    Case("only in case or blanks", long_(("S1", "S2")).replace("2024-01-20,S2", "2024-01-20,s2"),
         {"similar_names": "merge"}, WHO),
]  # fmt: skip
# Trading days of Bavaria.
BUSINESS = rows(pd.bdate_range("2024-05-31", periods=N).strftime("%Y-%m-%d"))
WEEKS = pd.date_range("2023-01-01", periods=N, freq="W").strftime("%Y-%m-%d").tolist()
TIMES = [
    Case("too few to infer", rows(DAYS[:2], NUMBERS[:2]), {"freq": "D"}, keep=NUMBERS[:2]),
    Case("not regular", rows(with_(DAYS, _39="2024-02-14")), {"missing": "interpolate"},
         leads="max_filled"),
    Case("not regular", rows(weeks445(44545454)), {"time": "none", "season_length": 12}),
    Case("duplicate timestamp", rows(with_(DAYS, _7=DAYS[6])), {"duplicates": "first"},
         leads="not regular"),
    Case("duplicate timestamps", long_(), WHO),
    Case("duplicate timestamps", rows([each[:10] for each in HOURS], [
        f"{each[11:13]},{at}" for each, at in zip(HOURS, NUMBERS, strict=True)], "date,hour,y"),
        {"time": "date,hour"}, {"time": "date"}),
    Case("does not fit the calendar", rows(DAYS[::3], NUMBERS[:14]), {"calendar": None},
         {"calendar": "US"}, keep=NUMBERS[:14]),
    Case("outside of its opening hours",
         rows([f"{day} {hour:02d}:00" for day in DAYS for hour in range(9, 18)]
              + ["2024-02-10 03:00"], range(361)),
         rows([f"{day} {hour:02d}:00" for day in DAYS for hour in range(9, 18)], range(360)),
         {"calendar": "data"}, keep=tuple(range(360))),
    Case("no exchange or country", BUSINESS, {"calendar": "DE-BY"}, {"calendar": "DEQ"}),
    Case('has no part "BZ"', BUSINESS, {"calendar": "DE-BY"}, {"calendar": "DE-BZ"}),
    Case("Unknown calendar feature", GOOD, {"calendar_features": ("dayofweek",)},
         {"calendar_features": ("dayofweak",)}),
    Case("has no row in which every column", wide(x=""), {"missing": "mask"},
         X | {"missing": "drop"}),
    Case("leaves no row between", rows(HOURS, with_(NUMBERS, _9="")), {"missing": "interpolate"},
         {"missing": "drop"}, keep=tuple(without(NUMBERS, 9))),
    Case("follow no calendar", rows(LONG_DAYS[:120], ["" if at % 10 > 2 else at
                                                      for at in range(120)]), {"time": "none"},
         {"missing": "drop"}, keep=tuple(at for at in range(120) if at % 10 < 3)),
    Case("Unknown frequency", GOOD, {"freq": "D"}, {"freq": "daily"}),
    Case("have no row, and `missing=interpolate` would invent", rows(with_(DAYS, _39="2024-06-14")),
         {"max_filled": 0.8}, {"missing": "interpolate", "freq": "D"}),
    Case("does not fit the frequency", GOOD, {"freq": "D"}, {"freq": "W-SUN"}),
    Case("rows from 2023-01-01 on would be", rows(WEEKS), {"freq": "W"}, {"freq": "min"}),
    Case("business days were expected", GOOD, {"freq": "D"}, {"freq": "B"}),
    Case("Invalid `resample=BME`", GOOD, {"resample": "MS"}, {"resample": "BME"}, keep=()),
    Case("Invalid frequency", rows(DAYS), {"freq": "SMS-15"}, {"freq": "SMS-30"},
         leads="does not fit"),
    Case("the date may be mistyped", rows(with_(DAYS, _20="2023-01-21")), GOOD),
    Case("are not those of months of", GOOD, {"freq": None, "time": "none", "season_length": 12},
         {"freq": "445"}),
    Case("does not say when a year ends", rows(HOURS), {"resample": "445-L-JAN-SAT"},
         {"resample": "445"}, keep=()),
    Case("years that end on a", rows(weeks445()), {"freq": "445-L-JAN-SUN"},
         {"freq": "445-L-JAN-TUE"}),
]  # fmt: skip
FEW = {"preset": "classic", "horizon": 2, "timesteps": 3, "validation": 0, "test": 0}
SPLITS = [
    Case("no value in the training split", wide(x=lambda at: 1 if at > 35 else ""),
         {"past_covariates": None}, X | {"missing": "mask", "test": 6}, how="dataset"),
    Case("needs values above 0", rows(cells=with_(NUMBERS, _3=0)), {"transform": "log1p"},
         {"transform": "log"}, how="dataset", keep=tuple(without(NUMBERS, 3))),
    Case("is below `lower_bound=5`", GOOD, {"lower_bound": "none"}, {"lower_bound": 5},
         how="dataset"),
    Case("leave no rows to train on", GOOD, {"test": 0.2}, {"validation": 0.5, "test": 0.5},
         how="dataset"),
    Case("leave none to train on", GOOD, {"test": 10}, {"validation": 20, "test": 20},
         how="dataset"),
    Case("is less than the horizon", GOOD, {"test": 2}, {"test": 1}, how="dataset"),
    Case("is a date, and the table has no time", "y\n" + "\n".join(map(str, NUMBERS)) + "\n",
         {"test": 5}, {"test": "2024-02-01"}, how="dataset"),
    Case("rows for the test; the table ranges", GOOD, {"test": "2024-02-01"},
         {"test": "2025-02-01"}, how="dataset"),
    Case("leaves no series both", long_(), {"test": "2024-01-15"}, WHO | {"test": "2025-02-01"},
         how="dataset"),
    Case("neither a number nor a date", GOOD, {"test": "2024-02-01"}, {"test": "1/2/2024"},
         how="dataset"),
    Case("has an offset, and the times", GOOD, {"test": "2024-02-01"},
         {"test": "2024-02-01T00:00+01:00"}, how="dataset"),
]  # fmt: skip
SEQUENCES = [
    Case("which rows belong to one sequence", steps_(), {"layout": "rows"},
         {"label": ("l",), "column": ()}, how="labels"),
    Case("no numeric column besides", "who,v,l\n" + "".join(f"{at // 3},w{at},p\n"
                                                                      for at in range(90)),
         named_steps(), LONG | {"column": ()}, how="labels"),
    Case("cannot be split into steps", steps_(), {"step_features": 2}, ROWS | {"step_features": 3},
         how="labels"),
    Case("holds no step", steps_() + ",,,,p\n", steps_(), ROWS, how="labels"),
    Case('the label "l" is missing', steps_() + "1,2,3,4,\n", steps_(), ROWS, how="labels"),
    Case("in table.csv line", named_steps() + "0,1,q\n", named_steps(), LONG, how="labels"),
    Case("is missing, one of 1", named_steps(missing=(4,)), {"missing": "interpolate"}, LONG,
         how="labels"),
    Case("begins with a missing step", named_steps(missing=(3,)), {"missing": "interpolate"},
         LONG | {"missing": "ffill"}, how="labels"),
    Case("a column without any value", named_steps(missing=(3, 4, 5)), {"missing": "mask"},
         LONG | {"missing": "interpolate"}, how="labels"),
]  # fmt: skip
TRAINING = [
    Case("at least 102 are needed", GOOD, {"timesteps": 3}, {"timesteps": 100}, how="dataset"),
    Case("a stateful network reads consecutive rows", rows(cells=with_(NUMBERS, _7="")),
         {"missing": "drop", "time": "none"}, {"missing": "interpolate", "stateful": True},
         how="dataset", keep=tuple(without(NUMBERS, 7))),
    Case("no actual value in the validation", rows(cells=[at if at < 35 else "" for at in NUMBERS]),
         {"validation": 0}, {"missing": "mask", "validation": 5}, how="dataset",
         keep=NUMBERS[:34]),
    Case("mape divides by the actual", rows(cells=with_(NUMBERS, _3=0)), {"loss": "smape"},
         {"loss": "mape"}, how="dataset", keep=tuple(without(NUMBERS, 3))),
    Case("and `timesteps` is 2", steps_(), {"timesteps": None}, ROWS | {"timesteps": 2},
         how="labels"),
    Case("leave none to train on", steps_(), {"test": 5}, ROWS | {"validation": 15, "test": 15},
         how="labels"),
    Case('holds "p", not numbers', steps_(), {"task": "classification"},
         ROWS | {"task": "regression"}, how="labels"),
    Case("Two classes are needed", named_steps("p"), named_steps(), LONG, how="labels"),
]  # fmt: skip
CASES = [*NAMES, *DATES, *FILES, *LAYOUTS, *TIMES, *SPLITS, *SEQUENCES, *TRAINING]


EMPTY_COLUMN = pd.DataFrame({"y": [1.0, 2, 3, 2] * 5, "z": np.nan})


@dataclass(frozen=True)
class Forecast:
    """A forecast that is refused, or what is done with a model.

    Args:
        said: Words of the message.
        model: A name of `MODELS`, or several: that of the refusal, and another one that the hint
            says to train.
        refused: What is called with the model, which is refused.
        then: What the hint says to do instead.
    """

    said: str
    model: str | tuple[str, str]
    refused: Any
    then: Any


def frame(rows=60, begin="2024-01-01", freq="D", **more):
    times = pd.date_range(begin, periods=rows, freq=freq)
    level = 50 + 10 * np.sin(np.arange(rows)) + np.arange(rows) % 7
    return pd.DataFrame({"date": times, "y": level} | more)


def both(name="who", rows=60):
    return pd.concat([frame(rows).assign(**{name: each}) for each in ("a", "b")])


def known(rows=60):
    """With a number and a category that are known ahead, and a column that is not."""
    number, kind = np.arange(rows) % 5 + 1.0, np.array(["low", "high"])[np.arange(rows) % 2]
    return frame(rows, x=number, kind=kind, z=np.arange(rows) % 4 + 0.5)


AHEAD = known(62).iloc[60:][["date", "x", "kind"]]
KNOWN = {"future_covariates": ("x", "kind"), "past_covariates": "z", "mode": "many-to-many"}
PLACES = {"a": "north", "b": "south"}
# The table and the settings of each model.
MODELS: dict[str, tuple[Any, dict[str, Any]]] = {
    "plain": (frame(), {}),
    "bare": (frame(), {"validation": 0}),
    "quantiles": (frame(), {"intervals": "quantile", "level": (80,), "mode": "many-to-many"}),
    "known": (known(), KNOWN),
    "numbers": (known(), {"future_covariates": "x", "mode": "many-to-many"}),
    "z known": (known(), {"future_covariates": ("x", "z"), "mode": "many-to-many"}),
    "static": (known().assign(s=1.0), {"future_covariates": "x", "static_covariates": "s",
                                       "mode": "many-to-many"}),
    "past": (known(), {"past_covariates": "z", "mode": "many-to-many"}),
    "past, far": (known(), {"past_covariates": "z", "mode": "many-to-many", "horizon": 5}),
    "series": (both(), {"series": "who"}),
    "two names": (both().assign(part="b c").replace({"who": {"b": "a b"}}).assign(
        part=lambda f: np.where(f["who"] == "a", "b c", "c")), {"series": ("who", "part")}),
    "sample": (both("sample"), {"series": "sample"}),
    "scenario": (both("scenario").assign(x=1.0), {"series": "scenario", "future_covariates": "x",
                                                  "mode": "many-to-many"}),
    "series known": (both().assign(x=1.0), {"series": "who", "future_covariates": "x",
                                            "mode": "many-to-many"}),
    "places": (both().assign(x=1.0).replace({"who": PLACES}), {
        "series": "who", "future_covariates": "x", "mode": "many-to-many"}),
    "trend": (both("trend"), {"series": "trend"}),
    "ends": (frame().assign(y_lo80=1.0 + np.arange(60) % 3), {"column": ("y", "y_lo80")}),
    "cutoff": (frame().rename(columns={"y": "cutoff"}), {"column": ("cutoff",)}),
    "renamed": (frame().assign(low=1.0 + np.arange(60) % 3), {"column": ("y", "low")}),
    "steps": (frame()[["y"]], {}),
    "resampled": (frame(1440, freq="h"), {"resample": "D"}),
}  # fmt: skip
NEW = frame(66)
HOURLY = frame(freq="h")
FORECASTS = [
    Forecast("There is no option", "plain", lambda m: m.predict(NEW, mising="ffill"),
             lambda m: m.predict(NEW, missing="ffill")),
    Forecast("nothing to fill in", ("plain", "known"), lambda m: m.future(),
             lambda m: m.future()),
    Forecast("would be after the year 9999", "plain", lambda m: m.predict(horizon=3_000_000),
             lambda m: m.predict(horizon=5)),
    Forecast("has no mask", "plain", lambda m: m.predict(NEW, missing="mask"),
             lambda m: m.predict(NEW, missing="interpolate")),
    Forecast("has a lookback of 3", "plain", lambda m: m.predict(NEW[-2:]),
             lambda m: m.predict(NEW[-3:])),
    Forecast("the model is daily, this table is hourly", "plain", lambda m: m.predict(HOURLY),
             lambda m: m.predict(NEW)),
    Forecast("Invalid level 101", "plain", lambda m: m.predict(level=101),
             lambda m: m.predict(level=80)),
    Forecast("no validation errors", ("bare", "plain"), lambda m: m.predict(level=80),
             lambda m: m.predict(level=80)),
    Forecast("was not trained for intervals by", "plain",
             lambda m: m.predict(level=80, intervals="quantile"),
             lambda m: m.predict(level=80, intervals="conformal")),
    Forecast("forecasts the levels 80", "quantiles", lambda m: m.predict(level=95),
             lambda m: m.predict(level=80)),
    Forecast("has no effect on them", "quantiles",
             lambda m: m.predict(samples=3, intervals="quantile"),
             lambda m: m.predict(samples=3, intervals="adaptive")),
    Forecast("`level` has no effect", "plain", lambda m: m.predict(samples=3, level=80),
             lambda m: m.predict(samples=3)),
    Forecast("how the intervals of `level`", "plain", lambda m: m.predict(intervals="conformal"),
             lambda m: m.predict(intervals="conformal", level=(80, 95))),
    Forecast("`seed` is what", "plain", lambda m: m.predict(seed=3),
             lambda m: m.predict(seed=3, samples=100)),
    Forecast("one series, without a name", "plain", lambda m: m.predict(only="a"),
             lambda m: m.predict()),
    Forecast('Two series are named "a b c"', "two names", lambda m: m.predict(only="a b c"),
             lambda m: m.predict()),
    Forecast('There is no series "A"', "series", lambda m: m.predict(only="A"),
             lambda m: m.predict(only="a")),
    Forecast("there is no time column", "steps",
             lambda m: m.predict(NEW[["y"]], start="2024-03-01"),
             lambda m: m.predict(NEW[["y"]])),
    Forecast("`start` needs the rows before", "plain", lambda m: m.predict(start="2024-03-01"),
             lambda m: m.predict(NEW, start="2024-03-01")),
    Forecast("it would need the future values", ("past", "past, far"),
             lambda m: m.predict(horizon=5), lambda m: m.predict(horizon=5)),
    Forecast("reads no future covariates", "plain", lambda m: m.predict(future=AHEAD),
             lambda m: m.predict()),
    Forecast("reads no future covariates", "plain", lambda m: m.predict(future=[AHEAD, AHEAD]),
             lambda m: m.predict()),
    Forecast("is missing for 2 of", "known", lambda m: m.predict(),
             lambda m: m.predict(future=AHEAD)),
    Forecast("before 2025-01-01", "plain", lambda m: m.predict(NEW, start="2025-01-01"),
             lambda m: m.predict(NEW, start="2024-03-01")),
    Forecast("has no row before", "plain", lambda m: m.predict(NEW, start="2024-01-01"),
             lambda m: m.predict(NEW, start="2024-01-05")),
    Forecast("is blank", "known", lambda m: m.predict(future=AHEAD.assign(x=np.nan, kind=None)),
             lambda m: m.predict(future=AHEAD)),
    Forecast("a second row for its step", "known",
             lambda m: m.predict(future=pd.concat([AHEAD, AHEAD])),
             lambda m: m.predict(future=AHEAD)),
    Forecast("does not follow", "known",
             lambda m: m.predict(future=AHEAD.assign(date=AHEAD["date"] + pd.Timedelta("5h"))),
             lambda m: m.predict(future=AHEAD)),
    Forecast("has times with an offset", "known",
             lambda m: m.predict(future=AHEAD.assign(date=AHEAD["date"].dt.tz_localize("UTC"))),
             lambda m: m.predict(future=AHEAD)),
    Forecast('no row of the series "south"', "places",
             lambda m: m.predict(future=PLACES_AHEAD.replace({"who": {"south": "souht"}})),
             lambda m: m.predict(future=PLACES_AHEAD)),
    Forecast("is given twice", "known", lambda m: m.predict(future=["a.csv", "a.csv"]),
             lambda m: m.predict(future=[AHEAD, AHEAD])),
    Forecast("nothing that `what_if` could", ("plain", "known"),
             lambda m: m.predict(future=None, what_if="x+1"),
             lambda m: m.predict(future=AHEAD, what_if="x+1")),
    Forecast("changes one covariate twice", "known",
             lambda m: m.predict(future=AHEAD, what_if="x+1, x+2"),
             lambda m: m.predict(future=AHEAD, what_if=["x+1", "x+2"])),
    Forecast("is not a change of", "known", lambda m: m.predict(future=AHEAD, what_if="x"),
             lambda m: m.predict(future=AHEAD, what_if="x+10")),
    Forecast("is not a number", "known", lambda m: m.predict(future=AHEAD, what_if="x-10%"),
             lambda m: m.predict(future=AHEAD, what_if="x*0.9")),
    Forecast("divides", "known", lambda m: m.predict(future=AHEAD, what_if="x/0"),
             lambda m: m.predict(future=AHEAD, what_if="x/2")),
    Forecast("can only set it", "known", lambda m: m.predict(future=AHEAD, what_if="kind+1"),
             lambda m: m.predict(future=AHEAD, what_if="kind=high")),
    Forecast("has no category", "known", lambda m: m.predict(future=AHEAD, what_if="kind=hihg"),
             lambda m: m.predict(future=AHEAD, what_if="kind=high")),
    Forecast("is a past covariate", ("known", "z known"),
             lambda m: m.predict(future=AHEAD, what_if="z+1"),
             lambda m: m.predict(future=AHEAD.assign(z=1.0), what_if="z+1")),
    Forecast('no future covariate "xx"', "known", lambda m: m.predict(future=AHEAD, what_if="xx+1"),
             lambda m: m.predict(future=AHEAD, what_if="x+1")),
    Forecast("changes the values of one table", "known",
             lambda m: m.predict(future=[AHEAD, AHEAD], what_if="x+1"),
             lambda m: m.predict(future=AHEAD, what_if="x+1")),
    Forecast("names one scenario twice", "known",
             lambda m: m.predict(future=AHEAD, what_if=["x+1", "x+1"]),
             lambda m: m.predict(future=AHEAD, what_if=["x+1"])),
    Forecast("is missing for", "known", lambda m: m.predict(what_if="x+1"),
             lambda m: m.predict(future=AHEAD, what_if="x+1")),
    Forecast('numbered as "sample"', ("sample", "series"), lambda m: m.predict(samples=3),
             lambda m: m.predict(samples=3)),
    Forecast('named in a column "scenario"', ("scenario", "series known"),
             lambda m: m.predict(future=BOTH_AHEAD.rename(columns={"who": "scenario"}),
                                 what_if="x+1"),
             lambda m: m.predict(future=BOTH_AHEAD, what_if="x+1")),
    Forecast("would share a name", ("ends", "renamed"), lambda m: m.predict(level=80),
             lambda m: m.predict(level=80)),
    Forecast('is called "trend"', ("trend", "series"), lambda m: m.explain(),
             lambda m: m.explain()),
    Forecast("that the model was not trained on", "series",
             lambda m: m.update(FOLLOWING.assign(who="c")),
             lambda m: m.update(FOLLOWING.assign(who="a"))),
    Forecast("the stored history ends at", "plain", lambda m: m.update(NEW[62:]),
             lambda m: m.update(NEW[60:])),
    Forecast("and the steps of the model are", "plain",
             lambda m: m.predict(GAP, missing="drop"),
             lambda m: m.predict(GAP, missing="interpolate")),
    Forecast("it is not overwritten", "plain",
             lambda m: Path("t.db").write_bytes(database("t")) and spare_database(Path("t.db")),
             lambda m: Path("u.db").write_bytes(b"") or spare_database(Path("u.db"))),
    Forecast("too few for", "plain", lambda m: render(TOO_MANY, "xlsx"),
             lambda m: render(TOO_MANY, "parquet")),
    Forecast("control characters", "plain", lambda m: render(CONTROL, "xlsx"),
             lambda m: render(CONTROL, "csv")),
    Forecast("has 60 steps; 90 cutoffs", "plain",
             lambda m: fc.backtest(frame(), Plan(models=("naive",), n_windows=90), **SHORT_ONES),
             lambda m: fc.backtest(frame(), Plan(models=("naive",), n_windows=9), **SHORT_ONES)),
    Forecast("is not stateful", "plain", lambda m: m.update(FOLLOWING, state="s"),
             lambda m: m.update(FOLLOWING)),
    Forecast("there is no table of sequences", "labels", lambda m: m.predict(),
             lambda m: m.predict(LABELLED)),
    Forecast("would shorten sequences", "labels", lambda m: m.predict(LABELLED, missing="drop"),
             lambda m: m.predict(LABELLED, missing="interpolate")),
    Forecast("were expected", "labels",
             lambda m: m.predict(SHORT), lambda m: m.predict(LABELLED)),
    Forecast("no steps ahead", "labels", lambda m: m.predict(LABELLED, horizon=3),
             lambda m: m.predict(LABELLED)),
    Forecast("no steps to forecast", "labels", lambda m: m.predict_in_sample(LABELLED),
             lambda m: m.predict(LABELLED)),
    Forecast("no level, trend and seasons", ("labels", "plain"), lambda m: m.explain(),
             lambda m: m.explain()),
    Forecast("Invalid `false_alarm_rate`", "plain",
             lambda m: m.stream(anomalies=True, false_alarm_rate=1.5),
             lambda m: m.stream(anomalies=True, false_alarm_rate=0.5)),
    Forecast("errors to judge rows by", ("bare", "plain"),
             lambda m: m.stream(anomalies=True, false_alarm_rate=0.5),
             lambda m: m.stream(anomalies=True, false_alarm_rate=0.5)),
    Forecast("validation errors, and the model has", "plain",
             lambda m: m.stream(anomalies=True, false_alarm_rate=0.0001),
             lambda m: m.stream(anomalies=True, false_alarm_rate=0.5)),
    Forecast("may be after the year 9999", "plain", lambda m: m.stream(horizon=3_000_000),
             lambda m: m.stream(horizon=5)),
    Forecast("The first line is no header", "plain",
             lambda m: LineParser(["date", "y"]).parse("2024-03-01,5"),
             lambda m: LineParser(["date", "y"]).parse("date,y")),
    Forecast("several rows make one of its steps", ("resampled", "plain"), lambda m: m.stream(),
             lambda m: m.stream()),
    Forecast("rows that come one by one", "plain",
             lambda m: Stream(m.bundle, StreamRequest(reading={"skip_rows": 3})),
             lambda m: Stream(m.bundle, StreamRequest(reading={"decimal": ","}))),
    Forecast("intervals of `level` are made", "plain", lambda m: m.stream(intervals="adaptive"),
             lambda m: m.stream(intervals="adaptive", level=80)),
    Forecast("would be named", ("ends", "renamed"), lambda m: m.stream(level=80),
             lambda m: m.stream(level=80)),
    Forecast("is not the state of a stream", "plain",
             lambda m: Path("s").write_text("{}") and m.stream(state="s"),
             lambda m: m.stream(state="t")),
    Forecast("Invalid `every`", "plain", lambda m: m.stream(every="often"),
             lambda m: (m.stream(every="1h"), m.stream(every=10))),
    Forecast("the rows of the model have none", "steps", lambda m: m.stream(every="1h"),
             lambda m: m.stream(every=10)),
    Forecast("one series, without a name", "plain", lambda m: m.stream(only="a"),
             lambda m: m.stream()),
    Forecast("reads no future covariates", "plain", lambda m: m.stream(future="plan.csv"),
             lambda m: m.stream()),
    Forecast("no end to be labelled at", "labels", lambda m: m.stream(),
             lambda m: m.predict(LABELLED)),
    Forecast("no history and no state", "labels", lambda m: m.save_state("s"),
             lambda m: m.predict(LABELLED)),
    Forecast("files and SQLite databases", "plain", lambda m: into(m, "mysql://host/f?table=t"),
             lambda m: into(m, "sqlite:///f.db?table=forecasts")),
    Forecast('unknown part "tabel"', "plain", lambda m: into(m, "sqlite:///f.db?tabel=t"),
             lambda m: into(m, "sqlite:///f.db?table=t")),
    Forecast("names no table", "plain", lambda m: into(m, "sqlite:///f.db"),
             lambda m: into(m, "sqlite:///f.db?table=forecasts")),
    Forecast('invalid mode "apend"', "plain",
             lambda m: into(m, "sqlite:///f.db?table=t&mode=apend"),
             lambda m: into(m, "sqlite:///f.db?table=t&mode=append")),
    Forecast("no directory new", "plain", lambda m: into(m, "sqlite:///new/f.db?table=t"),
             lambda m: (Path("new").mkdir(), into(m, "sqlite:///new/f.db?table=t"))),
    Forecast("not a database", "plain",
             lambda m: (Path("text").write_text("no database" * 99),
                        into(m, "sqlite:///text?table=t")),
             lambda m: into(m, "sqlite:///other?table=t")),
    Forecast("cannot be written: object name reserved", "plain",
             lambda m: into(m, "sqlite:///f.db?table=sqlite_t"),
             lambda m: into(m, "sqlite:///f.db?table=t")),
    Forecast("has no column", "plain",
             lambda m: (write_rows(pd.DataFrame({"x": [1.0]}), parse_target(TABLE), []),
                        into(m, TABLE)),
             lambda m: into(m, TABLE + "2")),
    Forecast("is called that", ("cutoff", "plain"),
             lambda m: with_cutoff(m.predict(), (), m.bundle.manifest.time),
             lambda m: with_cutoff(m.predict(), (), m.bundle.manifest.time)),
    Forecast("has no value in column", "plain",
             lambda m: fc.now(EMPTY_COLUMN, column=("y", "z"), missing="mask", max_filled=1),
             lambda m: fc.now(EMPTY_COLUMN, column="y", missing="mask", max_filled=1)),
]  # fmt: skip


def into(model, address):
    """Write a forecast into a table of a database."""
    rows = in_table_style(model.predict(), model.bundle.manifest.time)
    write_rows(rows, parse_target(address), [])


TABLE = "sqlite:///f.db?table=t"
TOO_MANY, CONTROL = pd.DataFrame({"y": np.zeros(1_048_576)}), pd.DataFrame({"y": ["\x01"]})
SHORT_ONES = {"column": "y", "horizon": 2, "timesteps": 3, "preset": "classic"}
FOLLOWING = NEW[60:]
GAP = NEW.assign(y=NEW["y"].mask(NEW.index == 30))
LABELLED = pd.read_csv(Path(__file__).parents[1] / "golden" / "format-2-labels-rows.csv")
SHORT = LABELLED.assign(e=np.nan, f=np.nan)
BOTH_AHEAD = pd.concat([AHEAD.assign(who=each, x=1.0) for each in ("a", "b")])
PLACES_AHEAD = BOTH_AHEAD.replace({"who": PLACES})
