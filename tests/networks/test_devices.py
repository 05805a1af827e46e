"""Two devices train as one does: the same batches, summed gradients, one set of weights."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.tf, pytest.mark.slow]

EXACT = ["batches of 32, the last of 11", "batches of 37, the last of 1", "clipped",
         "moving average", "weight decay", "average, fewer steps", "penalties", "gaps",
         "every step", "teacher"]  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    """What `two_devices.py` prints: TensorFlow divides the CPU in a new process alone."""
    script = Path(__file__).with_name("two_devices.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def difference(one, other):
    """The largest difference between two trainings: of losses, and of weights."""
    (losses, weights), (others, other_weights) = one, other
    parts = [np.abs(np.subtract(a, b)).max() for a, b in zip(weights, other_weights, strict=True)]
    return np.abs(np.subtract(losses, others)).max(), max(parts)


@pytest.mark.parametrize("name", EXACT)
def test_losses_and_weights_are_those_of_one_device(trained, name):
    assert max(difference(*trained["networks"][name])) < 1e-6


def test_mixed_precision_differs_by_its_rounding(trained):
    assert max(difference(*trained["networks"]["float16"])) < 1e-3


def test_dropout_is_drawn_by_each_device_and_repeats_with_the_seed(trained):
    one, two = trained["networks"]["dropout"]
    assert two != one
    assert two == trained["again"]
    assert two[0][-1] == pytest.approx(one[0][-1], rel=0.1)


@pytest.mark.parametrize("name", ["ensemble", "original units", "in blocks"])
def test_whole_trainings_forecast_the_same(trained, name):
    one, two = trained["whole"][name]
    np.testing.assert_allclose(one[0], two[0], atol=1e-6)
    np.testing.assert_allclose(one[1], two[1], rtol=1e-5)
    assert one[2] == []
    assert two[2] == ["training on 2 devices: CPU:0, CPU:1"]


def test_a_stateful_network_trains_on_one_device(trained):
    one, two = trained["whole"]["stateful"]
    assert one[:2] == two[:2]
    assert two[2] == ["a stateful network is trained on one device: its state is carried over"]


def test_more_devices_than_there_are_is_an_error(trained):
    assert "`devices=4`: TensorFlow sees no GPU." in trained["refused"]


def test_another_number_of_devices_trains_in_the_same_process(trained):
    assert max(difference(*trained["three"])) < 1e-6


def test_labels_are_learned_as_on_one_device(trained):
    one, two = trained["labels"]
    np.testing.assert_allclose(one, two, atol=1e-6)
