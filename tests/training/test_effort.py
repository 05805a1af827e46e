"""Memory and time are predicted before they are used."""

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.resolution import configure
from forecast_cli.core.errors import UsageError
from forecast_cli.core.events import Epoch, Note, Steps
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


def test_a_long_epoch_says_before_its_end_how_long_all_take():
    heard = []
    hear = with_time(heard.append, resolved())
    for share in (0.001, 0.01, 0.02, 0.9):
        hear(Steps(1, 21, share, 360.0))
        hear(Epoch(1, 21, 1.0, None, True, 400.0, 10, 0.001)) if share == 0.9 else None
    words = [type(each).__name__ for each in heard]
    # After the 7 seconds of the third part, not after one or four.
    assert words == ["Steps", "Steps", "Steps", "Note", "Steps", "Epoch"]
    assert heard[3].text.startswith("all epochs take about 2.1 h, less where early stopping")


@pytest.mark.slow
@pytest.mark.tf
def test_the_time_is_said_while_the_first_epoch_runs(monkeypatch):
    import forecast_cli as fc
    from forecast_cli.networks import train_step

    monkeypatch.setattr(train_step, "BLOCK_WORK", 1.0)
    monkeypatch.setattr("forecast_cli.training.effort.MEASURED", 0.0)
    heard = []
    fc.train(
        pd.DataFrame({"y": np.sin(np.arange(200.0))}),
        column="y", preset="classic", horizon=1, units=2, timesteps=3, epochs=10_000_000,
        on_event=heard.append, should_stop=lambda: True,
    )  # fmt: skip
    notes = [isinstance(each, Note) and "all epochs take about" in each.text for each in heard]
    epochs = [each for each in heard if isinstance(each, Epoch)]
    assert sum(notes) == len(epochs) == 1
    assert notes.index(True) < heard.index(epochs[0])
    told = [each for each in heard if isinstance(each, Steps)]
    assert told[-1].share == 1.0 and 0 < told[0].share < 0.5
