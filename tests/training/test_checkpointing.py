"""A training that is resumed ends with the weights of one that was never stopped, to the bit."""

import json

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.resolution import configure
from forecast_cli.core.errors import UsageError
from forecast_cli.core.events import Epoch, Note

pytestmark = pytest.mark.tf
SMALL = {"preset": "classic", "column": "value", "horizon": 2, "timesteps": 4, "units": 2,
         "epochs": 4, "patience": 0, "batch_size": 64}  # fmt: skip


class Killed(Exception):
    """The end of a run in the middle."""


def train(table, path, *, resume=False, kill_after=None, base=SMALL, **settings):
    """Train with checkpoints after each epoch; the run may be killed after so many of them."""
    from forecast_cli.model.checkpoints import open_checkpoints
    from forecast_cli.training.pipeline import train

    seen, notes = [], []

    def listen(event):
        notes.extend([event.text] if isinstance(event, Note) else [])
        seen.extend([event] if isinstance(event, Epoch) else [])
        if kill_after is not None and len(seen) == kill_after:
            raise Killed

    config = configure(base | settings)
    with open_checkpoints(path, every=0.0, resume=resume) as checkpoints:
        bundle = train(table, config, on_event=listen, checkpoints=checkpoints)
        checkpoints.finish()
    return bundle, seen, notes


def same(one, other):
    """Whether two models have the same weights and errors, and the same epochs but for times."""
    told = [
        [{**row, "seconds": 0.0} for row in bundle.epochs] for bundle in (one, other)
    ]  # fmt: skip
    return one.weights == other.weights and told[0] == told[1]


KINDS = {
    "plain": {},
    "patience": {"patience": 1, "learning_rate": 0.1, "epochs": 6},
    "dropout": {"dropout": 0.4, "recurrent_dropout": 0.2, "optimizer": "nadam"},
    "average": {"average": 3},
    "moving average": {"ema": 0.5, "schedule": "plateau"},
    "cosine": {"schedule": "cosine", "optimizer": "rmsprop", "steps_per_epoch": 2},
    "decoder": {"head": "encoder-decoder", "decoder": "teacher", "dropout": 0.2},
    "stateful": {"stateful": True, "batch_size": 8},
    "float16": {"precision": "mixed_float16", "clip": 1.0, "refit": True},
    "ensemble with refit": {"ensemble": 2, "epochs": 2, "refit": True, "baselines": ["naive"],
                            "combine": "weights"},
}  # fmt: skip
FAST = ("dropout",)


@pytest.mark.parametrize(
    "kind",
    [each if each in FAST else pytest.param(each, marks=pytest.mark.slow) for each in KINDS],
)
def test_resumed_weights_are_those_of_a_whole_training_to_the_bit(frame, tmp_path, kind):
    path, settings = tmp_path / "model.forecast", KINDS[kind]
    whole, epochs, _ = train(frame, path, **settings)
    assert not list(tmp_path.iterdir())
    moments = [1, len(epochs) - 1] if kind in FAST else range(1, len(epochs) + 1)
    for moment in moments:
        with pytest.raises(Killed):
            train(frame, path, kill_after=moment, **settings)
        assert path.with_name("model.forecast.partial").is_dir()
        resumed, later, notes = train(frame, path, resume=True, **settings)
        assert same(whole, resumed), moment
        assert len(later) == len(epochs) - moment
        assert any("resuming after epoch" in each for each in notes) or not later
        assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_sequences_with_a_label_are_resumed_too(tmp_path):
    rng = np.random.default_rng(0)
    steps = np.tile(np.arange(5), 40)
    table = pd.DataFrame(
        {"id": np.repeat(np.arange(40), 5), "step": steps, "x": rng.normal(size=200)}
    )
    table["y"] = table.groupby("id")["x"].transform("sum")
    base = {"preset": "classic", "column": ["x"], "label": "y", "series": "id", "time": "step",
            "refit": True, "units": 2, "epochs": 4, "dropout": 0.2}  # fmt: skip
    path = tmp_path / "model.forecast"
    whole, epochs, _ = train(table, path, base=base)
    for moment in (2, len(epochs) - 1):
        with pytest.raises(Killed):
            train(table, path, base=base, kill_after=moment)
        resumed, later, _ = train(table, path, base=base, resume=True)
        assert same(whole, resumed)
        assert len(later) == len(epochs) - moment


def test_an_unfinished_training_is_moved_aside_and_found_again(frame, tmp_path):
    path = tmp_path / "model.forecast"
    with pytest.raises(Killed):
        train(frame, path, kill_after=3)
    _, _, notes = train(frame, path, epochs=1)
    assert any("is moved to model.forecast.partial.1" in each for each in notes)
    assert [each.name for each in tmp_path.iterdir()] == ["model.forecast.partial.1"]
    with pytest.raises(UsageError, match="has other settings"):
        train(frame, path, resume=True, epochs=1)
    _, later, _ = train(frame, path, resume=True)
    assert [each.number for each in later] == [4]
    assert not list(tmp_path.iterdir())


def test_other_rows_and_damaged_checkpoints_are_not_resumed(frame, tmp_path):
    path = tmp_path / "model.forecast"
    with pytest.raises(Killed):
        train(frame, path, kill_after=3)
    with pytest.raises(UsageError, match="has other rows"):
        train(frame[:-1], path, resume=True)
    (saved,) = path.with_name("model.forecast.partial").glob("*.npz")
    saved.write_bytes(saved.read_bytes()[:-100])
    _, epochs, _ = train(frame, path, resume=True)
    assert len(epochs) == 4


def _altered(saved, name, value):
    """Write a checkpoint again with another array, or without it."""
    with np.load(saved, allow_pickle=False) as file:
        arrays = {each: file[each] for each in file.files}
    arrays = {each: array for each, array in arrays.items() if each != name}
    np.savez(saved, **arrays | ({} if value is None else {name: value}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("variable-0", np.zeros((3, 3), np.float32)),
        ("variable-0", np.array(["a", "b"])),
        ("variable-0", None),
        ("optimizer-2", np.zeros(7, np.float32)),
        ("kept-0", np.zeros((9, 9), np.float32)),
        ("facts", np.array(json.dumps({"done": False, "epochs": []}))),
        ("facts", np.array(json.dumps({"done": False, "epochs": [{"number": "x"}]}))),
        ("facts", np.array(json.dumps({"done": False, "epochs": 3}))),
        ("facts", np.array(json.dumps({"epochs": []}))),
        ("facts", np.array(json.dumps({"done": True, "epochs": []}))),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused(frame, tmp_path, name, value):
    path = tmp_path / "model.forecast"
    with pytest.raises(Killed):
        train(frame, path, kill_after=2, patience=5)
    (saved,) = path.with_name("model.forecast.partial").glob("*.npz")
    _altered(saved, name, value)
    with pytest.raises(UsageError, match="do not fit its networks"):
        train(frame, path, resume=True, patience=5)
    assert len(train(frame, path, patience=5)[1]) == 4


def test_nothing_to_resume_is_said(frame, tmp_path):
    _, _, notes = train(frame, tmp_path / "model.forecast", resume=True, epochs=1)
    assert any("there is no unfinished run" in each for each in notes)


def test_a_training_goes_on_without_checkpoints_where_there_is_no_room_for_them(frame, tmp_path):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(Killed):
            train(frame, tmp_path / "model.forecast", kill_after=3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())
