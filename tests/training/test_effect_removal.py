"""Effects of future covariates: what is judged on the validation split, and what a refit keeps."""

import numpy as np
import pandas as pd

from forecast_cli.config.resolution import configure
from forecast_cli.core.events import ignore
from forecast_cli.data.dataset import Dataset
from forecast_cli.data.reading import read_panel
from forecast_cli.training.effect_removal import adjust
from forecast_cli.training.preparation import make_dataset, on_all_rows


def prepare(effect_later: float, seed: int) -> Dataset:
    """Return a random walk of 160 days with a covariate whose effect changes on day 100."""
    random, rows = np.random.default_rng(seed), 160
    covariate, walk = random.normal(size=rows), np.cumsum(random.normal(size=rows)) * 0.3
    effect = np.where(np.arange(rows) < 100, 1.0, effect_later)
    days = pd.date_range("2020", periods=rows, freq="D")
    table = pd.DataFrame({"time": days, "y": walk + effect * covariate, "x": covariate})
    config = configure({"column": ("y",), "future_covariates": ("x",), "horizon": 3})
    return make_dataset(read_panel(table, config.data, on_event=ignore), config, on_event=ignore)


def test_a_refit_has_no_effects_that_the_scored_model_was_refused():
    dataset = prepare(-1.5, seed=8)
    scored, refit = adjust(dataset, None, ignore), on_all_rows(dataset)
    assert not scored.effects[0].terms
    # Without a validation split nothing speaks against them.
    assert adjust(refit, None, ignore).effects[0].terms
    assert not adjust(refit, None, ignore, scored.effects).effects[0].terms


def test_a_refit_estimates_effects_again_and_does_not_repeat_the_note():
    dataset = prepare(1.0, seed=8)
    scored = adjust(dataset, None, ignore)
    notes: list[object] = []
    refit = adjust(on_all_rows(dataset), None, notes.append, scored.effects)
    assert [term.name for term in refit.effects[0].terms] == ["x"]
    assert refit.effects != scored.effects
    assert not notes
