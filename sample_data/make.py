"""Simulate the sample tables: `python sample_data/make.py [folder]`.

Every number comes from a fixed seed, so the files are the same bytes on every run.
"""

import sys
from itertools import accumulate
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator, default_rng

# Chosen because the share price wanders the way an ordinary share does.
SEED = 16

TRADING_DAYS = 2510
LAST_TRADING_DAY = "2025-12-31"
EXCHANGE_HOLIDAYS = {"01-01", "02-15", "05-01", "07-04", "09-05", "11-25", "12-25"}

ENERGY_START, ENERGY_END = "2023-01-01 00:00", "2024-12-31 23:00"
PUBLIC_HOLIDAYS = {"01-01", "01-06", "05-01", "06-09", "08-15", "10-03", "11-01", "12-25", "12-26"}
# Megawatts above the nightly base, hour by hour from midnight.
WORKDAY_PROFILE = np.array(
    [
        [40, 20, 10, 5, 15, 60, 150, 260, 320, 330, 325, 320],
        [310, 300, 290, 285, 295, 330, 370, 365, 310, 230, 150, 85],
    ]
).ravel()
FREE_DAY_PROFILE = np.array(
    [
        [50, 30, 15, 5, 5, 20, 50, 90, 140, 180, 205, 220],
        [225, 205, 180, 170, 180, 215, 260, 265, 235, 190, 130, 85],
    ]
).ravel()

STORES, SMALL_STORES = 20, 5
STORES_START = "2023-12-04"
HISTORY_DAYS, FUTURE_DAYS = 728, 14
STORE_HOLIDAYS = {"01-01", "12-25"}
# Monday to Sunday, as a share of an average day.
STORE_WEEK = np.array([0.85, 0.82, 0.88, 0.97, 1.22, 1.38, 0.88])


def main(arguments: list[str]) -> None:
    """Write all tables into the folder named first, or beside this script."""
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    # One stream per table, so that changing one table leaves the others alone.
    write(make_prices(default_rng([SEED, 1])), folder / "prices.csv", decimals=2)
    write(make_energy(default_rng([SEED, 2])), folder / "energy.csv", decimals=1)
    history, future = make_stores(default_rng([SEED, 3]))
    write(history, folder / "stores.csv", decimals=2)
    write(future, folder / "stores-future.csv", decimals=2)


def write(table: pd.DataFrame, path: Path, decimals: int) -> None:
    """Save a table as CSV in the same bytes on every system."""
    table.to_csv(path, index=False, float_format=f"%.{decimals}f", lineterminator="\n")


def slow_noise(rng: Generator, size: int, memory: float, spread: float) -> np.ndarray:
    """Draw autocorrelated noise: each value keeps the share `memory` of the one before."""
    shocks = spread * np.sqrt(1 - memory**2) * rng.standard_normal(size)
    return np.array(list(accumulate(shocks, lambda level, shock: memory * level + shock)))


def yearly_wave(dates: pd.DatetimeIndex, peak_day: int) -> np.ndarray:
    """Swing between -1 and 1 once a year, highest on the given day of the year."""
    return np.cos(2 * np.pi * (dates.day_of_year.to_numpy() - peak_day) / 365.25)


def falls_on(dates: pd.DatetimeIndex, month_days: set[str]) -> np.ndarray:
    """Tell for each date whether its month and day are in the set."""
    return np.asarray(dates.strftime("%m-%d").isin(month_days))


def make_prices(rng: Generator) -> pd.DataFrame:
    """Simulate one share: daily open, high, low, close and volume."""
    dates = trading_days()
    volatility = 0.012 * np.exp(slow_noise(rng, TRADING_DAYS, memory=0.97, spread=0.45))
    returns = daily_returns(rng, volatility)
    close = 48 * np.exp(np.cumsum(returns))
    overnight = 0.35 * returns + 0.35 * volatility * rng.standard_normal(TRADING_DAYS)
    opening = close * np.exp(overnight - returns)
    reach = 0.5 * volatility * np.abs(rng.standard_normal((2, TRADING_DAYS)))
    columns = {
        "Date": dates.strftime("%Y-%m-%d"),
        "Open": np.round(opening, 2),
        "High": np.round(np.maximum(opening, close) * np.exp(reach[0]), 2),
        "Low": np.round(np.minimum(opening, close) * np.exp(-reach[1]), 2),
        "Close": np.round(close, 2),
        "Volume": traded_volume(rng, returns, volatility),
    }
    return pd.DataFrame(columns)


def trading_days() -> pd.DatetimeIndex:
    """List the last weekdays that are not exchange holidays."""
    # More weekdays than needed, because the holidays among them drop out.
    weekdays = pd.bdate_range(end=LAST_TRADING_DAY, periods=TRADING_DAYS + 150)
    return weekdays[~falls_on(weekdays, EXCHANGE_HOLIDAYS)][-TRADING_DAYS:]


def daily_returns(rng: Generator, volatility: np.ndarray) -> np.ndarray:
    """Draw log returns whose regimes follow the last move or lean against it."""
    trending = np.cumsum(rng.random(len(volatility)) < 1 / 60) % 2 == 0
    carry = np.where(trending, 0.15, -0.15)
    shocks = 0.0004 + volatility * rng.standard_normal(len(volatility))
    returns = np.zeros(len(volatility))
    for day in range(1, len(returns)):
        returns[day] = carry[day] * returns[day - 1] + shocks[day]
    return returns


def traded_volume(rng: Generator, returns: np.ndarray, volatility: np.ndarray) -> np.ndarray:
    """Draw share counts that grow with volatility and with the size of the day's move."""
    mood = slow_noise(rng, len(returns), memory=0.8, spread=0.25)
    activity = mood + 12 * np.abs(returns) + 25 * (volatility - 0.012)
    return 100 * np.round(18_000 * np.exp(activity)).astype(np.int64)


def make_energy(rng: Generator) -> pd.DataFrame:
    """Simulate hourly electricity demand of a region with its weather and holidays."""
    hours = pd.date_range(ENERGY_START, ENERGY_END, freq="h")
    holiday = falls_on(hours, PUBLIC_HOLIDAYS)
    # Adding zero turns -0.0 into 0.0.
    temperature = np.round(air_temperature(rng, hours), 1) + 0.0
    columns = {
        "timestamp": hours.strftime("%Y-%m-%d %H:%M:%S"),
        "demand": np.round(energy_demand(rng, hours, temperature, holiday), 1),
        "temperature": temperature,
        "holiday": holiday.astype(int),
    }
    return pd.DataFrame(columns)


def air_temperature(rng: Generator, hours: pd.DatetimeIndex) -> np.ndarray:
    """Draw degrees Celsius: seasons, warm afternoons and weather that lasts for days."""
    summer = yearly_wave(hours, peak_day=200)
    afternoon = np.cos(2 * np.pi * (hours.hour.to_numpy() - 15) / 24)
    weather = slow_noise(rng, len(hours), memory=0.99, spread=3.2)
    return 11.5 + 9.5 * summer + (3.2 + 1.3 * summer) * afternoon + weather


def energy_demand(
    rng: Generator, hours: pd.DatetimeIndex, temperature: np.ndarray, holiday: np.ndarray
) -> np.ndarray:
    """Draw megawatts from the day's profile, heating, cooling, dark winters and noise."""
    free = holiday | (hours.day_of_week.to_numpy() >= 5)
    clock = hours.hour.to_numpy()
    profile = np.where(free, FREE_DAY_PROFILE[clock], WORKDAY_PROFILE[clock])
    heating = 9 * np.maximum(0, 15 - temperature)
    cooling = 15 * np.maximum(0, temperature - 21)
    winter = 25 * yearly_wave(hours, peak_day=1)
    growth = np.linspace(0, 30, len(hours))
    noise = slow_noise(rng, len(hours), memory=0.9, spread=22)
    return 620 + profile + heating + cooling + winter + growth + noise


def make_stores(rng: Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Simulate daily sales of all stores and the plan for the days that follow."""
    dates = pd.date_range(STORES_START, periods=HISTORY_DAYS + FUTURE_DAYS)
    stores = [make_store(rng, number, dates) for number in range(1, STORES + 1)]
    history = pd.concat([store[:HISTORY_DAYS] for store in stores])
    future = pd.concat([store[HISTORY_DAYS:] for store in stores])
    return history, future.drop(columns="sales")


def make_store(rng: Generator, number: int, dates: pd.DatetimeIndex) -> pd.DataFrame:
    """Simulate one store; the last ones are small and sell nothing on many days."""
    promo = promotions(rng, len(dates))
    regular = regular_price(rng, len(dates))
    price = np.where(promo, np.round(regular * (1 - rng.uniform(0.12, 0.28)), 2), regular)
    lift = (price / regular) ** -1.6 * np.where(promo, 1.2, 1.0)
    draw_sales = small_sales if number > STORES - SMALL_STORES else large_sales
    closed = falls_on(dates, STORE_HOLIDAYS)
    if number % 3 == 0:
        closed |= dates.day_of_week.to_numpy() == 6
    columns = {
        "store": f"S{number:02d}",
        "date": dates.strftime("%Y-%m-%d"),
        "sales": np.where(closed, 0, draw_sales(rng, dates, lift)),
        "price": price,
        "promo": promo.astype(int),
    }
    return pd.DataFrame(columns)


def promotions(rng: Generator, days: int) -> np.ndarray:
    """Mark the days on promotion: runs of 4 to 8 days, 2 to 7 weeks apart."""
    promo = np.zeros(days, dtype=bool)
    day = int(rng.integers(0, 35))
    while day < days:
        length = int(rng.integers(4, 9))
        promo[day : day + length] = True
        day += length + int(rng.integers(14, 50))
    return promo


def regular_price(rng: Generator, days: int) -> np.ndarray:
    """Draw a shelf price that ends in 9 and rises a few times."""
    rises = np.zeros(days)
    rises[rng.integers(60, days - 60, size=3)] = rng.uniform(0.01, 0.04, size=3)
    price = rng.uniform(4, 12) * np.cumprod(1 + rises)
    return np.round(np.round(price, 1) - 0.01, 2)


def large_sales(rng: Generator, dates: pd.DatetimeIndex, lift: np.ndarray) -> np.ndarray:
    """Draw unit sales of a busy store around its level, trend, week and year."""
    level = rng.uniform(40, 320)
    trend = np.linspace(1, rng.uniform(0.9, 1.35), len(dates))
    season = 1 + 0.12 * yearly_wave(dates, peak_day=350)
    week = STORE_WEEK[dates.day_of_week.to_numpy()]
    noise = np.exp(slow_noise(rng, len(dates), memory=0.4, spread=0.11))
    return np.round(level * trend * season * week * lift * noise).astype(int)


def small_sales(rng: Generator, dates: pd.DatetimeIndex, lift: np.ndarray) -> np.ndarray:
    """Draw unit sales of a small store: often none, otherwise a few."""
    week = STORE_WEEK[dates.day_of_week.to_numpy()]
    sold = rng.random(len(dates)) < rng.uniform(0.2, 0.45) * week * lift
    extra = rng.uniform(0.8, 1.8) * rng.standard_exponential(len(dates))
    return np.where(sold, 1 + np.round(extra), 0).astype(int)


if __name__ == "__main__":
    main(sys.argv[1:])
