"""The notes of a training: how it ended, which weights it has, and what an ensemble weighs."""

import numpy as np
import pytest

from forecast_cli.config.sections import Training
from forecast_cli.core.events import Epoch
from forecast_cli.model.history import TrainingHistory
from forecast_cli.training.fitting import Fitted, report_ending, report_weights


def history(count, *, best=None, interrupted=False, of=10, **training):
    epochs = [
        Epoch(
            number=number,
            epochs=of,
            loss=0.5,
            validation_loss=0.25,
            best=number == (best or count),
            seconds=1.0,
            windows=100,
            learning_rate=0.001,
        )
        for number in range(1, count + 1)
    ]
    return TrainingHistory(Training(**{"epochs": 10, **training}), epochs, interrupted)


@pytest.mark.parametrize(
    ("trained", "note"),
    [
        (history(10, best=7), "trained 10 epochs; restored the best weights (epoch 7)"),
        (history(8, best=1), "stopped after 8 epochs; restored the best weights (epoch 1)"),
        (history(10, patience=0), "trained 10 epochs; kept the last weights (epoch 10)"),
        (history(10, average=3), "trained 10 epochs; averaged the weights of the last 3 epochs"),
        (
            history(1, interrupted=True),
            "interrupted after 1 epoch; restored the best weights (epoch 1)",
        ),
        (
            history(4, best=2, of=4),
            "stopped by the time budget after 4 epochs; restored the best weights (epoch 2)",
        ),
    ],
)
def test_the_end_of_a_training_is_noted(trained, note):
    heard = []
    report_ending(Fitted((trained,), b"", b"", []), heard.append)
    assert [each.text for each in heard] == [f"{note}: loss 0.5, validation 0.25"]


def test_the_weights_of_an_ensemble_are_noted_in_percent():
    heard = []
    report_weights(np.array([[0.2, 0.3], [0.8, 0.7]]), ["network", "naive"], heard.append)
    report_weights(None, ["network"], heard.append)
    assert [each.text for each in heard] == ["ensemble weights: network 25 %, naive 75 %"]
