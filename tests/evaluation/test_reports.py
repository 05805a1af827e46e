import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.registries import METRICS
from forecast_cli.evaluation.metrics.interval import IntervalSums, QuantileSums
from forecast_cli.evaluation.metrics.point import ErrorSums
from forecast_cli.evaluation.reports import make_report, overall_weighted_average


def sums_of(actual, forecast, series, scale=1.0):
    shape = (int(series.max()) + 1, actual.shape[2])
    sums = ErrorSums(np.full((2, *shape), scale), actual.shape[1])
    sums.add(actual, forecast, series)
    return sums


@pytest.fixture
def values():
    """Two series, two forecasts each, three steps, two targets."""
    rng = np.random.default_rng(0)
    actual = rng.normal(10, 1, (4, 3, 2))
    return actual, actual + rng.normal(0, 1, actual.shape), np.array([0, 0, 1, 1])


IDS = pd.DataFrame({"shop": ["a", "b"], "kind": [1, 2]})


def test_the_tables_hold_what_the_sums_say(values):
    sums = sums_of(*values)
    report = make_report({"network": sums, "naive": sums}, ["y", "z"], IDS)
    overall = sums.overall()
    assert [row["measure"] for row in report.overall] == [*METRICS, *METRICS]
    assert list(report.overall[0]) == ["measure", "column", "network", "naive"]
    for row in report.overall:
        expected = overall[row["measure"]][["y", "z"].index(row["column"])]
        assert row["network"] == row["naive"] == pytest.approx(expected)
    assert list(report.by_series[0])[:4] == ["shop", "kind", "column", "mae"]
    assert len(report.by_series) == 4
    assert [row["step"] for row in report.by_step] == [1, 1, 2, 2, 3, 3]
    assert report.by_step[3]["mae"] == pytest.approx(sums.by_step()["mae"][1, 1])
    assert (report.series, report.steps) == (2, 3)


def test_the_worst_series_come_first_and_those_without_a_scale_by_mae(values):
    actual, forecast, series = values
    forecast = np.where(series[:, None, None] == 1, actual + 5, forecast)
    report = make_report({"f": sums_of(actual, forecast, series)}, ["y", "z"], IDS)
    assert [row["shop"] for row in report.by_series] == ["b", "b", "a", "a"]
    unscaled = make_report({"f": sums_of(actual, forecast, series, np.nan)}, ["y", "z"], IDS)
    assert [row["shop"] for row in unscaled.by_series] == ["b", "b", "a", "a"]
    assert unscaled.overall[list(METRICS).index("mase")]["f"] is None


def test_series_without_a_score_are_left_out(values):
    actual, forecast, series = values
    actual = np.where(series[:, None, None] == 1, np.nan, actual)
    report = make_report({"f": sums_of(actual, forecast, series)}, ["y", "z"], IDS)
    assert {row["shop"] for row in report.by_series} == {"a"}
    assert report.series == 1


def test_steps_without_a_score_are_left_out(values):
    actual, forecast, series = values
    actual = actual.copy()
    actual[:, 0], actual[:, 1, 1] = np.nan, np.nan
    report = make_report({"f": sums_of(actual, forecast, series)}, ["y", "z"], IDS)
    assert [(row["step"], row["column"]) for row in report.by_step] == [
        (2, "y"), (3, "y"), (3, "z"),
    ]  # fmt: skip
    assert report.steps == 2


def test_one_series_without_a_name_and_one_target(values):
    actual, forecast, series = (each[:2, ..., :1] if each.ndim > 1 else each[:2] for each in values)
    sums = sums_of(actual, forecast, series)
    report = make_report({"f": sums}, ["y"], pd.DataFrame(index=range(1)))
    assert list(report.by_series[0]) == list(METRICS)
    assert list(report.by_step[0]) == ["step", *METRICS]


def test_intervals_and_quantiles_are_named_by_their_level(values):
    actual, forecast, series = values
    intervals = IntervalSums(2, 3, 2, (80.0, 99.5))
    lower, upper = (forecast[..., None] + side * np.array([1.0, 3.0]) for side in (-1, 1))
    intervals.add(actual, lower, upper, series)
    quantiles = QuantileSums(2, 3, 2, (0.5,))
    quantiles.add(actual, forecast[..., None], series)
    sums = sums_of(actual, forecast, series)
    report = make_report(
        {"f": sums, "g": sums}, ["y", "z"], IDS,
        intervals={"f": intervals}, quantiles={"f": quantiles},
    )  # fmt: skip
    added = [
        "coverage80", "width80", "winkler80", "coverage99.5", "width99.5", "winkler99.5",
        "pinball", "crps",
    ]  # fmt: skip
    rows = {row["measure"]: row for row in report.overall if row["column"] == "y"}
    assert sorted(rows) == sorted([*METRICS, *added])
    assert rows["width80"]["f"] == pytest.approx(2.0)
    assert rows["width99.5"] | {"f": 0} == rows["width99.5"] | {"f": 0, "g": None}
    assert report.by_step[0]["crps"] == pytest.approx(quantiles.by_step()["crps"][0, 0])
    assert report.by_series[0].keys() >= set(added)


def test_owa_is_the_mean_of_two_shares():
    own = {"smape": np.array([10.0, 0.0]), "mase": np.array([1.0, 0.0])}
    simple = {"smape": np.array([20.0, 0.0]), "mase": np.array([2.0, 1.0])}
    assert overall_weighted_average(own, simple)[0] == 0.5
    assert np.isnan(overall_weighted_average(own, simple)[1])
