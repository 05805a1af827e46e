"""Forecasts without training, through the Python API."""

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.backtesting.zero_shot import forecast_now
from forecast_cli.core.events import Note

from ..frames import seasonal_frame

ROWS, HORIZON = 96, 12


@pytest.fixture(scope="module")
def frame():
    return seasonal_frame(ROWS).drop(columns="other")


def now(table, **settings):
    return forecast_now(table, fc.configure(settings))


def test_the_forecast_continues_the_table_with_intervals_around_it(frame):
    found = fc.now(frame, column="value")
    assert list(found) == [
        "date", "value", "value_lo95", "value_lo80", "value_hi80", "value_hi95"
    ]  # fmt: skip
    # One season, but at most a tenth of the rows.
    expected = pd.date_range(frame["date"].iloc[-1], periods=10, freq="MS")[1:]
    assert found["date"].tolist() == expected.tolist()
    ends = found[["value_lo95", "value_lo80", "value", "value_hi80", "value_hi95"]].to_numpy()
    assert (np.diff(ends, axis=1) > 0).all()
    later = seasonal_frame(ROWS + 9)["value"].to_numpy()[ROWS:]
    assert np.abs(found["value"] - later).mean() < 2.0


def test_scores_are_those_of_forecasts_from_the_rows_before(frame):
    found = now(frame, column="value", horizon=HORIZON)
    values = frame["value"].to_numpy()
    cutoffs = range(ROWS - 4 * HORIZON, ROWS, HORIZON)
    assert found.settings["n_windows"] == len(cutoffs)
    expected = np.mean(
        [np.abs(values[each : each + HORIZON] - values[each - 1]).mean() for each in cutoffs]
    )
    scores = {row["model"]: row for row in found.scores}
    assert [*scores] == ["pretrained", "naive", "seasonal-naive"]
    assert scores["naive"]["mae"] == pytest.approx(expected)
    assert scores["pretrained"]["mae"] < scores["seasonal-naive"]["mae"]
    assert 60 <= scores["pretrained"]["coverage80"] <= 100
    assert "pretrained" in found.verdict


def test_scores_of_a_forecast_see_nothing_of_what_is_forecast(frame):
    known, size = ROWS - HORIZON, 1e4
    other = frame.assign(value=frame["value"].where(frame.index < known, size))

    def total(table):
        row = now(table, column="value", horizon=HORIZON).scores[0]
        return row["mae"] * HORIZON * 4

    # Only the last of four forecasts is of other values, and it is made from the same rows.
    last = fc.now(frame.head(known), column="value", horizon=HORIZON)["value"]
    assert total(other) - total(frame) == pytest.approx((size - last).sum(), rel=0.01)


def test_series_are_forecast_each_by_itself_in_any_layout(frame):
    rng = np.random.default_rng(1)
    wide = pd.DataFrame(
        {"date": frame["date"], "a": frame["value"], "b": 5 + rng.normal(size=ROWS).cumsum()}
    )
    long = wide.melt("date", var_name="shop", value_name="value")
    found = fc.now(long, column="value", series="shop", horizon=3)
    assert list(found)[:3] == ["shop", "date", "value"]
    columns = fc.now(wide, layout="columns", horizon=3)
    assert columns["b"].tolist() == found.loc[found["shop"] == "b", "value"].tolist()
    both = fc.now(wide, column=("a", "b"), horizon=3, level=80)
    assert list(both) == ["date", "a", "a_lo80", "a_hi80", "b", "b_lo80", "b_hi80"]
    assert both["a"].tolist() == columns["a"].tolist()


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8])
def test_a_few_rows_are_forecast_with_or_without_a_verdict(rows):
    found = now(pd.DataFrame({"value": [3.0, 5, 4, 6, 5, 7, 6, 8][:rows]}), column="value")
    assert np.isfinite(found.frame.to_numpy(float)).all()
    assert found.verdict.startswith("No verdict") == (rows < 4)
    assert bool(found.scores) == (rows >= 4)


def test_gaps_are_filled_as_in_a_training(frame):
    gaps = frame.assign(value=frame["value"].mask(frame.index.isin([20, 21, ROWS - 1])))
    with pytest.raises(fc.DataError, match="missing"):
        fc.now(gaps, column="value")
    found = fc.now(gaps, column="value", missing="interpolate", horizon=HORIZON)
    assert np.isfinite(found["value"]).all()
    masked = fc.now(gaps, column="value", missing="mask", horizon=HORIZON)
    assert np.isfinite(masked["value"]).all()


def test_a_series_without_a_value_is_refused(frame):
    both = pd.concat([frame.assign(shop="a"), frame.assign(shop="b", value=np.nan)])
    with pytest.raises(fc.DataError, match=r"series b has no value|no value"):
        fc.now(both, column="value", series="shop", missing="mask", max_filled=1)


def test_readings_of_a_meter_keep_their_units():
    readings = 1_000_000_000 + 3 * np.arange(200)
    steps = fc.now(pd.DataFrame({"kwh": readings}), column="kwh", horizon=3)["kwh"]
    np.testing.assert_allclose(steps, readings[-1] + 3 * np.arange(1, 4), atol=1)


def test_what_has_no_effect_is_refused(frame):
    with pytest.raises(fc.UsageError, match="epochs"):
        fc.now(frame, column="value", epochs=3)


def test_a_backtest_knows_it_with_its_intervals(frame):
    plan = fc.Plan(models=("pretrained", "naive"), n_windows=2)
    found = fc.backtest(frame, plan, column="value", horizon=HORIZON)
    assert found.frame["pretrained_lo80"].notna().all()
    rows = {row["model"]: row for row in found.scores}
    assert rows["pretrained"]["mae"] < rows["naive"]["mae"]
    assert rows["pretrained"]["coverage95"] is not None


def test_settings_of_networks_are_those_of_other_models(frame):
    plan, notes = fc.Plan(models=("pretrained", "naive"), n_windows=2), []
    alone = fc.backtest(frame, plan, column="value", horizon=HORIZON)
    settings = {"epochs": 1, "timesteps": 5, "scaler": "standard", "mode": "many-to-one"}
    found = fc.backtest(
        frame, plan, column="value", horizon=HORIZON, on_event=notes.append, **settings
    )
    pd.testing.assert_frame_equal(found.frame, alone.frame)
    texts = [each.text for each in notes if isinstance(each, Note)]
    (note,) = (each for each in texts if each.startswith("pretrained is not trained"))
    assert all(f"`{name}`" in note for name in settings)
