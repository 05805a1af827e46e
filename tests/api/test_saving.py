"""Trainings in Python that are saved, interrupted by Ctrl-C and resumed."""

import os
import signal

import pytest

import forecast_cli as fc
from forecast_cli.core.events import Epoch, Note

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
