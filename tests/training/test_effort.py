"""Memory and time are predicted before they are used."""

import pytest

from forecast_cli.config.resolution import configure
from forecast_cli.core.errors import UsageError
from forecast_cli.core.events import Epoch, Note
from forecast_cli.training.effort import require_room, with_time


def resolved(**settings):
    return configure({"preset": "classic", "timesteps": 10} | settings)


def test_networks_that_no_machine_holds_are_refused_with_the_figure():
    require_room(resolved(units=50))
    for settings in ({"units": 100_000}, {"timesteps": 100_000, "batch_size": 100_000}):
        with pytest.raises(UsageError, match=r"would need about [\d,.]+ GB of memory") as refused:
            require_room(resolved(**settings))
        assert "Lower `units`, `timesteps` or `batch_size`." in refused.value.hint


@pytest.mark.parametrize(
    ("settings", "seconds", "words"),
    [
        ({}, 1.0, "all epochs take about 2 min, less where"),
        ({"patience": 0, "refit": True}, 40.0, "all epochs take about 2.2 h"),
        ({}, 0.1, None),
        ({"time_budget": 100.0}, 30.0, None),
    ],
)
def test_a_long_training_says_once_how_long_it_takes(settings, seconds, words):
    heard = []
    hear = with_time(heard.append, resolved(**settings))
    for number in range(1, 6):
        hear(Epoch(number, 100, 1.0, None, True, seconds, 10, 0.001))
    notes = [each.text for each in heard if isinstance(each, Note)]
    assert len(notes) == (words is not None)
    assert all(words in each for each in notes)
