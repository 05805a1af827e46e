"""What a model says of a covariate is about what the simulated truth says."""

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc

pytestmark = [pytest.mark.tf, pytest.mark.slow]
ROWS, HORIZON = 700, 14


def heating(temperature):
    return 3.0 * np.maximum(0.0, 15.0 - temperature)


@pytest.fixture(scope="module")
def table():
    """Days of demand: the week, heating, and noise that lasts."""
    draw, days = np.random.default_rng(4), np.arange(ROWS)
    weather, noise = np.zeros(ROWS), np.zeros(ROWS)
    for day in range(1, ROWS):
        weather[day] = 0.8 * weather[day - 1] + 2.0 * draw.standard_normal()
        noise[day] = 0.7 * noise[day - 1] + 1.5 * draw.standard_normal()
    temperature = 11.0 - 9.0 * np.cos(2 * np.pi * days / 365.25) + weather
    week = np.array([4.0, 5, 5, 5, 3, -10, -12])[days % 7]
    return pd.DataFrame(
        {
            "date": pd.date_range("2023-01-02", periods=ROWS),
            "demand": 100 + week + heating(temperature) + noise,
            "temperature": temperature,
        }
    )


@pytest.fixture(scope="module")
def model(table):
    how = {"column": "demand", "future_covariates": "temperature", "horizon": HORIZON}
    return fc.train(table, **how, seed=1)


@pytest.fixture(scope="module")
def known(table):
    """The start of the forecasts, and the temperatures that are known for them."""
    start = str(table["date"].iloc[-HORIZON].date())
    return start, table["temperature"].to_numpy()[-HORIZON:]


@pytest.mark.parametrize("change", [-4.0, 4.0])
def test_a_scenario_responds_as_the_truth_does(model, table, known, change):
    start, temperature = known
    found = model.predict(table, start=start, what_if=f"temperature{change:+g}")
    by = dict(list(found.groupby("scenario")["demand"]))
    response = by[f"temperature{change:+g}"].to_numpy() - by["base"].to_numpy()
    truth = heating(temperature + change) - heating(temperature)
    assert np.mean(response) == pytest.approx(truth.mean(), rel=0.25)


def test_there_is_a_warning_outside_the_seen_range_and_none_within(model, table, known):
    start, _ = known

    def warnings(change):
        notes = []
        model.predict(table, start=start, what_if=change, on_event=notes.append)
        return [each.text for each in notes if getattr(each, "warning", False)]

    assert not [text for text in warnings("temperature+4") if "temperature" in text]
    (text,) = (text for text in warnings("temperature-60") if "temperature" in text)
    assert "outside" in text


def test_the_effect_and_the_importance_are_those_of_the_truth(model, table, known):
    start, temperature = known
    explained = model.explain(table, start=start)
    usual = np.median(table["temperature"].iloc[: round(0.7 * ROWS)])
    truth = heating(temperature) - heating(usual)
    assert explained.effects["temperature"].mean() == pytest.approx(truth.mean(), rel=0.25)
    (importance,) = explained.importance["error_rise_percent"]
    assert importance > 25
