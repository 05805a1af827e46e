"""A search for settings: its space, its folds, its study, and what it must not see."""

import math
import sqlite3
import threading

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import forecast_cli as fc
from forecast_cli.backtesting.folds import learning_dataset
from forecast_cli.config.resolution import configure
from forecast_cli.config.searchable import NAMES
from forecast_cli.core.errors import DataError, TrainingError, UsageError
from forecast_cli.core.events import Epoch, Note, ignore
from forecast_cli.data.reading import read_panel
from forecast_cli.model.checkpoints import open_checkpoints
from forecast_cli.model.manifest import Evaluation
from forecast_cli.tuning import trials as trials_module
from forecast_cli.tuning.default_space import default_space, trial_config
from forecast_cli.tuning.folds import FoldScore, make_folds
from forecast_cli.tuning.options import Search
from forecast_cli.tuning.ranking import compare_tested
from forecast_cli.tuning.samplers import loss_unit
from forecast_cli.tuning.space import Choices, Range, Setting, Space, read_space
from forecast_cli.tuning.tuning import search_settings, tune

from ..frames import seasonal_frame

SPACE = {"units": [4, 8, 16], "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}}
CONFIG = configure({"preset": "classic", "column": ("value",), "horizon": 3, "epochs": 20})


def folds_of(frame, config=CONFIG, **more):
    panel = read_panel(frame, config.data, on_event=ignore)
    return make_folds(
        panel, config, **{"metric": "mase", "n_windows": None, **more}, on_event=ignore
    )


@pytest.fixture
def quick(monkeypatch):
    """Trials without a network: the error is a function of the settings and of the rows known."""
    seen = []

    def score_fold(folds, number, config, *, on_event):
        units = config.network.recurrent[0].units
        distance = abs(math.log10(config.training.learning_rate) + 3)
        for epoch in range(1, 21):
            loss = (distance + units / 100) / epoch + 0.01
            on_event(Epoch(epoch, 20, loss, loss, True, 0.0, 1, 0.001))
        fold = folds.fold(number)
        known = fold.rows_to_learn_from().values
        seen.append((units, config.training.learning_rate))
        error = distance + units / 1000 + float(np.nanmean(known)) / 1e6
        noise = np.random.default_rng(units).normal(0.0, 0.001, len(folds.origins[number]))
        return FoldScore(error, (error + noise).tolist())

    monkeypatch.setattr(trials_module, "score_fold", score_fold)
    return seen


HOW = ("fixed", "on_event", "should_stop", "checkpoints")


def search(frame, config=CONFIG, **more):
    how = {"fixed": {}} | {name: more.pop(name) for name in HOW if name in more}
    wanted = Search(**{"trials": 6, "space": SPACE, "pruner": "none", **more})
    return search_settings(frame, config, wanted, **how)[1]


def proposed(found):
    return [(each.params, each.value) for each in found.trials]


# The space.


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("unist = [4]", 'space.toml: unist: There is no setting "unist". Did you mean "units"?'),
        ("units = [4, 0]", "space.toml: units: Invalid 0: must be at least 1"),
        ("units = 4", "one value, and nothing to choose from"),
        ("units = []", "is not a list of values"),
        ("units = [4, 4]", "4 is given twice"),
        ('cell = ["lsmt"]', '"lsmt" is unknown. Did you mean "lstm"?'),
        ('anchor = ["frist"]', "There are: none, last, mean, season"),
        ("anchor = {low = 1, high = 2}", "its values have no order"),
        ("units = {low = 1.5, high = 2}", "must be a whole number"),
        ("units = {low = 8, high = 4}", "low = 8 must be below high = 4"),
        ("units = {low = 8, hgih = 16}", 'unknown key "hgih". Did you mean "high"?'),
        ("dropout = {low = 0, high = 0.5, log = true}", "low = 0 has no logarithm"),
        ("dropout = {low = 0.1, high = 1.5}", "Invalid 1.5"),
        ("dropout = {high = 0.5}", "a range needs low and high"),
        (
            "learning_rate = {low = 1e-4, high = 1, log = true, step = 0.1}",
            "cannot be combined with log",
        ),
        ('learning_rate = {low = "a", high = 1}', "is not a number"),
        ("horizon = [3, 6]", "`horizon` cannot be searched: it is the same in all trials"),
        ("seed = [0, 1]", "`seed` cannot be searched"),
        ("validation = [0.1, 0.2]", "`validation` cannot be searched"),
        (
            "segment = {choices = [2], when = {head = 'segments'}}",
            "depends on head, which is not searched before it",
        ),
        ("units = [4", "space.toml is not TOML"),
        ("", "space.toml names no setting"),
    ],
)
def test_what_a_space_says_wrong_is_named(tmp_path, monkeypatch, text, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "space.toml").write_text(text)
    with pytest.raises(UsageError) as error:
        read_space("space.toml")
    assert words in str(error.value)


numbers = st.integers(1, 500)
fractions = st.floats(1e-6, 10, allow_nan=False)
whole = st.tuples(numbers, numbers, st.one_of(st.none(), st.integers(1, 9))).map(
    lambda told: Range(told[0], told[0] + told[1], told[2], whole=True)
)
real = st.tuples(fractions, fractions, st.booleans()).map(
    lambda told: Range(told[0], told[0] + told[1] + 1e-3, log=told[2])
)
chosen = st.lists(numbers, min_size=1, unique=True).map(lambda told: Choices(tuple(told)))


@given(st.one_of(whole, chosen), real, st.booleans())
def test_a_printed_space_reads_as_itself(tmp_path_factory, units, rate, conditional):
    when = {"cell": ("gru", "rnn")} if conditional else {}
    space = Space(
        (
            Setting("cell", Choices(("lstm", "gru", "rnn")), why="with # in it"),
            Setting("units", units, when),
            Setting("learning_rate", rate),
            Setting("dense", Choices(((), (64, 32)))),
            Setting("clip", Choices((None, 1.0)), when),
        ),
        "x",
    )
    path = tmp_path_factory.mktemp("space") / "space.toml"
    path.write_text("\n".join(space.lines()))
    read = read_space(path).settings
    assert [(each.name, each.domain, each.when) for each in read] == [
        (each.name, each.domain, each.when) for each in space.settings
    ]


def test_every_name_that_can_be_searched_is_a_setting():
    assert {"units", "cell", "timesteps", "learning_rate", "transform", "skip"} <= {*NAMES}
    assert not {"column", "horizon", "test", "seed", "level", "refit"} & {*NAMES}
    with pytest.raises(UsageError):
        configure({"nothing": 1})


@pytest.mark.parametrize("shift", [0, -100, -200])
def test_the_default_space_fits_the_data(shift):
    frame = seasonal_frame(240)
    frame["value"] += shift
    space = default_space(folds_of(frame))
    domains = {each.name: each.domain for each in space.settings}
    assert domains["timesteps"].values == (12, 24, 36, 48)
    assert domains["units"].values == (8, 16, 32, 64)
    assert "season" in domains["anchor"].values
    assert ("transform" in domains) == (frame["value"].min() >= 0)
    for each in space.settings:
        for value in each.domain.values or (each.domain.low, each.domain.high):
            assert trial_config(CONFIG, {each.name: value}).preset == "classic"
    assert read_again(space) == space.names


def read_again(space):
    import tomllib

    return read_space(tomllib.loads("\n".join(space.lines()))).names


def test_the_default_space_leaves_out_what_does_not_go_with_what_was_given():
    config = configure({"preset": "classic", "column": ("value",), "horizon": 3, "stateful": True})
    names = {each.name: each for each in default_space(folds_of(seasonal_frame(), config)).settings}
    assert not {"anchor", "skip"} & {*names}
    large = default_space(folds_of(seasonal_frame(2000)))
    assert next(each for each in large.settings if each.name == "units").domain.values[-1] == 128
    plain = seasonal_frame().drop(columns="date")
    # Rows without times have the season that they show; noise shows none.
    plain["value"] = np.random.default_rng(0).normal(size=len(plain))
    classic = configure({"preset": "classic", "column": ("value",), "horizon": 3})
    steps = default_space(folds_of(plain, classic))
    domains = {each.name: each.domain for each in steps.settings}
    assert "season" not in domains["anchor"].values
    assert domains["timesteps"].low == 6


# What trials are scored on.


def test_rounds_lie_before_the_test_split_and_leave_no_row_out(frame):
    folds = folds_of(frame)
    test = round(0.2 * len(frame))
    assert len(folds.panel.values) == len(frame) - test
    for number, (ends, origins) in enumerate(zip(folds.ends, folds.origins, strict=True)):
        assert origins.min() == ends[0]
        assert len(folds.fold(number).rows_to_learn_from().values) == ends[0]
        assert (origins + 3 <= len(folds.panel.values)).all()
        learned = learning_dataset(folds.fold(number), CONFIG, ignore)
        assert learned.splits.rows("test") == 0
    every = np.concatenate(folds.origins)
    assert every.tolist() == list(range(folds.ends[0][0], len(folds.panel.values) - 2))
    assert folds.lags == 2 and folds.distinct == len(every) // 3


def test_the_error_of_a_round_is_mase_over_its_forecasts(frame):
    folds = folds_of(frame)
    values = frame["value"].to_numpy()
    end, origins = int(folds.ends[1][0]), folds.origins[1]
    forecast = np.random.default_rng(0).normal(100, 5, (len(origins), 3, 1))
    unit = np.mean([abs(values[row] - values[row - 12]) for row in range(12, end)])
    errors = [
        abs(values[row + step] - forecast[at, step, 0]) / unit
        for at, row in enumerate(origins)
        for step in range(3)
    ]
    assert folds.error(1, forecast) == pytest.approx(np.mean(errors))
    with pytest.raises(TrainingError):
        folds.error(1, forecast * np.nan)


def test_simple_forecasts_stand_beside_the_trials(frame):
    folds = folds_of(frame, n_windows=1)
    values, origins = frame["value"].to_numpy(), folds.origins[0]
    last = np.stack([np.repeat(values[row - 1], 3) for row in origins])[..., None]
    season = np.stack([values[row - 12 : row - 9] for row in origins])[..., None]
    assert folds.baseline_errors() == pytest.approx(
        {"naive": folds.error(0, last), "seasonal-naive": folds.error(0, season)}
    )


@pytest.mark.parametrize(("rows", "count"), [(240, 3), (40, 3), (20, 2), (14, 1)])
def test_short_tables_have_fewer_cutoffs(rows, count):
    assert folds_of(seasonal_frame(rows)).count == count


def test_more_cutoffs_than_fit_are_refused():
    with pytest.raises(DataError, match=r"has 38 steps before the test split; 20 cutoffs"):
        folds_of(seasonal_frame(48), n_windows=20)
    assert folds_of(seasonal_frame(48), n_windows=5).count == 5


def test_many_series_are_cut_at_the_same_times():
    frames = [seasonal_frame(rows, seed=rows).assign(shop=f"s{rows}") for rows in (120, 100, 60)]
    config = configure({"column": ("value",), "series": ("shop",), "horizon": 3})
    folds = folds_of(pd.concat(frames), config)
    times = folds.panel.timeline.times
    for ends in folds.ends:
        inside = ends[(ends > folds.panel.indptr[:-1]) & (ends < folds.panel.indptr[1:])]
        assert times[inside].nunique() == 1
    assert len(folds.panel.values) < 280


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "log-cosh"])
def test_progress_is_measured_in_errors_of_the_last_value(frame, loss):
    folds = folds_of(frame)
    config = configure({"loss": loss, "timesteps": 12, "scaler": "standard"}, CONFIG.model_dump())
    unit, power = loss_unit(folds, 0, config)
    data = learning_dataset(folds.fold(0), config, ignore)
    total = []
    for start in data.starts("validation", horizon=3):
        for step in range(3):
            error = float(data.scaled[start + 12 + step, 0] - data.scaled[start + 11, 0])
            total.append(
                {
                    "mse": error**2,
                    "mae": abs(error),
                    "huber": error**2 / 2 if abs(error) <= 1 else abs(error) - 0.5,
                    "log-cosh": math.log(math.cosh(error)),
                }[loss]
            )
    assert unit == pytest.approx(np.mean(total), rel=1e-4)
    assert power == (1.0 if loss == "mae" else 0.5)


def test_losses_in_other_units_are_not_compared_early(frame):
    config = configure({"loss": "smape", "timesteps": 12}, CONFIG.model_dump())
    assert loss_unit(folds_of(frame), 0, config)[0] is None


# Trials and studies.


@pytest.mark.slow
def test_the_same_seed_gives_the_same_trials_in_memory_and_in_a_file(frame, quick, tmp_path):
    first = search(frame, trials=14)
    assert proposed(first) == proposed(search(frame, trials=14))
    stored = search(frame, trials=14, storage=tmp_path / "study.db")
    assert proposed(first) == proposed(stored)
    other = configure({"seed": 1}, CONFIG.model_dump())
    assert proposed(first) != proposed(search(frame, other, trials=14))


@pytest.mark.slow
def test_a_second_run_goes_on_as_if_there_had_been_no_break(frame, quick, tmp_path):
    notes = []
    path = tmp_path / "study.db"
    search(frame, trials=12, storage=path)
    again = search(frame, trials=3, storage=path, on_event=notes.append)
    assert len(again.trials) == 15
    assert proposed(again) == proposed(search(frame, trials=15))
    texts = [each.text for each in notes if isinstance(each, Note)]
    assert "the study has 12 trials; this run continues it" in texts
    assert not any("with the settings as given" in each for each in texts)
    assert not path.with_name("study.db-wal").exists()


@pytest.mark.slow
@pytest.mark.parametrize("stored", [False, True], ids=["beside the model", "in a file"])
@pytest.mark.parametrize("moment", [3, 40, 101])
def test_a_search_that_is_resumed_ends_as_one_that_was_never_stopped(
    frame, quick, tmp_path, stored, moment
):
    path, notes, asked = tmp_path / "model.forecast", [], []
    where = {"storage": tmp_path / "study.db"} if stored else {}

    def stops():
        asked.append(1)
        return len(asked) > moment

    def resumed(**more):
        with open_checkpoints(path, resume=True) as checkpoints:
            return search(frame, trials=8, checkpoints=checkpoints, **where, **more)

    stopped = resumed(should_stop=stops)
    assert len(stopped.complete) < 8
    assert {row["state"] for row in stopped.rows()} <= {"complete", "pruned", "stopped"}
    again = resumed(on_event=notes.append)
    assert proposed(again) == proposed(search(frame, trials=8))
    texts = [each.text for each in notes if isinstance(each, Note)]
    assert any("resuming the search after" in each for each in texts) or moment == 3
    # Without resuming it is moved aside, and said; with it a finished one has nothing left to run.
    assert proposed(resumed()) == proposed(again)
    with open_checkpoints(path) as checkpoints:
        search(frame, trials=1, checkpoints=checkpoints, on_event=notes.append)
    moved = "is moved to model.forecast.partial.1"
    assert any(moved in getattr(each, "text", "") for each in notes)


def test_the_test_rows_have_no_part_in_any_trial(frame, quick, tmp_path):
    changed = frame.copy()
    changed.loc[len(frame) - 48 :, "value"] = -1e9
    path = tmp_path / "study.db"
    first = search(frame, space=None, trials=8)
    second = search(changed, space=None, trials=8)
    assert first.space == second.space
    assert proposed(first) == proposed(second)
    assert first.rows()[0]["mase"] == second.rows()[0]["mase"]
    # One row further it has.
    changed.loc[len(frame) - 49, "value"] = 0
    search(frame, storage=path)
    with pytest.raises(DataError):
        search(changed, storage=path)


def test_a_study_of_another_search_is_refused(frame, quick, tmp_path):
    path = tmp_path / "study.db"
    search(frame, trials=2, storage=path)
    other = frame.assign(value=frame["value"] + 1)
    with pytest.raises(DataError, match=r'"forecast" in .*study.db is of another table'):
        search(other, storage=path)
    with pytest.raises(UsageError, match="of another space"):
        search(frame, storage=path, space={"units": [4]})
    with pytest.raises(UsageError, match="of other fixed settings"):
        search(frame, configure({"patience": 3}, CONFIG.model_dump()), storage=path)
    with pytest.raises(UsageError, match="of other cutoffs"):
        search(frame, storage=path, n_windows=2)
    assert len(search(other, trials=2, storage=path, study="other").trials) == 2


@pytest.mark.parametrize("most", [30_000, 300_000], ids=["at its begin", "later"])
def test_a_study_that_finds_no_room_is_named(frame, quick, tmp_path, most):
    resource = pytest.importorskip("resource")
    path, before = tmp_path / "study.db", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        with pytest.raises(UsageError, match=r"study.db cannot be used for a study.*Free some"):
            search(frame, storage=path, trials=200)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    # What was written before is whole.
    assert len(search(frame, storage=path, trials=1).trials) >= 1


def test_a_file_that_is_no_study_is_left_as_it_is(frame, quick, tmp_path):
    text, table = tmp_path / "text.db", tmp_path / "table.db"
    text.write_text("no database " * 100)
    with sqlite3.connect(table) as connection:
        connection.execute("CREATE TABLE prices (close REAL)")
    connection.close()
    with pytest.raises(UsageError, match="cannot be used for a study"):
        search(frame, storage=text)
    with pytest.raises(UsageError, match="holds other tables than those of studies: prices"):
        search(frame, storage=table)
    with pytest.raises(UsageError, match="cannot be used for a study"):
        search(frame, storage=tmp_path / "nowhere" / "study.db")
    assert text.read_text().startswith("no database")


@pytest.mark.slow
def test_two_runs_at_a_time_work_on_one_study(frame, quick, tmp_path):
    path = tmp_path / "study.db"
    search(frame, trials=1, storage=path)
    runs = [
        threading.Thread(target=search, args=(frame,), kwargs={"trials": 5, "storage": path})
        for _ in range(2)
    ]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    found = search(frame, trials=1, storage=path).trials
    assert [each.number for each in found] == list(range(12))
    assert len({str(each.params) for each in found}) == 12


def test_several_jobs_share_a_study(frame, quick):
    with joblib.parallel_config(backend="threading", n_jobs=2):
        found = search(frame, trials=7, jobs=2)
    assert [each.state.name for each in found.trials] == ["COMPLETE"] * 7


@pytest.mark.slow
def test_a_grid_tries_each_combination_once(frame, quick, tmp_path):
    space = {"units": [4, 8, 16], "anchor": ["none", "last"], "dense": [[], [8]]}
    path = tmp_path / "study.db"
    first = search(frame, trials=7, space=space, sampler="grid", storage=path)
    assert len(first.trials) == 7
    found = search(frame, trials=99, space=space, sampler="grid", storage=path)
    assert len(found.trials) == 12
    assert len({str(each.params) for each in found.trials}) == 12
    with pytest.raises(UsageError, match="learning_rate has no step, so that there is no grid"):
        search(frame, sampler="grid")


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", "cmaes"])
def test_other_samplers_are_as_repeatable(frame, quick, sampler, tmp_path):
    space = {**SPACE, "dropout": {"low": 0.0, "high": 0.4}}
    path = tmp_path / "study.db"
    whole = search(frame, trials=10, space=space, sampler=sampler)
    search(frame, trials=6, space=space, sampler=sampler, storage=path)
    parts = search(frame, trials=4, space=space, sampler=sampler, storage=path)
    assert proposed(whole) == proposed(parts)


def test_cmaes_needs_numbers(frame, quick):
    with pytest.raises(UsageError, match="at least two of them; the space has 1 range"):
        search(frame, sampler="cmaes")


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_trials_that_are_behind_end_early(frame, quick, pruner):
    space = {"units": {"low": 1, "high": 500}}
    found = search(frame, trials=30, space=space, pruner=pruner, sampler="random")
    rows = [row for row in found.rows() if row["trial"] != "as given"]
    pruned = [row for row in rows if row["state"] == "pruned"]
    complete = [row for row in rows if row["state"] == "complete"]
    assert pruned and complete
    assert all(row["mase"] is None and row["epochs"] < 60 for row in pruned)
    assert all(row["epochs"] == 60 for row in complete)
    units = {each.number: each.params["units"] for each in found.trials}
    assert np.mean([units[row["trial"]] for row in pruned]) > np.mean(
        [units[row["trial"]] for row in complete]
    )


def test_what_is_given_is_not_searched(frame, quick):
    notes = []
    config = configure({"units": (5,)}, CONFIG.model_dump())
    found = search(frame, config, fixed={"units": (5,)}, on_event=notes.append)
    assert found.space.names == ("learning_rate",)
    assert {units for units, _ in quick} == {5}
    assert any("not searched, because given: units" in getattr(n, "text", "") for n in notes)
    with pytest.raises(UsageError, match="nothing is left to search"):
        search(frame, fixed={"units": 5, "learning_rate": 0.1})


def test_conditional_settings_are_tried_with_what_they_need(frame, quick):
    space = {
        "units": [4, 8],
        "head": ["last", "encoder-decoder"],
        "decoder": {"choices": ["repeat", "teacher"], "when": {"head": "encoder-decoder"}},
    }
    found = search(frame, trials=12, space=space)
    for each in found.trials:
        assert ("decoder" in each.params) == (each.params["head"] == "encoder-decoder")
    assert not found.failures
    config = configure({"head": "encoder-decoder"}, CONFIG.model_dump())
    given_head = search(frame, config, fixed={"head": "encoder-decoder"}, space=space)
    assert all("decoder" in each.params for each in given_head.trials)


def test_trials_that_cannot_be_trained_are_said(frame, quick):
    notes = []
    space = {"units": [4], "timesteps": [12, 500], "head": ["last", "segments"]}
    found = search(frame, trials=16, space=space, on_event=notes.append, sampler="random")
    assert 0 < len(found.failures) < 16
    assert any("could not be trained; the first:" in getattr(each, "text", "") for each in notes)
    with pytest.raises(
        UsageError, match=r"None of 2 trials could be trained; the first: .*segment"
    ):
        search(frame, trials=2, space={"head": ["segments"]})


def test_somebody_who_stops_it_keeps_the_best_so_far(frame, quick):
    asked = iter(range(10_000))
    found = search(frame, trials=50, should_stop=lambda: next(asked) > 200)
    rows = found.rows()
    assert 1 < len(found.complete) < 50
    assert sum(row["state"] == "stopped" for row in rows) <= 1
    assert all(each.state.is_finished() for each in found.trials)


def test_a_stop_before_any_trial_keeps_the_settings_as_given(frame, quick):
    notes = []
    found = search(frame, trials=9, should_stop=lambda: True, on_event=notes.append)
    assert [row["trial"] for row in found.rows()] == ["as given"]
    assert found.folds.count == 1
    assert found.candidates == [None] and found.settings(None) == {}
    texts = [each.text for each in notes if getattr(each, "warning", False)]
    assert "stopped after 1 of 3 cutoffs" in texts[0]
    assert texts[1].startswith("stopped before any trial of this run: the best settings so far")


def test_ctrl_c_keeps_the_best_so_far(frame, quick, monkeypatch, tmp_path):
    inner, calls = trials_module.score_fold, []

    def interrupted(*arguments, **more):
        calls.append(1)
        if len(calls) > 10:
            raise KeyboardInterrupt
        return inner(*arguments, **more)

    monkeypatch.setattr(trials_module, "score_fold", interrupted)
    found = search(frame, trials=50, storage=tmp_path / "study.db")
    states = [row["state"] for row in found.rows()]
    assert states == ["complete"] * 3 + ["stopped"]


def test_the_time_of_a_search_is_kept(frame, quick):
    found = search(frame, trials=None, time_budget=0.5)
    assert found.given["value"] > 0
    assert all(each.state.is_finished() for each in found.trials)
    assert len(search(frame, trials=3, time_budget=60).trials) == 3


def test_what_mattered_is_said_from_enough_trials(frame, quick):
    few = search(frame, trials=9)
    assert few.importance == {}
    space = {**SPACE, "batch_size": [16, 32, 64]}
    shares = search(frame, trials=30, space=space, sampler="random").importance
    assert next(iter(shares)) == "learning_rate"
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)
    assert shares["batch_size"] < 0.1


def test_rows_stand_in_order_and_show_what_differs(frame, quick):
    space = {**SPACE, "anchor": ["none"]}
    found = search(frame, trials=8, space=space)
    rows = found.rows()
    assert list(rows[0]) == [
        "trial",
        "mase",
        "units",
        "learning_rate",
        "epochs",
        "seconds",
        "state",
    ]
    errors = [row["mase"] for row in rows]
    assert errors == sorted(errors)
    assert sorted(str(row["trial"]) for row in rows) == [*map(str, range(8)), "as given"]
    best = found.candidates[0]
    assert best is not None and found.rival(best) == (None,)
    verdict = found.verdict(best)
    assert f"Trial {best} is the best of 8 trials" in verdict
    assert "Against the settings as given the difference is significant" in verdict
    assert "for the best of 8" in verdict


def test_the_settings_as_given_are_kept_unless_they_are_beaten(frame, quick, monkeypatch):
    def by_chance(folds, number, config, **_):
        """Of equal forecasters one is a little better in these forecasts."""
        units = config.network.recurrent[0].units
        noise = np.random.default_rng([units, number]).normal(size=len(folds.origins[number]))
        losses = 1.0 + np.cumsum(noise) / 100 - 0.001 * (units == 8)
        return FoldScore(float(np.mean(losses)), losses.tolist())

    monkeypatch.setattr(trials_module, "score_fold", by_chance)
    found = search(frame, trials=6)
    assert found.candidates == [None] and found.settings(None) == {}
    verdict = found.verdict(None)
    assert "The settings as given are kept" in verdict
    if found.better:
        assert found.rival(None) == (found.better[0].number,)
        assert "but the difference is not significant" in verdict


@pytest.mark.parametrize(("own", "words"), [(2.2, "10.0 % above"), (1.8, "10.0 % below")])
def test_the_errors_on_the_test_split_are_compared(own, words):
    def evaluation(mae):
        return Evaluation(
            horizon=1, origins=9, season_length=1, model="lstm", best_baseline="naive", skill=None,
            scores={"lstm": {"mae": {"a": mae, "b": mae}}}, verdict="",
        )  # fmt: skip

    said, worse = compare_tested(evaluation(own), "as given", evaluation(2.0))
    assert said == f"On the test split its MAE is {words} that of the settings as given."
    assert worse == (own > 2)
    assert compare_tested(evaluation(None), "as given", evaluation(2.0)) == ("", False)


def test_trials_begin_with_one_change_each_of_what_is_trained(frame, monkeypatch):
    """Where the preset is left to itself, nothing but the setting of the trial differs."""
    configs = []

    def remember(folds, number, config, **_):
        configs.append(config.model_dump(exclude_unset=True, exclude={"data"}))
        losses = np.random.default_rng(len(configs)).normal(1.0, 0.1, len(folds.origins[number]))
        return FoldScore(float(np.mean(losses)), losses.tolist())

    monkeypatch.setattr(trials_module, "score_fold", remember)
    plain = configure({"column": ("value",), "horizon": 3})
    found = search(frame, plain, space=None, trials=10, n_windows=1)
    assert {"preset", "timesteps", "transform", "baselines"} <= {*found.space.names}
    assert all(len(each) == 1 for each in map(found.settings, range(3)) if "preset" not in each)
    given, *others = configs
    assert "preset" not in given and "network" not in given
    assert others[0].pop("preset") == "fast"
    assert others[0] == given
    varied = [
        sum(value not in ("by preset", "auto") for value in each.params.values())
        for each in found.trials
    ]
    assert varied == [1] * 10
    assert read_again(found.space) == found.space.names


def test_trials_far_behind_are_not_trained_at_every_cutoff(frame, quick, monkeypatch):
    scored = []
    inner = trials_module.score_fold

    def count(folds, number, config, **more):
        scored.append(number)
        return inner(folds, number, config, **more)

    monkeypatch.setattr(trials_module, "score_fold", count)
    found = search(frame, trials=3, space={"units": [400]}, pruner="median")
    assert [row["state"] for row in found.rows()] == ["complete"] + ["pruned"] * 3
    assert scored == [0, 1, 2, 0, 0, 0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"trials": 0}, {"jobs": 0}, {"n_windows": 0}, {"time_budget": 0.0}, {"sampler": "tpo"},
        {"pruner": "mean"}, {"metric": "mape"},
    ],
)  # fmt: skip
def test_a_search_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(UsageError):
        Search(**wrong)


def test_labels_are_for_other_commands(frame):
    with pytest.raises(UsageError, match="tune is for forecasts"):
        tune(frame, configure({"label": ("other",), "layout": "long", "series": ("date",)}))


@pytest.mark.slow
@pytest.mark.tf
def test_the_best_settings_are_trained_and_scored_on_the_test_split(frame):
    base = {"preset": "classic", "column": ("value",), "horizon": 3, "timesteps": 6, "epochs": 2,
            "cell": "rnn"}  # fmt: skip
    space = {"units": [2, 3], "anchor": ["last"]}
    config = configure(base)
    result = tune(frame, config, Search(trials=2, space=space, n_windows=1, pruner="none"))
    changed = frame.copy()
    changed.loc[len(frame) - 48 :, "value"] += 50
    other = tune(changed, config, Search(trials=2, space=space, n_windows=1, pruner="none"))
    ours, theirs = (
        [{name: each for name, each in row.items() if name != "seconds"} for row in each.rows]
        for each in (result, other)
    )
    assert ours == theirs
    assert result.bundle.weights == other.bundle.weights
    scores = [each.bundle.manifest.evaluation.own_scores for each in (result, other)]
    assert scores[0] != scores[1]
    # The settings that are given back make the same model.
    again = fc.train(frame, config=result.config)
    assert again.bundle.weights == result.bundle.weights
    assert again.evaluation.verdict in result.verdict
