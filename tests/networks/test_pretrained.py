"""The Keras twin of the pretrained network: the weights of its ONNX file, read and written."""

import numpy as np
import onnx
import pytest

from forecast_cli.baselines.pretrained.features import look
from forecast_cli.baselines.pretrained.network import (
    INPUTS,
    LATEST,
    NETWORK,
    RULES,
    RULES_KEY,
    inputs_of,
)
from forecast_cli.core.errors import ModelFileError
from forecast_cli.model.pretrained import PretrainedRuntime

pytestmark = pytest.mark.tf
HORIZON = 5


def inputs(season, seed=0):
    steps = np.arange(50)
    noise = np.random.default_rng(seed).normal(size=(6, 50))
    values = 20 + np.linspace(-1, 1, 6)[:, None] * steps / 5 + np.sin(steps * 2 * np.pi / 4) + noise
    return inputs_of(look(values, HORIZON, season))


def run(data, given):
    return PretrainedRuntime(data, HORIZON, 4).session.run(None, given)[0]


def twin(weights):
    from forecast_cli.networks.pretrained import Combination, with_weights

    network = with_weights(Combination(), weights)
    return lambda given: network([given[name] for name in INPUTS]).numpy()


@pytest.mark.parametrize("season", [(), (4,), (4, 12)], ids=str)
def test_keras_forecasts_what_the_file_does(season):
    from forecast_cli.networks.pretrained import read_weights

    data, given = NETWORK.read_bytes(), inputs(season)
    found = twin(read_weights(data))(given)
    np.testing.assert_allclose(found, run(data, given), rtol=1e-5, atol=1e-5)


def test_weights_are_written_where_they_are_read():
    from forecast_cli.networks.pretrained import read_weights, replace_weights

    data, rng = NETWORK.read_bytes(), np.random.default_rng(1)
    others = [
        each + 0.02 * rng.normal(size=each.shape).astype("float32") for each in read_weights(data)
    ]
    changed = replace_weights(data, others)
    for own, other in zip(read_weights(changed), others, strict=True):
        np.testing.assert_array_equal(own, other)
    given = inputs((4,))
    expected = twin(others)(given)
    np.testing.assert_allclose(run(changed, given), expected, rtol=1e-5, atol=1e-5)
    assert np.abs(run(data, given) - expected).max() > 1e-3


def with_rules(number):
    model = onnx.load_from_string(NETWORK.read_bytes())
    del model.metadata_props[:]
    if number is not None:
        model.metadata_props.add(key=RULES_KEY, value=number)
    return model.SerializeToString()


def test_the_network_in_the_package_has_the_latest_rules_and_older_ones_keep_theirs():
    latest, older = (
        PretrainedRuntime(each, HORIZON, 4) for each in (NETWORK.read_bytes(), with_rules(None))
    )
    assert latest.rules == RULES[LATEST]
    assert older.rules == RULES["1"]


def seasonal(seasons):
    noise = np.random.default_rng(3).normal(size=(1, 4 * seasons, 1))
    return 20 + noise + np.tile([0, 5, 1, 8], seasons)[:, None]


def quantiles(number, values):
    """By the rules of a number, shape `(horizon, quantiles)`."""
    return PretrainedRuntime(with_rules(number), HORIZON, 4, (80.0,)).quantiles(values)[0, :, 0]


def test_rules_make_intervals_wider_and_leave_medians():
    values = seasonal(8)
    made = [quantiles(number, values) for number in ("1", LATEST)]
    np.testing.assert_allclose(made[0][:, 1], made[1][:, 1])
    assert (np.ptp(made[0], axis=1) > np.ptp(made[1], axis=1)).all()


def test_long_series_are_forecast_from_their_last_seasons_as_well():
    values = seasonal(20)
    both = [quantiles("2", each) for each in (values, values[:, -4 * RULES[LATEST].recent :])]
    found = quantiles(LATEST, values)
    np.testing.assert_allclose(found[:, 1], np.mean(both, axis=0)[:, 1], rtol=1e-6)
    assert np.abs(found[:, 1] - both[0][:, 1]).max() > 1e-3


def test_rules_of_a_later_version_are_refused():
    with pytest.raises(ModelFileError, match="does not know") as caught:
        PretrainedRuntime(with_rules("99"), HORIZON, 4)(np.ones((1, 20, 1)))
    assert "pip install --upgrade" in caught.value.hint


def test_weights_are_replaced_and_rules_stay():
    from forecast_cli.networks.pretrained import read_weights, replace_weights

    data = with_rules(LATEST)
    changed = replace_weights(data, read_weights(data))
    assert PretrainedRuntime(changed, HORIZON, 4).rules == RULES[LATEST]
