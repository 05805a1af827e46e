"""Networks whose state lives on: in training, in scores, and from one prediction to the next."""

import io
import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import forecast_cli as fc
from forecast_cli.config.covariates import plain_inputs
from forecast_cli.core.windows import window_starts

pytestmark = pytest.mark.tf
ROWS = 120
QUICK = {"preset": "classic", "timesteps": 5, "units": 4, "epochs": 2, "patience": 0,
         "stateful": True}  # fmt: skip
THREE = {"column": "value", "horizon": 3, **QUICK}


def days(rows=ROWS):
    """A wave with noise, day by day, and a second column that follows it."""
    steps = np.arange(rows)
    value = 50 + 10 * np.sin(steps / 4) + np.random.default_rng(0).normal(0, 1, rows)
    dates = pd.date_range("2024-01-01", periods=rows)
    other = np.roll(value, 1) * 2
    return pd.DataFrame({"date": dates, "value": value.round(3), "other": other.round(3)})


@pytest.fixture(scope="module")
def model():
    return fc.train(days(), **THREE)


@pytest.fixture(scope="module")
def one_step():
    return fc.train(days(), column="value", horizon=3, mode="many-to-one", **QUICK)


@pytest.fixture(scope="module")
def every_step():
    return fc.train(days(), column="value", horizon=3, head="sequence", **QUICK)


def values(forecast, column="value"):
    return forecast[column].to_numpy()


def go_on(model, rows, path, horizon=None, **how):
    """The forecast after rows that follow those that led to the state in a file; it goes there."""
    model = model.update(rows, state=path, **how)
    model.save_state(path)
    return model.predict(horizon=horizon)


def in_keras(model, rows, tmp_path, lanes=1):
    """Forecasts of plain Keras layers that carry their state from window to window.

    Args:
        model: The trained model.
        rows: Shape `(lanes, rows, features)`, original units.
        tmp_path: A place for the weights.
        lanes: The size of a batch.

    Returns:
        Shape `(windows, lanes, horizon, targets)`, scaled.
    """
    from forecast_cli.networks.build import assemble

    manifest = model.bundle.manifest
    steps = 1 if model.config.window.mode == "many-to-one" else manifest.horizon
    network = assemble(
        model.config.network,
        manifest.timesteps,
        manifest.columns.inputs,
        (steps, len(manifest.targets)),
        seed=9,
        batch_size=lanes,
    ).network
    (tmp_path / "network.weights.h5").write_bytes(model.bundle.weights)
    network.load_weights(tmp_path / "network.weights.h5")
    reset(network)
    scaled = manifest.scaler.transform(rows).astype(np.float32)
    firsts = range(0, scaled.shape[1], manifest.timesteps)
    windows = [scaled[:, first : first + manifest.timesteps] for first in firsts]
    return np.array([np.asarray(network(window, training=False)) for window in windows])


def reset(network):
    for layer in network.layers:
        if hasattr(layer, "reset_state"):
            layer.reset_state()


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"cell": "gru", "head": "sequence"},
        {"cell": "rnn", "units": (4, 3), "dense": 3},
        {"column": ["value", "other"], "target": "other"},
    ],
    ids=["lstm", "gru at every step", "a stack of rnn", "one of two columns"],
)
def test_forecasts_are_those_of_keras_layers_run_over_the_whole_table(more, tmp_path):
    model = fc.train(days(), **(THREE | more))
    manifest = model.bundle.manifest
    rows = days()[list(manifest.features)].to_numpy()[None]
    outputs = in_keras(model, rows, tmp_path)[:, 0]
    target = manifest.targets[0]
    scaler = manifest.scaler.only(manifest.target_places)
    expected = scaler.inverse(outputs[-1].astype(float))[:, 0]
    np.testing.assert_allclose(values(model.predict(), target), expected, rtol=1e-5)
    # On the way there too: one step ahead of the end of each window.
    found = model.predict_in_sample(days())[f"{target}_forecast"].to_numpy()[::5]
    expected = scaler.inverse(outputs[:-1, 0].astype(float))[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.slow
def test_lanes_of_keras_are_tables_of_their_own(model, tmp_path):
    halves = days()["value"].to_numpy().reshape(2, 60, 1)
    outputs = in_keras(model, halves, tmp_path, lanes=2)[-1]
    expected = model.bundle.manifest.scaler.inverse(outputs.astype(float))[:, :, 0]
    for half, rows in zip(expected, (days()[:60], days()[60:]), strict=True):
        np.testing.assert_allclose(values(model.predict(rows)), half, rtol=1e-5)


PIECES = {"one": [120], "two": [70, 50], "three": [7, 112, 1], "a row each": [114, *[1] * 6]}


@pytest.mark.parametrize("pieces", PIECES.values(), ids=PIECES)
def test_going_on_with_a_state_is_reading_the_whole_table(model, tmp_path, pieces):
    path, end = tmp_path / "state.json", 0
    for rows in pieces:
        forecast = go_on(model, days()[end : end + rows], path)
        end += rows
    pd.testing.assert_frame_equal(forecast, model.predict(days()), rtol=1e-6)
    pd.testing.assert_frame_equal(forecast, model.predict(), rtol=1e-6)


def test_the_end_of_the_training_table_survives_the_file(model, tmp_path):
    model.save(tmp_path / "m.forecast")
    loaded = fc.load(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(loaded.predict(), model.predict(days()), rtol=1e-6)
    before = days()[:100]
    go_on(model, before, tmp_path / "state.json")
    rest = go_on(loaded, days()[100:], tmp_path / "state.json")
    pd.testing.assert_frame_equal(rest, model.predict(), rtol=1e-6)


def test_all_rows_before_a_forecast_count_not_only_a_window(model):
    changed = days().assign(value=[*(days()["value"][:60] + 30), *days()["value"][60:]])
    assert np.abs(values(model.predict(changed)) - values(model.predict(days()))).max() > 1e-6
    short = model.predict(days().tail(1))
    assert short["date"].tolist() == model.predict()["date"].tolist()


def test_a_far_forecast_leaves_no_trace_in_the_state(model, tmp_path):
    far, near = tmp_path / "far.json", tmp_path / "near.json"
    go_on(model, days()[:100], far, horizon=40)
    go_on(model, days()[:100], near, horizon=1)
    assert far.read_text() == near.read_text()


def test_a_state_says_where_it_stands(model, tmp_path):
    go_on(model, days()[:70], tmp_path / "state.json")
    go_on(model, days()[70:75], tmp_path / "state.json")
    state = json.loads((tmp_path / "state.json").read_text())
    assert (state["rows"], state["last"]) == (75, "2024-03-15T00:00:00")
    # Of an LSTM with four units, what it gives and what it keeps.
    assert len(state["values"]) == 8


@pytest.mark.parametrize("first", [0, 69, 71, 100])
def test_rows_that_do_not_follow_the_state_are_refused_with_both_dates(model, tmp_path, first):
    path = tmp_path / "state.json"
    go_on(model, days()[:70], path)
    before = path.read_text()
    begins = f"{days()['date'][first]:%Y-%m-%d}"
    with pytest.raises(fc.DataError) as caught:
        go_on(model, days()[first:], path)
    assert caught.value.message == (
        f"the table begins at {begins}; the state ends at 2024-03-10 and continues with 2024-03-11."
    )
    assert path.read_text() == before


@pytest.mark.usefixtures("linear_training")
def test_rows_without_times_go_on_where_the_state_ends(tmp_path):
    rows = days()[["value"]]
    model = fc.train(rows, **THREE)
    for part in (rows[:50], rows[50:]):
        forecast = go_on(model, part, tmp_path / "state.json")
    pd.testing.assert_frame_equal(forecast, model.predict(rows), rtol=1e-6)
    assert forecast["step"].tolist() == [1, 2, 3]


@pytest.mark.usefixtures("linear_training")
def test_a_state_goes_on_over_the_change_of_the_clocks(tmp_path):
    times = pd.date_range("2024-03-28", periods=96, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"value": days(96)["value"].to_numpy()}, index=times)
    model = fc.train(frame, **THREE)
    # The last piece begins with the first hour of summer time.
    for part in (frame[:60], frame[60:74], frame[74:]):
        forecast = go_on(model, part, tmp_path / "state.json")
    pd.testing.assert_frame_equal(forecast, model.predict(), rtol=1e-6)


@pytest.mark.usefixtures("linear_training")
def test_a_state_goes_on_over_a_holiday_where_rows_are_the_steps(tmp_path):
    dates = pd.bdate_range("2024-10-01", periods=ROWS + 2).drop(["2024-12-25", "2025-01-01"])
    frame = days().assign(date=dates)
    model = fc.train(frame, **THREE)
    before = int((frame["date"] < "2024-12-25").sum())
    for part in (frame[:before], frame[before:]):
        forecast = go_on(model, part, tmp_path / "state.json")
    pd.testing.assert_frame_equal(forecast, model.predict(), rtol=1e-6)


@pytest.mark.slow
def test_the_state_of_another_network_is_refused(model, one_step, tmp_path):
    path = tmp_path / "state.json"
    go_on(model, days()[:70], path)
    with pytest.raises(fc.ModelFileError, match="the state of another network") as caught:
        go_on(one_step, days()[70:], path)
    assert "`state`" in caught.value.hint


@pytest.mark.parametrize("content", ["", "{}", "date,value\n", '{"model": 1}', "\x00\xff"])
def test_a_file_that_is_no_state_is_left_as_it_is(model, tmp_path, content):
    path = tmp_path / "state.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(fc.ModelFileError, match="is not the state of a network"):
        go_on(model, days(), path)
    assert path.read_text(encoding="latin-1") == content


@pytest.mark.slow
def test_a_network_that_forgets_has_no_state_to_go_on_from(trained, frame, tmp_path):
    with pytest.raises(fc.UsageError, match="is not stateful") as caught:
        go_on(trained, frame, tmp_path / "state.json")
    assert "train with `stateful=true`" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_a_state_begins_at_the_end_of_the_training_table_and_then_needs_new_rows(
    model, tmp_path, run
):
    path, longer = tmp_path / "state.json", days(ROWS + 5)
    model.save(tmp_path / "m.forecast")
    code, out, _ = run("predict", "-m", "m.forecast", "--state", path)
    forecast = pd.read_csv(io.StringIO(out))["value"].to_numpy()
    assert (code, forecast.tolist()) == (0, pytest.approx(values(model.predict()), rel=1e-6))
    code, _, err = run("predict", "-m", "m.forecast", "--state", path)
    assert (code, "has a state already" in err) == (2, True)
    expected = values(model.predict(longer))
    assert values(go_on(model, longer[ROWS:], path)) == pytest.approx(expected, rel=1e-6)


def test_new_rows_advance_the_stored_state(model, tmp_path):
    longer = days(ROWS + 9)
    updated = model.update(longer[ROWS : ROWS + 2]).update(longer[ROWS + 2 :])
    pd.testing.assert_frame_equal(updated.predict(), model.predict(longer), rtol=1e-6)
    updated.save(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(fc.load(tmp_path / "m.forecast").predict(), updated.predict())
    updated.save_state(tmp_path / "state.json")
    state = json.loads((tmp_path / "state.json").read_text())
    assert (state["rows"], state["last"]) == (ROWS + 9, longer["date"].iloc[-1].isoformat())


def test_first_rows_go_on_from_the_training_table_where_they_follow_it(model, tmp_path):
    longer, said = days(ROWS + 5), []
    on_event = lambda event: said.append(event.text)  # noqa: E731
    forecast = go_on(model, longer[ROWS:], tmp_path / "a.json", on_event=on_event)
    assert values(forecast) == pytest.approx(values(model.predict(longer)), rel=1e-6)
    later = longer[ROWS + 1 :]
    anew = go_on(model, later, tmp_path / "b.json", on_event=on_event)
    assert values(anew) == pytest.approx(values(model.predict(later)), rel=1e-6)
    assert "continues from the state at the end" in said[0]
    assert "begins without a state" in said[-1]


@pytest.mark.slow
@pytest.mark.parametrize("which", ["model", "one_step", "every_step"])
def test_the_scores_are_those_of_a_slow_loop(which, request):
    model, frame = request.getfixturevalue(which), days()
    actual = frame["value"].to_numpy()
    origins = range(96, ROWS - 3 + 1)
    errors = np.array([values(model.predict(frame[:at])) - actual[at : at + 3] for at in origins])
    scores = model.evaluation.own_scores
    assert model.evaluation.origins == len(errors) == 22
    assert scores["mae"]["value"] == pytest.approx(np.abs(errors).mean(), rel=1e-6)
    assert scores["rmse"]["value"] == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("which", ["model", "one_step", "every_step"])
def test_in_sample_forecasts_are_those_of_all_rows_before(which, request):
    model, frame = request.getfixturevalue(which), days()
    found = model.predict_in_sample(frame)
    assert found["date"].tolist() == frame["date"].tolist()[5:]
    assert found["value"].tolist() == frame["value"].tolist()[5:]
    for row in (5, 6, 17, 80, ROWS - 1):
        expected = model.predict(frame[:row], horizon=1)["value"][0]
        assert found["value_forecast"][row - 5] == pytest.approx(expected, rel=1e-6)


def test_many_to_one_goes_on_from_its_own_forecasts(one_step):
    first = one_step.predict(horizon=1)
    extended = pd.concat([days()[["date", "value"]], first], ignore_index=True)
    second = one_step.predict(extended, horizon=1)["value"][0]
    assert one_step.predict()["value"][1] == pytest.approx(second, rel=1e-6)
    assert len(one_step.predict()) == 3


def test_beyond_its_horizon_it_goes_on_from_all_of_its_own_forecasts(model):
    notes = []
    far = model.predict(horizon=5, on_event=notes.append)
    extended = pd.concat([days()[["date", "value"]], model.predict()], ignore_index=True)
    expected = np.concatenate([values(model.predict()), values(model.predict(extended))[:2]])
    np.testing.assert_allclose(values(far), expected, rtol=1e-6)
    assert "trained for 3 steps" in notes[0].text


def learned(model):
    return model.bundle.weights, model.bundle.manifest.scaling


@pytest.mark.slow
def test_the_test_part_changes_neither_weights_nor_scaler(model):
    changed = days()
    changed.loc[96:, "value"] = np.linspace(-1000, 1000, 24)
    after = fc.train(changed, **THREE)
    assert learned(after) == learned(model)
    assert after.evaluation != model.evaluation


@pytest.mark.slow
def test_same_data_config_and_seed_give_the_same_model_to_the_bit():
    first, second, other = (fc.train(days(), **THREE, dropout=0.2, seed=seed) for seed in (3, 3, 4))
    assert learned(first) == learned(second)
    pd.testing.assert_frame_equal(first.predict(), second.predict())
    assert first.bundle.weights != other.bundle.weights


@pytest.mark.slow
def test_refit_goes_on_from_all_rows(model):
    refit, whole = (
        fc.train(days(), **THREE, **more)
        for more in ({"refit": True}, {"validation": 0, "test": 0})
    )
    assert refit.evaluation == model.evaluation
    assert learned(refit) == learned(whole)
    pd.testing.assert_frame_equal(refit.predict(), whole.predict())
    pd.testing.assert_frame_equal(refit.predict(), refit.predict(days()), rtol=1e-6)


def gap():
    frame = days()
    frame.loc[[40, 41, 119], "value"] = np.nan
    return frame


@pytest.mark.parametrize("missing", ["interpolate", "ffill"])
def test_gaps_that_are_filled_are_refused(missing):
    with pytest.raises(fc.DataError, match="a stateful network reads consecutive rows") as caught:
        fc.train(gap(), **THREE, missing=missing)
    assert "`missing=mask` or `missing=drop`" in caught.value.hint


@pytest.mark.slow
def test_a_masked_row_leaves_the_state_as_it_is():
    model = fc.train(gap(), **THREE, missing="mask")
    assert np.isfinite(values(model.predict())).all()
    pd.testing.assert_frame_equal(model.predict(), model.predict(gap()), rtol=1e-6)
    # The last row says nothing: from it the forecast is that of the row before, a day later.
    before = model.predict(gap()[:119])
    np.testing.assert_allclose(values(model.predict()), values(before), rtol=1e-6)
    assert model.predict()["date"][0] == before["date"][1]
    without = gap().dropna()
    steps = without.assign(date=pd.date_range("2024-01-01", periods=len(without)))
    np.testing.assert_allclose(values(model.predict(steps)), values(before), rtol=1e-6)


@pytest.mark.usefixtures("linear_training")
def test_rows_that_are_dropped_are_no_gaps():
    model = fc.train(gap(), **THREE, missing="drop")
    assert np.isfinite(values(model.predict())).all()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"anchor": "last"}, "do not support per-window settings .anchor last"),
        ({"anchor": "season"}, "do not support per-window settings .anchor season"),
        ({"window_scale": "std"}, "do not support per-window settings .window_scale std"),
        ({"skip": "linear"}, "do not support per-window settings .skip linear"),
        ({"segment": 5}, "do not support per-window settings .segment 5"),
        ({"channels": "independent"}, "do not support per-window settings .channels independent"),
        ({"bidirectional": True}, "must read forwards"),
        ({"head": "encoder-decoder"}, "do not support `head=encoder-decoder`"),
        ({"head": "segments", "segment": 5}, "do not support `head=segments`"),
    ],
)
def test_settings_that_need_a_window_of_their_own_are_refused(more, why):
    with pytest.raises(fc.UsageError, match=why):
        fc.train(days(), **THREE, **more)


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        ([{"type": "conv"}, {"type": "lstm", "stateful": True}], "begin again with each window"),
        ([{"type": "lstm", "stateful": True, "go_backwards": True}], "must read forwards"),
        (
            [{"type": "lstm", "stateful": True}, {"type": "gru"}],
            "`stateful` must be the same for all",
        ),
    ],
)
def test_layers_that_cannot_carry_a_state_are_refused(layers, why):
    with pytest.raises(fc.UsageError, match=why):
        fc.configure({}, {"network": {"layers": layers}})


def lanes(train, validation=(), timesteps=5, rows=400, **training):
    """The order of windows over rows that hold their own numbers."""
    from forecast_cli.config.sections import Training
    from forecast_cli.networks.batch_order import Lanes
    from forecast_cli.networks.batches import WindowFeed

    numbered = np.arange(rows, dtype=np.float32)[:, None]
    train, validation = (np.asarray(each, np.int32) for each in (train, validation))
    feed = WindowFeed(
        numbered,
        plain_inputs(numbered.shape[1], (0,)),
        train,
        validation,
        timesteps=timesteps,
        horizon=1,
    )
    return Lanes(feed, Training(**training))


@given(
    st.integers(1, 200),
    st.integers(1, 12),
    st.integers(1, 40),
    st.integers(0, 9),
    st.integers(1, 9),
)
def test_each_lane_runs_over_its_own_stretch_window_by_window(count, timesteps, size, seed, epoch):
    order = lanes(range(count), timesteps=timesteps, batch_size=size, seed=seed)
    rows, sizes = order.training(epoch)
    assert rows.shape[1] == order.batch_size <= size
    assert len(rows) in (order.steps, order.steps - 1)
    assert len(rows) >= 1
    assert (sizes == order.batch_size).all()
    assert (np.diff(rows, axis=0) == timesteps).all()
    length = count // order.batch_size
    # What does not fill the lanes is the oldest.
    begins = count % order.batch_size + np.arange(order.batch_size) * length
    # All lanes begin alike, less than a window after their first row, and end before the next.
    assert len(set((rows[0] - begins).tolist())) == 1
    assert 0 <= rows[0, 0] - begins[0] < timesteps
    assert (rows[-1] < begins + length).all()
    assert (rows[-1] + timesteps >= begins + length).all()


def test_a_batch_has_no_more_lanes_than_there_are_windows():
    assert lanes(range(100), timesteps=10, batch_size=32).batch_size == 10
    assert lanes(range(100), timesteps=10, batch_size=4).batch_size == 4
    assert lanes(range(5), timesteps=10, batch_size=4).batch_size == 1


def test_the_order_is_a_function_of_seed_and_epoch():
    def first(seed, epoch):
        return lanes(range(200), timesteps=10, batch_size=4, seed=seed).training(epoch)[0][0, 0]

    assert [first(1, epoch) for epoch in range(9)] == [first(1, epoch) for epoch in range(9)]
    assert [first(1, epoch) for epoch in range(9)] != [first(2, epoch) for epoch in range(9)]


def test_in_time_every_row_begins_a_window():
    order = lanes(range(200), timesteps=10, batch_size=4)
    seen = set().union(*[order.training(epoch)[0].ravel().tolist() for epoch in range(1, 80)])
    assert seen == set(range(200))


def test_fewer_steps_per_epoch_are_a_stretch_of_their_own_in_each_epoch():
    some = lanes(range(200), timesteps=10, batch_size=4, steps_per_epoch=3)
    drawn = [some.training(epoch)[0] for epoch in range(1, 30)]
    assert {rows.shape for rows in drawn} == {(3, 4)}
    assert all((np.diff(rows, axis=0) == 10).all() for rows in drawn)
    # The stretches lie all over the lanes.
    assert {rows[0, 0] // 10 for rows in drawn} == {0, 1, 2}


@given(st.integers(1, 200), st.integers(1, 80), st.integers(1, 12), st.integers(1, 20))
def test_in_validation_only_validation_windows_count(count, held, timesteps, size):
    starts = np.arange(count, count + held)
    order = lanes(range(count), starts, timesteps=timesteps, batch_size=size)
    rows, sizes = order.validation()
    counted = sizes > 0
    assert rows.shape[1] == order.batch_size
    assert set(sizes.tolist()) <= {0, order.batch_size}
    assert counted.any()
    assert np.isin(rows[counted], starts).all()
    # Those that do not count come first, and lead up to those that do.
    assert (np.diff(counted.astype(int)) >= 0).all()
    assert (np.diff(rows, axis=0) == timesteps).all()
    assert (rows >= 0).all()
    assert rows[0].min() < timesteps or (~counted).sum() == order.steps


def test_without_validation_there_is_nothing_to_order(model):
    plain = fc.train(days(), **THREE, validation=0)
    assert [epoch["validation_loss"] for epoch in plain.bundle.epochs] == [None, None]


def make_feed(frame, timesteps=5, horizon=3):
    """The training and validation windows of a table as a network reads them."""
    from forecast_cli.networks.batches import WindowFeed

    scaled = ((frame[["value"]].to_numpy() - 50) / 20).astype(np.float32)
    bounds = np.array([[0], [90], [110]])
    train, validation = (
        window_starts(np.array([0]), *pair, timesteps=timesteps, horizon=horizon)
        for pair in pairwise(bounds)
    )
    return WindowFeed(
        scaled,
        plain_inputs(scaled.shape[1], (0,)),
        train,
        validation,
        timesteps=timesteps,
        horizon=horizon,
    )


def runner_of(feed, **training):
    from forecast_cli.config.sections import Training
    from forecast_cli.networks.batch_order import Lanes
    from forecast_cli.networks.build import assemble
    from forecast_cli.networks.train_step import Runner

    network = fc.configure({"units": 4, "stateful": True}).network
    how = Training(**{"batch_size": 4, "patience": 0, **training})
    size = Lanes(feed, how).batch_size
    built = assemble(network, *feed.shape, seed=0, batch_size=size)
    return Runner(built.network, feed, how, built.learner)


def samples_of(feed, rows):
    """The windows that begin at rows, and the actual values behind them."""
    windows = np.stack([feed.values[row : row + 5] for row in rows])
    return windows, np.stack([feed.values[row + 5 : row + 8] for row in rows])


@pytest.mark.slow
def test_training_is_that_of_keras_window_by_window():
    import keras

    feed = make_feed(days())
    runner = runner_of(feed, epochs=2, learning_rate=0.01)
    slow = keras.models.clone_model(runner.network)
    slow.set_weights(runner.network.get_weights())
    slow.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    losses = []
    for epoch in (1, 2):
        losses.append(runner.run(losses).loss)
        reset(slow)
        rows, _ = runner.passes.training(epoch)
        for each in rows:
            slow.train_on_batch(*samples_of(feed, each))
    for ours, theirs in zip(runner.network.get_weights(), slow.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.slow
def test_the_losses_of_an_epoch_are_those_of_a_slow_loop():
    feed = make_feed(days())
    runner = runner_of(feed, epochs=1, learning_rate=1e-12)
    epoch = runner.run([])
    passes = {"loss": runner.passes.training(1), "validation_loss": runner.passes.validation()}
    for name, (rows, sizes) in passes.items():
        reset(runner.network)
        errors = []
        for each, size in zip(rows, sizes, strict=True):
            windows, actual = samples_of(feed, each)
            forecasts = np.asarray(runner.network(windows, training=False))
            errors += [np.mean((forecasts - actual) ** 2)] if size else []
        assert getattr(epoch, name) == pytest.approx(np.mean(errors), rel=1e-5)


def test_each_epoch_begins_without_a_state():
    runner = runner_of(make_feed(days()), epochs=3, learning_rate=1e-12)
    first = runner.run([])
    windows, _ = samples_of(runner.feed, range(runner.passes.batch_size))
    for _ in range(5):
        runner.network(windows, training=False)
    second = runner.run([first.validation_loss])
    assert second.validation_loss == pytest.approx(first.validation_loss, rel=1e-6)


@pytest.mark.slow
def test_dropout_is_for_training_alone():
    settings = {**THREE, "epochs": 1, "learning_rate": 1e-12}
    plain = fc.train(days(), **settings)
    dropped = fc.train(days(), **settings, dropout=0.5, recurrent_dropout=0.3)
    ours, theirs = dropped.bundle.epochs[0], plain.bundle.epochs[0]
    assert ours["validation_loss"] == pytest.approx(theirs["validation_loss"], rel=1e-6)
    assert abs(ours["loss"] - theirs["loss"]) > 1e-4
    np.testing.assert_allclose(values(dropped.predict()), values(plain.predict()), rtol=1e-6)


@pytest.mark.slow
def test_it_learns_what_stands_further_back_than_a_window():
    frame = pd.DataFrame({"value": np.tile([1.0, 0, 0, 0], 150)})
    shared = {"preset": "classic", "horizon": 1, "timesteps": 2, "units": 16, "epochs": 40,
              "patience": 0}  # fmt: skip
    more = {"batch_size": 4, "learning_rate": 0.02, "head": "sequence", "stateful": True}
    model = fc.train(frame, column="value", **shared, **more)
    # Half of the windows hold two zeros, after which comes 0 as often as 1: whoever sees no more
    # than the window errs by 0.5 there.
    assert model.evaluation.own_scores["rmse"]["value"] < 0.5 * np.sqrt(0.5 * 0.25)


@pytest.mark.usefixtures("linear_training")
def test_the_command_line_keeps_the_state_in_a_file(run, tmp_path):
    frame = days()
    for name, part in {"all": frame, "old": frame[:100], "new": frame[100:]}.items():
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    flags = "--column value --horizon 3 --timesteps 5 --units 4 --epochs 2 --stateful "
    flags += "--preset classic"
    code, out, err = run("train", "all.csv", *flags.split(), "--json")
    assert code == 0
    assert json.loads(out)["config"]["network"]["layers"][0]["stateful"] is True
    expected = pd.read_csv(io.StringIO(run("predict")[1]))
    assert run("predict", "old.csv", "--state", "s.json")[0] == 0
    kept = (tmp_path / "s.json").read_text()
    # Nothing is kept of a prediction that went wrong.
    assert run("predict", "new.csv", "--state", "s.json", "-o", "no/out.csv")[0] == 2
    assert run("predict", "new.csv", "--state", "s.json", "--in-sample")[0] == 2
    assert run("predict", "--state", "s.json")[0] == 2
    code, out, err = run("predict", "old.csv", "--state", "s.json")
    assert (code, out) == (3, "")
    assert "old.csv begins at 2024-01-01; the state ends at 2024-04-09" in err
    assert (tmp_path / "s.json").read_text() == kept
    code, out, err = run("predict", "new.csv", "--state", "s.json")
    assert (code, err) == (0, "")
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(out)), expected, rtol=1e-6)
    (tmp_path / "s.json").write_text("{}")
    assert run("predict", "new.csv", "--state", "s.json")[0] == 4
