"""Simulated tables in the forms in which well-known ones are published, quirks included."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

HOLIDAYS_2016 = ("2016-09-05", "2016-11-24", "2016-12-26", "2017-01-02", "2017-01-16")
HOLIDAYS_2018 = ("2018-07-04", "2018-09-03")


def wave(rows: int, season: float = 12, level: float = 100, seed: int = 0) -> list[float]:
    """A season and noise about a level, one decimal."""
    noise = np.random.default_rng(seed).normal(size=rows)
    values = level * (1 + 0.2 * np.sin(2 * np.pi * np.arange(rows) / season) + 0.05 * noise)
    return values.round(1).tolist()


def written(dates: pd.DatetimeIndex, form: str, header: str, seed: int = 0) -> list[str]:
    """Lines of a table of dates in a form, with one column of values."""
    values = wave(len(dates), seed=seed)
    return [header, *(f"{day},{v}" for day, v in zip(dates.strftime(form), values, strict=True))]


def text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def monthly(begin: str, periods: int, name: str, without: tuple[str, ...] = ()) -> str:
    """Quoted months, as `"1949-01"`."""
    dates = pd.date_range(begin, periods=periods, freq="MS")
    lines = written(dates[~dates.isin(pd.DatetimeIndex(without))], '"%Y-%m"', f'"Month","{name}"')
    return text(lines)


def temperatures() -> str:
    """Days without the 31st of December of a leap year."""
    days = pd.date_range("1984-10-01", "1985-03-31").drop(pd.Timestamp("1984-12-31"))
    return text(written(days, '"%Y-%m-%d"', '"Date","Temp"'))


def prices() -> str:
    """Trading days: weekdays without the holidays of the exchange."""
    days = pd.bdate_range("2016-09-01", "2017-02-16").drop(pd.DatetimeIndex(HOLIDAYS_2016))
    return text(written(days, "%Y-%m-%d", "Date,AAPL.Close"))


def gasoline() -> str:
    """Weeks, the newest first, the month before the day."""
    header, *lines = written(
        pd.date_range(end="2021-04-30", periods=80, freq="W-FRI"), "%m/%d/%Y", "Week,Gasoline"
    )
    return text([header, *lines[::-1]])


def carbon_dioxide() -> str:
    """Weeks as whole numbers, with empty cells in lines 8, 11 and 40."""
    lines = written(pd.date_range("1958-03-29", periods=80, freq="7D"), "%Y%m%d", "date,co2")
    for line in (8, 11, 40):
        lines[line - 1] = lines[line - 1].split(",")[0] + ","
    return text(lines)


def shampoo() -> str:
    """Years and months that read like months and days."""
    months = [f'"{year}-{month:02}"' for year in (1, 2, 3) for month in range(1, 13)]
    values = wave(36)
    rows = (f"{each},{value}" for each, value in zip(months, values, strict=True))
    return text(['"Month","Sales"', *rows])


def pollution() -> str:
    """Hours whose date stands in four columns, with NA and a column of words."""
    hours = pd.date_range("2010-01-01", periods=240, freq="h")
    pollutant, warmth = wave(240, 24), wave(240, 24, 10, seed=1)
    rows = [
        f"{at + 1},{hour.year},{hour.month},{hour.day},{hour.hour},"
        f"{'NA' if at < 24 else pollutant[at]},{warmth[at]},{('NW', 'cv', 'SE')[at % 3]}"
        for at, hour in enumerate(hours)
    ]
    return text(["No,year,month,day,hour,pm2.5,TEMP,cbwd", *rows])


def shares() -> str:
    """Trading days, the newest first, which has a clock for a date and another form of number."""
    days = pd.bdate_range("2018-06-01", "2018-10-15").drop(pd.DatetimeIndex(HOLIDAYS_2018))[::-1]
    closing = wave(len(days), seed=3)
    rows = [
        f'"{day:%Y/%m/%d}","{close}00","{6189026 + at}.0000"'
        for at, (day, close) in enumerate(zip(days, closing, strict=True))
    ]
    return text(['"date","close","volume"', '"11:34","270.49","4,787,699"', *rows])


def transformer() -> str:
    """Hours of seven columns."""
    hours = pd.date_range(end="2018-06-26 19:00", periods=300, freq="h")
    names = ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]
    columns = {name: wave(300, 24, 10, seed) for seed, name in enumerate(names)}
    return pd.DataFrame({"date": hours.strftime("%Y-%m-%d %H:%M:%S"), **columns}).to_csv(
        index=False
    )


def competition(letter: str, lengths: tuple[int, ...]) -> str:
    """A series a row, quoted, short rows filled up with empty cells, as in M4."""
    width = max(lengths)
    rows = [
        [f"{letter}{number}", *wave(length, seed=number), *[""] * (width - length)]
        for number, length in enumerate(lengths, start=1)
    ]
    header = [f"V{number}" for number in range(1, width + 2)]
    return text([",".join(f'"{cell}"' if cell != "" else "" for cell in row) for row in
                 [header, *rows]])  # fmt: skip


def tourism() -> str:
    """Quarters as `1998 Q1` of series named by three columns; each region lies in one state."""
    quarters = [f"{year} Q{quarter}" for year in range(2009, 2018) for quarter in (1, 2, 3, 4)]
    keys = [
        (region, state, purpose)
        for region, state in (("Adelaide", "South Australia"), ("Perth", "Western Australia"),
                              ("Hills", "South Australia"))
        for purpose in ("Business", "Holiday")
    ]  # fmt: skip
    rows = [
        f"{quarter},{region},{state},{purpose},{trips}"
        for seed, (region, state, purpose) in enumerate(keys)
        for quarter, trips in zip(quarters, wave(len(quarters), 4, seed=seed), strict=True)
    ]
    return text(["Quarter,Region,State,Purpose,Trips", *rows])


def electricity(begin: dict[str, str], end: str, *, values: bool) -> str:
    """Hourly prices of markets with what is known ahead; without prices of the hours to come."""
    parts = []
    for seed, (market, first) in enumerate(begin.items()):
        hours = pd.date_range(first, end, freq="h")
        days = {f"day_{day}": (hours.day_of_week == day).astype(float) for day in range(7)}
        frame = pd.DataFrame(
            {
                "unique_id": market,
                "ds": hours.strftime("%Y-%m-%d %H:%M:%S"),
                "y": wave(len(hours), 24, 50, seed),
                "Exogenous1": wave(len(hours), 24, 7000, seed + 10),
                "Exogenous2": wave(len(hours), 24, 5000, seed + 20),
                **days,
            }
        )
        parts.append(frame if values else frame.drop(columns="y"))
    return pd.concat(parts).to_csv(index=False)


def sales() -> str:
    """Daily sales of eight items, many of them 0, with prices and events."""
    days = pd.date_range("2016-03-01", "2016-06-19")
    parts = []
    for number in range(1, 9):
        draw = np.random.default_rng(number)
        parts.append(
            pd.DataFrame(
                {
                    "unique_id": f"FOODS_1_{number:03}",
                    "ds": days.strftime("%Y-%m-%d"),
                    "y": draw.poisson(0.8, len(days)),
                    "sell_price": 1.0 + number / 2,
                    "event_type_Cultural": draw.integers(0, 2, len(days)),
                    "event_type_Sporting": draw.integers(0, 2, len(days)),
                }
            )
        )
    return pd.concat(parts).to_csv(index=False)


MARKETS = {"BE": "2016-11-10", "DE": "2016-11-10", "FR": "2016-11-10", "NP": "2016-12-02"}
TABLES: dict[str, Callable[[], str]] = {
    "airline.csv": lambda: monthly("1949-01-01", 84, "Passengers"),
    # Without a final newline.
    "sunspots.csv": lambda: monthly("1749-01-01", 120, "Sunspots").rstrip("\n"),
    "milk.csv": lambda: monthly(
        "1962-01-01", 72, "Pounds per cow", ("1963-09-01", "1964-11-01", "1965-04-01")
    ),
    "temperatures.csv": temperatures,
    "apple.csv": prices,
    "gasoline.csv": gasoline,
    "co2.csv": carbon_dioxide,
    "shampoo.csv": shampoo,
    "pollution.csv": pollution,
    "tesla.csv": shares,
    "transformer.csv": transformer,
    "hourly.csv": lambda: competition("H", (120, 140, 130)),
    "weekly.csv": lambda: competition("W", (80, 90, 100, 85)),
    "tourism.csv": tourism,
    "electricity.csv": lambda: electricity(MARKETS, "2016-12-30 23:00", values=True),
    "electricity-future.csv": lambda: electricity(
        dict.fromkeys(MARKETS, "2016-12-31"), "2016-12-31 23:00", values=False
    ),
    "sales.csv": sales,
}


def write_samples(folder: Path) -> Path:
    """Write all tables into a folder."""
    for name, make in TABLES.items():
        (folder / name).write_text(make())
    return folder
