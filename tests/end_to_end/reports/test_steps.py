"""Tables whose steps are easily taken for others: rows dropped, gaps filled, periods cut short."""

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError
from forecast_cli.data.reading import read_panel
from forecast_cli.data.time.frequency import Frequency


def daily(rows=140, first="2024-01-01", freq="D"):
    """A table of so many steps, as `date` and `y`."""
    return pd.DataFrame({"date": pd.date_range(first, periods=rows, freq=freq), "y": range(rows)})


def read(frame, notes=None, frequency=None, **data):
    keep = (lambda event: None) if notes is None else (lambda event: notes.append(event.text))
    settings = Data(column=("y",), **data)
    return read_panel(frame.astype({"y": float}), settings, on_event=keep, frequency=frequency)


# Rows that are dropped.


def closed_on(frame, weekday):
    return frame.assign(y=frame["y"].mask(frame["date"].dt.day_of_week == weekday))


def test_dropped_sundays_are_closed_days():
    notes = []
    panel = read(closed_on(daily(), 6), notes, missing="drop")
    frequency = panel.timeline.frequency
    assert len(panel.values) == 120
    assert frequency.open_days.weekmask == "1111110"
    coming = frequency.after(panel.timeline.times[-1], 6)
    assert coming.strftime("%a").tolist() == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    assert any("steps of open days: Monday to Saturday" in note for note in notes)


@pytest.mark.parametrize("named", [{}, {"freq": "D"}])
def test_sundays_without_a_row_are_closed_days_with_the_frequency_of_days(named):
    frame = closed_on(daily(), 6).dropna()
    if not named:
        with pytest.raises(DataError, match="not regular"):
            read(frame, missing="drop")
        return
    panel = read(frame, missing="drop", **named)
    assert panel.timeline.frequency.open_days.weekmask == "1111110"


@pytest.mark.parametrize("freq", ["W", "MS", "QS", "h", "15min"])
def test_dropped_steps_that_are_no_days_are_refused(freq):
    frame = daily(freq=freq)
    frame.loc[[30, 31, 70], "y"] = np.nan
    with pytest.raises(
        DataError, match=r"row 33.*leaves no row between.*cannot skip time"
    ) as error:
        read(frame, missing="drop")
    assert "`missing=interpolate`" in error.value.hint
    assert len(read(frame, missing="interpolate").values) == len(frame)
    assert read(frame, missing="drop", time="none").timeline is None


def test_rows_that_are_dropped_at_the_ends_leave_the_steps_as_they_were():
    frame = daily(freq="h")
    frame.loc[[0, 1, 138, 139], "y"] = np.nan
    panel = read(frame, missing="drop")
    assert panel.timeline.frequency.alias == "h"
    assert panel.timeline.times.tolist() == frame["date"][2:138].tolist()


def test_most_days_dropped_follow_no_calendar():
    frame = daily()
    frame["y"] = frame["y"].where(np.random.default_rng(3).random(140) < 0.3)
    with pytest.raises(DataError, match=r"not regular|follow no calendar"):
        read(frame, missing="drop", freq="D")


def test_a_model_of_days_keeps_its_days():
    frame = closed_on(daily(), 6)
    with pytest.raises(DataError, match="steps of the model are days") as error:
        read(frame, missing="drop", frequency=Frequency.parse("D"))
    assert "time=none" not in error.value.hint


def test_series_drop_rows_of_their_own_and_share_one_calendar():
    frame = pd.concat([closed_on(daily(), 6).assign(id=name) for name in "ab"])
    frame.loc[(frame["id"] == "a") & (frame["date"] == "2024-02-07"), "y"] = np.nan
    panel = read(frame, missing="drop", series=("id",))
    assert panel.lengths.tolist() == [119, 120]
    assert panel.timeline.frequency.open_days.weekmask == "1111110"
