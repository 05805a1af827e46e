"""Random tables, written in the ways that people write them, come back as the same panel."""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.config.sections import Data
from forecast_cli.data.dates.date_writing import write_dates
from forecast_cli.data.reading import read_panel

# Each frequency as pandas says it, and what its steps move: an instant, a day or a month.
FREQS = {
    "s": ("s", "clock"),
    "min": ("min", "clock"),
    "15min": ("15min", "clock"),
    "h": ("h", "clock"),
    "2h": ("2h", "clock"),
    "D": ("D", "day"),
    "B": ("B", "day"),
    "W-MON": ("W-MON", "day"),
    "W-FRI": ("W-FRI", "day"),
    "2W": ("14D", "day"),
    "MS": ("MS", "month"),
    "ME": ("ME", "month"),
    "QS": ("QS", "month"),
    "YS": ("YS", "month"),
}
# The instants of some changes of clocks.
CHANGES = {
    "UTC": ["2024-02-29 00:00"],
    "Europe/Berlin": ["2024-03-31 01:00", "2024-10-27 01:00"],
    "America/New_York": ["2024-03-10 07:00", "2024-11-03 06:00"],
}
# What a form of dates has to be told.
FLAGS: dict[str, dict[str, Any]] = {
    "%m/%d/%Y": {"dayfirst": False},
    "%d/%m/%Y": {"dayfirst": True},
    "%d-%m-%Y": {"dayfirst": True},
}
DAY_FORMS = ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%Y%m%d", "%d-%b-%Y"]
OWN_FORMS = {
    "MS": ["%Y-%m", "%b %Y"],
    "QS": ["%Y Q%Q", "Q%Q %Y", "%Y-Q%Q"],
    "YS": ["%Y"],
    "W-MON": ["%G-W%V"],
}
PACKERS = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
    ".zip": lambda data: zipped(data),
}
NAMES = {
    "cp949": ["서울", "부산", "007"],
    "latin-1": ["Größe", "Málaga", "007"],
}
EVERY_NAME = ["A", "B b", "007", "1", "x;y", 'say "so"', "서울", "Größe"]
PARTS = ("year", "month", "day", "hour", "minute", "second")
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp949", "latin-1"]
few = st.integers(0, 6)


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("inside.csv", data)
    return buffer.getvalue()


@dataclass(frozen=True)
class Series:
    """A series as it was before it was written: all steps, and at which there is a row."""

    name: tuple[str, ...]
    times: pd.DatetimeIndex
    coming: pd.DatetimeIndex
    values: np.ndarray
    rows: list[int]

    @property
    def row_times(self) -> pd.DatetimeIndex:
        return self.times[self.rows]


@dataclass(frozen=True)
class Case:
    """A table as a file, the flags that it is read with, and what must come of it."""

    alias: str
    series: list[Series]
    form: str
    file: str
    content: bytes
    data: Data
    written_back: bool

    def __repr__(self) -> str:
        return f"Case({self.file}, {self.form}, {self.data!r},\n{self.content[:1500]!r})"


def steps_of(alias, zone, count, draw) -> pd.DatetimeIndex:
    """So many times of a frequency, for instants often over a change of the clocks."""
    freq, kind = FREQS[alias]
    if kind != "clock":
        start = pd.Timestamp(draw(st.dates(date(2001, 1, 1), date(2024, 12, 31))))
        days = pd.date_range(start, periods=count, freq=freq)
        return days if zone is None else days.tz_localize(zone)
    change = pd.Timestamp(draw(st.sampled_from(CHANGES.get(zone, ["2024-02-29 00:00"]))))
    start = change - pd.Timedelta(pd.tseries.frequencies.to_offset(freq)) * draw(st.integers(0, 40))
    times = pd.date_range(start, periods=count, freq=freq)
    return times if zone is None else times.tz_localize("UTC").tz_convert(zone)


@st.composite
def many_series(draw, alias, zone, pool):
    """One to three series on one grid, some with gaps."""
    count = draw(st.integers(1, 3))
    lengths = [draw(st.integers(1, 30)) for _ in range(count)]
    # Fewer rows of business days may lie in one week, and are days then.
    lengths[0] = max(9, *lengths)
    begins = [draw(few) for _ in range(count)]
    grid = steps_of(alias, zone, max(lengths) + max(begins) + 5, draw)
    names = draw(st.lists(st.sampled_from(pool), min_size=count, max_size=count, unique=True))
    two = count > 1 and draw(st.booleans())
    gaps = draw(st.booleans())
    numbers = np.random.default_rng(draw(st.integers(0, 999)))
    series = []
    for name, length, begin in zip(names, lengths, begins, strict=True):
        end = begin + length
        inner = [row for row in range(1, length - 1) if not gaps or draw(st.integers(0, 4))]
        rows = [0, *inner, length - 1] if length > 1 else [0]
        values = numbers.integers(-(10**7), 10**7, length) / 10 ** numbers.integers(2, 5)
        series.append(
            Series(
                (name, "kind") if two else (name,),
                grid[begin:end],
                grid[end : end + 5],
                values.round(2),
                rows,
            )
        )
    return series


@st.composite
def cases(draw, alias):
    """A table of random series of a frequency, zone, gaps, order and dialect."""
    zone = draw(st.sampled_from([None, None, *CHANGES]))
    store = draw(st.sampled_from(["csv"] * 6 + ["parquet", "feather", "jsonl", "json"]))
    # JSON lines lose the offsets of times: see the test below.
    store = "json" if store == "jsonl" and zone and FREQS[alias][1] == "clock" else store
    encoding = draw(st.sampled_from(ENCODINGS)) if store == "csv" else "utf-8"
    series = draw(many_series(alias, zone, NAMES.get(encoding, EVERY_NAME)))
    flags: dict[str, Any] = {}
    real = store in ("parquet", "feather") and draw(st.booleans())
    form = "" if real else draw(date_form(alias, zone, series, store))
    flags |= FLAGS.get(form.split(" ")[0], {})
    without_offset = not real and not form.endswith(("z", "Z"))
    if zone and (without_offset or offsets_change(series)):
        flags["timezone"] = zone
    if any(len(each.rows) < len(each.times) for each in series):
        flags |= {"freq": alias} | (
            {} if alias == "B" else {"missing": "interpolate", "max_filled": 1.0}
        )
    elif draw(st.booleans()):
        flags["freq"] = alias
    frame = draw(ordered(as_frame(series, form), told_apart_by_order(series, form, flags)))
    if form == "parts":
        flags["time"] = ",".join(PARTS)
    if len(series) > 1 or draw(st.booleans()):
        flags["series"] = tuple(each for each in frame if each.startswith("id"))
    else:
        frame = frame.drop(columns="id0")
    value = {"cp949": "종가", "latin-1": "Größe"}.get(encoding, "value")
    frame = frame.rename(columns={"value": value})
    if store == "csv":
        content, file, told = draw(text_table(frame, value, encoding))
        flags |= told
    else:
        content, file = stored(frame, store), draw(st.sampled_from([f"t.{store}", "t"]))
        if store == "jsonl" and file == "t" and len(frame) == 1:
            file = "t.jsonl"
    order = list(dict.fromkeys(frame[list(flags["series"])].itertuples(index=False, name=None))) \
        if "series" in flags else []  # fmt: skip
    series = sorted(series, key=lambda each: order.index(each.name)) if order else series
    back = zone is None and form not in ("", "parts") and store == "csv"
    return Case(alias, series, form, file, content, Data(column=(value,), **flags), back)


@st.composite
def date_form(draw, alias, zone, series, store):
    """A form that tells the times of a frequency, as a file of that kind may hold them."""
    if FREQS[alias][1] == "clock":
        clock = "%H:%M:%S" if alias == "s" else draw(st.sampled_from(["%H:%M", "%H:%M:%S"]))
        joins = [f"%Y-%m-%d {clock}", f"%Y-%m-%dT{clock}"]
        if zone is not None:
            offset = [f"{each}%:z" for each in joins] + ["%Y-%m-%dT%H:%M:%SZ"] * (zone == "UTC")
            return draw(st.sampled_from(joins + offset if can_be_located(series, zone) else offset))
        others = [f"{day} {clock}" for day in DAY_FORMS[1:5]]
        return draw(st.sampled_from([*joins, *others, "%s", "%ms", "parts"]))
    # Hypothesis draws the first ones most often.
    forms = [*OWN_FORMS.get(alias, []), *DAY_FORMS]
    if zone is None:
        forms += ["parts", "%s", "%ms"]
    elif store != "jsonl":
        forms.append("%Y-%m-%dT%H:%M:%S%:z")
    return draw(st.sampled_from(forms))


def offsets_change(series) -> bool:
    """Whether the clocks are changed in the table or soon after."""
    times = [time for each in series for time in (*each.times, *each.coming)]
    return len({time.utcoffset() for time in times}) > 1


def can_be_located(series, zone) -> bool:
    """Whether pandas can tell the times by the clock on the wall, rows in order."""
    try:
        for each in series:
            wall = each.row_times.tz_localize(None)
            found = wall.tz_localize(zone, ambiguous="infer")
            # A few minutes about the change alone look like rows with the newest first.
            if wall[0] > wall[-1] or (found != each.row_times).any():
                return False
    except ValueError:
        return False
    return True


def told_apart_by_order(series, form, flags) -> bool:
    """Whether only the order of rows tells an hour that comes twice from the next."""
    wall = [each.times.tz_localize(None) for each in series]
    return "timezone" in flags and "z" not in form and any(each.has_duplicates for each in wall)


def as_frame(series, form) -> pd.DataFrame:
    """The rows of all series, one after the other."""
    frames = []
    for each in series:
        times = each.row_times
        if form == "parts":
            cells = {part: getattr(times, part) for part in PARTS}
        else:
            cells = {"date": written(times, form) if form else times}
        ids = {f"id{number}": part for number, part in enumerate(each.name)}
        frames.append(pd.DataFrame({**cells, **ids, "value": each.values[each.rows]}))
    return pd.concat(frames, ignore_index=True)


def written(times: pd.DatetimeIndex, form: str) -> list[str]:
    """Times as text, by Python alone."""
    if form in ("%s", "%ms"):
        unit = pd.Timedelta(1, unit="s" if form == "%s" else "ms")
        return [str((time - pd.Timestamp(0)) // unit) for time in times]
    texts = []
    for time in times.to_pydatetime() if times.tz is None else times:
        text = time.strftime(form.replace("%Q", str((time.month + 2) // 3)).replace("%:z", ""))
        offset = time.strftime("%z")
        texts.append(text + (f"{offset[:3]}:{offset[3:]}" if form.endswith("%:z") else ""))
    return texts


@st.composite
def ordered(draw, frame, by_order):
    """The rows in some order; where that tells the hour, those of a series stay in order."""
    ways = ["series by series", "newest first", "mixed"]
    way = draw(st.sampled_from(ways if by_order else [*ways, "shuffled"]))
    if way == "newest first":
        return frame[::-1].reset_index(drop=True)
    numbers = np.random.default_rng(draw(st.integers(0, 99)))
    if way == "shuffled":
        return frame.iloc[numbers.permutation(len(frame))].reset_index(drop=True)
    if way == "mixed":
        ids = [each for each in frame if each.startswith("id")]
        rank = frame.groupby(ids).cumcount() + numbers.random() * frame.groupby(ids).ngroup()
        return frame.iloc[np.argsort(rank, kind="stable")].reset_index(drop=True)
    return frame


def number(value: float, decimal: str, thousands: str) -> str:
    text = f"{value:,.2f}" if thousands else f"{value:.2f}"
    return text.translate(str.maketrans({",": thousands, ".": decimal}))


@st.composite
def text_table(draw, frame, value, encoding):
    """Delimited text, the name of its file, and what has to be said of it."""
    decimal = draw(st.sampled_from([".", ","]))
    thousands = draw(st.sampled_from(["", "", "." if decimal == "," else ",", " ", "'"]))
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    told = {"decimal": decimal, "thousands": thousands, "delimiter": delimiter}
    told = told if draw(st.booleans()) else {}
    told = {name: each for name, each in told.items() if each}
    cells = frame.assign(**{value: [number(each, decimal, thousands) for each in frame[value]]})
    buffer = io.StringIO(newline="")
    writer = csv.writer(
        buffer,
        delimiter=delimiter,
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
    )
    writer.writerow(cells.columns)
    writer.writerows(cells.itertuples(index=False, name=None))
    suffix = draw(st.sampled_from(list(PACKERS)))
    data = PACKERS[suffix](buffer.getvalue().encode(encoding))
    return data, draw(st.sampled_from([f"t.csv{suffix}", "t.txt", "t"])), told


def stored(frame: pd.DataFrame, store: str) -> bytes:
    buffer = io.BytesIO()
    if store == "parquet":
        frame.to_parquet(buffer, index=False)
    elif store == "feather":
        frame.to_feather(buffer)
    else:
        rows = [json.dumps(row, ensure_ascii=False) for row in frame.to_dict("records")]
        text = "\n".join(rows) + "\n" if store == "jsonl" else f"[{','.join(rows)}]"
        buffer.write(text.encode())
    return buffer.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("written")


@pytest.mark.slow
@pytest.mark.parametrize("alias", FREQS)
@given(data=st.data())
def test_a_table_comes_back_as_it_was_written(folder, alias, data):
    case = data.draw(cases(alias))
    path = folder / case.file
    path.write_bytes(case.content)
    panel = read_panel(str(path), case.data)
    assert panel.count == len(case.series)
    if case.data.series:
        assert list(panel.ids.itertuples(index=False, name=None)) == [s.name for s in case.series]
    frequency = panel.timeline.frequency
    for number_, series in enumerate(case.series):
        own = slice(*panel.indptr[number_ : number_ + 2])
        # Business days without a row are no steps.
        steps = series.rows if case.alias == "B" else range(len(series.times))
        values = np.where(np.isin(steps, series.rows), series.values[list(steps)], np.nan)
        times = panel.timeline.times[own]
        assert (times == series.times[list(steps)]).all()
        np.testing.assert_array_equal(panel.values[own, 0], values)
        assert (frequency.after(times[-1], 5) == series.coming).all()
        if case.data.timezone:
            assert str(times.tz) == case.data.timezone
        if case.written_back:
            rows = series.row_times
            assert write_dates(rows, panel.timeline.style) == written(rows, case.form)


def test_offsets_in_json_lines_are_those_of_a_list_of_the_same_records(tmp_path):
    times = pd.date_range("2024-01-01", periods=5, freq="h", tz="Europe/Berlin")
    rows = [json.dumps({"t": f"{time.isoformat()}", "y": 1.0}) for time in times]
    (tmp_path / "list.json").write_text(f"[{','.join(rows)}]")
    (tmp_path / "lines.jsonl").write_text("\n".join(rows))
    lines, whole = (
        read_panel(str(tmp_path / name), Data(column=("y",), timezone="Europe/Berlin"))
        for name in ("lines.jsonl", "list.json")
    )
    assert (whole.timeline.times == times).all()
    assert (lines.timeline.times == times).all()


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_epochs_are_instants_whatever_the_zone(tmp_path, unit):
    times = pd.date_range("2024-01-01", periods=5, freq="h", tz="Europe/Berlin")
    numbers = (times - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(1, unit=unit)
    path = tmp_path / "t.csv"
    pd.DataFrame({"time": numbers, "y": 1.0}).to_csv(path, index=False)
    panel = read_panel(str(path), Data(column=("y",), timezone="Europe/Berlin"))
    assert (panel.timeline.times == times).all()
    assert write_dates(panel.timeline.times, panel.timeline.style) == [str(n) for n in numbers]
