"""Trainings in Python that are saved, interrupted by Ctrl-C and resumed."""

import os
import signal

import pytest

import forecast_cli as fc
from forecast_cli.backtesting.plan import Plan
from forecast_cli.core.errors import Interrupted
from forecast_cli.core.events import Done, Epoch, Note
from forecast_cli.tuning.options import Search

SMALL = {"column": "value", "preset": "classic", "horizon": 2, "timesteps": 4, "units": 2,
         "epochs": 4, "patience": 0, "batch_size": 64, "dropout": 0.3, "refit": True}  # fmt: skip


@pytest.mark.tf
@pytest.mark.slow
def test_ctrl_c_keeps_the_training_and_resume_ends_with_the_same_weights(frame, tmp_path):
    path, seen, notes = tmp_path / "model.forecast", [], []
    whole = fc.train(frame, path=path, **SMALL).bundle
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert fc.load(path).bundle.weights == whole.weights
    path.unlink()

    def press(event):
        seen.extend([event] if isinstance(event, Epoch) else [])
        if len(seen) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fc.train(frame, path=path, on_event=press, **SMALL)
    assert len(seen) == 2
    assert [each.name for each in tmp_path.iterdir()] == ["model.forecast.partial"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def listen(event):
        notes.extend([event.text] if isinstance(event, Note) else [])

    again = fc.train(frame, path=str(path), resume=True, on_event=listen, **SMALL).bundle
    assert again.weights == whole.weights
    assert any(each.startswith("resuming after epoch 2 of 4") for each in notes)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_ctrl_c_outside_the_training_is_not_put_off(frame, tmp_path):
    def press(event):
        if isinstance(event, Note):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fc.train(frame, path=tmp_path / "model.forecast", on_event=press, **SMALL)
    assert not list(tmp_path.iterdir())


PLAIN = {"column": "value", "preset": "classic", "horizon": 2, "timesteps": 4, "units": 2,
         "epochs": 2, "batch_size": 64}  # fmt: skip
SPACE = {"units": [2, 3, 4, 5], "learning_rate": [0.001, 0.01]}
RUNS = {
    "tune": lambda table, **more: fc.tune(
        table, Search(trials=4, space=SPACE, n_windows=1, pruner="none"), **PLAIN, **more
    ),
    "compare": lambda table, **more: fc.compare(
        table, Plan(models=("lstm", "rnn"), n_windows=2), **PLAIN, **more
    ),
}


def outcome(result):
    timed = ("seconds", "epochs", "windows_per_second")
    rows = [{k: v for k, v in row.items() if k not in timed} for row in result.rows]
    return rows, result.verdict, result.bundle.onnx


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.usefixtures("linear_training")
@pytest.mark.parametrize("command", RUNS)
def test_a_search_or_comparison_that_is_interrupted_is_resumed(frame, tmp_path, command):
    path, work, notes = tmp_path / "model.forecast", RUNS[command], []
    whole = work(frame, path=tmp_path / "whole.forecast")

    def press(event):
        if event == Done("trials", 2, 4) or event == Note("training rnn"):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises((KeyboardInterrupt, Interrupted)):
        work(frame, path=path, on_event=press)
    assert not path.exists()
    again = work(frame, path=path, resume=True, on_event=notes.append)
    assert outcome(again) == outcome(whole)
    texts = " ".join(each.text for each in notes if isinstance(each, Note))
    told = {"tune": "resuming the search after", "compare": "lstm was restored from an earlier run"}
    assert told[command] in texts
    assert fc.load(path).bundle.onnx == whole.bundle.onnx
    assert sorted(each.name for each in tmp_path.iterdir()) == ["model.forecast", "whole.forecast"]


@pytest.mark.parametrize("command", RUNS)
def test_a_search_or_comparison_is_resumed_only_beside_its_model(frame, command):
    with pytest.raises(fc.UsageError, match="`resume` needs the path of the model"):
        RUNS[command](frame, resume=True)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"resume": True}, "`resume` needs the path of the model"),
        ({"path": "nowhere/model.forecast"}, "There is no directory nowhere"),
        ({"path": None}, "Invalid `path` None"),
    ],
)
def test_what_cannot_be_saved_is_refused_before_the_training(frame, more, words):
    with pytest.raises(fc.UsageError) as caught:
        fc.train(frame, **SMALL, **more)
    assert words in caught.value.message
