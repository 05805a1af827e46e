"""Sequences with a label, from a table to a model and its labels, by the Python API."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.config.covariates import plain_inputs
from forecast_cli.config.layers import Lstm, Mask
from forecast_cli.config.network import Network
from forecast_cli.core.events import Epoch, Note
from forecast_cli.training.labels.datasets import split_sequences, with_task

pytestmark = pytest.mark.tf
ROWS = {"layout": "rows", "label": "y"}
QUICK = {"units": 4, "epochs": 2, "patience": 0}
STEPS = ["a", "b", "c", "d"]


def steps(rows=60, seed=0):
    """Sequences of four steps."""
    values = np.random.default_rng(seed).normal(5, 2, (rows, 4)).round(3)
    return pd.DataFrame(values, columns=STEPS)


def numbers(rows=60):
    """Each sequence with its sum."""
    frame = steps(rows)
    return frame.assign(y=frame.sum(axis=1))


def pairs(rows=60):
    """Each sequence with its sum, and with the product of its ends."""
    return numbers(rows).assign(z=lambda frame: frame["a"] * frame["d"])


def words(rows=60):
    """Each sequence with whether it rises, and most do not."""
    frame = steps(rows)
    return frame.assign(y=np.where(frame["d"] > frame["a"] + 1, "up", "other"))


def ragged(rows=60):
    """Sequences of two to five steps of two features, a row for each step."""
    rng = np.random.default_rng(1)
    lengths = rng.permutation([*range(2, 6)] * (rows // 4))
    name = np.repeat(np.arange(rows), lengths)
    first, second = rng.normal(5, 2, (2, len(name))).round(3)
    frame = pd.DataFrame({"who": name, "u": first, "v": second})
    rising = frame.groupby("who")["u"].transform("mean") > 5
    return frame.assign(y=np.where(rising, "high", "low"))


RAGGED = {"series": "who", "label": "y"}


@pytest.fixture(scope="module")
def of_numbers():
    return fc.train(numbers(), **ROWS, **QUICK)


@pytest.fixture(scope="module")
def of_pairs():
    return fc.train(pairs(), layout="rows", label=["y", "z"], **QUICK)


@pytest.fixture(scope="module")
def of_words():
    return fc.train(words(), **ROWS, **QUICK)


@pytest.fixture(scope="module")
def of_ragged():
    return fc.train(ragged(), **RAGGED, **QUICK)


def parts_of(model, count, classes=None):
    """The places of the sequences of each split."""
    codes = None if classes is None else np.unique(classes, return_inverse=True)[1].astype(float)
    return split_sequences(count, model.config.split, model.config.training.seed, codes)


def in_keras(model, windows, tmp_path):
    """What Keras gives for windows with the weights of a model."""
    from forecast_cli.networks.build import assemble

    labels = model.bundle.manifest.labels
    outputs = len(labels.classes or labels.names)
    network = assemble(
        model.config.network,
        windows.shape[1],
        plain_inputs(windows.shape[2], outputs),
        (1, outputs),
        seed=9,
        activation="softmax" if labels.classes else "linear",
    ).network
    (tmp_path / "network.weights.h5").write_bytes(model.bundle.weights)
    network.load_weights(tmp_path / "network.weights.h5")
    return np.asarray(network(windows.astype(np.float32), training=False))[:, 0]


def scaled_windows(frame, train):
    """Sequences of four steps, scaled by what the training sequences alone hold."""
    values = frame[STEPS].to_numpy()
    low, high = values[train].min(), values[train].max()
    return ((values - low) / (high - low))[:, :, None]


@pytest.mark.slow
def test_numbers_are_those_of_keras_with_the_same_weights(of_pairs, tmp_path):
    frame, train = pairs(), parts_of(of_pairs, 60)["train"]
    outputs = in_keras(of_pairs, scaled_windows(frame, train), tmp_path)
    labels = of_pairs.predict(frame)
    for place, name in enumerate(["y", "z"]):
        known = frame[name].to_numpy()[train]
        expected = known.min() + outputs[:, place] * (known.max() - known.min())
        np.testing.assert_allclose(labels[name], expected, rtol=1e-5)


@pytest.mark.slow
def test_classes_are_those_of_keras_with_the_same_weights(of_words, tmp_path):
    frame = words()
    train = parts_of(of_words, 60, frame["y"])["train"]
    outputs = in_keras(of_words, scaled_windows(frame, train), tmp_path)
    labels = of_words.predict(frame)
    np.testing.assert_allclose(labels[["p_other", "p_up"]], outputs, atol=1e-6)
    assert labels["y"].tolist() == np.array(["other", "up"])[outputs.argmax(axis=1)].tolist()


@pytest.mark.slow
def test_sequences_of_many_lengths_are_those_of_keras_each_for_itself(of_ragged, tmp_path):
    frame = ragged()
    rows = frame[["u", "v"]].to_numpy()
    scaling = of_ragged.bundle.manifest.scaling
    rows = (rows - np.array(scaling.center)) / np.array(scaling.scale)
    labels = of_ragged.predict(frame).set_index("who")
    for length in range(2, 6):
        names = [name for name, part in frame.groupby("who") if len(part) == length]
        windows = np.stack([rows[frame["who"] == name] for name in names])
        outputs = in_keras(of_ragged, windows, tmp_path)
        np.testing.assert_allclose(labels.loc[names, ["p_high", "p_low"]], outputs, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("length", [2, 5])
def test_a_sequence_gets_the_same_label_whatever_stands_beside_it(of_ragged, length):
    frame = ragged()
    whole = of_ragged.predict(frame)
    place = int(np.argmax(frame.groupby("who").size() == length))
    alone = of_ragged.predict(frame[frame["who"] == place])
    pd.testing.assert_frame_equal(alone, whole.iloc[[place]].reset_index(drop=True), rtol=1e-6)


NETWORKS = {
    "plain": {},
    "bidirectional": {"layers": (Mask(), Lstm(units=4, bidirectional=True))},
    "stacked": {"layers": (Mask(), Lstm(units=4), Lstm(units=3))},
    "anchor last": {"anchor": "last"},
    "anchor mean": {"anchor": "mean"},
    "spread": {"window_scale": "std"},
    "residual": {"layers": (Mask(), Lstm(units=4, residual=True))},
}


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_room_behind_a_sequence_changes_nothing(network):
    from forecast_cli.networks.build import build

    settings = Network(**({"layers": (Mask(), Lstm(units=4))} | network))
    windows = np.random.default_rng(0).normal(size=(5, 3, 2)).astype(np.float32)
    wide = np.pad(windows, ((0, 0), (0, 4), (0, 0)), constant_values=np.nan)
    tight = build(settings, 3, 2, (1, 2), seed=0, activation="linear")
    roomy = build(settings, 7, 2, (1, 2), seed=0, activation="linear")
    roomy.set_weights(tight.get_weights())
    np.testing.assert_allclose(np.asarray(roomy(wide)), np.asarray(tight(windows)), atol=1e-6)


@pytest.mark.slow
def test_more_room_than_the_longest_needs_leaves_the_training_as_it_is(of_ragged):
    roomy = fc.train(ragged(), **RAGGED, **QUICK, timesteps=8)
    assert [each.config.window.timesteps for each in (of_ragged, roomy)] == [5, 8]
    got, expected = roomy.predict(ragged()), of_ragged.predict(ragged())
    pd.testing.assert_frame_equal(got, expected, rtol=1e-4)


@pytest.mark.slow
def test_rows_and_long_tables_of_the_same_sequences_make_the_same_model(of_ragged):
    wide = {
        name: [*part[["u", "v"]].to_numpy().ravel(), *[np.nan] * (10 - 2 * len(part))]
        for name, part in ragged().groupby("who")
    }
    labels = ragged().drop_duplicates("who")["y"].tolist()
    rows = pd.DataFrame(list(wide.values()), columns=[f"c{at}" for at in range(10)])
    model = fc.train(rows.assign(y=labels), **ROWS, step_features=2, **QUICK)
    assert model.bundle.weights == of_ragged.bundle.weights
    assert model.bundle.manifest.features == ("c0", "c1")
    got, expected = model.predict(rows), of_ragged.predict(ragged())
    pd.testing.assert_frame_equal(got.iloc[:, 1:], expected.iloc[:, 1:])


@pytest.mark.usefixtures("linear_training")
@pytest.mark.parametrize(
    "classes",
    [("no", "yes"), (3, 7), (False, True), (0, 1, 2)],
    ids=["words", "whole numbers", "truth values", "three"],
)
def test_classes_keep_their_names(classes, tmp_path):
    frame = steps().assign(y=[classes[row % len(classes)] for row in range(60)])
    model = fc.train(frame, **ROWS, **QUICK)
    model.save(tmp_path / "m.forecast")
    labels = fc.load(tmp_path / "m.forecast").predict(steps())
    assert model.bundle.manifest.labels.classes == classes
    assert list(labels) == ["sequence", "y", *[f"p_{each}" for each in classes]]
    assert {type(each) for each in labels["y"].tolist()} == {type(classes[0])}
    assert set(labels["y"]) <= set(classes)


@pytest.mark.usefixtures("linear_training")
def test_whole_numbers_with_a_point_are_classes_without_one():
    model = fc.train(steps().assign(y=np.tile([1.0, 2.0], 30)), **ROWS, **QUICK)
    assert [str(each) for each in model.bundle.manifest.labels.classes] == ["1", "2"]


@pytest.mark.slow
def test_shares_add_up_to_one_and_the_class_has_the_largest(of_ragged, of_words):
    for labels in (of_ragged.predict(ragged()), of_words.predict(words())):
        shares = labels.filter(like="p_")
        assert shares.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-6)
        assert labels["y"].tolist() == shares.idxmax(axis=1).str.removeprefix("p_").tolist()


@pytest.mark.slow
def test_labels_are_found_without_the_label_column(of_pairs, of_words, of_ragged):
    for model, frame in ((of_pairs, pairs()), (of_words, words()), (of_ragged, ragged())):
        bare = frame.drop(columns=["y", "z"], errors="ignore")
        pd.testing.assert_frame_equal(model.predict(bare), model.predict(frame))
        wrong = frame.assign(y=np.nan)
        pd.testing.assert_frame_equal(model.predict(bare), model.predict(wrong))


def test_columns_are_found_by_their_names(of_words):
    frame = words()
    expected = of_words.predict(frame)
    other = frame[["d", "y", "b", "a", "c"]].assign(more="nothing")
    pd.testing.assert_frame_equal(of_words.predict(other), expected)
    with pytest.raises(fc.DataError, match='no column "c"'):
        of_words.predict(frame.drop(columns="c"))


def test_several_labels_have_each_its_own_column_and_scores(of_pairs):
    labels = of_pairs.predict(pairs())
    assert list(labels) == ["sequence", "y", "z"]
    scores = of_pairs.evaluation.scores
    assert set(scores) == {of_pairs.evaluation.model, "mean"}
    assert all(set(each) == {"y", "z"} for each in scores[of_pairs.evaluation.model].values())
    assert of_pairs.bundle.manifest.labels.names == ("y", "z")


def test_the_scores_of_pairs_are_those_of_a_slow_loop(of_pairs):
    from sklearn.metrics import r2_score

    frame = pairs()
    parts = parts_of(of_pairs, 60)
    found = [of_pairs.predict(frame.iloc[[place]]).iloc[0] for place in parts["test"]]
    assert of_pairs.evaluation.sequences == len(parts["test"]) == 12
    for name in ("y", "z"):
        actual = frame[name].to_numpy()[parts["test"]]
        guesses = {
            of_pairs.evaluation.model: np.array([each[name] for each in found]),
            "mean": np.full(12, frame[name].to_numpy()[parts["train"]].mean()),
        }
        for guesser, given in guesses.items():
            scores = of_pairs.evaluation.scores[guesser]
            error = given - actual
            assert scores["mae"][name] == pytest.approx(np.abs(error).mean(), rel=1e-5)
            assert scores["rmse"][name] == pytest.approx(np.sqrt((error**2).mean()), rel=1e-5)
            assert scores["r2"][name] == pytest.approx(r2_score(actual, given), rel=1e-4)


def test_the_scores_of_classes_are_those_of_a_slow_loop(of_words):
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

    frame = words()
    parts = parts_of(of_words, 60, frame["y"])
    given = [of_words.predict(frame.iloc[[place]])["y"][0] for place in parts["test"]]
    actual = frame["y"].to_numpy()[parts["test"]]
    most = pd.Series(frame["y"].to_numpy()[parts["train"]]).mode()[0]
    for guesser, guess in {
        of_words.evaluation.model: given,
        "majority class": [most] * len(actual),
    }.items():
        scores = of_words.evaluation.scores[guesser]
        assert scores["accuracy"]["y"] == pytest.approx(accuracy_score(actual, guess))
        expected = f1_score(actual, guess, average="macro")
        assert scores["macro_f1"]["y"] == pytest.approx(expected)
    expected = confusion_matrix(actual, given, labels=["other", "up"])
    np.testing.assert_array_equal(of_words.evaluation.confusion, expected)


def test_the_losses_of_an_epoch_are_cross_entropy_over_its_sequences():
    frame = words()
    model = fc.train(frame, **ROWS, units=4, epochs=1, patience=0, learning_rate=1e-12)
    shares = model.predict(frame).filter(like="p_").to_numpy()
    right = np.where(frame["y"] == "other", *shares.T)
    parts, epoch = parts_of(model, 60, frame["y"]), model.bundle.epochs[0]
    for part, loss in (("train", epoch["loss"]), ("validation", epoch["validation_loss"])):
        assert loss == pytest.approx(-np.log(right[parts[part]]).mean(), rel=1e-4)


def test_the_losses_of_an_epoch_are_squares_over_scaled_labels():
    frame = numbers()
    model = fc.train(
        frame, **ROWS, units=4, epochs=1, patience=0, learning_rate=1e-12, batch_size=7
    )
    parts, epoch = parts_of(model, 60), model.bundle.epochs[0]
    known = frame["y"].to_numpy()[parts["train"]]
    squares = ((model.predict(frame)["y"] - frame["y"]) / (known.max() - known.min())) ** 2
    for part, loss in (("train", epoch["loss"]), ("validation", epoch["validation_loss"])):
        assert loss == pytest.approx(squares.to_numpy()[parts[part]].mean(), rel=1e-4)


def learned(model):
    manifest = model.bundle.manifest
    return model.bundle.weights, manifest.scaling, manifest.labels


@pytest.mark.slow
@pytest.mark.parametrize("scaler", ["minmax", "standard"])
def test_the_test_sequences_change_neither_weights_nor_scalers(scaler):
    settings = {"layout": "rows", "label": ["y", "z"], "scaler": scaler, "units": 2, "epochs": 1}
    before = fc.train(pairs(), **settings)
    changed, parts = pairs(), parts_of(before, 60)
    changed.loc[parts["test"]] = np.linspace(-1e4, 1e4, 12 * 6).reshape(12, 6)
    after = fc.train(changed, **settings)
    assert learned(after) == learned(before)
    assert after.evaluation != before.evaluation


@pytest.mark.slow
def test_the_scalers_know_the_training_sequences_alone(of_numbers):
    frame, parts = numbers(), parts_of(of_numbers, 60)
    known = frame[STEPS].to_numpy()[parts["train"]]
    scaling = of_numbers.bundle.manifest.scaling
    assert scaling.center == pytest.approx([known.min()])
    assert scaling.scale == pytest.approx([known.max() - known.min()])
    frame.loc[parts["validation"]] *= 100
    assert learned(fc.train(frame, **ROWS, **QUICK)) == learned(of_numbers)


@pytest.mark.slow
def test_test_sequences_of_classes_change_neither_weights_nor_scaler(of_words):
    frame = words()
    frame.loc[parts_of(of_words, 60, frame["y"])["test"], STEPS] = 1e4
    assert learned(fc.train(frame, **ROWS, **QUICK)) == learned(of_words)


@pytest.mark.slow
def test_same_data_config_and_seed_give_the_same_model_to_the_bit():
    first, second, other = (
        fc.train(words(), **ROWS, **QUICK, dropout=0.2, seed=seed) for seed in (3, 3, 4)
    )
    assert learned(first) == learned(second)
    pd.testing.assert_frame_equal(first.predict(words()), second.predict(words()))
    assert first.bundle.weights != other.bundle.weights


def test_a_model_survives_its_file(of_numbers, of_ragged, tmp_path):
    for model, frame in ((of_numbers, numbers()), (of_ragged, ragged())):
        model.save(tmp_path / "m.forecast")
        loaded = fc.load(tmp_path / "m.forecast")
        pd.testing.assert_frame_equal(loaded.predict(frame), model.predict(frame))
        assert loaded.config == model.config
        assert loaded.evaluation == model.evaluation
        assert loaded.bundle.epochs == model.bundle.epochs
        assert loaded.bundle.manifest.labels == model.bundle.manifest.labels


@pytest.mark.slow
def test_refit_trains_on_all_sequences_for_the_epochs_found():
    settings = {**ROWS, "units": 4, "epochs": 6, "patience": 2}
    plain, refit = (fc.train(numbers(), **settings, refit=each) for each in (False, True))
    assert refit.evaluation == plain.evaluation
    assert refit.bundle.weights != plain.bundle.weights
    best = {"epochs": plain.bundle.manifest.run.best_epoch, "patience": 0}
    whole = fc.train(numbers(), **{**settings, **best}, validation=0, test=0)
    assert learned(refit) == learned(whole)


@pytest.mark.usefixtures("linear_training")
def test_no_test_split_gives_no_scores_and_says_so():
    heard = []
    model = fc.train(numbers(), **ROWS, **QUICK, validation=0, test=0, on_event=heard.append)
    assert model.evaluation is None
    assert model.bundle.manifest.splits.train == 60
    assert any("nothing is scored" in each.text for each in heard if isinstance(each, Note))


@pytest.mark.usefixtures("linear_training")
def test_listeners_hear_what_was_read_and_every_epoch():
    heard = []
    fc.train(ragged(), **RAGGED, **QUICK, on_event=heard.append)
    notes = " ".join(event.text for event in heard if isinstance(event, Note))
    assert "60 sequences of 2 to 5 steps of 2 features; 42 train, 6 validation, 12 test" in notes
    assert [event.number for event in heard if isinstance(event, Epoch)] == [1, 2]


def test_stopping_keeps_what_there_is():
    heard = []
    model = fc.train(
        numbers(),
        **ROWS,
        units=4,
        epochs=50,
        on_event=lambda event: heard.append(event) if isinstance(event, Epoch) else None,
        should_stop=lambda: len(heard) == 2,
    )
    run = model.bundle.manifest.run
    assert (run.stopped, run.epochs) == ("interrupted", 2)


GUESSES = {
    "words": (["a", "b"] * 20, "classification", '"y" has 2 distinct words'),
    "truth values": ([True, False] * 20, "classification", '"y" has 2 distinct words'),
    "few whole numbers": ([0, 1, 2, 3] * 10, "classification", "4 distinct whole numbers"),
    "few with a point": ([0.0, 1.0] * 20, "classification", "2 distinct whole numbers"),
    "many whole numbers": (list(range(40)), "regression", "40 distinct numbers"),
    "whole numbers that are rare": ([1, 2, 3, 4, 5], "regression", "5 distinct numbers"),
    "fractions": ([0.5, 1.5] * 20, "regression", "2 distinct numbers"),
}


@pytest.mark.parametrize(("values", "task", "said"), GUESSES.values(), ids=GUESSES)
def test_the_task_is_guessed_by_the_label_and_said(values, task, said):
    notes = []
    config = with_task(fc.configure({"label": "y"}), pd.DataFrame({"y": values}), notes.append)
    other = {"regression": "classification", "classification": "regression"}[task]
    assert config.data.task == task
    assert config.training.loss == {"regression": "mse", "classification": "cross-entropy"}[task]
    assert [f"task {task}: " in note.text for note in notes] == [True]
    assert said in notes[0].text
    assert f"`task={other}`" in notes[0].text


def test_several_labels_are_numbers_and_that_is_said():
    notes = []
    labels = pd.DataFrame({"y": [0, 1] * 20, "z": [0, 1] * 20})
    config = with_task(fc.configure({"label": ("y", "z")}), labels, notes.append)
    assert config.data.task == "regression"
    assert "y, z are 2 labels" in notes[0].text


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_a_task_that_is_named_is_taken_and_not_talked_about(task):
    notes = []
    config = fc.configure({"label": "y", "task": task})
    labels = pd.DataFrame({"y": list(range(10)) * 4})
    assert with_task(config, labels, notes.append).data.task == task
    assert notes == []


@pytest.mark.usefixtures("linear_training")
def test_a_named_task_makes_numbers_of_few_and_classes_of_many():
    few, many = np.tile([0, 1], 30), np.arange(60) % 30
    as_numbers = fc.train(steps().assign(y=few), **ROWS, **QUICK, task="regression")
    assert as_numbers.bundle.manifest.labels.classes == ()
    assert list(as_numbers.predict(steps())) == ["sequence", "y"]
    as_classes = fc.train(steps().assign(y=many), **ROWS, **QUICK, task="classification")
    assert as_classes.bundle.manifest.labels.classes == tuple(range(30))


@pytest.mark.parametrize(
    ("task", "loss", "hint"),
    [
        ("classification", "mse", "`loss=cross-entropy`"),
        ("classification", "pinball", "`loss=cross-entropy`"),
        ("regression", "cross-entropy", "`loss=mse` or `loss=mae`"),
        ("regression", "mape", "`loss=mse` or `loss=mae`"),
        ("regression", "mase", "`loss=mse` or `loss=mae`"),
    ],
)
def test_a_loss_that_does_not_go_with_the_task_is_refused(task, loss, hint):
    frame = steps().assign(y=np.tile([0, 1], 30))
    with pytest.raises(fc.UsageError, match=f"The loss {loss} is not for {task}") as caught:
        fc.train(frame, **ROWS, task=task, loss=loss)
    assert hint in caught.value.hint


def test_cross_entropy_of_a_forecast_is_refused(frame):
    with pytest.raises(fc.UsageError, match="cross-entropy is for classes"):
        fc.train(frame, column="value", loss="cross-entropy")


@pytest.mark.slow
def test_another_loss_makes_another_network(of_numbers):
    model = fc.train(numbers(), **ROWS, **QUICK, loss="mae")
    assert np.isfinite(model.predict(numbers())["y"]).all()
    assert model.bundle.weights != of_numbers.bundle.weights


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"horizon": 3}, "horizon` 3 is for forecasts"),
        ({"mode": "many-to-one"}, "mode` many-to-one is for forecasts"),
        ({"freq": "D"}, "freq` D is for forecasts"),
        ({"season_length": 7}, "season_length` 7 is for forecasts"),
        ({"head": "sequence"}, "head` sequence is for forecasts"),
        ({"head": "encoder-decoder"}, "head` encoder-decoder is for forecasts"),
        ({"head": "recursive"}, "head` recursive is for forecasts"),
        ({"head": "segments", "segment": 2}, "head` segments is for forecasts"),
        ({"skip": "linear"}, "skip` linear is for forecasts"),
        ({"anchor": "season"}, "anchor` season is for forecasts"),
        ({"channels": "independent"}, "channels` independent is for forecasts"),
        ({"stateful": True}, "`stateful` True is for forecasts"),
        ({"target": "a"}, "`target` is for forecasts"),
        ({"missing": "drop"}, "`missing=drop` would make sequences shorter"),
        ({"label": ("y", "z"), "task": "classification"}, "Classification takes one label, not 2"),
        ({"test": "2024-01-01"}, "`test=2024-01-01` is a date"),
        ({"timesteps": 4, "segment": 3}, "4 steps cannot be cut into segments of 3"),
        ({"step_features": 3}, "4 columns cannot be split into steps of 3 columns each"),
        ({"layout": "long", "step_features": 2}, "`step_features` needs `layout=rows`"),
    ],
)
def test_settings_that_do_not_go_with_a_label_are_refused(settings, why):
    columns = {"column": STEPS} if "target" not in settings else {"column": ["a", "b"]}
    with pytest.raises(fc.UsageError, match=why):
        fc.train(pairs(), **{**ROWS, **columns, **settings})


@pytest.mark.parametrize(
    ("name", "value"),
    [("task", "regression"), ("step_features", 2)],
)
def test_settings_of_labels_are_refused_without_one(name, value):
    with pytest.raises(fc.UsageError, match=f"`{name}` is for labelled sequences"):
        fc.train(numbers(), column="a", **{name: value})


@pytest.mark.slow
def test_windows_may_be_read_relative_to_themselves():
    frame = numbers().assign(y=lambda each: each["d"] - each["a"])
    model = fc.train(frame, **ROWS, **QUICK, anchor="last", window_scale="std")
    shifted = frame.assign(**{name: 3 * frame[name] + 100 for name in STEPS})
    got, expected = model.predict(shifted)["y"], model.predict(frame)["y"]
    np.testing.assert_allclose(got, expected, rtol=1e-3)


def test_sequences_that_are_too_long_are_refused(of_ragged, of_words):
    long = pd.DataFrame({"who": ["x"] * 6, "u": 1.0, "v": 2.0})
    with pytest.raises(fc.DataError, match="sequence x has 6 steps; at most 5 were expected"):
        of_ragged.predict(long)
    short = words().assign(d=np.nan)
    with pytest.raises(fc.DataError, match="sequence 1 has 3 steps; 4, as all were in training"):
        of_words.predict(short)


def test_training_sequences_longer_than_asked_for_are_named():
    with pytest.raises(fc.DataError, match=r"sequence \d+ has 5 steps, and `timesteps` is 3"):
        fc.train(ragged(), **RAGGED, timesteps=3)


def test_a_label_has_neither_horizon_nor_steps_nor_state(of_words, tmp_path):
    with pytest.raises(fc.UsageError, match="there is no table of sequences"):
        of_words.predict()
    with pytest.raises(fc.UsageError, match="no steps ahead"):
        of_words.predict(words(), horizon=2)
    with pytest.raises(fc.UsageError, match="no steps to forecast"):
        of_words.predict_in_sample(words())
    with pytest.raises(fc.UsageError, match="no state to continue from"):
        of_words.update(words(), state=tmp_path / "state.json")
    assert not list(tmp_path.iterdir())


def test_one_class_is_nothing_to_tell_apart():
    with pytest.raises(fc.DataError, match="every sequence has the label up"):
        fc.train(steps().assign(y="up"), **ROWS)


def test_words_are_no_numbers():
    with pytest.raises(fc.DataError, match='the label "y" holds "other", not numbers') as caught:
        fc.train(words(), **ROWS, task="regression")
    assert "`task=classification`" in caught.value.hint


def gap():
    """Sequences with a step missing in their middle."""
    frame = numbers()
    frame.loc[::5, "b"] = np.nan
    return frame


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["interpolate", "ffill"])
def test_missing_steps_are_filled_within_their_sequence(missing):
    frame, filled = gap(), gap()
    before, after = filled["a"], filled["c"]
    filled["b"] = filled["b"].fillna((before + after) / 2 if missing == "interpolate" else before)
    models = [fc.train(each, **ROWS, **QUICK, missing=missing) for each in (frame, filled)]
    assert learned(models[0]) == learned(models[1])
    pd.testing.assert_frame_equal(models[0].predict(frame), models[1].predict(filled))


@pytest.mark.slow
def test_a_masked_step_is_as_if_it_were_not_there():
    model = fc.train(gap(), **ROWS, **QUICK, missing="mask")
    frame = gap()[STEPS].head(1)
    without = pd.DataFrame({"a": frame["a"], "b": frame["c"], "c": frame["d"], "d": np.nan})
    assert model.predict(frame)["y"][0] == pytest.approx(model.predict(without)["y"][0], rel=1e-6)


def test_missing_steps_of_a_table_to_predict_are_dealt_with_as_asked(of_words):
    frame = words()
    frame.loc[3, "b"] = np.nan
    with pytest.raises(fc.DataError, match="step 2 of sequence 4 is missing"):
        of_words.predict(frame)
    filled = frame.assign(b=frame["b"].fillna(frame["a"]))
    pd.testing.assert_frame_equal(
        of_words.predict(frame, missing="ffill"), of_words.predict(filled)
    )


@pytest.mark.slow
def test_it_learns_what_can_be_learned():
    frame = steps(400)
    frame["y"] = np.where(frame["d"] > frame["a"], "up", "down")
    model = fc.train(frame, **ROWS, units=8, epochs=40, learning_rate=0.01)
    assert model.evaluation.own_scores["accuracy"]["y"] > 0.9
    assert model.evaluation.verdict.startswith("The network beats always guessing the most")
    numbers_ = fc.train(numbers(400), **ROWS, units=8, epochs=40, learning_rate=0.01)
    assert numbers_.evaluation.own_scores["r2"]["y"] > 0.9
    assert numbers_.evaluation.verdict.startswith("The network beats always guessing the mean")


@pytest.mark.slow
def test_labels_drawn_at_random_are_not_sold_as_a_success():
    rng = np.random.default_rng(5)
    frame = steps(200)
    model = fc.train(frame.assign(y=rng.permutation([0.5, 1.5] * 100)), **ROWS, units=4, epochs=5)
    assert "does not beat always guessing the mean" in model.evaluation.verdict
    frame["y"] = rng.choice(["a", "b"], 200, p=[0.8, 0.2])
    model = fc.train(frame, **ROWS, units=4, epochs=5)
    assert "does not beat always guessing the most frequent" in model.evaluation.verdict


@pytest.mark.usefixtures("linear_training")
def test_few_sequences_are_too_few_to_tell():
    model = fc.train(numbers(30), **ROWS, **QUICK)
    assert "6 sequences, too few for a reliable comparison" in model.evaluation.verdict


def in_a_new_process(code, folder):
    """What a fresh interpreter prints, and the last line is which modules it has loaded."""
    script = f"{code}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return done, set(done.stdout.splitlines()[-1].split())


def test_errors_come_before_tensorflow_is_loaded(tmp_path):
    numbers().to_csv(tmp_path / "t.csv", index=False)
    commands = {
        "--layout rows --label Y": (3, 'no column "Y"'),
        "--label y": (2, "with --series"),
        "--layout rows --label y --loss cross-entropy": (2, "is not for regression"),
        "--layout rows --label y --timesteps 2": (3, "has 4 steps, and --timesteps is 2"),
        "--layout rows --label y --test 60": (3, "leave none to train on"),
    }
    runs = [(["train", "t.csv", *flags.split()], code) for flags, (code, _) in commands.items()]
    code = "from forecast_cli.cli.app import run\n"
    code += f"for command, code in {runs}:\n    assert run(command) == code, command"
    done, loaded = in_a_new_process(code, tmp_path)
    assert all(message in done.stderr for _, message in commands.values())
    assert not loaded & {"tensorflow", "keras"}
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_prediction_loads_neither_tensorflow_nor_scikit_learn(of_ragged, tmp_path):
    of_ragged.save(tmp_path / "model.forecast")
    ragged().drop(columns="y").to_csv(tmp_path / "t.csv", index=False)
    run = "from forecast_cli.cli.app import run\nassert run(['predict', 't.csv', '--json']) == 0"
    done, loaded = in_a_new_process(run, tmp_path)
    document = json.loads(done.stdout.rsplit("\n", 2)[0])
    assert [row["y"] for row in document["forecast"]] == of_ragged.predict(ragged())["y"].tolist()
    assert not loaded & {"tensorflow", "keras", "sklearn"}


@pytest.mark.parametrize("missing", ["mask", "drop"])
def test_a_network_without_a_mask_skips_no_missing_steps(of_words, missing):
    frame = words()
    frame.loc[3, "b"] = np.nan
    with pytest.raises(fc.UsageError, match=f"`missing={missing}`|no mask"):
        of_words.predict(frame, missing=missing)


@pytest.mark.usefixtures("linear_training")
@pytest.mark.parametrize("transform", ["log", "log1p"])
def test_a_transform_needs_steps_that_have_a_logarithm(transform):
    frame = numbers()
    model = fc.train(frame.abs() + 1, **ROWS, **QUICK, transform=transform)
    frame.loc[7, "b"] = -3.0
    for work in (
        lambda: fc.train(frame, **ROWS, transform=transform),
        lambda: model.predict(frame),
    ):
        with pytest.raises(fc.DataError, match=f"{transform} needs values above"):
            work()


@pytest.mark.usefixtures("linear_training")
def test_numbers_with_fractions_can_be_classes(tmp_path):
    frame = steps().assign(y=np.tile([0.5, 1.5], 30))
    model = fc.train(frame, **ROWS, **QUICK, task="classification")
    model.save(tmp_path / "m.forecast")
    labels = fc.load(tmp_path / "m.forecast").predict(frame)
    assert list(labels) == ["sequence", "y", "p_0.5", "p_1.5"]


@pytest.mark.usefixtures("linear_training")
def test_dates_can_be_classes():
    days = pd.to_datetime(["2024-01-01", "2024-01-02"] * 30)
    labels = fc.train(steps().assign(y=days), **ROWS, **QUICK).predict(steps())
    assert len(labels.filter(like="p_").columns) == 2


def test_a_label_that_is_no_finite_number_is_a_data_error():
    frame = numbers()
    frame.loc[3, "y"] = np.inf
    with pytest.raises(fc.DataError, match="y"):
        fc.train(frame, **ROWS)


def test_a_label_named_twice_is_refused_before_training():
    with pytest.raises(fc.UsageError, match="y"):
        fc.train(pairs(), layout="rows", label=["y", "y"], **QUICK)


def test_a_label_is_no_step_of_its_own_sequence():
    with pytest.raises(fc.UsageError, match="y"):
        fc.train(numbers(), **ROWS, column=["a", "y"], **QUICK)


def test_a_gap_that_cannot_be_filled_names_its_sequence_and_what_helps():
    frame = ragged()
    frame.loc[frame.index[frame["who"] == 7][0], "u"] = np.nan
    with pytest.raises(fc.DataError, match="sequence 7") as caught:
        fc.train(frame, **RAGGED, missing="ffill")
    assert "drop" not in caught.value.hint


@pytest.mark.usefixtures("linear_training")
def test_a_mean_without_error_is_said_to_have_none():
    model = fc.train(numbers().assign(y=1.5), **ROWS, **QUICK)
    assert model.evaluation.scores["mean"]["mae"]["y"] == 0
    assert model.evaluation.own_scores["mae"]["y"] > 0
    assert "its error is the same" not in model.evaluation.verdict


def test_a_sequence_needs_a_name():
    frame = ragged()
    frame["who"] = frame["who"].where(frame["who"] > 2)
    with pytest.raises(fc.DataError, match=r'row 1: .*"who"'):
        fc.train(frame.assign(y=1.5 * frame["u"].round()), **RAGGED, task="regression")
