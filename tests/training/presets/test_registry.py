"""A preset is an entry in the registry and a function: a made-up one works everywhere."""

import subprocess
import sys

from forecast_cli.config.registries import PRESETS
from forecast_cli.training.presets.selection import FUNCTIONS

MADE_UP = """
import numpy as np, pandas as pd
from typing import Literal
from forecast_cli.config import registries
entry = registries.PresetEntry("a very small network", chooses=True, stronger="auto")
registries.PRESETS["tiny"] = entry
# As where the entry stood in the module.
registries.Preset = Literal[tuple(registries.PRESETS)]

from forecast_cli.backtesting.models import make_entries
from forecast_cli.config.resolution import configure
from forecast_cli.data.reading import read_panel
from forecast_cli.training.presets.data_profile import Recipe
from forecast_cli.training.presets.selection import FUNCTIONS
from forecast_cli.training.resolution import resolve_config

def choose(profile):
    settings = {"window": {"timesteps": 2 * profile.season}, "ensemble": {"size": 1},
                "network": {"layers": [{"type": "gru", "units": 3}]}}
    return Recipe(settings, {"network.layers": "model: tiny"})

FUNCTIONS["tiny"] = choose
config = configure({"column": ("y",), "preset": "tiny", "epochs": 4})
dates = pd.date_range("2000-01-01", periods=120, freq="MS")
frame = pd.DataFrame({"date": dates, "y": np.sin(np.arange(120)) + 2})
notes = []
panel = read_panel(frame, config.data, on_event=notes.append)
found = resolve_config(panel, config, on_event=notes.append).config
print(found.preset, found.window.timesteps, found.network.layers[0].units, found.training.epochs)
print("model: tiny" in [note.text for note in notes], make_entries(["tiny"], config)[0].name)
"""


def test_every_preset_that_chooses_has_a_function_and_help():
    assert set(FUNCTIONS) == {name for name, entry in PRESETS.items() if entry.chooses}
    assert all(entry.help and not entry.help.endswith(".") for entry in PRESETS.values())
    assert all(entry.stronger in ("", *PRESETS) for entry in PRESETS.values())


def test_a_made_up_preset_chooses_what_is_left_open():
    done = subprocess.run(
        [sys.executable, "-c", MADE_UP], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["tiny", "24", "3", "4", "True", "tiny"]
