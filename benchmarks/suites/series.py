"""The tables of single series: where each is, how it is read, and the steps of its season."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from common import HERE

SAMPLES = HERE.parent / "sample_data"
TIME = "time"
# Hourly tables of several years are cut to their last one: that is plenty for a season of a day.
MOST_ROWS = 8_760
# Those that are left out, and why.
LEFT_OUT = "left out: messy/shampoo.csv, whose 36 rows leave none to learn from"

Read = Callable[[Path, str], pd.Series]


@dataclass(frozen=True)
class Source:
    """A single series.

    Args:
        name: For the table.
        path: Below the folder of data, or absolute.
        column: The column to forecast.
        season: Steps in a season.
        read: From the path and the column to values by time.
        freq: Of the steps, where some are missing; None where there is a row for each.
        horizon: Steps ahead; a season where None.
    """

    name: str
    path: str | Path
    column: str
    season: int
    read: Read
    freq: str | None = None
    horizon: int | None = None

    @property
    def steps(self) -> int:
        """Steps ahead that are one season, or 13 weeks."""
        return self.horizon or self.season

    def values(self, data: Path) -> pd.Series:
        """In order of time; NaN where a value is missing."""
        series = self.read(data / self.path, self.column).sort_index().iloc[-MOST_ROWS:]
        series = series.asfreq(self.freq) if self.freq else series
        return series.rename_axis(TIME).rename(self.column).astype(float)


def dated(form: str | None = None) -> Read:
    """Read a table whose first column is the time, in a form."""

    def read(path: Path, column: str) -> pd.Series:
        table = pd.read_csv(path, index_col=0, dtype=str).dropna(how="all")
        # What is no date at all is no row: a clock time where the first date should be.
        times = pd.to_datetime(table.index, format=form, errors="coerce")
        values = pd.to_numeric(table[column].str.replace(",", ""))
        return values.set_axis(times)[times.notna()]

    return read


def by_hour(path: Path, column: str) -> pd.Series:
    """A table whose time stands in four columns."""
    table = pd.read_csv(path)
    return table[column].set_axis(pd.to_datetime(table[["year", "month", "day", "hour"]]))


def store(name: str) -> Read:
    """One store of the sample table."""

    def read(path: Path, column: str) -> pd.Series:
        table = pd.read_csv(path, parse_dates=["date"])
        return table[table["store"] == name].set_index("date")[column]

    return read


ISO = dated("ISO8601")
APPLE = "single/finance-charts-apple.csv"
SOURCES: tuple[Source, ...] = (
    Source("airline passengers", "single/airline-passengers.csv", "Passengers", 12, dated("%Y-%m")),
    Source("minimum temperatures", "single/daily-min-temperatures.csv", "Temp", 7, ISO, "D"),
    Source("sunspots", "single/monthly-sunspots.csv", "Sunspots", 12, dated("%Y-%m")),
    Source("Apple, close", APPLE, "AAPL.Close", 5, ISO),
    Source("Apple, volume", APPLE, "AAPL.Volume", 5, ISO),
    Source("Tesla, close", "messy/tesla-stock-price.csv", "close", 5, dated("%Y/%m/%d")),
    Source("gasoline", "messy/us_gasoline.csv", "Gasoline", 52, dated("%m/%d/%Y"), None, 13),
    Source("CO2", "messy/co2.csv", "co2", 52, dated("%Y%m%d"), "W-SAT", 13),
    Source("milk", "messy/monthly-milk-incomplete.csv", "Pounds per cow", 12, dated("%Y-%m"), "MS"),
    Source("Beijing, temperature", "messy/pollution.csv", "TEMP", 24, by_hour),
    Source("Beijing, PM2.5", "messy/pollution.csv", "pm2.5", 24, by_hour),
    Source("sample prices, close", SAMPLES / "prices.csv", "Close", 5, ISO),
    Source("sample energy, demand", SAMPLES / "energy.csv", "demand", 24, ISO),
    Source("sample store S01", SAMPLES / "stores.csv", "sales", 7, store("S01")),
    Source("sample store S03", SAMPLES / "stores.csv", "sales", 7, store("S03")),
    Source("sample store S17", SAMPLES / "stores.csv", "sales", 7, store("S17")),
)
CLOSES = ("Apple, close", "Tesla, close", "sample prices, close")


def chosen(only: tuple[str, ...], sources: tuple[Source, ...] = SOURCES) -> list[Source]:
    """Those whose names hold one of some parts, or all."""
    return [
        each for each in sources if not only or any(p.lower() in each.name.lower() for p in only)
    ]


def walks() -> dict[str, pd.Series]:
    """Five simulated random walks: three of prices on business days, two of sums of hours."""
    found = {}
    for seed in range(5):
        steps = np.random.default_rng(seed).normal(0, 1, 1000).cumsum()
        prices = seed < 3
        times = pd.date_range("2020-01-01", periods=1000, freq="B" if prices else "h", name=TIME)
        values = 100 * np.exp(0.01 * steps) if prices else 100 + steps
        name = f"simulated {seed}, {'business days' if prices else 'hours'}"
        found[name] = pd.Series(values, times, name="y")
    return found
