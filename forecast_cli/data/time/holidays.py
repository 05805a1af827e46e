"""Holidays of countries and exchanges, from the libraries of the extra `calendars`."""

import warnings
from collections.abc import Iterable, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from ...core.errors import UsageError, nearest
from ...core.libraries import how_to_install
from ...core.windows import Floats
from .business_days import Days


def holiday_columns(codes: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns of holidays.

    >>> holiday_columns(["KR", "US-NY"])
    ('holiday_KR', 'holiday_US-NY')
    """
    return tuple(f"holiday_{code}" for code in codes)


def holidays_on(times: Days, code: str) -> Floats:
    """Return which times are on a public holiday.

    Args:
        times: Shape `(n,)`, local time.
        code: A country as "KR", or a part of one as "US-NY".

    Returns:
        Shape `(n,)`: 1 on a public holiday or the day it is observed on, 0 otherwise.

    Raises:
        UsageError: There is no such country, or the library is missing.
    """
    days = times.astype("datetime64[D]")
    known = country(code, np.unique(days.astype("datetime64[Y]")).astype(int) + 1970)
    return np.isin(days, holiday_dates(known)).astype(float)


def holiday_dates(known: Any) -> Days:
    """Return the dates of the library's holidays, shape `(n,)`, ascending."""
    return np.array(sorted(known), "datetime64[D]")


def country(code: str, years: Iterable[int]) -> Any:
    """Return the library's holidays of a country or a part of it.

    Raises:
        UsageError: There is no such country, or the library is missing.
    """
    name, _, part = code.partition("-")
    valid = countries()
    if name.upper() not in valid:
        what = f'There are no public holidays for "{code}"'
        raise unknown_code(what, code, valid, "a country, e.g. KR or US")
    import holidays

    # A holiday may be observed in the year before or after its own.
    years = {year + shift for year in years for shift in (-1, 0, 1)}
    with warnings.catch_warnings(action="ignore"):
        # Warnings that some holidays are estimates, or that the library's years end.
        try:
            return holidays.country_holidays(name.upper(), subdiv=part or None, years=years)
        except NotImplementedError as error:
            parts = valid[name.upper()]
            hint = nearest(part, parts) if parts else f"Pass {name.upper()} alone."
            raise UsageError(f'"{name.upper()}" has no part "{part}".', hint) from error


def countries() -> dict[str, list[str]]:
    """Return the codes of all countries, each with those of its parts.

    Raises:
        UsageError: The library is missing.
    """
    try:
        from holidays import list_supported_countries
    except ImportError as error:
        raise UsageError(
            "Public holidays need the library holidays, which is not installed.",
            how_to_install("calendars"),
        ) from error
    return list_supported_countries(include_aliases=True)


def exchange_codes() -> dict[str, str]:
    """Return the codes of all exchanges by name or alias, in upper case: "NYSE" is "XNYS".

    Raises:
        UsageError: The library is missing.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            from exchange_calendars import get_calendar_names, resolve_alias
    except ImportError as error:
        what = "Exchanges need the library exchange_calendars, which is not installed."
        raise UsageError(what, how_to_install("calendars")) from error
    return {name.upper(): resolve_alias(name) for name in get_calendar_names()}


def exchange(code: str) -> Any:
    """Return the library's calendar of an exchange, for its rules: it has sessions of few days.

    All its sessions would take long, for their opening times; and where the weekdays changed once
    (XTAE, XKRX), those made with pandas 3.1 are wrong or end in an exception.

    Raises:
        UsageError: The library cannot make the calendar.
    """
    from exchange_calendars import get_calendar

    _repair_offsets()
    today = pd.Timestamp.now().normalize()
    try:
        with warnings.catch_warnings(action="ignore"):
            # The library uses deprecated parts of pandas.
            return get_calendar(code, start=today - pd.Timedelta(days=60), end=today)
    except Exception as error:
        raise UsageError(
            f"The library exchange_calendars failed to make the calendar {code}: {error}",
            "Pass the code of the country instead, or install its newest version: "
            "pip install -U exchange_calendars.",
        ) from error


def exchange_holidays(known: Any, first: date, last: date) -> Days:
    """Return the dates of an exchange's holidays, shape `(n,)`.

    Regular ones from first to last, exceptional ones of all times.
    """
    with warnings.catch_warnings(action="ignore"):
        found = [pd.DatetimeIndex(known.adhoc_holidays).tz_localize(None)]
        if known.regular_holidays is not None:
            found.append(known.regular_holidays.holidays(str(first), str(last)))
    return np.concatenate([days.to_numpy().astype("datetime64[D]") for days in found])


def _repair_offsets() -> None:
    """Make the library's Easter and Hebrew days work under pandas 3.1.

    They define `_apply`, which pandas calls `_add_datetime` since 3.1: Passover became Easter
    (XTAE), and the Orthodox Easter an exception (ASEX, XBEL, XBSE, XCYS). So it is still in
    exchange_calendars 4.13.2, and in pandas_market_calendars 5.5, which uses the same offsets.
    """
    from exchange_calendars import tase_holidays
    from exchange_calendars.pandas_extensions import offsets

    def one_by_one(self: Any, dates: Any) -> Any:
        raise NotImplementedError

    for each in (*vars(offsets).values(), *vars(tase_holidays).values()):
        own = vars(each) if isinstance(each, type) else {}
        if "_apply" in own and "_add_datetime" not in own:
            each._add_datetime, each._add_datetime_ndarray = own["_apply"], one_by_one


def unknown_code(what: str, code: str, valid: Iterable[str], kinds: str) -> UsageError:
    """Return the error for an unknown code, with the nearest of the hundreds of others."""
    close = get_close_matches(code.upper(), valid, n=1, cutoff=0.5)
    guess = f'Did you mean "{close[0]}"? ' if close else ""
    return UsageError(
        f"{what}.", f"{guess}Pass the code of {kinds}, or of a part of a country, e.g. DE-BY."
    )
