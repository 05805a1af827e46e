"""The network before and while it is trained, and as it is exported."""

import hashlib
import json

import numpy as np
import pytest

from forecast_cli.baselines.pretrained.features import look
from forecast_cli.baselines.pretrained.members import SHARPNESS
from forecast_cli.baselines.pretrained.network import MEDIAN, NETWORK, QUANTILES, inputs_of
from pretraining.simulator import Shape, simulate

pytestmark = [pytest.mark.tf, pytest.mark.slow]
HORIZON, SEASON = 6, 4


@pytest.fixture
def small(monkeypatch):
    """Trainings of a few batches of a few series."""
    from pretraining import train

    monkeypatch.setattr(train, "SERIES", 4)
    monkeypatch.setattr(train, "VALIDATION", 1)
    monkeypatch.setattr(train, "EVERY", 2)
    monkeypatch.setattr(train, "SEASONS", {(4,): 1.0})
    return train


def killed(save):
    def save_and_end():
        save()
        raise KeyboardInterrupt

    return save_and_end


def test_untrained_it_weighs_by_the_size_of_past_errors():
    from forecast_cli.networks.pretrained import Combination

    values = simulate(np.random.default_rng(5), Shape(8, 60, (SEASON,)))
    seen = look(values, HORIZON, (SEASON,))
    weights = np.exp(-0.5 * SHARPNESS * seen.sizes)
    weights /= weights.sum(axis=1, keepdims=True)
    expected = (weights[..., None] * seen.ahead).sum(axis=1)
    found = Combination()(list(inputs_of(seen).values())).numpy()
    np.testing.assert_allclose(found[..., MEDIAN], expected, rtol=1e-3, atol=1e-3)
    assert (np.diff(found, axis=-1) > 0).all()


def test_the_loss_is_the_quantile_loss_of_each_series_divided_by_the_root_of_its_error():
    from forecast_cli.networks.pretrained import loss

    rng = np.random.default_rng(6)
    actual = rng.normal(size=(3, 5)).astype("float32")
    quantiles = np.sort(rng.normal(size=(3, 5, len(QUANTILES))), axis=-1).astype("float32")
    expected = []
    for series, found in zip(actual, quantiles, strict=True):
        each = [
            2 * max(level * (a - q), (level - 1) * (a - q))
            for a, steps in zip(series, found, strict=True)
            for level, q in zip(QUANTILES, steps, strict=True)
        ]
        error = np.abs(series - found[:, 3]).mean()
        expected.append(np.mean(each) / np.sqrt(1 + error))
    np.testing.assert_allclose(float(loss(actual, quantiles)), np.mean(expected), rtol=1e-5)


def test_a_training_goes_on_after_an_interruption_as_if_there_was_none(tmp_path, small):
    whole = small.Training(tmp_path / "whole", 1, 4)
    whole.run()
    # Killed after the first checkpoint.
    cut = small.Training(tmp_path / "cut", 1, 4)
    cut.checkpoints.save = killed(cut.checkpoints.save)
    with pytest.raises(KeyboardInterrupt):
        cut.run()
    path = tmp_path / "cut" / "log.jsonl"
    first = json.loads(path.read_text())
    path.write_text(json.dumps(first | {"seconds": 1000}) + "\n")
    again = small.Training(tmp_path / "cut", 1, 4)
    again.run()
    for mine, its in zip(whole.network.weights, again.network.weights, strict=True):
        # Sums over threads differ in their last digits.
        np.testing.assert_allclose(mine.numpy(), its.numpy(), rtol=1e-3, atol=1e-6)
    with np.load(tmp_path / "cut" / "weights.npz") as kept:
        assert sorted(kept.files) == sorted(each.path for each in again.network.trainable_weights)
    log = [json.loads(row) for row in path.read_text().splitlines()]
    assert [row["batches"] for row in log] == [2, 4]
    # The seconds are those of both runs.
    assert log[-1]["seconds"] >= 1000


def test_the_exported_network_forecasts_what_the_trained_one_does(tmp_path, small):
    from pretraining import export

    training = small.Training(tmp_path, 1, 2)
    training.run()
    data = export.convert(training.network)
    assert export.check(training.network, data, range(2)) < export.TOLERANCE
    found = export.provenance(tmp_path, data)
    assert found["seed"] == 1
    assert found["series"] == 2 * 4


def test_the_first_batches_are_those_of_the_network_in_the_package(tmp_path):
    from pretraining import train

    known = json.loads(NETWORK.with_name("provenance.json").read_text())
    again = train.Training(tmp_path, known["seed"], known["batches"])
    again.checkpoints.save = killed(again.checkpoints.save)
    with pytest.raises(KeyboardInterrupt):
        again.run()
    row = json.loads((tmp_path / "log.jsonl").read_text())
    assert row["batches"] == train.FIRST
    assert row["loss"] == pytest.approx(known["loss_of_first_batches"], rel=2e-3)


def test_the_provenance_is_that_of_the_network_in_the_package():
    known = json.loads(NETWORK.with_name("provenance.json").read_text())
    assert known["sha256"] == hashlib.sha256(NETWORK.read_bytes()).hexdigest()
