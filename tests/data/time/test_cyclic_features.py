"""Calendar features against pandas, and as points on a circle."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.errors import UsageError
from forecast_cli.data.time.cyclic_features import NAMES, cycle_columns, cycles, default_cycles

times = st.lists(
    st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), min_size=1, max_size=30
).map(lambda each: pd.DatetimeIndex(each).as_unit("us"))


def weeks_of(year):
    """The 28th of December lies in the last week of its ISO year."""
    return datetime(year, 12, 28).isocalendar().week


def shares(index):
    """How much of each cycle is over, by the attributes of pandas."""
    iso = index.isocalendar().astype(int)
    weeks = np.array([weeks_of(year) for year in iso["year"]])
    seconds = index.second + index.microsecond / 1e6
    return {
        "minute": (index.minute + seconds / 60) / 60,
        "hour": (index.hour + index.minute / 60 + seconds / 3600) / 24,
        "dayofweek": index.day_of_week / 7,
        "day": (index.day - 1) / index.days_in_month,
        "dayofyear": (index.day_of_year - 1) / (365 + index.is_leap_year),
        "week": (iso["week"] - 1 + (iso["day"] - 1) / 7) / weeks,
        "month": (index.month - 1) / 12,
        "quarter": (index.quarter - 1) / 4,
    }


@given(times)
def test_cycles_are_those_of_pandas(index):
    for name, over in shares(index).items():
        angle = 2 * np.pi * np.asarray(over)
        expected = np.column_stack([np.sin(angle), np.cos(angle)])
        np.testing.assert_allclose(cycles(index.to_numpy(), [name]), expected, atol=1e-9)


@given(times)
def test_a_weekend_is_saturday_and_sunday(index):
    found = cycles(index.to_numpy(), ["weekend"])
    assert found[:, 0].tolist() == [float(day >= 5) for day in index.day_of_week]


@given(times, st.lists(st.sampled_from(NAMES), unique=True))
def test_columns_are_named_and_lie_on_circles(index, names):
    features = cycles(index.to_numpy(), names)
    columns = cycle_columns(names)
    assert features.shape == (len(index), len(columns))
    assert features.dtype == np.float64
    for name in names:
        if name != "weekend":
            place = columns.index(f"{name}_sin")
            assert columns[place + 1] == f"{name}_cos"
            radius = (features[:, place : place + 2] ** 2).sum(axis=1)
            np.testing.assert_allclose(radius, 1.0)


@pytest.mark.parametrize(
    ("name", "unit", "step", "shares"),
    [
        ("minute", "s", 1, 1 / 3600),
        ("hour", "m", 1, 1 / 1440),
        ("dayofweek", "D", 1, 1 / 7),
        ("day", "D", 1, 1 / 28),
        ("dayofyear", "D", 1, 1 / 365),
        ("week", "D", 1, 1 / 364),
        ("month", "M", 1, 1 / 12),
        ("quarter", "M", 3, 1 / 4),
    ],
)
def test_steps_are_even_also_where_a_cycle_begins_anew(name, unit, step, shares):
    each = np.datetime64("2019-11-01", unit) + step * np.arange(3000)
    sine, cosine = cycles(each, [name]).T
    turn = np.abs(np.angle((cosine + 1j * sine)[1:] / (cosine + 1j * sine)[:-1])) / (2 * np.pi)
    assert turn.max() <= shares + 1e-9
    assert turn.min() >= 0.9 * shares


@pytest.mark.parametrize("unit", ["D", "h", "s", "ms", "us", "ns"])
def test_the_unit_of_the_times_does_not_matter(unit):
    days = np.array(["1969-12-31", "2024-02-29"], "datetime64[D]")
    expected = cycles(days, NAMES)
    assert (cycles(days.astype(f"datetime64[{unit}]"), NAMES) == expected).all()


def test_no_rows_and_no_names_are_nothing():
    assert cycles(np.array([], "datetime64[us]"), ["hour"]).shape == (0, 2)
    assert cycles(np.array(["2024-01-01"], "datetime64[us]"), []).shape == (1, 0)


@pytest.mark.parametrize(
    ("step", "months", "rows", "expected"),
    [
        (1 / 86400, 0, 10**6, ("hour", "dayofweek")),
        (1 / 96, 0, 96 * 100, ("hour", "dayofweek")),
        (1 / 24, 0, 24 * 729, ("hour", "dayofweek")),
        (1 / 24, 0, 24 * 730, ("hour", "dayofweek", "dayofyear")),
        (1.0, 0, 729, ("dayofweek",)),
        (1.0, 0, 730, ("dayofweek", "dayofyear")),
        (None, 0, 503, ("dayofweek",)),
        (None, 0, 504, ("dayofweek", "dayofyear")),
        (7.0, 0, 104, ()),
        (7.0, 0, 105, ("dayofyear",)),
        (365.0, 0, 50, ()),
        (None, 1, 5, ("month",)),
        (None, 2, 5, ("month",)),
        (None, 3, 5, ("quarter",)),
        (None, 12, 50, ()),
        (None, 24, 50, ()),
    ],
)
def test_the_usual_features_suit_the_step(step, months, rows, expected):
    assert default_cycles(step, months, rows) == expected


def test_an_unknown_feature_is_a_usage_error():
    with pytest.raises(UsageError, match='"dayofweek"'):
        cycle_columns(["dayofweeks"])
    with pytest.raises(UsageError, match='Unknown calendar feature "fortnight"'):
        cycles(np.array(["2024-01-01"], "datetime64[D]"), ["fortnight"])
