"""What `train` builds is what all commands judge: by one name, with the same figures."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.api.model import Model
from forecast_cli.backtesting.backtest import Backtest
from forecast_cli.backtesting.comparison import Comparison
from forecast_cli.evaluation.model_evaluation import ModelEvaluation
from forecast_cli.tuning.tuning import Tuning

pytestmark = [pytest.mark.slow, pytest.mark.tf]

HORIZON, TEST = 3, 12
# A backtest never sees a test split, and a network that is not refitted is the one that is scored.
SETTINGS = {"horizon": HORIZON, "validation": 12, "refit": False, "level": (80,)}
# The same origins as those of the test split.
ORIGINS = {"n_windows": TEST - HORIZON + 1, "step_size": 1}
MEASURES = ("mae", "rmse", "smape")


def seasonal(seed=1, level=100):
    steps, rng = np.arange(120), np.random.default_rng(seed)
    season = 1 + 0.2 * np.sin(2 * np.pi * steps / 12)
    dates = pd.date_range("2010-01-01", periods=120, freq="MS")
    return pd.DataFrame({"date": dates, "y": (level + steps) * season + rng.normal(0, 3, 120)})


def walk():
    dates = pd.bdate_range("2020-01-01", periods=300)
    steps = np.random.default_rng(4).normal(size=300)
    return pd.DataFrame({"date": dates, "y": 100 + steps.cumsum()})


def shops():
    return pd.concat([seasonal(seed, 50 * seed).assign(shop=f"s{seed}") for seed in (1, 2, 3)])


TABLES = {
    "seasonal": (seasonal, {"preset": "auto", "epochs": 3}),
    "random walk": (walk, {"preset": "auto", "epochs": 3}),
    "several series": (shops, {"preset": "classic", "cell": "gru", "series": "shop", "epochs": 2}),
}


@dataclass
class Judged:
    """One model as all commands have it."""

    trained: Model
    evaluated: ModelEvaluation
    backtest: Backtest
    comparison: Comparison
    tuning: Tuning

    @property
    def as_given(self):
        """How a search scores the settings as given on the test split."""
        if self.tuning.trial is None:
            return self.tuning.bundle.manifest.evaluation
        return self.tuning.compared["as given"]


@pytest.fixture(scope="module", params=TABLES)
def judged(request):
    make, own = TABLES[request.param]
    frame, settings = make(), {"column": "y", **SETTINGS, **own}
    trained = fc.train(frame, test=TEST, **settings)
    return Judged(
        trained,
        trained.evaluate(frame),
        fc.backtest(frame, fc.Plan(("model", "naive"), **ORIGINS), **settings),
        fc.compare(frame, fc.Plan(("model",), n_windows=2), test=TEST, **settings),
        fc.tune(
            frame,
            # A trial that learns nothing.
            fc.Search(trials=1, n_windows=1, space={"learning_rate": [1e-9]}),
            test=TEST,
            **settings,
        ),
    )


def scores_of(evaluation):
    return [evaluation.own_scores[measure]["y"] for measure in MEASURES]


def test_it_has_one_name(judged):
    manifest = judged.trained.bundle.manifest
    row = judged.trained.evaluation.model
    assert row.removesuffix(" (model)") == manifest.name
    assert judged.evaluated.summary.model == row
    assert judged.backtest.settings["trained"] == [row]
    assert judged.backtest.descriptions[row] == f"{manifest.name}: {manifest.description}"
    saved = judged.comparison.bundle.manifest
    assert (saved.name, saved.description) == (manifest.name, manifest.description)
    assert judged.comparison.model in [row["model"] for row in judged.comparison.rows]
    assert judged.as_given.model == row


def test_it_has_the_same_figures(judged):
    expected = pytest.approx(scores_of(judged.trained.evaluation), rel=1e-6)
    assert scores_of(judged.evaluated.summary) == expected
    (row,) = [
        each for each in judged.backtest.scores if each["model"] == judged.trained.evaluation.model
    ]
    assert [row[measure] for measure in MEASURES] == expected
    assert scores_of(judged.comparison.bundle.manifest.evaluation) == expected
    assert scores_of(judged.as_given) == expected


def test_it_is_called_what_it_is(judged, request):
    table = request.node.callspec.params["judged"]
    expected = {"seasonal": "ensemble", "random walk": "naive", "several series": "gru"}
    assert judged.trained.bundle.manifest.name == expected[table]
