"""What presets choose where most values are 0: what forecasts their mean."""

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.resolution import configure
from forecast_cli.data.reading import read_panel
from forecast_cli.training.preparation import make_dataset

SIZES = {"one short": (1, 200), "some short": (12, 54), "many": (30, 300), "one long": (1, 9000)}
FREQUENCY = {"one long": "15min"}


def counts(size, chance=0.25, least=0):
    series, rows = SIZES[size]
    rng = np.random.default_rng(0)
    shape = (series, rows)
    values = rng.poisson(4, shape) * (rng.random(shape) < chance) + least
    dates = pd.date_range("2020-01-01", periods=rows, freq=FREQUENCY.get(size, "D"))
    frame = pd.DataFrame({"date": np.tile(dates, series), "y": values.ravel()})
    return frame.assign(shop=np.repeat(np.arange(series), rows)) if series > 1 else frame


def chosen(size, *, chance=0.25, least=0, **flat):
    notes, series = [], {"series": "shop"} if SIZES[size][0] > 1 else {}
    horizon = {"horizon": 500} if size == "one long" else {}
    config = configure({"column": "y", "preset": "auto"} | series | horizon | flat)
    frame = counts(size, chance, least)
    panel = read_panel(frame, config.data, on_event=notes.append)
    return make_dataset(panel, config, on_event=notes.append).config, " / ".join(
        each.text for each in notes
    )


@pytest.mark.parametrize("size", SIZES)
def test_the_mean_is_forecast_and_said(size):
    config, said = chosen(size)
    assert config.training.loss == "mse"
    assert {*config.ensemble.losses} <= {"mse"}
    assert config.transform == "none"
    assert config.ensemble.combine != "median"
    assert "loss mse, since most values are 0" in said
    # Members whose fitting minimises absolute errors are left out.
    assert not {*config.ensemble.baselines} & {"naive", "seasonal-naive", "smoothing"}


@pytest.mark.parametrize("size", SIZES)
def test_what_is_set_is_kept(size):
    config, said = chosen(size, loss="mae", transform="log1p")
    assert (config.training.loss, config.transform) == ("mae", "log1p")
    assert "most values are 0" not in said


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("chance", "least"), [(0.8, 0), (0.25, 1)])
def test_other_counts_are_forecast_as_before(size, chance, least):
    config, said = chosen(size, chance=chance, least=least, preset="trained")
    assert config.training.loss in ("mae", "owa")
    assert "most values are 0" not in said
