"""The network before and while it is trained."""

import json

import numpy as np
import pytest

from pretraining.features import look
from pretraining.members import SHARPNESS
from pretraining.simulator import Shape, simulate

pytestmark = [pytest.mark.tf, pytest.mark.slow]
HORIZON, SEASON = 6, 4


@pytest.fixture(scope="module")
def seen():
    return look(simulate(np.random.default_rng(5), Shape(8, 60, (SEASON,))), HORIZON, SEASON)


def test_untrained_it_weighs_by_the_errors_of_one_step_ahead(seen):
    from pretraining.network import MEDIAN, Combination, inputs_of

    weights = np.exp(-0.5 * SHARPNESS * seen.one_step)
    weights /= weights.sum(axis=1, keepdims=True)
    expected = (weights[..., None] * seen.ahead).sum(axis=1)
    found = Combination()(inputs_of(seen)).numpy()
    np.testing.assert_allclose(found[..., MEDIAN], expected, rtol=1e-4, atol=1e-4)
    assert (np.diff(found, axis=-1) > 0).all()


def test_the_loss_is_the_quantile_loss_of_each_series_divided_by_the_root_of_its_error():
    from pretraining.network import QUANTILES, loss

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


def test_a_training_goes_on_after_an_interruption_as_if_there_was_none(tmp_path, monkeypatch):
    from pretraining import train

    monkeypatch.setattr(train, "SERIES", 4)
    monkeypatch.setattr(train, "VALIDATION", 1)
    monkeypatch.setattr(train, "EVERY", 2)
    monkeypatch.setattr(train, "SEASONS", {(4,): 1.0})
    whole = train.Training(tmp_path / "whole", 1, 4)
    whole.run()
    # Killed after the first checkpoint.
    cut = train.Training(tmp_path / "cut", 1, 4)
    monkeypatch.setattr(cut.checkpoints, "save", killed(cut.checkpoints.save))
    with pytest.raises(KeyboardInterrupt):
        cut.run()
    again = train.Training(tmp_path / "cut", 1, 4)
    again.run()
    for mine, its in zip(whole.network.weights, again.network.weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), its.numpy())
    with np.load(tmp_path / "cut" / "weights.npz") as kept:
        assert sorted(kept.files) == sorted(each.path for each in again.network.trainable_weights)
    log = [json.loads(row) for row in (tmp_path / "cut" / "log.jsonl").read_text().splitlines()]
    assert [row["batches"] for row in log] == [2, 4]


def killed(save):
    def save_and_end():
        save()
        raise KeyboardInterrupt

    return save_and_end
