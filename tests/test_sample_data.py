"""The sample tables are reproducible and keep their promises."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "sample_data"
ROWS = {
    "prices.csv": 2_510,
    "energy.csv": 17_544,
    "stores.csv": 14_560,
    "stores-future.csv": 280,
}
COLUMNS = {
    "prices.csv": ["Date", "Open", "High", "Low", "Close", "Volume"],
    "energy.csv": ["timestamp", "demand", "temperature", "holiday"],
    "stores.csv": ["store", "date", "sales", "price", "promo"],
    "stores-future.csv": ["store", "date", "price", "promo"],
}


def load(name: str) -> pd.DataFrame:
    """Read one sample table with its dates parsed."""
    table = pd.read_csv(FOLDER / name)
    for column in table.columns.intersection(["Date", "timestamp", "date"]):
        table[column] = pd.to_datetime(table[column])
    return table


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    """Load the daily share prices."""
    return load("prices.csv")


@pytest.fixture(scope="module")
def energy() -> pd.DataFrame:
    """Load the hourly energy demand."""
    return load("energy.csv")


@pytest.fixture(scope="module")
def stores() -> pd.DataFrame:
    """Load the daily store sales."""
    return load("stores.csv")


@pytest.fixture(scope="module")
def future() -> pd.DataFrame:
    """Load the plan for the days after the store sales."""
    return load("stores-future.csv")


def test_regenerating_gives_the_same_bytes(tmp_path: Path) -> None:
    """A fresh run of the script writes exactly the files kept here."""
    command = [sys.executable, str(FOLDER / "make.py"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    assert {path.name for path in tmp_path.iterdir()} == set(ROWS)
    changed = [
        name for name in ROWS if (tmp_path / name).read_bytes() != (FOLDER / name).read_bytes()
    ]
    assert changed == []


@pytest.mark.parametrize("name", ROWS)
def test_files_are_small_and_have_plain_line_ends(name: str) -> None:
    """Every file stays below one megabyte and ends its lines the same way."""
    content = (FOLDER / name).read_bytes()
    assert len(content) < 1_000_000
    assert b"\r" not in content
    assert content.endswith(b"\n")


@pytest.mark.parametrize("name", ROWS)
def test_columns_and_rows(name: str) -> None:
    """Every table has its columns, its number of rows and no empty cell."""
    table = load(name)
    assert list(table.columns) == COLUMNS[name]
    assert len(table) == ROWS[name]
    assert table.notna().all(axis=None)


@pytest.mark.parametrize("name", ROWS)
def test_readme_states_the_rows(name: str) -> None:
    """The description names each file with its true number of rows."""
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"| `{name}` | {ROWS[name]:,} |" in readme


def test_prices_are_sorted_weekdays_without_holidays(prices: pd.DataFrame) -> None:
    """Trading days rise, skip weekends and lack some weekdays."""
    dates = pd.DatetimeIndex(prices["Date"])
    assert dates.is_monotonic_increasing
    assert dates.is_unique
    assert dates.day_of_week.max() == 4
    assert not dates.strftime("%m-%d").isin(["01-01", "12-25"]).any()
    assert len(pd.bdate_range(dates[0], dates[-1])) > len(dates)


def test_high_and_low_enclose_open_and_close(prices: pd.DataFrame) -> None:
    """The day's range holds its first and last price, and all are positive."""
    ends = prices[["Open", "Close"]]
    assert (prices["High"] >= ends.max(axis=1)).all()
    assert (prices["Low"] <= ends.min(axis=1)).all()
    assert (prices["Low"] > 0).all()


def test_volume_is_a_positive_whole_number(prices: pd.DataFrame) -> None:
    """Volume counts shares."""
    assert prices["Volume"].dtype == np.int64
    assert (prices["Volume"] > 0).all()


def test_energy_has_every_hour_of_two_years(energy: pd.DataFrame) -> None:
    """Hours follow each other without a gap from 2023 to the end of 2024."""
    hours = pd.date_range("2023-01-01 00:00", "2024-12-31 23:00", freq="h")
    assert (energy["timestamp"].to_numpy() == hours.to_numpy()).all()


def test_holidays_are_whole_days_that_lower_demand(energy: pd.DataFrame) -> None:
    """The flag is 0 or 1 all day, and a flagged workday needs less than its week does."""
    days = energy.groupby(energy["timestamp"].dt.normalize())
    assert set(energy["holiday"]) == {0, 1}
    assert (days["holiday"].nunique() == 1).all()
    demand, holiday = days["demand"].mean(), days["holiday"].max() == 1
    workday = pd.Series(demand.index.day_of_week < 5, index=demand.index)
    usual = demand.where(workday & ~holiday).rolling(15, center=True, min_periods=1).mean()
    assert (demand < usual)[workday & holiday].mean() > 0.9


def test_demand_rises_in_cold_and_in_heat(energy: pd.DataFrame) -> None:
    """Demand at noon is lowest at mild temperatures."""
    noon = energy[energy["timestamp"].dt.hour == 12]
    bands = pd.cut(noon["temperature"], [-50, 5, 15, 21, 25, 50], labels=False)
    mean = noon.groupby(bands)["demand"].mean()
    assert mean[0] > mean[1] > mean[2] < mean[4]


def test_twenty_stores_share_the_same_days(stores: pd.DataFrame) -> None:
    """Each store has one row for each day, in order."""
    days = pd.date_range("2023-12-04", "2025-11-30").to_numpy()
    assert list(stores["store"].unique()) == [f"S{number:02d}" for number in range(1, 21)]
    for _, store in stores.groupby("store"):
        assert np.array_equal(store["date"].to_numpy(), days)


def test_plan_covers_the_next_14_days(stores: pd.DataFrame, future: pd.DataFrame) -> None:
    """Each store's plan starts the day after its sales and holds some promotions."""
    after = stores["date"].max() + pd.Timedelta(days=1)
    days = pd.date_range(after, periods=14).to_numpy()
    assert set(future["store"]) == set(stores["store"])
    for _, store in future.groupby("store"):
        assert np.array_equal(store["date"].to_numpy(), days)
    assert set(future["promo"]) == {0, 1}


def test_sales_are_counts_with_closed_days_and_small_stores(stores: pd.DataFrame) -> None:
    """Sales are whole numbers; holidays sell nothing, small stores often nothing."""
    assert stores["sales"].dtype == np.int64
    assert (stores["sales"] >= 0).all()
    closed = stores["date"].dt.strftime("%m-%d").isin(["01-01", "12-25"])
    assert (stores.loc[closed, "sales"] == 0).all()
    idle = (stores["sales"] == 0).groupby(stores["store"]).mean()
    assert (idle[:"S15"] < 0.2).all()
    assert (idle["S16":] > 0.5).all()


def test_promotions_raise_sales_at_lower_prices(stores: pd.DataFrame) -> None:
    """In every store a promotion costs less and sells more."""
    means = stores.groupby(["store", "promo"])[["sales", "price"]].mean().unstack()
    assert (means["sales"][1] > 1.2 * means["sales"][0]).all()
    assert (means["price"][1] < means["price"][0]).all()
