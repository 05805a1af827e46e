"""The script of plain Keras reads, scales, builds and scores as the training that it is made of."""

import re
import runpy
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc

from ...frames import seasonal_frame

FRAME = seasonal_frame(180)
SETTINGS = {"column": "value", "preset": "classic", "horizon": 3, "timesteps": 8, "units": 4}
OTHERS = {
    "one-step": {"mode": "many-to-one", "column": ("value", "other"), "epochs": 2,
                 "transform": "log", "scaler": "robust", "loss": "huber"},
    "wide": {"column": ("value", "other"), "target": "other", "cell": "gru", "bidirectional": True,
             "dense": (5,), "units": (4, 3), "scaler": "standard", "loss": "pinball",
             "quantile": 0.7, "optimizer": "adamw", "weight_decay": 0.01, "clip": 1.0,
             "schedule": "cosine", "patience": 0, "epochs": 2, "dropout": 0.1},
}  # fmt: skip


@pytest.fixture
def table(tmp_path):
    FRAME.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


def scores(script, model, table, tmp_path) -> tuple[float, np.ndarray]:
    """By the functions of a script, with the weights of a model: validation loss and test MAE."""
    import keras

    names = runpy.run_path(str(script))
    model.export(tmp_path / "trained.keras", format="keras")
    network = names["build"]()
    network.set_weights(keras.models.load_model(tmp_path / "trained.keras").get_weights())
    names["compile_network"](network)
    rows = names["read_rows"](table)
    scaled, center, scale = names["scale_rows"](rows)
    begin, end = names["TRAIN"], names["TRAIN"] + names["VALIDATION"]
    x, y = names["make_windows"](scaled, begin, end, names["STEPS"])
    loss = network.evaluate(x, y, batch_size=len(x), verbose=0)
    x, y = names["make_windows"](scaled, end, len(rows), names["HORIZON"])
    made = [names["to_units"](each, center, scale) for each in (names["forecast"](network, x), y)]
    return loss, np.abs(made[0] - made[1]).mean(axis=(0, 1))


@pytest.mark.tf
@pytest.mark.parametrize(
    "settings",
    [{"epochs": 2}, *(pytest.param(each, marks=pytest.mark.slow) for each in OTHERS.values())],
    ids=["plain", *OTHERS],
)
def test_with_the_weights_of_the_model_it_has_its_losses(table, tmp_path, settings):
    model = fc.train(FRAME, **SETTINGS | settings)
    model.export(tmp_path / "train.py", format="python")
    loss, errors = scores(tmp_path / "train.py", model, table, tmp_path)
    evaluation, targets = model.bundle.manifest.evaluation, model.bundle.manifest.targets
    found = evaluation.scores[evaluation.model]["mae"]
    assert errors.tolist() == pytest.approx([found[name] for name in targets], rel=1e-4)
    best = model.history["validation_loss"][model.bundle.manifest.run.best_epoch - 1]
    assert loss == pytest.approx(best, rel=1e-3)


@pytest.mark.tf
@pytest.mark.slow
def test_it_runs_without_the_package_and_reaches_the_same_loss(table, tmp_path):
    model = fc.train(FRAME, **SETTINGS, epochs=40, learning_rate=0.01)
    model.export(tmp_path / "train.py", format="python")
    block = (
        "import runpy, sys; sys.modules['forecast_cli'] = None; "
        "runpy.run_path('train.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (loss,) = re.findall(r"^lowest loss (.*)$", done.stdout, re.MULTILINE)
    expected = min(model.history["validation_loss"])
    # From other first weights and another order of windows.
    assert 0.6 < float(loss) / expected < 1.7
    assert (tmp_path / "network.keras").is_file()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"baselines": "naive"}, "an ensemble"),
        ({"calendar_features": "month"}, "covariates"),
        ({"anchor": "last", "skip": "linear"}, "anchor last and skip linear"),
        ({"intervals": "quantile", "missing": "ffill"}, "quantiles; missing steps were filled"),
        ({"loss": "smape", "average": 2}, "loss is smape; it was trained with average"),
    ],
)
@pytest.mark.usefixtures("linear_training")
def test_what_a_script_cannot_express_is_refused(tmp_path, settings, said):
    model = fc.train(FRAME, **SETTINGS | settings)
    with pytest.raises(fc.UsageError, match=said) as caught:
        model.export(tmp_path / "train.py", format="python")
    assert "preset classic" in caught.value.hint and not (tmp_path / "train.py").exists()


def test_names_from_outside_are_text_in_the_script(linear, tmp_path):
    column = 'a "quoted" \\ {name}\nü'
    frame = FRAME.rename(columns={"value": column})
    frame.to_csv(tmp_path / "table.csv", index=False)
    linear(frame, **SETTINGS | {"column": column}).export(tmp_path / "t.py", format="python")
    names = runpy.run_path(str(tmp_path / "t.py"))
    assert names["COLUMNS"] == [column]
    rows = names["read_rows"](tmp_path / "table.csv")
    assert rows[:, 0] == pytest.approx(FRAME["value"].to_numpy())
    frame.iloc[:-1].to_csv(tmp_path / "short.csv", index=False)
    with pytest.raises(SystemExit, match="180 rows without gaps"):
        names["read_rows"](tmp_path / "short.csv")


def test_the_scaler_knows_the_training_rows_alone(linear, tmp_path):
    linear(FRAME, **SETTINGS).export(tmp_path / "t.py", format="python")
    names = runpy.run_path(str(tmp_path / "t.py"))
    rows = FRAME[["value"]].to_numpy()
    later = np.where(np.arange(len(rows))[:, None] < names["TRAIN"], rows, 1e9)
    for place in (1, 2):
        assert np.array_equal(names["scale_rows"](rows)[place], names["scale_rows"](later)[place])
    assert pd.Series(names["scale_rows"](rows)[0][: names["TRAIN"], 0]).between(0, 1).all()
