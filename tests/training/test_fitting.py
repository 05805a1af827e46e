"""The notes of a training: how it ended, which weights it has, and what an ensemble weighs."""

import pytest

from forecast_cli.config.sections import Training
from forecast_cli.core.events import Epoch
from forecast_cli.model.records import TrainingHistory
from forecast_cli.training.fitting import Fitted, report_ending
from forecast_cli.training.network_training import count_trained, describe_interruption


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


@pytest.mark.parametrize(
    ("courses", "size", "kept", "words"),
    [
        ([10, 4], 6, 1, "interrupted after 4 of 10 epochs of network 2, which is left out: the "
         "model has 1 of 6 networks"),
        ([10, 5], 6, 2, "interrupted after 5 of 10 epochs of network 2: the model has 2 of 6 "
         "networks"),
        ([1], 6, 1, "interrupted after 1 of 10 epochs of network 1: the model has 1 of 6 networks"),
        ([1], 1, 1, "interrupted after 1 of 10 epochs: the model has the best weights so far"),
    ],
)  # fmt: skip
def test_an_interrupted_training_keeps_the_networks_that_had_half_of_their_epochs(
    courses, size, kept, words
):
    *before, last = courses
    begun = [*map(history, before), history(last, interrupted=True)]
    assert count_trained(begun) == kept
    assert describe_interruption(begun, size) == words


def test_a_training_is_interrupted_where_a_network_was_left_out():
    whole = Fitted((history(10),), b"", b"", [], cut=True)
    assert whole.interrupted and whole.ending == "interrupted"
    assert not Fitted((history(10),), b"", b"", []).interrupted
