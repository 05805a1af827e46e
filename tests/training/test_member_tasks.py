"""The networks of an ensemble as tasks: to the weights of a training one after the other."""

import joblib
import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.core.errors import Interrupted, UsageError
from forecast_cli.core.events import Done, Note
from forecast_cli.training.member_tasks import dividing_members

pytestmark = pytest.mark.tf
SMALL = {
    "column": "y", "preset": "classic", "ensemble": 3, "units": 3, "timesteps": 6, "horizon": 2,
    "epochs": 2, "baselines": ["naive"], "combine": "weights", "refit": True,
}  # fmt: skip


def table():
    steps = np.arange(90)
    values = 50 + 10 * np.sin(2 * np.pi * steps / 7) + np.random.default_rng(3).normal(size=90)
    return pd.DataFrame({"day": pd.date_range("2024-01-01", periods=90), "y": values})


@pytest.fixture
def dividing():
    with dividing_members(), joblib.parallel_config(n_jobs=1):
        yield


@pytest.mark.slow
def test_the_model_is_that_of_networks_one_after_the_other(dividing, tmp_path):
    path, done = tmp_path / "m.forecast", []

    def count(event):
        if isinstance(event, Done) and event.what == "networks":
            done.append(event.number)

    with pytest.raises(Interrupted, match="1 of 3 networks"):
        fc.train(table(), **SMALL, path=path, on_event=count, should_stop=lambda: bool(done))
    divided = fc.train(table(), **SMALL, path=path, resume=True, on_event=count)
    # Those of the training, the first before the interruption, and all three of the refit.
    assert done == [1, 2, 3, 1, 2, 3]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forecast_cli.training.member_tasks._DIVIDING", [])
        whole = fc.train(table(), **SMALL)
    assert divided.bundle.weights == whole.bundle.weights
    assert divided.bundle.onnx == whole.bundle.onnx
    assert divided.evaluation == whole.evaluation
    columns = ["epoch", "loss", "network"]
    pd.testing.assert_frame_equal(divided.history[columns], whole.history[columns])


@pytest.mark.parametrize(
    ("more", "why"),
    [({"ensemble": 1, "baselines": []}, "one network"), ({"time_budget": 60}, "time")],
)
def test_what_is_not_divided_is_noted(dividing, more, why):
    notes = []
    own = {name: each for name, each in SMALL.items() if name not in ("combine", "refit")}
    fc.train(table(), **own | more, on_event=notes.append)
    warnings = [each.text for each in notes if isinstance(each, Note) and each.warning]
    assert any("not divided" in text and why in text for text in warnings)


def test_what_starts_from_other_weights_is_refused(run, tmp_path):
    table().to_csv(tmp_path / "t.csv", index=False)
    code, _, err = run(
        "train", tmp_path / "t.csv", "-c", "y", "--jobs", "2", "--init-model", "pretrained"
    )
    assert code == 2
    assert "--init-model" in err
    assert UsageError.exit_code == code
