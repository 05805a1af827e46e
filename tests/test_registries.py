"""Registries: no name is compared elsewhere, each has a function, and each takes a new entry."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from forecast_cli.baselines import classical, intermittent, member_maps, naive
from forecast_cli.config.registries import (
    BASELINES,
    CELLS,
    INTERVAL_METHODS,
    LOSSES,
    METRICS,
    PRESETS,
)
from forecast_cli.evaluation.metrics import point
from forecast_cli.forecasting.intervals import interval_methods

PACKAGE = Path(__file__).parents[1] / "forecast_cli"
REGISTRY = PACKAGE / "config" / "registries.py"
NAMES = {*CELLS, *INTERVAL_METHODS, *BASELINES, *PRESETS}
# Settings with words of their own, some of which are names of a registry as well.
OTHERS = {"aggregate", "anchor", "combine", "duplicates", "resample", "missing"}


def comparisons(path: Path):
    """Each comparison with a text, as (line, texts, what they are compared with)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            parts = [each for side in sides for each in (getattr(side, "elts", None) or [side])]
            texts = {each.value for each in parts if isinstance(each, ast.Constant)}
            yield node.lineno, texts, {last_name(side) for side in sides}
        elif isinstance(node, ast.MatchValue) and isinstance(node.value, ast.Constant):
            yield node.lineno, {node.value.value}, set()


def last_name(node: ast.AST) -> str:
    """The name of a variable or attribute."""
    return getattr(node, "attr", getattr(node, "id", ""))


def test_no_name_of_a_registry_is_compared_outside_it():
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {sorted(texts & NAMES)}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != REGISTRY
        for line, texts, others in comparisons(path)
        if texts & NAMES and not others & OTHERS
    ]
    assert found == []


@pytest.mark.parametrize(
    ("names", "functions"),
    [
        (METRICS, point.FUNCTIONS),
        (INTERVAL_METHODS, interval_methods.FUNCTIONS),
        (
            [name for name, entry in BASELINES.items() if entry.forecasts],
            naive.FORECASTERS | intermittent.FORECASTERS | classical.FORECASTERS,
        ),
        ([name for name, entry in BASELINES.items() if entry.is_map], member_maps.FITS),
    ],
    ids=["metrics", "interval methods", "baselines", "members"],
)
def test_every_name_has_a_function(names, functions):
    assert sorted(names) == sorted(functions)


@pytest.mark.tf
def test_every_cell_and_loss_has_a_function():
    from forecast_cli.networks.losses import FUNCTIONS
    from forecast_cli.networks.stack import KERAS_CELLS

    assert sorted(CELLS) == sorted(KERAS_CELLS)
    assert sorted(LOSSES) == sorted(FUNCTIONS)


def test_every_entry_has_a_phrase_of_help():
    for registry in (CELLS, LOSSES, METRICS, INTERVAL_METHODS, BASELINES):
        for name, entry in registry.items():
            assert entry.help and not entry.help.endswith("."), name


# What one who adds an entry writes, each in its file; it runs before anything else is loaded.
ADDED = """
import json
from typing import Annotated, Literal, Union

from pydantic import Field

from forecast_cli.config import registries as names

names.CELLS["slow"] = names.CellEntry("slow", "SimpleRNN")
names.LOSSES["fourth"] = names.LossEntry("mean fourth power of the error")
names.METRICS["worst"] = names.MetricEntry("mean squared over mean absolute error", kept=True)
names.INTERVAL_METHODS["wide"] = names.IntervalEntry("twice conformal", needs_validation=True)
names.BASELINES["zero"] = names.BaselineEntry("nothing", reference=True)
names.BASELINES["half"] = names.BaselineEntry("half the last", forecasts=False, is_map=True)
for old, registry in (("Cell", names.CELLS), ("Loss", names.LOSSES),
                      ("Intervals", names.INTERVAL_METHODS)):
    setattr(names, old, Literal[tuple(registry)])
names.KEPT_METRICS = (*names.KEPT_METRICS, "worst")
names.Metric = Literal[names.KEPT_METRICS]
names.Score = Literal[(*names.SCORED_METRICS, "worst")]
names.MemberBaseline = Literal[(*names.MEMBER_NAMES, "half")]

from forecast_cli.config import layers


class Slow(layers.Recurrent):
    type: Literal["slow"] = "slow"


layers.Layer = Annotated[Union[Slow, layers.Lstm, layers.Dense], Field(discriminator="type")]

import numpy as np
import pandas as pd

from forecast_cli.baselines import member_maps, naive
from forecast_cli.evaluation.metrics import point
from forecast_cli.forecasting.intervals import interval_methods

naive.FORECASTERS["zero"] = lambda given: np.zeros(
    (len(given.origins), given.horizon, given.values.shape[1])
)
member_maps.FITS["half"] = lambda problem: np.full((1, problem.horizon), 0.5)
point.FUNCTIONS["worst"] = lambda sums: sums["squared"] / sums["absolute"]


def twice(bands, place, guess, units, recent):
    lower, upper = interval_methods.by_errors(bands, place, guess, units, recent)
    return 2 * lower - guess.point, 2 * upper - guess.point


interval_methods.FUNCTIONS["wide"] = twice
"""
USED = """
import sys

import forecast_cli as fc
from forecast_cli.backtesting.plan import Plan

dates = pd.date_range("2020-01-01", periods=120)
frame = pd.DataFrame({"date": dates, "y": np.arange(120) % 7.0 + 1})
plan = Plan(("naive", "zero"), n_windows=2)
zero = fc.backtest(frame, plan, column="y", horizon=3).frame.zero
found = {"baseline": zero.abs().max()}
"""
TRAINED = """
import keras
import tensorflow as tf

from forecast_cli.networks import losses, stack

stack.KERAS_CELLS["slow"] = keras.layers.SimpleRNN
losses.FUNCTIONS["fourth"] = lambda actual, forecast: tf.reduce_mean((actual - forecast) ** 4, -1)
model = fc.train(
    frame, column="y", timesteps=4, horizon=3, epochs=2, units=3, preset="classic", cell="slow",
    loss="fourth", intervals="wide", baselines=["half"], lower_bound="none",
)
model.save(sys.argv[1])
again = fc.load(sys.argv[1])
wide, narrow = (again.predict(level=80, intervals=each) for each in ("wide", "conformal"))
width = (wide.y_hi80 - wide.y_lo80) / (narrow.y_hi80 - narrow.y_lo80)
scores = again.evaluation.scores
found |= {
    "interval method": list(width),
    "cell": again.config.network.layers[0].type,
    "loss": again.config.training.loss,
    "member": list(again.config.ensemble.baselines),
    "metric": again.evaluation.own_scores["worst"]["y"],
    "reference": sorted(scores),
}
"""
SAID = """
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The results of a backtest and a training with an added entry in each registry."""
    path = tmp_path_factory.mktemp("added") / "added.forecast"
    script = ADDED + USED + TRAINED + SAID
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.tf
def test_an_added_baseline_forecasts_and_is_compared_with(found):
    assert found["baseline"] == 0.0
    assert "zero" in found["reference"]
    assert found["member"] == ["half"]


@pytest.mark.tf
def test_an_added_cell_is_trained(found):
    assert found["cell"] == "slow"


@pytest.mark.tf
def test_an_added_loss_is_minimised(found):
    assert found["loss"] == "fourth"


@pytest.mark.tf
def test_an_added_metric_is_in_the_scores(found):
    assert found["metric"] > 0


@pytest.mark.tf
def test_an_added_interval_method_makes_intervals(found):
    assert found["interval method"] == pytest.approx([2.0, 2.0, 2.0])
