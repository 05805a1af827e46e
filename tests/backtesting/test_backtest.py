"""Backtests: what is forecast is what a user would have forecast at each cutoff, and no more."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.backtesting.backtest import backtest
from forecast_cli.backtesting.cutoffs import ends_at
from forecast_cli.backtesting.fold_cache import FoldStore, Outcome
from forecast_cli.backtesting.models import make_entries
from forecast_cli.backtesting.plan import Plan
from forecast_cli.config.resolution import configure
from forecast_cli.core.errors import DataError, Interrupted, UsageError
from forecast_cli.core.events import Done
from forecast_cli.core.forecast import Forecast, join
from forecast_cli.core.ragged import cumulate

SIMPLE = ("naive", "seasonal-naive", "drift", "mean", "window-mean")
TINY = {"preset": "classic", "units": (2,), "epochs": 1, "timesteps": 6, "validation": 0.1}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "forecast" / "backtest"


def table(rows=80, seed=0, start="2015-01-01"):
    rng = np.random.default_rng(seed)
    steps = np.arange(rows)
    value = 100 + 0.3 * steps + 10 * np.sin(2 * np.pi * steps / 12) + rng.normal(0, 1, rows)
    dates = pd.date_range(start, periods=rows, freq="MS")
    return pd.DataFrame({"date": dates, "value": value.round(3), "other": rng.normal(0, 1, rows)})


def panel():
    """Four series: one that ends early, one that begins late, one that is short."""
    parts = [table(80, 1), table(60, 2), table(30, 3, "2019-03-01"), table(9, 4, "2020-12-01")]
    named = [part.assign(shop=name) for name, part in zip("abcd", parts, strict=True)]
    return pd.concat(named, ignore_index=True)


def run(frame, *models, notes=None, plan=None, **settings):
    settings = {"column": ("value",), "horizon": 3} | settings
    on_event = (lambda event: None) if notes is None else notes.append
    return backtest(frame, configure(settings), Plan(models, **(plan or {})), on_event=on_event)


def warned(notes):
    return [note.text for note in notes if getattr(note, "warning", False)]


def last_season(history, horizon, season=12):
    if len(history) < season:
        return [history[-1]] * horizon
    return [history[-season + step % season] for step in range(horizon)]


# What a reader would write for one series at one cutoff.
BY_HAND = {
    "naive": lambda y, h: [y[-1]] * h,
    "seasonal-naive": last_season,
    "drift": lambda y, h: [
        y[-1] + step * (y[-1] - y[0]) / (len(y) - 1) for step in range(1, h + 1)
    ],
    "mean": lambda y, h: [np.mean(y)] * h,
    "window-mean": lambda y, h: [np.mean(y[-12:])] * h,
}


@pytest.mark.parametrize("sliding", [None, 20])
def test_simple_forecasts_are_those_of_a_loop_over_series_and_cutoffs(sliding):
    frame = panel()
    plan = {"n_windows": 5, "step_size": 2, "sliding": sliding}
    got = run(frame, *SIMPLE, series=("shop",), plan=plan).frame
    count = 0
    for (shop, cutoff), rows in got.groupby(["shop", "cutoff"]):
        own = frame[frame.shop == shop]
        past = own[own.date <= cutoff].value.to_numpy()
        coming = own[own.date > cutoff].head(3)
        assert rows.date.tolist() == coming.date.tolist()
        assert rows.actual.tolist() == coming.value.tolist()
        history = past[-sliding:] if sliding else past
        for name, by_hand in BY_HAND.items():
            np.testing.assert_allclose(rows[name], by_hand(history, 3), err_msg=f"{shop} {cutoff}")
        count += 1
    assert count == 5 + 0 + 5 + 3


def test_cutoffs_are_times_that_all_series_share_and_the_last_horizon_is_whole():
    got = run(panel(), "naive", series=("shop",), plan={"n_windows": 4, "step_size": 5}).frame
    last = panel().date.max()
    expected = [last - pd.DateOffset(months=3 + 5 * back) for back in (3, 2, 1, 0)]
    assert sorted(got.cutoff.unique()) == expected


def test_without_times_cutoffs_are_counted_from_the_end_of_each_series():
    frame = panel().drop(columns="date")
    plan = {"n_windows": 2, "step_size": 3}
    got = run(frame, "naive", series=("shop",), plan=plan, time="none").frame
    assert got.groupby("shop").cutoff.unique().map(list).to_dict() == {
        "a": [74, 77],
        "b": [54, 57],
        "c": [24, 27],
        "d": [3, 6],
    }
    one = got[(got.shop == "b") & (got.cutoff == 57)]
    assert one.step.tolist() == [58, 59, 60]
    assert one.naive.tolist() == [frame[frame.shop == "b"].value.iloc[56]] * 3


def test_several_targets_stand_in_rows_of_their_own():
    frame = table()
    got = run(frame, "naive", "drift", column=("value", "other"), plan={"n_windows": 2})
    assert list(got.frame) == ["cutoff", "date", "column", "actual", "naive", "drift"]
    assert len(got.frame) == 2 * 3 * 2
    other = got.frame[got.frame.column == "other"]
    assert other.actual.tolist() == frame.other.tail(6).tolist()
    assert other.naive.tolist() == [frame.other.iloc[-7]] * 3 + [frame.other.iloc[-4]] * 3
    assert [(row["model"], row["column"]) for row in got.scores] == [
        (model, column) for model in ("naive", "drift") for column in ("value", "other")
    ]


def test_scores_are_means_over_the_table_of_forecasts():
    frame = table()
    got = run(frame, "naive", "mean", plan={"n_windows": 4})
    error = got.frame["naive"] - got.frame["actual"]
    row = got.scores[0]
    assert row["mae"] == pytest.approx(error.abs().mean())
    assert row["rmse"] == pytest.approx((error**2).mean() ** 0.5)
    past = frame.value.head(80 - 12)
    assert row["mase"] == pytest.approx(error.abs().mean() / past.diff(12).abs().mean())
    assert row["skill"] == pytest.approx(0.0)
    worse = (got.frame["mean"] - got.frame["actual"]).abs().mean()
    assert got.scores[1]["skill"] == pytest.approx(100 * (1 - worse / row["mae"]))
    by_cutoff = error.abs().groupby(got.frame.cutoff).mean()
    assert [each["naive"] for each in got.by_cutoff] == pytest.approx(by_cutoff.tolist())
    assert [each["naive"] for each in got.by_step] == pytest.approx(
        error.abs().groupby(got.frame.groupby("cutoff").cumcount()).mean().tolist()
    )


def test_there_are_ten_cutoffs_unless_less_than_half_of_the_table_would_be_left():
    notes = []
    assert run(table(100), "naive", notes=notes).settings["n_windows"] == 10
    assert run(table(30), "naive", notes=notes).settings["n_windows"] == 5
    assert any("5 cutoffs" in getattr(note, "text", "") for note in notes)


def changed_behind(frame, cutoff, horizon=3):
    """The same table with other values behind a cutoff; what is known ahead, behind its horizon."""
    changed = frame.copy()
    late = changed.date > cutoff
    for name in ("value", "other"):
        changed.loc[late, name] = changed.loc[late, name] * 1.7 + 50
    if "known" in changed:
        later = changed.date > cutoff + pd.DateOffset(months=horizon)
        changed.loc[later, "known"] += 9
        changed.loc[late & (changed.index % 2 == 0), "kind"] = "new"
    return changed


def assert_blind(frame, models, *, plan, gaps_behind=False, cutoffs=2, **settings):
    """No forecast from a cutoff changes where values behind it do."""
    plain = run(frame, *models, plan=plan, **settings).frame
    for cutoff in sorted(plain.cutoff.unique())[:cutoffs]:
        changed = changed_behind(frame, cutoff)
        if gaps_behind:
            changed.loc[changed.date == cutoff + pd.DateOffset(months=1), "value"] = np.nan
        other = run(changed, *models, plan=plan, **settings).frame
        keys = [*settings.get("series", ()), "cutoff", "date"]
        both = plain[plain.cutoff <= cutoff].merge(other, on=keys, suffixes=("", "_changed"))
        assert len(both) == (plain.cutoff <= cutoff).sum()
        assert not both.actual.equals(both.actual_changed)
        for name in models:
            assert both[name].equals(both[f"{name}_changed"]), (name, cutoff)


def with_gaps(frame, seed=0):
    holed = frame.copy()
    rows = np.random.default_rng(seed).choice(np.arange(5, len(frame)), len(frame) // 8, False)
    holed.loc[rows, "value"] = np.nan
    return holed


@pytest.mark.parametrize("missing", ["interpolate", "ffill", "season", "mask"])
def test_no_simple_forecast_sees_a_value_behind_its_cutoff(missing):
    frame = with_gaps(panel())
    plan = {"n_windows": 4, "step_size": 1, "sliding": 30}
    assert_blind(frame, SIMPLE, plan=plan, series=("shop",), missing=missing, gaps_behind=True)


def test_a_forecast_right_behind_a_gap_that_was_filled_with_a_look_ahead_is_left_out():
    frame = table()
    frame.loc[76, "value"] = np.nan
    got = run(frame, "naive", missing="interpolate", plan={"n_windows": 3, "step_size": 1}).frame
    assert sorted(got.cutoff.unique()) == [frame.date[74], frame.date[75]]


@pytest.mark.slow
def test_classical_methods_see_no_value_behind_a_cutoff_and_are_those_of_the_library():
    models = pytest.importorskip("statsforecast.models")
    frame = table(60)
    plan = {"n_windows": 3, "step_size": 4, "jobs": 1}
    assert_blind(frame, ("ets", "theta", "arima"), plan=plan, season_length=4)
    got = run(frame, "ets", plan=plan, season_length=4).frame
    past = frame[frame.date <= got.cutoff.iloc[0]].value.to_numpy()
    expected = models.AutoETS(season_length=4).forecast(y=past, h=3)["mean"]
    assert got.ets.head(3).tolist() == expected.tolist()


def test_a_short_series_has_no_interval_and_leaves_the_coverage_of_the_others():
    pytest.importorskip("statsforecast")
    notes, plan = [], {"n_windows": 3, "step_size": 2, "jobs": 1}
    frame = pd.concat([table(40, 1).assign(shop="a"), table(12, 2, "2017-05-01").assign(shop="b")])
    got = run(frame, "ets", "naive", series=("shop",), plan=plan, notes=notes)
    short = (got.frame.shop == "b") & (got.frame.cutoff == got.frame.cutoff.min())
    assert got.frame.ets_lo80.isna().equals(short)
    assert got.frame.ets[short].equals(got.frame.naive[short].rename("ets"))
    others = got.frame[~short]
    inside = others.actual.between(others.ets_lo80, others.ets_hi80)
    assert got.scores[0]["coverage80"] == pytest.approx(100 * inside.mean())
    assert got.scores[0]["width80"] == pytest.approx((others.ets_hi80 - others.ets_lo80).mean())
    assert warned(notes) == [
        "ets: 1 of 6 forecasts are the last value: there are too few rows before them",
        "ets: 1 of 6 forecasts have no interval: coverage and width are of the others",
    ]


def test_simple_forecasts_without_a_season_before_them_are_said():
    notes, plan = [], {"n_windows": 2, "step_size": 1}
    run(panel(), *SIMPLE, series=("shop",), plan=plan, notes=notes)
    last = "2 of 6 forecasts are the last value: there are too few rows before them"
    assert warned(notes) == [f"seasonal-naive: {last}"]


def test_what_is_said_of_forecasts_is_kept_with_them(tmp_path):
    store, point = FoldStore(tmp_path / "kept"), np.ones((2, 3, 1))
    intervals = Forecast(point, ends=np.ones((2, 2, 3, 1, 2)), replaced=1, notes=("one", "two"))
    for said in (Forecast(point), intervals):
        assert store.keep(0, Outcome(said, 1.5))
        found = store.find(0)
        assert (found.seconds, found.forecast.replaced) == (1.5, said.replaced)
        assert found.forecast.notes == said.notes
        assert (found.forecast.ends is None) == (said.ends is None)


def test_folds_together_count_what_was_replaced_and_say_a_thing_once():
    parts = [
        (np.array([2]), Forecast(np.ones((1, 1, 1)), replaced=1, notes=("9 are too few",))),
        (np.array([0, 1]), Forecast(np.ones((2, 1, 1)), replaced=1, notes=("7 are too few",))),
    ]
    whole = join(parts, 3)
    assert (whole.replaced, whole.notes) == (2, ("7 are too few",))


@given(st.lists(st.lists(st.integers(0, 30), max_size=12, unique=True), min_size=1, max_size=5))
def test_cutoffs_end_each_series_behind_its_last_row_before_them(series):
    days = [sorted(each) for each in series if each] or [[0]]
    rows = pd.DataFrame(
        [(name, pd.Timestamp("2020-01-01") + pd.Timedelta(days=d)) for name, own in
         enumerate(days) for d in own], columns=["name", "date"],
    )  # fmt: skip
    times = pd.DatetimeIndex(rows.date)
    indptr = cumulate(rows.groupby("name").size().to_numpy())
    cutoffs = times.unique().sort_values()
    got = ends_at(indptr, times, cutoffs)
    for number, cutoff in enumerate(cutoffs):
        known = (rows.date <= cutoff).groupby(rows.name).sum()
        assert got[number].tolist() == (indptr[:-1] + known).tolist()


def test_series_too_short_for_a_classical_method_have_their_last_value():
    pytest.importorskip("statsforecast")
    frame = table(8)
    plan = {"n_windows": 1, "jobs": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = run(frame.head(6), "theta", "naive", plan=plan).frame
    assert got.theta.tolist() == got.naive.tolist()


def test_a_missing_library_says_what_to_install(monkeypatch):
    monkeypatch.setattr("forecast_cli.baselines.registry.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'forecast-cli\[classical\]'"):
        run(table(), "ets")


def test_too_many_windows_say_how_many_fit():
    with pytest.raises(DataError, match="At most 26 fit"):
        run(table(), "naive", plan={"n_windows": 30})
    assert run(table(), "naive", plan={"n_windows": 26}).settings["n_windows"] == 26


def test_an_unknown_model_names_the_nearest():
    with pytest.raises(UsageError, match='Did you mean "naive"'):
        run(table(), "niave")


def test_a_seasonal_forecast_needs_a_season():
    frame = table().drop(columns="date")
    # Rows without times have the season that they show; noise shows none.
    frame["value"] = np.random.default_rng(0).normal(size=len(frame))
    with pytest.raises(UsageError, match="season"):
        run(frame, "seasonal-naive", time="none")
    assert "seasonal-naive" in run(frame, "seasonal-naive", time="none", season_length=12).frame


@pytest.mark.parametrize("wrong", [{"n_windows": 0}, {"refit_every": 0}, {"refit_every": "often"}])
def test_a_plan_that_cannot_be_is_refused(wrong):
    with pytest.raises(UsageError):
        Plan(**wrong)


def test_the_verdict_says_who_wins_and_whether_it_could_be_chance():
    steps = np.arange(200)
    dates = pd.date_range("2000-01-01", periods=200, freq="MS")
    rng = np.random.default_rng(0)
    season = pd.DataFrame({"date": dates, "value": np.sin(steps / 12 * 2 * np.pi)})
    season.value += rng.normal(0, 0.05, 200)
    clear = run(season, "naive", "seasonal-naive", plan={"n_windows": 20})
    assert clear.verdict.startswith("seasonal-naive wins: its error is ")
    assert "the difference is significant (Diebold-Mariano, p < 0.001)" in clear.verdict
    noise = pd.DataFrame({"date": dates, "value": rng.normal(0, 1, 200)})
    close = run(noise, "naive", "seasonal-naive", plan={"n_windows": 20})
    assert "the difference is not significant (Diebold-Mariano, p = " in close.verdict
    few = run(season, "naive", "seasonal-naive", plan={"n_windows": 2})
    assert "significance not tested: 2 cutoffs are too few" in few.verdict


def test_a_small_difference_is_not_shown_as_none():
    # Errors one and two steps back are the same, but for those of a small trend.
    rows = pd.DataFrame({"value": np.tile([0.0, 1.0, 3.0], 20) + 1e-4 * np.arange(60)})
    found = run(rows, "naive", "seasonal-naive", plan={"n_windows": 12}, horizon=1, season_length=2)
    assert "its error is less than 0.1 % below that of naive" in found.verdict


def interrupted_after(monkeypatch, folds):
    """A classical forecaster that is stopped by Ctrl-C after some folds; counts its calls."""

    from forecast_cli.backtesting import fold_runner as work

    calls = []
    whole = work.forecast_fold

    def one(candidate, *rest):
        if candidate.is_baseline and candidate.costs:
            if len(calls) == folds[0]:
                raise KeyboardInterrupt
            calls.append(candidate.name)
        return whole(candidate, *rest)

    monkeypatch.setattr("forecast_cli.backtesting.fold_runner.forecast_fold", one)
    return calls


def test_a_second_run_goes_on_where_the_first_was_interrupted(monkeypatch, cache):
    pytest.importorskip("statsforecast")
    frame, plan = table(60), {"n_windows": 5, "jobs": 1}
    whole = run(frame, "theta", "naive", plan=plan).frame
    assert not list(cache.iterdir())
    folds = [3]
    calls = interrupted_after(monkeypatch, folds)
    with pytest.raises(Interrupted, match="3 finished folds are stored"):
        run(frame, "theta", "naive", plan=plan)
    assert len(calls) == 3
    folds[0], notes = 99, []
    again = run(frame, "theta", "naive", plan=plan, notes=notes).frame
    assert len(calls) == 5
    assert again.equals(whole)
    assert any("3 of 5 folds were restored" in getattr(note, "text", "") for note in notes)
    assert not list(cache.iterdir())


def test_a_stop_scores_what_is_finished_and_leaves_out_what_is_not(cache):
    pytest.importorskip("statsforecast")
    frame, notes = table(60), []

    def stops():
        return sum(isinstance(each, Done) for each in notes) >= 3

    plan = Plan(models=("theta", "ets", "naive"), n_windows=5, jobs=1)
    asked = {"on_event": notes.append, "should_stop": stops}
    got = backtest(frame, configure({"column": "value", "horizon": 4}), plan, **asked)
    # Windows are made in the order of their cutoffs: theta has two of them, ets one.
    assert got.settings["models"] == ["theta", "ets", "naive"]
    assert (got.settings["n_windows"], len(got.by_cutoff), len(got.frame)) == (1, 1, 4)
    assert got.frame.notna().all(axis=None)
    texts = [each.text for each in notes if getattr(each, "warning", False)]
    assert texts == [
        "stopped: scores are of 1 of 5 cutoffs; 3 finished folds are stored, repeat the same "
        "command to resume it"
    ]
    notes.clear()
    alone = backtest(frame, configure({"column": "value"}), plan, should_stop=lambda: True,
                     on_event=notes.append)  # fmt: skip
    assert alone.settings["models"] == ["naive"]
    assert alone.settings["n_windows"] == 5
    texts = [each.text for each in notes if getattr(each, "warning", False)]
    assert texts == [
        "stopped: scores are of 5 of 5 cutoffs; left out, since not finished: theta, ets"
    ]


def test_another_table_does_not_go_on_from_the_folds_of_this_one(monkeypatch, cache):
    pytest.importorskip("statsforecast")
    frame, plan = table(60), {"n_windows": 3, "jobs": 1}
    folds = [2]
    calls = interrupted_after(monkeypatch, folds)
    with pytest.raises(Interrupted):
        run(frame, "theta", plan=plan)
    folds[0] = 99
    frame.loc[0, "value"] += 1
    run(frame, "theta", plan=plan)
    assert len(calls) == 2 + 3


def test_a_damaged_fold_is_made_again(monkeypatch, cache):
    pytest.importorskip("statsforecast")
    frame, plan = table(60), {"n_windows": 3, "jobs": 1}
    folds = [2]
    calls = interrupted_after(monkeypatch, folds)
    with pytest.raises(Interrupted):
        run(frame, "theta", plan=plan)
    next(cache.glob("*/fold-0.npz")).write_bytes(b"PK\x03\x04")
    folds[0] = 99
    run(frame, "theta", plan=plan)
    assert len(calls) == 2 + 2


@pytest.mark.slow
def test_two_jobs_give_what_one_gives():
    pytest.importorskip("statsforecast")
    frame = table(60)
    one = run(frame, "theta", "naive", plan={"n_windows": 3, "jobs": 1}).frame
    two = run(frame, "theta", "naive", plan={"n_windows": 3, "jobs": 2}).frame
    assert two.equals(one)


def covariates(frame):
    """The same with one covariate that is known ahead, a category, and one that is not."""
    rng = np.random.default_rng(9)
    kinds = rng.choice(["x", "y"], len(frame))
    return frame.assign(known=rng.normal(0, 1, len(frame)).round(2), kind=kinds)


READ = {
    "gaps": {"missing": "interpolate"},
    "mask": {"missing": "mask"},
    "series": {"series": ("shop",)},
    "covariates": {
        "past_covariates": ("other", "kind"),
        "future_covariates": ("known",),
        "calendar_features": ("month",),
    },
}


def frame_for(kind):
    frame = panel() if kind == "series" else table()
    frame = with_gaps(frame) if kind in ("gaps", "mask") else frame
    return covariates(frame) if kind == "covariates" else frame


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("kind", READ)
def test_no_network_that_is_trained_once_sees_a_value_behind_a_cutoff(kind):
    plan = {"n_windows": 2, "step_size": 4}
    assert_blind(frame_for(kind), ("lstm",), plan=plan, cutoffs=1, **TINY, **READ[kind])


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("kind", ["series"])
def test_no_network_that_is_trained_again_sees_a_value_behind_a_cutoff(kind):
    plan = {"n_windows": 2, "step_size": 4, "jobs": 1, "refit_every": "always", "sliding": 40}
    assert_blind(frame_for(kind), ("lstm",), plan=plan, cutoffs=1, **TINY, **READ[kind])


def rows_until(frame, cutoff):
    return frame[frame.date <= cutoff].reset_index(drop=True)


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("refit", ["never", "always"])
def test_a_network_forecasts_what_it_would_have_on_the_table_cut_at_the_cutoff(refit):
    import forecast_cli as fc

    frame = covariates(table())
    how = TINY | {"past_covariates": ("other",), "future_covariates": ("known",)}
    plan = {"n_windows": 2, "step_size": 4, "refit_every": refit, "jobs": 1}
    got = run(frame, "rnn", plan=plan, **how).frame
    model = None
    for cutoff, rows in got.groupby("cutoff"):
        past = rows_until(frame, cutoff)
        if model is None or refit == "always":
            model = fc.train(past, column="value", horizon=3, cell="rnn", test=0, **how)
        coming = frame[frame.date > cutoff].head(3)[["date", "known"]]
        alone = model.predict(past, future=coming)
        np.testing.assert_allclose(rows.rnn, alone.value, rtol=1e-6)


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_many_series_are_forecast_as_they_would_have_been_alone():
    import forecast_cli as fc

    frame = panel()
    plan = {"n_windows": 3, "step_size": 2}
    got = run(frame, "lstm", "naive", series=("shop",), plan=plan, **TINY).frame
    first = rows_until(frame, got.cutoff.min())
    model = fc.train(first, column="value", series=["shop"], horizon=3, test=0, **TINY)
    assert set(got.shop) == {"a", "c", "d"}
    for (shop, cutoff), rows in got.groupby(["shop", "cutoff"]):
        past = rows_until(frame[frame.shop == shop], cutoff)
        alone = model.predict(past)
        np.testing.assert_allclose(rows.lstm, alone.value, rtol=1e-6)


def stand_in(monkeypatch):
    """A network that learns nothing and says the last value; what it was given, fold by fold."""
    folds = []

    def forecast(fold, *rest, config):
        learned = fold.rows_to_learn_from()
        folds.append(
            (learned.timeline.times.min(), learned.timeline.times.max(), len(fold.origins))
        )
        return Forecast(np.repeat(fold.known[fold.origins - 1][:, None], fold.horizon, axis=1))

    monkeypatch.setattr("forecast_cli.backtesting.setup.forecast_by_network", forecast)
    return folds


@pytest.mark.parametrize(
    ("refit", "sizes"), [("never", [5]), ("always", [1] * 5), (2, [2, 2, 1])], ids=str
)
@pytest.mark.parametrize("sliding", [None, 30])
def test_networks_learn_at_the_cutoffs_that_were_asked_for(monkeypatch, refit, sizes, sliding):
    folds, frame = stand_in(monkeypatch), table()
    plan = {"n_windows": 5, "step_size": 4, "refit_every": refit, "sliding": sliding, "jobs": 1}
    got = run(frame, "lstm", "naive", plan=plan, **TINY).frame
    assert got.lstm.equals(got.naive)
    cutoffs = sorted(got.cutoff.unique())
    every = {"never": 5, "always": 1}.get(refit, refit)
    assert [size for _, _, size in folds] == sizes
    assert [last for _, last, _ in folds] == cutoffs[::every]
    rows = [(frame.date.between(first, last)).sum() for first, last, _ in folds]
    assert rows == ([30] * len(folds) if sliding else [61 + 4 * n for n in range(0, 5, every)])


def test_all_candidates_make_the_same_levels_and_steps_whatever_their_own_say(
    monkeypatch, tmp_path
):
    configs, notes = [], []

    def forecast(fold, *rest, config):
        configs.append(config)
        return Forecast(np.repeat(fold.known[fold.origins - 1][:, None], fold.horizon, axis=1))

    monkeypatch.setattr("forecast_cli.backtesting.setup.forecast_by_network", forecast)
    (tmp_path / "b.toml").write_text("level = [10, 20]\n[window]\nhorizon = 7\n")
    run(table(), str(tmp_path / "b.toml"), "naive", notes=notes, **TINY)
    assert [(each.level, each.window.horizon) for each in configs] == [((80.0, 95.0), 3)]
    assert warned(notes) == [
        "b has a horizon of 7 steps; all candidates forecast 3",
        "b has intervals of 10, 20 %; all candidates make those of 80, 95 %",
    ]


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_a_network_of_other_quantiles_is_trained_on_those_of_all(tmp_path):
    (tmp_path / "b.toml").write_text("intervals = 'quantile'\nlevel = [50]\n")
    models, plan = (str(tmp_path / "b.toml"), "lstm"), {"n_windows": 2}
    got = run(table(), *models, intervals="quantile", plan=plan, **TINY).frame
    for end in ("_lo95", "_lo80", "", "_hi80", "_hi95"):
        assert got[f"b{end}"].equals(got[f"lstm{end}"].rename(f"b{end}"))


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_too_few_errors_for_a_level_are_said_once_for_each_network():
    notes, plan = [], {"n_windows": 2, "refit_every": "always", "jobs": 1}
    run(table(), "lstm", "rnn", plan=plan, notes=notes, **TINY)
    said = [text for text in warned(notes) if "too few for intervals of" in text]
    assert [text.split(":")[0] for text in said] == ["lstm", "rnn"]


def test_too_few_rows_to_slide_over_are_refused():
    with pytest.raises(UsageError, match="`sliding=8` leaves lstm too few training rows"):
        run(table(), "lstm", plan={"sliding": 8}, **TINY | {"validation": 0})


def test_what_is_chosen_by_rule_is_chosen_from_the_rows_before_the_first_cutoff(monkeypatch):
    stand_in(monkeypatch)
    notes = []
    run(table(), "lstm", plan={"n_windows": 8, "step_size": 4}, notes=notes)
    said = [getattr(note, "text", "") for note in notes]
    assert any("and 44 training rows" in text for text in said), said


@pytest.mark.slow
@pytest.mark.tf
def test_refitted_folds_are_equal_in_two_processes():
    frame, plan = table(), {"n_windows": 2, "refit_every": "always"}
    one = run(frame, "lstm", plan=plan | {"jobs": 1}, **TINY).frame
    two = run(frame, "lstm", plan=plan | {"jobs": 2}, **TINY).frame
    np.testing.assert_allclose(one.lstm, two.lstm, rtol=1e-6)


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_networks_by_name_and_by_configuration_stand_side_by_side(tmp_path):
    wide = "[network]\nlayers = [{type = 'gru', units = 3}]\n[data]\npast_covariates = ['other']\n"
    (tmp_path / "wide.toml").write_text(wide)
    (tmp_path / "same.toml").write_text("[training]\nepochs = 1\n")
    models = ["lstm", "rnn", str(tmp_path / "wide.toml"), str(tmp_path / "same.toml")]
    got = run(table(), *models, "naive", plan={"n_windows": 2}, **TINY)
    points = [name for name in got.frame if "_lo" not in name and "_hi" not in name]
    assert points[3:] == ["lstm", "rnn", "wide", "same", "naive"]
    assert got.frame.lstm.equals(got.frame.same)
    assert not got.frame.lstm.equals(got.frame.rnn)
    assert len(got.scores) == 5


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
@pytest.mark.parametrize("intervals", ["conformal", "quantile", "cqr"])
def test_the_intervals_of_a_model_file_are_those_of_its_predictions(tmp_path, intervals):
    import forecast_cli as fc

    frame = table()
    first = frame[frame.date < "2020-06-01"]
    settings = {"column": "value", "horizon": 3, "test": 0, "level": (60.0, 80.0), **TINY}
    model = fc.train(first, intervals=intervals, **settings)
    model.save(tmp_path / "old.forecast")
    plan = Plan((str(tmp_path / "old.forecast"), "naive"), n_windows=3)
    got = backtest(frame, configure({"level": (60.0, 80.0)}), plan)
    for cutoff, rows in got.frame.groupby("cutoff"):
        alone = model.predict(rows_until(frame, cutoff), level=(60, 80))
        for end in ("_lo80", "_lo60", "", "_hi60", "_hi80"):
            np.testing.assert_allclose(rows[f"old{end}"], alone[f"value{end}"], rtol=1e-6)
    assert {"coverage60", "width60", "coverage80", "width80"} <= set(got.scores[0])
    wide, narrow = got.scores[0]["width80"], got.scores[0]["width60"]
    assert wide > narrow > 0
    assert got.scores[1]["coverage80"] is None


@pytest.mark.slow
@pytest.mark.tf
def test_networks_have_intervals_that_see_no_value_behind_their_cutoff():
    frame = table()
    plan = {"n_windows": 4, "step_size": 3}
    whole = run(frame, "lstm", "naive", plan=plan, intervals="adaptive", **TINY).frame
    cutoff = sorted(whole.cutoff.unique())[1]
    changed = frame.copy()
    changed.loc[changed.date > cutoff, "value"] = 1e6
    again = run(changed, "lstm", "naive", plan=plan, intervals="adaptive", **TINY).frame
    ends = ["lstm", "lstm_lo95", "lstm_lo80", "lstm_hi80", "lstm_hi95"]
    before = whole.cutoff <= cutoff
    assert whole[before][ends].equals(again[before][ends])
    assert not whole[~before][ends].equals(again[~before][ends])


def test_model_files_forecast_without_training_and_warn_of_rows_that_they_have_seen(golden):
    from forecast_cli.forecasting.prediction import predict
    from forecast_cli.model.loading import load_bundle

    rng = np.random.default_rng(0)
    dates = pd.date_range("2002-01-01", periods=48, freq="MS")
    frame = pd.DataFrame({"date": dates, "value": 100 + rng.normal(0, 5, 48)})
    frame["other"] = frame.value + rng.normal(0, 1, 48)
    notes = []
    plan = Plan((str(golden), "naive"), n_windows=12, step_size=3)
    got = backtest(frame, configure({}), plan, on_event=notes.append)
    name = golden.stem
    assert list(got.frame) == ["cutoff", "date", "column", "actual", name, "naive"]
    bundle = load_bundle(golden)
    for cutoff, rows in got.frame.groupby("cutoff"):
        alone = predict(bundle, rows_until(frame, cutoff))
        value = rows[rows.column == "value"]
        np.testing.assert_allclose(value[name], alone.value, rtol=1e-6)
    seen, no_errors = warned(notes)
    assert "was trained on rows up to 2003-12-01: 4 of 12 cutoffs lie before that" in seen
    assert no_errors.startswith(f"{name}: no intervals")


def test_a_model_of_other_columns_cannot_take_part(golden):
    with pytest.raises(UsageError, match="forecasts value, other; the others value"):
        run(table(), str(golden), "naive")


def test_models_of_the_same_name_are_told_apart_by_their_paths(tmp_path, golden):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "m.forecast").write_bytes(golden.read_bytes())
    paths = [str(tmp_path / name / "m.forecast") for name in ("a", "b")]
    got = backtest(table(), configure({}), Plan(tuple(paths)))
    assert list(got.frame)[4:] == paths


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_a_model_scales_series_that_it_does_not_know_by_their_rows_before_each_cutoff(tmp_path):
    import forecast_cli as fc

    frame = panel()
    known = frame[frame.shop.isin(["a", "b"])]
    model = fc.train(known, column="value", series=["shop"], horizon=3, **TINY)
    model.save(tmp_path / "ab.forecast")
    plan = Plan((str(tmp_path / "ab.forecast"), "naive"), n_windows=3, step_size=2)
    got = backtest(frame, configure({}), plan).frame
    assert set(got.shop) == {"a", "c", "d"}
    for (shop, cutoff), rows in got.groupby(["shop", "cutoff"]):
        past = rows_until(frame[frame.shop == shop], cutoff)
        np.testing.assert_allclose(rows.ab, model.predict(past).value, rtol=1e-6)


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_series_that_a_model_knows_take_part_although_they_begin_behind_the_first_cutoff(tmp_path):
    import forecast_cli as fc

    frame = panel()
    train = frame.assign(date=frame.date - pd.DateOffset(years=20))
    model = fc.train(train, column="value", series=["shop"], horizon=3, missing="mask", **TINY)
    model.save(tmp_path / "all.forecast")
    plan = Plan((str(tmp_path / "all.forecast"), "naive"), n_windows=6, step_size=3)
    got = backtest(frame, configure({}), plan).frame
    late = frame[frame.shop == "d"]
    assert late.date.min() > got.cutoff.min()
    assert set(got.shop) == {"a", "c", "d"}
    for (shop, cutoff), rows in got.groupby(["shop", "cutoff"]):
        past = rows_until(frame[frame.shop == shop], cutoff)
        alone = model.predict(past, level=(80, 95))
        for end in ("_lo95", "", "_hi80"):
            np.testing.assert_allclose(rows[f"all{end}"], alone[f"value{end}"], rtol=1e-6)


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
@pytest.mark.parametrize("intervals", ["quantile", "cqr"])
def test_a_model_of_quantiles_says_where_its_intervals_are_of_another_kind(tmp_path, intervals):
    import forecast_cli as fc

    frame, path = table(), tmp_path / "old.forecast"
    first = frame[frame.date < "2020-06-01"]
    settings = {"column": "value", "horizon": 3, "test": 0, "level": (60.0, 80.0), **TINY}
    model = fc.train(first, intervals=intervals, **settings | {"validation": 0.3})
    model.save(path)
    for level, kind, count in (((80.0,), intervals, 0), ((80.0, 90.0), "conformal", 1)):
        notes = []
        plan = Plan((str(path), "naive"), n_windows=1)
        got = backtest(frame, configure({"level": level}), plan, on_event=notes.append).frame
        past = rows_until(frame, got.cutoff.iloc[0])
        alone = model.predict(past, level=level, intervals=kind)
        np.testing.assert_allclose(got.old_lo80, alone.value_lo80, rtol=1e-6)
        said = [text for text in warned(notes) if "quantiles of the levels 60, 80 %" in text]
        assert len(said) == count


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_quantiles_alone_need_no_errors_of_a_validation_split(tmp_path):
    import forecast_cli as fc

    frame, path, level = table(), tmp_path / "old.forecast", (80.0, 95.0)
    first = frame[frame.date < "2020-06-01"]
    settings = {"column": "value", "horizon": 3, "test": 0, **TINY, "validation": 0}
    model = fc.train(first, intervals="quantile", **settings)
    model.save(path)
    got = backtest(frame, configure({}), Plan((str(path), "naive"), n_windows=1)).frame
    alone = model.predict(rows_until(frame, got.cutoff.iloc[0]), level=level)
    np.testing.assert_allclose(got.old_hi95, alone.value_hi95, rtol=1e-6)


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
@pytest.mark.parametrize(
    ("training", "why"),
    [
        ({"timezone": "UTC"}, "only the times that it was trained on have a zone"),
        ({"series": ["shop"], "time": "none"}, "several series have no times to compare"),
    ],
)
def test_where_nobody_can_tell_what_a_model_has_seen_that_is_said(tmp_path, training, why):
    import forecast_cli as fc

    frame = panel() if "series" in training else table()
    frame = frame.drop(columns="date") if "time" in training else frame
    model = fc.train(frame, column="value", horizon=3, **TINY, **training)
    model.save(tmp_path / "old.forecast")
    notes, plan = [], Plan((str(tmp_path / "old.forecast"), "naive"), n_windows=2)
    settings = {"column": ("value",)} if "timezone" in training else {}
    backtest(frame, configure(settings), plan, on_event=notes.append)
    said = [text for text in warned(notes) if "unknown whether it was trained" in text]
    assert len(said) == 1
    assert why in said[0]


def test_classical_methods_read_the_last_rows_and_say_what_they_leave_out(monkeypatch):
    pytest.importorskip("statsforecast")
    monkeypatch.setattr("forecast_cli.backtesting.models.CLASSICAL_ROWS", 50)
    frame, notes = table(100), []
    plan = {"n_windows": 2, "step_size": 4, "jobs": 1}
    short = run(frame, "theta", plan=plan, notes=notes).frame
    said = [note.text for note in notes if "theta: fitted" in getattr(note, "text", "")]
    assert said == [
        "theta: fitted to the last 50 rows before each cutoff; up to 47 earlier ones are left out "
        "(`sliding=97` for all)"
    ]
    alone = run(frame, "theta", plan=plan | {"sliding": 50}).frame
    assert short.equals(alone)
    whole = run(frame, "theta", plan=plan | {"sliding": 97}).frame
    assert not short.theta.equals(whole.theta)


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_the_model_is_what_train_builds_and_its_row_is_called_what_it_is():
    settings = {"preset": "classic", "cell": "gru", **TINY}
    got = run(table(), "model", "gru", plan={"n_windows": 2}, **settings)
    assert list(got.frame)[3] == "gru (model)"
    assert got.frame["gru (model)"].tolist() == got.frame["gru"].tolist()
    assert got.descriptions["gru"] == "gru: GRU(2), lookback 6"
    assert run(table(), plan={"n_windows": 2}, **settings).settings["trained"] == ["gru"]


def test_a_cell_is_a_single_network_whatever_is_set_for_an_ensemble():
    config = configure({"column": ("value",), "ensemble": 3, "preset": "best", "cell": "gru"})
    model, cell, preset = make_entries(("model", "lstm", "classic"), config)
    assert cell.config.ensemble.alone
    assert (cell.config.preset, cell.config.network.layers[0].type) == ("classic", "lstm")
    assert (model.config.preset, model.config.ensemble.size) == ("best", 3)
    assert (preset.config.preset, preset.config.network.layers[0].type) == ("classic", "gru")
