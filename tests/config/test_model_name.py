"""What a model is called: one name for each thing, listed on one page."""

import re
from pathlib import Path

from forecast_cli.config.model_name import ENSEMBLE, MODEL, NETWORK, name_model, name_row
from forecast_cli.config.registries import BASELINES, CELLS, PRESETS
from forecast_cli.config.resolution import configure

PAGE = Path(__file__).parents[2] / "docs" / "models.md"


def test_no_name_has_two_meanings_and_the_page_has_them_all():
    # The pretrained network is both a preset and a member.
    others = [name for name, entry in BASELINES.items() if not entry.apart]
    names = [*PRESETS, *CELLS, *others, ENSEMBLE, NETWORK, MODEL]
    assert len({*names}) == len(names)
    listed = {*re.findall(r"`([\w-]+)`", PAGE.read_text())}
    assert {*names} <= listed


def test_a_model_is_called_what_it_is():
    together = {"ensemble": 3, "cell": "gru", "baselines": ("naive", "ridge"), "combine": "weights"}
    assert name_model(configure({"cell": "gru", "units": (8, 4), "timesteps": 9})) == (
        "gru",
        "GRU(8, 4), lookback 9",
    )
    ensemble = configure(together)
    mixed = name_model(ensemble, [0.2, 0.1, 0.1, 0.05, 0.55])
    assert mixed == ("ensemble", "3 GRU networks 40 %, naive 5 %, ridge 55 %")
    assert name_model(ensemble, [0.0, 0.0, 0.0, 0.995, 0.005]).name == "naive"
    # Networks that differ are no single one, whatever their weight.
    assert name_model(ensemble, [0.5, 0.3, 0.2, 0.0, 0.0]).name == "ensemble"
    alone = configure(together | {"ensemble": 1})
    assert name_model(alone, [1.0, 0.0, 0.0]).name == "gru"


def test_a_model_of_the_name_of_another_row_is_told_apart():
    assert name_row("naive", {"naive": 1, "drift": 2}) == "naive (model)"
    assert name_row("ensemble", {"naive": 1}) == "ensemble"
