"""Scores of tables of forecasts, against loops over the rows of pandas frames."""

import math
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import interp1d
from scipy.stats import norm

from forecast_cli.baselines.naive import BaselineInput, naive2
from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.evaluation.table_evaluation import Asked, score_table

SERIES = ["shop", "kind"]


def truth_of(seed: int = 0, rows: int = 30, targets=("y",), names=("a", "b")) -> pd.DataFrame:
    """Monthly values of several series of different size."""
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame(
            {
                "shop": name,
                "kind": kind,
                "when": pd.date_range("2020-01-01", periods=rows, freq="MS"),
            }
        ).assign(**{each: rng.normal(50, 10, rows).round(2) * (1 + at) for each in targets})
        for at, name in enumerate(names)
        for kind in (1, 2)
    ]
    return pd.concat(parts, ignore_index=True)


def apply_map(truth, targets=("y",), steps=4, cutoffs=1, seed=1, level=(80, 95)) -> pd.DataFrame:
    """Forecasts of the last steps of each series, with intervals."""
    rng = np.random.default_rng(seed)
    parts = []
    for _, own in truth.groupby(SERIES, sort=False):
        for back in range(cutoffs):
            first = len(own) - steps - back
            rows = own.iloc[first : first + steps]
            part = rows[SERIES].assign(cutoff=own["when"].iloc[first - 1], when=rows["when"])
            for each in targets:
                part[each] = rows[each] + rng.normal(1, 8, steps)
                for one in level:
                    part[f"{each}_lo{one}"] = part[each] - one / 10
                    part[f"{each}_hi{one}"] = part[each] + one / 8
            parts.append(part)
    frame = pd.concat(parts, ignore_index=True)
    return frame if cutoffs > 1 else frame.drop(columns="cutoff")


def plain(rows) -> dict:
    """All measures of rows with `y`, `f`, `scale`, `squared`, by a loop."""
    size = len(rows)
    errors = [row.f - row.y for row in rows]
    mae = sum(map(abs, errors)) / size
    mean = sum(row.y for row in rows) / size
    spread = sum((row.y - mean) ** 2 for row in rows)
    return {
        "mae": mae,
        "rmse": math.sqrt(sum(e**2 for e in errors) / size),
        "mape": 100 * sum(abs(row.f - row.y) / abs(row.y) for row in rows) / size,
        "smape": 200 * sum(abs(r.f - r.y) / (abs(r.y) + abs(r.f)) for r in rows) / size,
        "smape_100": 100 * sum(abs(r.f - r.y) / (abs(r.y) + abs(r.f)) for r in rows) / size,
        "wape": 100 * sum(map(abs, errors)) / sum(abs(row.y) for row in rows),
        "r2": 1 - sum(e**2 for e in errors) / spread if spread else None,
        "bias": sum(errors) / size,
    }


def spread_measures(rows, level=(80, 95)) -> dict:
    """The measures of intervals and quantiles, by a loop."""
    found = {}
    for one in level:
        low, high = ([getattr(r, f"{side}{one}") for r in rows] for side in ("lo", "hi"))
        inside = [lo <= r.y <= hi for r, lo, hi in zip(rows, low, high, strict=True)]
        missed = [
            max(lo - r.y, 0) + max(r.y - hi, 0) for r, lo, hi in zip(rows, low, high, strict=True)
        ]
        width = [hi - lo for lo, hi in zip(low, high, strict=True)]
        found[f"coverage{one}"] = 100 * sum(inside) / len(rows)
        found[f"width{one}"] = sum(width) / len(rows)
        penalty = 2 / (1 - one / 100)
        found[f"winkler{one}"] = sum(
            w + penalty * m for w, m in zip(width, missed, strict=True)
        ) / len(rows)
    at = {0.5: "f"} | {0.5 - one / 200: f"lo{one}" for one in level}
    at |= {0.5 + one / 200: f"hi{one}" for one in level}
    known = norm.ppf(sorted(at))

    def mean_loss(row, grid):
        """Over a grid of levels, between which quantiles are lines in the normal score."""
        values = [getattr(row, at[q]) for q in sorted(at)]
        line = interp1d(known, values, fill_value="extrapolate")(norm.ppf(grid))
        losses = [
            max(q * (row.y - v), (q - 1) * (row.y - v)) for q, v in zip(grid, line, strict=True)
        ]
        return sum(losses) / len(losses)

    tens, parts = np.arange(1, 20) / 20, (np.arange(40) + 0.5) / 40
    pinball = sum(mean_loss(row, tens) for row in rows) / len(rows)
    crps = sum(2 * mean_loss(row, parts) for row in rows) / len(rows)
    return found | {"pinball": pinball, "crps": crps}


def paired(truth, forecast, target="y", season=12, level=(80, 95)) -> pd.DataFrame:
    """A row for each forecast: series, step, y, f, bounds, and the scales of its series."""
    rows = []
    for key, own in forecast.groupby(SERIES, sort=False):
        known = truth[(truth[SERIES] == list(key)).all(axis=1)].sort_values("when")
        values = known.set_index("when")[target]
        history = values[values.index < own["when"].min()].tolist()
        lag = season if len(history) > season else 1
        pairs = [(a, b) for a, b in zip(history[lag:], history, strict=False)]
        pairs = [(a, b) for a, b in pairs if not (math.isnan(a) or math.isnan(b))]
        scale = sum(abs(a - b) for a, b in pairs) / len(pairs) if pairs else math.nan
        squared = sum((a - b) ** 2 for a, b in pairs) / len(pairs) if pairs else math.nan
        own = own.assign(cutoff=own.get("cutoff", 0))
        for _, part in own.groupby("cutoff"):
            for step, (_, row) in enumerate(part.sort_values("when").iterrows(), start=1):
                if row["when"] not in values.index or math.isnan(values[row["when"]]):
                    continue
                one = {"key": tuple(map(str, key)), "step": step, "y": values[row["when"]]}
                one |= {"f": row[target], "scale": scale, "squared": squared}
                one |= {f"{side}{each}": row[f"{target}_{side}{each}"]
                        for each in level for side in ("lo", "hi")}  # fmt: skip
                rows.append(one)
    return pd.DataFrame(rows)


def listed(frame):
    return list(frame.itertuples(index=False))


def mean_scaled(rows) -> dict:
    """MASE and RMSSE of the rows of one series."""
    size = len(rows)
    mae = sum(abs(row.f - row.y) for row in rows) / size
    mse = sum((row.f - row.y) ** 2 for row in rows) / size
    return {"mase": mae / rows[0].scale, "rmsse": math.sqrt(mse / rows[0].squared)}


def overall_of(pairs) -> dict:
    several = [mean_scaled(listed(own)) for _, own in pairs.groupby("key")]
    mean = {name: sum(each[name] for each in several) / len(several) for name in several[0]}
    return plain(listed(pairs)) | mean | spread_measures(listed(pairs))


def said_of(report, forecaster="forecast", **where) -> dict:
    return {
        row["measure"]: row[forecaster]
        for row in report.overall
        if all(row[name] == value for name, value in where.items())
    }


def check(report, pairs, targets=1, target="y"):
    """Overall, by series and by step are what loops find."""
    where = {"column": target} if targets > 1 else {}
    assert said_of(report, **where) == pytest.approx(overall_of(pairs))
    for row in report.by_series:
        if targets == 1 or row["column"] == target:
            own = listed(pairs[pairs["key"] == (row["shop"], row["kind"])])
            expected = plain(own) | mean_scaled(own) | spread_measures(own)
            assert {name: row[name] for name in expected} == pytest.approx(expected)
    for row in report.by_step:
        if targets == 1 or row["column"] == target:
            own = listed(pairs[pairs["step"] == row["step"]])
            expected = plain(own) | spread_measures(own)
            expected["mase"] = sum(abs(r.f - r.y) / r.scale for r in own) / len(own)
            expected["rmsse"] = math.sqrt(sum((r.f - r.y) ** 2 / r.squared for r in own) / len(own))
            assert {name: row[name] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("cutoffs", [1, 3])
@pytest.mark.parametrize("targets", [("y",), ("y", "z")])
def test_every_measure_is_what_a_loop_finds(cutoffs, targets):
    truth = truth_of(targets=targets)
    forecast = apply_map(truth, targets, cutoffs=cutoffs)
    report = score_table(forecast, truth.sample(frac=1, random_state=0))
    for each in targets:
        check(report, paired(truth, forecast, each), len(targets), each)
    assert (report.forecasts, report.steps, report.series) == (4 * cutoffs, 4, 4)
    assert report.season_length == 12
    worst = [row["mase"] for row in report.by_series]
    assert worst == sorted(worst, reverse=True)


def test_gaps_of_the_truth_do_not_count_and_are_told():
    truth = truth_of()
    forecast = apply_map(truth)
    truth.loc[[5, 17, 28], "y"] = np.nan
    heard = []
    report = score_table(forecast, truth.drop(index=[40, 57]), on_event=heard.append)
    check(
        report, paired(truth.drop(index=57).assign(y=truth["y"].mask(truth.index == 40)), forecast)
    )
    assert "2 of 16 rows of the forecasts have no actual value in the truth: left out" in [
        each.text for each in heard
    ]


@pytest.mark.slow
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 5), st.data())
def test_the_order_of_rows_and_other_columns_change_nothing(seed, cutoffs, steps, data):
    truth = truth_of(seed, rows=20)
    forecast = apply_map(truth, steps=steps, cutoffs=cutoffs, seed=seed)
    report = score_table(forecast, truth)
    check(report, paired(truth, forecast))
    mixed = data.draw(st.permutations(range(len(truth))))
    other = truth.iloc[mixed].assign(note="x", price=1.5)
    again = score_table(forecast.sample(frac=1, random_state=seed), other)
    assert said_of(again) == pytest.approx(said_of(report))


def test_the_simple_forecasts_read_nothing_after_the_origin():
    truth = truth_of()
    forecast = apply_map(truth, cutoffs=2)
    report = score_table(forecast, truth, asked=Asked(owa=True))
    origins = [(key, own, back) for key, own in truth.groupby(SERIES) for back in (0, 1)]
    last, season, count = 0.0, 0.0, 0
    for _, own, back in origins:
        values, first = own["y"].tolist(), len(own) - 4 - back
        for step in range(4):
            last += abs(values[first + step] - values[first - 1])
            season += abs(values[first + step] - values[first + step - 12])
            count += 1
    assert said_of(report, "naive")["mae"] == pytest.approx(last / count)
    assert said_of(report, "seasonal-naive")["mae"] == pytest.approx(season / count)
    own, simple = said_of(report), said_of(report, "naive2")
    owa = (own["smape"] / simple["smape"] + own["mase"] / simple["mase"]) / 2
    assert own["owa"] == pytest.approx(owa)
    assert simple["owa"] == pytest.approx(1.0)


def test_without_history_there_is_no_scaled_error_and_it_is_said():
    truth = truth_of()
    forecast = apply_map(truth)
    heard = []
    later = truth[truth["when"] >= forecast["when"].min()]
    report = score_table(forecast, later, asked=Asked(owa=True), on_event=heard.append)
    said = said_of(report)
    assert said["mase"] is said["rmsse"] is None
    assert said["mae"] == pytest.approx(overall_of(paired(truth, forecast))["mae"])
    assert set(report.overall[0]) == {"measure", "forecast"}
    words = " ".join(each.text for each in heard)
    assert "mase and rmsse need rows of the truth" in words
    assert "no owa" in words
    assert report.season_length == 0


def sample_paths(forecast, paths=50, seed=3):
    rng = np.random.default_rng(seed)
    long = forecast[[*SERIES, "when", "y"]].loc[np.repeat(forecast.index, paths)]
    long = long.reset_index(drop=True)
    long["y"] += rng.normal(0, 8, len(long))
    long.insert(2, "sample", np.tile(np.arange(1, paths + 1), len(forecast)))
    return long


def test_sample_paths_are_scored_by_their_median_quantiles_and_exact_crps():
    truth = truth_of()
    paths = sample_paths(apply_map(truth))
    heard = []
    report = score_table(paths, truth, asked=Asked(level=(90.0, 50.0)), on_event=heard.append)
    said = said_of(report)
    actual = truth.set_index([*SERIES, "when"])["y"]
    crps, inside, winkler, errors, pinball = [], [], [], [], []
    for key, own in paths.groupby([*SERIES, "when"]):
        values, y = own["y"].to_numpy(), actual[key]
        apart = np.abs(values[:, None] - values[None]).mean()
        crps.append(np.abs(values - y).mean() - apart / 2)
        low, high = np.quantile(values, [0.05, 0.95])
        inside.append(low <= y <= high)
        winkler.append(high - low + 20 * (max(low - y, 0) + max(y - high, 0)))
        errors.append(abs(np.median(values) - y))
        levels = np.arange(1, 20) / 20
        above = y - np.quantile(values, levels)
        pinball.append(np.maximum(levels * above, (levels - 1) * above).mean())
    expected = {"crps": crps, "winkler90": winkler, "mae": errors, "pinball": pinball}
    assert {name: said[name] for name in expected} == pytest.approx(
        {name: np.mean(each) for name, each in expected.items()}
    )
    assert said["coverage90"] == pytest.approx(100 * np.mean(inside))
    assert said["width50"] < said["width90"]
    assert "the forecast is the median of the sample paths" in [each.text for each in heard]


def test_sample_paths_with_a_step_that_has_not_come():
    truth = truth_of()
    paths = sample_paths(apply_map(truth), paths=5)
    gone = truth.drop(index=truth.index[truth["when"] == truth["when"].max()][:2])
    said = said_of(score_table(paths, gone))
    assert all(value is not None for value in said.values())


def backtest(truth, targets=("y",)):
    """The long table of a backtest: a column for each model."""
    wide = apply_map(truth, targets, cutoffs=3)
    parts = []
    for each in targets:
        part = wide[[*SERIES, "cutoff", "when"]].assign(column=each)
        keys = [*SERIES, "when"]
        part["actual"] = wide.merge(truth, on=keys, suffixes=("", "_true"))[f"{each}_true"]
        part["lstm"], part["naive"] = wide[each], wide[each] + 2.0
        for side in ("lo", "hi"):
            part[f"lstm_{side}80"] = wide[f"{each}_{side}80"]
        parts.append(part)
    long = pd.concat(parts, ignore_index=True)
    return wide, long if len(targets) > 1 else long.drop(columns="column")


@pytest.mark.parametrize("targets", [("y",), ("y", "z")])
def test_the_models_of_a_backtest_stand_side_by_side(targets):
    truth = truth_of(targets=targets)
    wide, long = backtest(truth, targets)
    data = Data(column=targets) if len(targets) == 1 else Data()
    report = score_table(long, truth, data=data)
    for each in targets:
        where = {"column": each} if len(targets) > 1 else {}
        expected = overall_of(paired(truth, wide, each))
        said = said_of(report, "lstm", **where)
        assert said["mae"] == pytest.approx(expected["mae"])
        assert said["coverage80"] == pytest.approx(expected["coverage80"])
        other = said_of(report, "naive", **where)
        assert other["bias"] == pytest.approx(expected["bias"] + 2.0)
        assert other["coverage80"] is None
    assert list(report.overall[0]) == [
        "measure",
        *(["column"] if len(targets) > 1 else []),
        "lstm",
        "naive",
        "seasonal-naive",
    ]


def test_one_of_the_columns_of_a_backtest():
    truth = truth_of(targets=("y", "z"))
    _, long = backtest(truth, ("y", "z"))
    whole, one = score_table(long, truth), score_table(long, truth, data=Data(column="z"))
    assert said_of(one, "lstm") == pytest.approx(said_of(whole, "lstm", column="z"))
    with pytest.raises(DataError, match='column "column" names none of x'):
        score_table(long, truth.assign(x=1.0), data=Data(column="x"))


def test_columns_may_be_called_otherwise_and_dates_written_otherwise(tmp_path):
    truth = truth_of(names=("a",))
    forecast = apply_map(truth, level=())
    expected = said_of(score_table(forecast, truth))
    other = forecast.rename(columns={"when": "ds", "y": "yhat"})
    other["ds"] = other["ds"].dt.strftime("%d/%m/%Y")
    other.to_csv(tmp_path / "f.csv", index=False)
    truth.assign(when=truth["when"].dt.strftime("%b %Y")).to_csv(tmp_path / "t.csv", index=False)
    data = Data(column=("y",), series=tuple(SERIES), dayfirst=True)
    report = score_table(tmp_path / "f.csv", tmp_path / "t.csv", data=data, asked=Asked(["yhat"]))
    assert said_of(report) == pytest.approx(expected)
    # A forecast alone can be of the only column of numbers.
    alone = score_table(
        tmp_path / "f.csv", tmp_path / "t.csv", data=Data(dayfirst=True, series=SERIES)
    )
    assert said_of(alone) == pytest.approx(expected)


def test_rows_that_are_steps():
    values = np.random.default_rng(0).normal(10, 1, 30)
    truth = pd.DataFrame({"y": values})
    forecast = pd.DataFrame({"step": [1, 2, 3], "y": [10.0, 11.0, 12.0]})
    report = score_table(forecast, truth, asked=Asked(begin=28))
    assert said_of(report)["mae"] == pytest.approx(np.abs(values[27:] - [10, 11, 12]).mean())
    assert said_of(report)["mase"] == pytest.approx(
        np.abs(values[27:] - [10, 11, 12]).mean() / np.abs(np.diff(values[:27])).mean()
    )
    heard = []
    score_table(forecast, truth, on_event=heard.append)
    assert any("step 1 is taken as the first row" in each.text for each in heard)
    # What came after the table, by itself.
    alone = score_table(forecast, truth[27:].reset_index(drop=True))
    assert said_of(alone)["mae"] == said_of(report)["mae"]
    several = forecast.assign(cutoff=[27, 27, 27])
    assert said_of(score_table(several, truth)) == pytest.approx(said_of(report))
    counted = several.assign(step=[28, 29, 30])
    assert said_of(score_table(counted, truth)) == pytest.approx(said_of(report))


def test_forecasts_over_a_table_are_of_one_step_each():
    truth = truth_of(names=("a",)).query("kind == 1").drop(columns=SERIES)
    part = truth.iloc[12:]
    given = pd.DataFrame({"when": part["when"], "y": part["y"], "y_forecast": part["y"] + 1.5})
    heard = []
    report = score_table(given, truth, on_event=heard.append)
    assert (report.forecasts, report.steps) == (18, 1)
    assert any("forecasts of one step, each from the actual rows" in each.text for each in heard)
    assert said_of(report)["bias"] == pytest.approx(1.5)
    before = truth["y"].to_numpy()
    assert said_of(report, "naive")["mae"] == pytest.approx(np.abs(np.diff(before))[11:].mean())


def test_tables_whose_columns_are_series():
    truth = truth_of(names=("a",)).query("kind == 1").drop(columns=SERIES)
    wide = truth.assign(b=truth["y"] * 2).rename(columns={"y": "a"})
    given = wide.tail(3).assign(
        a=lambda frame: frame["a"] + 1, b_lo80=0.0, b_hi80=1000.0, a_lo80=0.0, a_hi80=1.0
    )
    report = score_table(given, wide, data=Data(layout="columns"))
    rows = {row["series"]: row for row in report.by_series}
    assert rows["a"]["bias"] == pytest.approx(1.0)
    assert rows["b"]["mae"] == 0.0
    assert (rows["a"]["coverage80"], rows["b"]["coverage80"]) == (0.0, 100.0)


def test_the_backtest_of_a_table_whose_columns_are_series():
    truth = truth_of(names=("a",)).query("kind == 1").drop(columns=SERIES)
    wide = truth.assign(b=truth["y"] * 2).rename(columns={"y": "a"})
    parts = [
        pd.DataFrame({"series": name, "cutoff": wide["when"].iloc[-back - 1],
                      "when": wide["when"].iloc[-back:], "actual": wide[name].iloc[-back:],
                      "lstm": wide[name].iloc[-back:] + back, "lstm_lo80": 0.0,
                      "lstm_hi80": 1000.0, "drift": wide[name].iloc[-back:]})
        for name in ("a", "b") for back in (3, 2)
    ]  # fmt: skip
    report = score_table(pd.concat(parts), wide, data=Data(layout="columns"))
    assert said_of(report, "lstm")["mae"] == pytest.approx((3 * 3 + 2 * 2) / 5)
    assert said_of(report, "lstm")["coverage80"] == 100.0
    assert said_of(report, "drift")["mae"] == 0.0
    assert {row["series"] for row in report.by_series} == {"a", "b"}


@pytest.mark.parametrize("late", [0, 28])
def test_steps_are_counted_from_the_cutoff(late):
    truth = truth_of(names=("a",)).query("kind == 1").drop(columns=SERIES).reset_index(drop=True)
    rows = truth.tail(2)
    given = pd.concat(
        [
            pd.DataFrame({"cutoff": truth["when"].iloc[at], "when": rows["when"],
                          "y": rows["y"] + add})
            for at, add in ((25, 1.0), (24, 5.0))
        ]
    )  # fmt: skip
    report = score_table(given, truth)
    # The one cutoff is three and four steps before, the other four and five.
    assert {row["step"]: row["mae"] for row in report.by_step} == pytest.approx(
        {3: 1.0, 4: 3.0, 5: 5.0}
    )
    assert (report.forecasts, report.steps) == (2, 3)
    whole = pd.DataFrame({"cutoff": truth["when"].iloc[19], "when": truth["when"][20:],
                          "y": truth["y"][20:] + np.arange(10)})  # fmt: skip
    # Where the truth begins after the cutoff, the table itself tells the step.
    found = score_table(whole, truth[late:]).by_step
    expected = list(range(max(late - 20, 0) + 1, 11))
    assert [row["step"] for row in found] == expected
    assert [row["mae"] for row in found] == pytest.approx([step - 1 for step in expected])


def test_owa_of_very_many_origins_takes_seconds_and_is_that_of_each_alone():
    rng = np.random.default_rng(0)
    rows = 30_000
    season = 8 * np.sin(np.arange(rows) * 2 * np.pi / 12)
    values = 100 + season + rng.normal(0, 2, rows)
    times = pd.date_range("2000-01-01", periods=rows, freq="h")
    truth = pd.DataFrame({"when": times, "y": values})
    given = pd.DataFrame({"when": times[24:], "y": values[24:], "y_forecast": values[23:-1]})
    begin = time.perf_counter()
    report = score_table(given, truth, data=Data(season_length=12), asked=Asked(owa=True))
    assert time.perf_counter() - begin < 15
    assert report.forecasts == rows - 24
    assert said_of(report)["owa"] > 1.0
    origins = np.array([24, 36, 40, 600, 599, rows])
    first = np.zeros_like(origins)
    together = naive2(BaselineInput(values[:, None], origins, first, 5, 12))
    for at, each in zip(origins, together, strict=True):
        alone = naive2(BaselineInput(values[:at, None], np.array([at]), first[:1], 5, 12))
        assert each.tobytes() == alone[0].tobytes()
    assert (together[3:] != together[3:, :1]).any(axis=(1, 2)).all()


def test_steps_that_are_not_regular_are_taken_as_they_stand():
    days = pd.to_datetime(["2024-01-01", "2024-01-04", "2024-01-05", "2024-02-11", "2024-02-12"])
    truth = pd.DataFrame({"day": days, "y": [1.0, 3.0, 4.0, 6.0, 5.0]})
    heard = []
    report = score_table(
        pd.DataFrame({"day": days[3:], "y": [5.0, 7.0]}), truth, on_event=heard.append
    )
    assert said_of(report)["mase"] == pytest.approx(1.5 / 1.5)
    assert any("Rows are taken as the steps" in each.text for each in heard)
    # Two rows alone have no frequency, and need none.
    assert said_of(score_table(truth[3:].assign(y=0.0), truth[3:]))["mae"] == 5.5


def test_only_what_all_models_forecast_counts():
    truth = truth_of()
    _, long = backtest(truth)
    long.loc[3, "naive"] = np.nan
    heard = []
    report = score_table(long, truth, data=Data(column="y"), on_event=heard.append)
    rest = score_table(long.drop(index=3), truth, data=Data(column="y"))
    for name in ("lstm", "naive"):
        assert said_of(report, name)["mae"] == pytest.approx(said_of(rest, name)["mae"])
    assert "1 of 48 actual values have no forecast of every forecaster: left out" in [
        each.text for each in heard
    ]


def broken(name):
    truth = truth_of()
    forecast = apply_map(truth)
    data = Data()
    forecasts = ()
    if name == "times":
        forecast["when"] += pd.DateOffset(years=10)
    elif name == "series":
        forecast["shop"] += "x"
    elif name == "twice":
        forecast = pd.concat([forecast, forecast[2:4]], ignore_index=True)
    elif name == "truth twice":
        truth = pd.concat([truth, truth[:1]], ignore_index=True)
    elif name == "column":
        data = Data(column=("yy",))
    elif name == "no forecast":
        forecast = forecast.drop(columns=[each for each in forecast if each.startswith("y")])
        forecast["yhat"], forecast["other"] = 1.0, 2.0
    elif name == "forecast":
        forecasts = ("yhat",)
    elif name == "one end":
        forecast = forecast.drop(columns="y_hi80")
    elif name == "level":
        forecast = forecast.rename(columns={"y_lo80": "y_lo120", "y_hi80": "y_hi120"})
    elif name == "cutoff":
        forecast["cutoff"] = forecast["when"]
    elif name == "zone":
        forecast["when"] = forecast["when"].dt.tz_localize("UTC")
    elif name == "empty":
        forecast["y"] = np.nan
    elif name == "not yet":
        truth["y"] = truth["y"].mask(truth["when"] >= forecast["when"].min())
    return forecast, truth, data, forecasts


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "times",
            "forecasts of 2032-03-01 to 2032-06-01, actual values of 2020-01-01 to 2022-06-01",
        ),
        (
            "series",
            "the forecasts (ax 1, ax 2, bx 1, bx 2) and the truth (a 1, a 2, b 1, b 2) have",
        ),
        (
            "twice",
            "2 duplicate forecasts: the forecasts, row 17, the forecasts",
        ),
        ("truth twice", "1 duplicate timestamp"),
        ("column", 'no column "yy". Did you mean "y"?'),
        ("no forecast", "Name the column of each: `column=NAME` and `forecast=NAME`."),
        ("forecast", 'no column "yhat".'),
        ("one end", "has y_lo80 and no y_hi80: an interval has two ends."),
        ("level", 'column "y_lo120" has no valid level. A level is a percentage between 0 and 100'),
        ("cutoff", "has the cutoff"),
        ("zone", "have a time zone, those of"),
        ("empty", "None of 16 actual values has a forecast."),
        ("not yet", "no value in any of them"),
    ],
)
def test_what_cannot_be_scored_is_named(name, words):
    forecast, truth, data, forecasts = broken(name)
    with pytest.raises(DataError) as error:
        score_table(forecast, truth, data=data, asked=Asked(forecasts))
    assert words in str(error.value)


def test_options_that_cannot_be():
    truth = truth_of(targets=("y", "z"))
    forecast = apply_map(truth, ("y", "z"))
    with pytest.raises(UsageError, match="1 column of forecasts for 2 columns"):
        score_table(forecast, truth, data=Data(column=("y", "z")), asked=Asked(["y"]))
    with pytest.raises(UsageError, match="Levels are chosen of sample paths"):
        score_table(forecast, truth, asked=Asked(level=(80.0,)))
    with pytest.raises(UsageError, match="the table of forecasts has the time of each step"):
        score_table(forecast, truth, asked=Asked(begin=3))
    with pytest.raises(UsageError, match="Invalid level 120"):
        score_table(forecast, truth, asked=Asked(level=(120.0,)))


def test_intervals_that_are_missing_or_crossed_are_told():
    truth = truth_of()
    forecast = apply_map(truth)
    forecast.loc[0, "y_lo80"] = np.nan
    forecast.loc[1, ["y_lo95", "y_hi95"]] = [100.0, 0.0]
    heard = []
    said = said_of(score_table(forecast, truth, on_event=heard.append))
    words = " ".join(each.text for each in heard)
    assert "1 of 16 forecasts of forecast have no interval" in words
    assert "1 intervals of forecast have a lower end above the upper one" in words
    rest = paired(truth, forecast).drop(index=0)
    assert said["coverage80"] == pytest.approx(spread_measures(listed(rest))["coverage80"])
    assert said["mae"] == pytest.approx(plain(listed(paired(truth, forecast)))["mae"])
