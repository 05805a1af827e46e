"""A table made ready to learn from: nothing of it is learned from the future."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.config.resolution import configure
from forecast_cli.config.schema import Config
from forecast_cli.config.sections import Data, Split, Window
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.core.scaling import fit_scaling
from forecast_cli.data.reading import read_panel
from forecast_cli.data.splits import PARTS
from forecast_cli.training.preparation import fit_scaler, make_dataset, on_all_rows
from forecast_cli.training.presets.data_profile import choose_horizon, choose_timesteps

SCALERS = ["minmax", "standard", "robust", "none"]


def frame(rows, freq="D", columns=2, seed=0):
    values = np.random.default_rng(seed).normal(50, 9, (rows, columns))
    times = pd.date_range("2020-01-01", periods=rows, freq=freq)
    return pd.DataFrame({"t": times} | {f"y{n}": values[:, n] for n in range(columns)})


def dataset(table, notes=None, scaler="minmax", split=None, window=None, **data):
    columns = tuple(name for name in table if name != "t")
    config = Config(
        preset="classic",
        data=Data(column=data.pop("column", columns), **data),
        split=split or Split(),
        window=window or Window(timesteps=4, horizon=2),
        scaler=scaler,
    )
    notes = [] if notes is None else notes
    return make_dataset(read_panel(table, config.data), config, on_event=notes.append)


def after(table, row, change):
    """The table with every value from a row on changed by a function of the old ones."""
    changed = table.copy()
    changed.iloc[row:, 1:] = change(table.iloc[row:, 1:].to_numpy())
    return changed


FUTURES = {
    "ten times as much": lambda values: values * 10 - 7,
    "nothing": lambda values: values * 0,
    "noise": lambda values: np.random.default_rng(1).normal(-1e6, 1e5, values.shape),
    "backwards": lambda values: values[::-1],
}


def hollow(step):
    """Leave every so manyth row and no other."""
    return lambda values: np.where((np.arange(len(values)) % step == 0)[:, None], values, np.nan)


HOLES = {"one row left": hollow(1000), "every third row left": hollow(3)}


def training_bits(made):
    """Everything that is learned from: the scaler's numbers and the training rows."""
    rows = made.splits.rows("train")
    return (
        made.scaling.center.tobytes(),
        made.scaling.scale.tobytes(),
        made.scaled[:rows].tobytes(),
        made.filled[:rows].tobytes(),
        made.starts("train", horizon=made.horizon).tobytes(),
        made.config,
    )


@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("change", FUTURES.values(), ids=FUTURES)
def test_the_future_changes_no_bit_of_what_is_learned_from(scaler, change):
    table = frame(100)
    made = dataset(table, scaler=scaler)
    changed = dataset(after(table, made.splits.rows("train"), change), scaler=scaler)
    assert training_bits(changed) == training_bits(made)
    assert changed.scaled.tobytes() != made.scaled.tobytes()


@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("missing", ["interpolate", "ffill"])
@pytest.mark.parametrize("change", (FUTURES | HOLES).values(), ids=[*FUTURES, *HOLES])
def test_the_future_fills_no_gap_of_the_past(scaler, missing, change):
    table = frame(100)
    table.loc[[5, 6, 30, 68, 69], "y0"] = np.nan
    table.loc[[20, 69, 70, 71, 90], "y1"] = np.nan
    made = dataset(table, scaler=scaler, missing=missing)
    assert made.splits.rows("train") == 70
    changed = dataset(after(table, 70, change), scaler=scaler, missing=missing)
    assert training_bits(changed) == training_bits(made)


@pytest.mark.parametrize("change", FUTURES.values(), ids=FUTURES)
def test_the_future_changes_nothing_where_rows_are_dropped(change):
    table = frame(100)
    table.loc[[5, 30], "y0"] = np.nan
    made = dataset(table, missing="drop")
    changed = dataset(after(table, made.splits.rows("train") + 2, change), missing="drop")
    assert training_bits(changed) == training_bits(made)


@given(st.sampled_from(SCALERS), st.integers(30, 90), st.integers(0, 99), st.data())
def test_no_single_value_of_the_future_is_seen(scaler, rows, seed, data):
    table = frame(rows, columns=1, seed=seed)
    holes = data.draw(st.lists(st.integers(1, rows - 1), max_size=9), label="missing")
    table.loc[holes, "y0"] = np.nan
    made = dataset(table, scaler=scaler, missing="interpolate")
    changed = table.copy()
    row = data.draw(st.integers(made.splits.rows("train"), rows - 1), label="row")
    changed.loc[row, "y0"] = data.draw(st.sampled_from([np.nan, 0.0, 1e9]), label="value")
    assert training_bits(dataset(changed, scaler=scaler, missing="interpolate")) == training_bits(
        made
    )


@pytest.mark.parametrize("change", FUTURES.values(), ids=FUTURES)
def test_the_test_rows_change_nothing_of_the_validation(change):
    table = frame(100)
    made = dataset(table)
    begin = int(made.splits.bounds("test")[0][0])
    changed = dataset(after(table, begin, change))
    assert changed.scaled[:begin].tobytes() == made.scaled[:begin].tobytes()


@pytest.mark.parametrize("scaler", ["minmax", "standard", "robust"])
def test_the_scaler_is_fitted_on_the_training_rows_alone(scaler):
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    table = frame(100)
    made = dataset(table, scaler=scaler)
    rows = table[["y0", "y1"]].to_numpy()
    kinds = {"minmax": MinMaxScaler, "standard": StandardScaler, "robust": RobustScaler}
    expected = kinds[scaler]().fit(rows[:70]).transform(rows)
    np.testing.assert_allclose(made.scaled, expected, rtol=1e-5, atol=1e-6)


def test_what_is_scaled_is_single_precision_and_without_gaps():
    table = frame(60)
    table.loc[[3, 40, 59], "y0"] = np.nan
    made = dataset(table, missing="interpolate")
    assert made.scaled.dtype == np.float32
    assert not np.isnan(made.scaled).any()
    assert np.isnan(made.panel.values).sum() == 3


def test_targets_stay_in_their_split_and_inputs_look_back():
    made = dataset(frame(100))
    targets = {
        part: (made.origins(part)[:, None] + np.arange(made.horizon)).ravel() for part in PARTS
    }
    for part in PARTS:
        begin, end = (int(edge[0]) for edge in made.splits.bounds(part))
        first = begin + made.timesteps if part == "train" else begin
        assert (targets[part].min(), targets[part].max()) == (first, end - 1)


def test_a_refit_learns_from_every_row():
    made = dataset(frame(100))
    refit = on_all_rows(made)
    assert refit.splits.rows("train") == 100
    assert (refit.scaling.center == made.panel.values.min(axis=0)).all()
    assert refit.config == made.config


@pytest.mark.parametrize(
    ("mode", "horizon", "at_once"),
    [("many-to-one", 3, 1), ("many-to-many", 3, 3), (None, 1, 1), (None, 3, 3)],
)
def test_many_to_one_gives_one_step_and_many_to_many_all(mode, horizon, at_once):
    made = dataset(frame(100), window=Window(timesteps=4, horizon=horizon, mode=mode))
    assert (made.steps_at_once, made.horizon) == (at_once, horizon)


NONE = Split(validation=0, test=0)


@pytest.mark.parametrize(("timesteps", "horizon"), [(1, 1), (4, 2), (10, 5)])
@pytest.mark.parametrize("mode", ["many-to-one", "many-to-many"])
def test_one_window_is_enough_to_train_on(timesteps, horizon, mode):
    window = Window(timesteps=timesteps, horizon=horizon, mode=mode)
    rows = timesteps + (horizon if mode == "many-to-many" else 1)
    made = dataset(frame(rows), freq="D", window=window, split=NONE)
    assert len(made.starts("train", horizon=made.steps_at_once)) == 1


@pytest.mark.parametrize("split", [NONE, Split(validation=3, test=5), Split()], ids=str)
@pytest.mark.parametrize("timesteps", [9, 19, 60])
def test_too_few_rows_says_how_many_are_needed_and_so_many_are_enough(timesteps, split):
    how = {"window": Window(timesteps=timesteps, horizon=3), "split": split}
    with pytest.raises(DataError, match=r"the table has 11 rows.*at least \d+ ") as caught:
        dataset(frame(11), **how)
    needed = int(re.search(r"at least (\d+) ", caught.value.message)[1])
    dataset(frame(needed), **how)
    with pytest.raises(DataError, match=f"the table has {needed - 1} rows"):
        dataset(frame(needed - 1), **how)


def test_fractions_that_leave_nothing_are_refused():
    halves = Split(validation=0.5, test=0.5)
    with pytest.raises(UsageError, match="Their sum must be below 1"):
        dataset(frame(5), window=Window(timesteps=1, horizon=1), split=halves)


@pytest.mark.parametrize(
    ("freq", "rows", "horizon", "timesteps"),
    [
        ("h", 2000, 24, 48),
        ("D", 1000, 7, 14),
        ("B", 1000, 5, 10),
        ("7D", 1000, 13, 104),
        ("MS", 144, 12, 24),
        ("QS", 200, 4, 10),
        ("YS", 100, 6, 10),
        ("D", 40, 4, 8),
    ],
)
def test_horizon_and_timesteps_follow_the_season_and_the_length(freq, rows, horizon, timesteps):
    notes = []
    made = dataset(frame(rows, freq, columns=1), notes, window=Window())
    assert (made.horizon, made.timesteps) == (horizon, timesteps)
    said = " ".join(note.text for note in notes)
    assert f"horizon {horizon}" in said
    assert f"timesteps {timesteps}" in said


def test_what_the_user_chose_is_not_chosen_again():
    notes = []
    made = dataset(frame(100), notes, window=Window(timesteps=9, horizon=3))
    assert (made.horizon, made.timesteps, notes) == (3, 9, [])


def test_the_season_can_be_named():
    made = dataset(frame(400), season_length=30, window=Window())
    assert (made.season_length, made.horizon, made.timesteps) == (30, 30, 60)


def test_rows_that_are_steps_have_no_season():
    assert dataset(frame(100).drop(columns="t")).season_length == 1


def test_a_long_season_of_rows_without_times_is_not_the_horizon():
    days = np.arange(365 * 6)
    noise = np.random.default_rng(0).normal(0, 0.3, len(days))
    frame = pd.DataFrame({"y": np.cos(2 * np.pi * days / 365) + noise})
    made = dataset(frame, window=Window())
    assert (made.season_length, made.horizon) == (365, 91)


@given(st.integers(1, 5000), st.sampled_from([1, 4, 5, 7, 12, 24, 52, 96]))
def test_what_is_chosen_leaves_enough_windows(rows, season):
    horizon = choose_horizon(rows, season)
    timesteps = choose_timesteps(rows, season, horizon)
    assert horizon >= 1
    assert timesteps >= 1
    if rows >= 10:
        assert horizon <= rows / 10
        assert rows - timesteps - horizon + 1 >= rows / 2


def test_many_to_one_cannot_go_on_from_some_of_its_columns():
    window = Window(timesteps=4, horizon=2, mode="many-to-one")
    with pytest.raises(UsageError, match="y1") as caught:
        dataset(frame(100), window=window, target=("y0",))
    assert "many-to-many" in caught.value.hint
    one = Window(timesteps=4, horizon=1, mode="many-to-one")
    assert dataset(frame(100), window=one, target=("y0",)).panel.columns.targets == ("y0",)


def test_a_column_that_never_changes_is_a_warning():
    notes = []
    table = frame(100)
    table.loc[:80, "y1"] = 3.5
    made = dataset(table, notes)
    assert [note.warning for note in notes] == [True]
    assert '"y1" is constant in the training rows (3.5)' in notes[0].text
    assert np.isfinite(made.scaled).all()


def test_missing_values_that_cannot_be_filled_are_a_data_error():
    table = frame(100)
    table.loc[:80, "y1"] = np.nan
    with pytest.raises(DataError, match="missing"):
        dataset(table, missing="interpolate")


def test_a_forecast_at_every_step_learns_from_no_row_that_was_filled_with_a_look_ahead():
    table = frame(80, columns=1)
    table.loc[[20, 21, 50], "y0"] = np.nan
    config = configure(
        {"preset": "classic", "column": "y0", "missing": "interpolate", "timesteps": 4,
         "horizon": 2, "head": "sequence"}
    )  # fmt: skip
    made = make_dataset(read_panel(table, config.data), config, on_event=lambda event: None)
    starts = made.starts("train", horizon=2)
    rows = starts[:, None] + np.arange(4)
    assert len(starts)
    assert not np.isin(rows, [20, 21, 50]).any()


def test_a_validation_split_without_an_actual_value_is_refused():
    table = frame(100, columns=1)
    table.loc[70:79, "y0"] = np.nan
    with pytest.raises(DataError, match="no actual value in the validation split"):
        dataset(table, missing="mask")


def test_a_column_without_a_value_in_training_is_refused():
    table = frame(100)
    table.loc[:75, "y1"] = np.nan
    with pytest.raises(DataError, match='column "y1" has no value in the training split'):
        dataset(table, missing="mask")


def test_a_stateful_network_goes_over_no_gap_wherever_it_is():
    table = frame(100, columns=1)
    table.loc[85, "y0"] = np.nan
    settings_ = {"column": "y0", "timesteps": 4, "horizon": 2, "stateful": True}
    for missing, fails in (("interpolate", True), ("mask", False)):
        config = configure({**settings_, "missing": missing, "preset": "classic"})
        panel = read_panel(table, config.data)
        if fails:
            with pytest.raises(DataError, match="a stateful network reads consecutive rows"):
                make_dataset(panel, config, on_event=lambda event: None)
        else:
            make_dataset(panel, config, on_event=lambda event: None)


@pytest.mark.parametrize("kind", ["minmax", "standard", "robust"])
def test_scikit_learn_fits_the_numbers_that_a_prediction_would_fit(kind):
    rows = np.random.default_rng(0).normal([0, 1e6, -3, 7], [1, 500, 1e-3, 0], (200, 4))
    rows[::7, 1] = np.nan
    fitted, known = fit_scaling(rows, kind, fit=fit_scaler), fit_scaling(rows, kind)
    exactly = 0.0 if kind == "minmax" else 1e-12
    np.testing.assert_allclose(fitted.center, known.center, rtol=exactly)
    np.testing.assert_allclose(fitted.scale, known.scale, rtol=exactly)
