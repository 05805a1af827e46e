"""`forecast train`: every flag reaches the model, and the streams hold what belongs there."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc

from ..frames import seasonal_frame

pytestmark = pytest.mark.tf
QUICK = ["--column", "value", "--preset", "classic", "--timesteps", "6", "--units", "4",
         "--epochs", "2"]  # fmt: skip


def document(run, *arguments):
    code, out, _ = run("train", *arguments, "--json")
    assert code == 0, out
    return json.loads(out)


@pytest.mark.usefixtures("linear_training")
def test_scores_on_stdout_words_on_stderr(run, table):
    code, out, err = run("train", table, *QUICK)
    scores = pd.read_csv(io.StringIO(out))
    assert code == 0
    assert scores.columns.tolist() == ["forecast", "mae", "rmse", "smape", "mase"]
    assert scores["forecast"][0] == "lstm"
    for words in (
        "240 rows",
        "months (MS)",
        "epoch 1/2",
        "baselines",
        "saved model.forecast",
    ):
        assert words in err
    assert "\x1b" not in out + err


@pytest.mark.usefixtures("linear_training")
def test_quiet_says_nothing_and_saves(run, table, tmp_path):
    assert run("train", table, *QUICK, "-q") == (0, "", "")
    assert (tmp_path / "model.forecast").is_file()


FLAGS = {
    "--horizon 5": "window.horizon=5",
    "--mode many-to-one": "window.mode=many-to-one",
    "--validation 20": "split.validation=20",
    "--test 2018-01-01": "split.test=2018-01-01",
    "--scaler standard": "scaler=standard",
    "--column other": "data.column=['value', 'other']",
    "--target value": "data.target=['value']",
    "--season-length 4": "data.season_length=4",
    "--missing ffill": "data.missing=ffill",
    "--na none": "data.na=['none']",
    "--freq MS": "data.freq=MS",
    "--time date": "data.time=date",
    "--date-format %Y-%m-%d": "data.date_format=%Y-%m-%d",
    "--timezone UTC": "data.timezone=UTC",
    "--cell gru": "network.layers.0.type=gru",
    "--units 3,2": "network.layers.1.units=2",
    "--dense 3": "network.layers.2.units=3",
    "--activation relu": "network.layers.0.activation=relu",
    "--dropout 0.1": "network.layers.0.dropout=0.1",
    "--recurrent-dropout 0.1": "network.layers.0.recurrent_dropout=0.1",
    "--bidirectional": "network.layers.0.bidirectional=True",
    "--transform log": "transform=log",
    "--anchor last": "network.anchor=last",
    "--window-scale mad": "network.window_scale=mad",
    "--skip linear": "network.skip=linear",
    "--set training.epochs=1": "training.epochs=1",
    "--batch-size 16": "training.batch_size=16",
    "--steps-per-epoch 2": "training.steps_per_epoch=2",
    "--learning-rate 0.01": "training.learning_rate=0.01",
    "--schedule cosine": "training.schedule=cosine",
    "--weight-decay 0.01": "training.weight_decay=0.01",
    "--optimizer sgd": "training.optimizer=sgd",
    "--loss mae": "training.loss=mae",
    "--patience 1": "training.patience=1",
    "--clip 1": "training.clip=1.0",
    "--seed 5": "training.seed=5",
    "--refit": "training.refit=True",
    "--preset classic": "preset=classic",
}


@pytest.mark.usefixtures("linear_training")
def test_flags_reach_the_model_that_is_saved(run, table):
    """All at once: a training for each would take minutes, and each is looked up by itself."""
    groups = [
        [flag for flag in FLAGS if flag not in {"--mode many-to-one"}],
        ["--mode many-to-one"],
    ]
    for flags in groups:
        config = document(run, table, *QUICK, *" ".join(flags).split())["config"]
        for flag in flags:
            place, value = FLAGS[flag].split("=", 1)
            got = config
            for key in place.split("."):
                got = got[int(key)] if key.isdigit() else got[key]
            assert str(got) == value, flag


@pytest.mark.usefixtures("linear_training")
def test_json_tells_a_script_everything(run, table, tmp_path):
    result = document(run, table, *QUICK)
    assert result["model"] == "model.forecast"
    assert result["splits"] | {"train": 0} == {
        "train": 0,
        "validation": 24,
        "test": 48,
        "train_begins": "2000-01-01T00:00:00",
        "validation_begins": "2014-01-01T00:00:00",
        "test_begins": "2016-01-01T00:00:00",
    }
    assert [epoch["number"] for epoch in result["epochs"]] == [1, 2]
    assert result["evaluation"]["scores"]["lstm"]["mase"]["value"] > 0
    assert any("timesteps" in note or "horizon" in note for note in result["notes"])
    assert fc.load(tmp_path / "model.forecast").config.window.timesteps == 6


@pytest.mark.usefixtures("linear_training")
def test_flag_beats_environment_beats_file(run, table, tmp_path, monkeypatch):
    (tmp_path / "forecast.toml").write_text(
        "scaler = 'robust'\n[training]\nepochs = 3\nbatch_size = 8\nseed = 9\n"
    )
    monkeypatch.setenv("FORECAST_BATCH_SIZE", "16")
    monkeypatch.setenv("FORECAST_EPOCHS", "4")
    config = document(run, table, *QUICK)["config"]
    training = config["training"]
    assert (training["epochs"], training["batch_size"], training["seed"]) == (2, 16, 9)
    assert config["scaler"] == "robust"


@pytest.fixture(scope="module")
def piped(tmp_path_factory):
    """A training on a table from standard input in a process of its own, and its folder."""
    folder = tmp_path_factory.mktemp("piped")
    (folder / "temporary").mkdir()
    more = ["--ensemble", "2", "--combine", "weights", "--baselines", "naive"]
    # As a user has it: a test with --debug lets TensorFlow speak in all processes that follow.
    own = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-m", "forecast_cli", "train", "-", *QUICK, *more],
        input=seasonal_frame().to_csv(index=False).encode(),
        env=own | {"TMPDIR": str(folder / "temporary")},
        capture_output=True,
        cwd=folder,
        check=True,
    )
    return done, folder


def test_a_table_can_come_through_a_pipe(piped):
    done, folder = piped
    assert done.stdout.startswith(b"forecast,mae")
    assert b"standard input: 240 rows" in done.stderr
    for chatter in (b"oneDNN", b"cuda", b"absl", b"XLA", b"WARNING"):
        assert chatter not in done.stderr
    assert (folder / "model.forecast").exists()


def test_nothing_stays_in_the_temporary_directory(piped):
    _, folder = piped
    assert not list((folder / "temporary").iterdir())


@pytest.mark.usefixtures("linear_training")
def test_a_model_is_replaced_and_nothing_is_left_beside_it(run, table, tmp_path):
    before = set(os.listdir(tmp_path))
    document(run, table, *QUICK, "--seed", "1")
    first = (tmp_path / "model.forecast").read_bytes()
    document(run, table, *QUICK, "--seed", "2")
    assert (tmp_path / "model.forecast").read_bytes() != first
    assert set(os.listdir(tmp_path)) - before == {"model.forecast"}


def test_a_training_that_blows_up_leaves_the_old_model(run, table, golden, tmp_path):
    (tmp_path / "model.forecast").write_bytes(golden.read_bytes())
    flags = ["--optimizer", "sgd", "--learning-rate", "1e30"]
    code, out, err = run("train", table, *QUICK, *flags)
    assert (code, out) == (5, "")
    assert "in epoch 1" in err
    assert (tmp_path / "model.forecast").read_bytes() == golden.read_bytes()


def begin(table, tmp_path):
    """A long training in a process of its own, its first epoch seen."""
    command = [sys.executable, "-u", "-m", "forecast_cli", "train", str(table), *QUICK]
    process = subprocess.Popen(
        [*command, "--epochs", "1000000", "--patience", "0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not process.stderr.readline().startswith("epoch 1/"):
        assert process.poll() is None
    return process


@pytest.mark.slow
def test_ctrl_c_once_saves_the_best_so_far(table, tmp_path):
    process = begin(table, tmp_path)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "stopping after this epoch" in err
    assert out.startswith("forecast,mae")
    assert fc.load(tmp_path / "model.forecast").bundle.manifest.run.stopped == "interrupted"


def test_ctrl_c_twice_leaves_at_once_with_nothing_written(table, tmp_path):
    process = begin(table, tmp_path)
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < 30:
        process.send_signal(signal.SIGINT)
        time.sleep(0.001)
    process.communicate()
    assert process.returncode == 130
    # Where the machine is slow, a checkpoint was due: it is whole, or there was no time for it.
    checkpoint = tmp_path / "model.forecast.partial"
    assert set(tmp_path.glob("*.forecast*")) <= {checkpoint}
    files = {each.name for each in checkpoint.glob("*")}
    assert "job.json" in files or files <= {"lock"}


ENSEMBLE = {
    "--ensemble 2": "ensemble.size=2",
    "--member-timesteps 4,6": "ensemble.timesteps=[4, 6]",
    "--member-losses mae,owa": "ensemble.losses=['mae', 'owa']",
    "--member-anchors last,mean": "ensemble.anchors=['last', 'mean']",
    "--baselines naive": "ensemble.baselines=['naive']",
    "--combine median": "ensemble.combine=median",
    "--average 2": "training.average=2",
    "--time-budget 5m": "training.time_budget=300.0",
    "--intervals ensemble": "intervals=ensemble",
}


@pytest.mark.slow
def test_flags_of_an_ensemble_reach_the_model_and_its_epochs_are_told(run, table):
    code, out, err = run("train", table, *QUICK, *" ".join(ENSEMBLE).split(), "--json")
    assert code == 0, err
    result = json.loads(out)
    for flag, expected in ENSEMBLE.items():
        place, value = expected.split("=", 1)
        got = result["config"]
        for key in place.split("."):
            got = got[key]
        assert str(got) == value, flag
    epochs = [(epoch["network"], epoch["number"]) for epoch in result["epochs"]]
    assert epochs == [(1, 1), (1, 2), (2, 1), (2, 2)]
    code, out, err = run("predict", "--level", "80")
    assert code == 0, err
    assert out.splitlines()[0] == "date,value,value_lo80,value_hi80"


@pytest.mark.slow
def test_training_goes_on_from_a_model(run, table, frame, tmp_path):
    assert run("train", table, *QUICK, "-q") == (0, "", "")
    frame.assign(value=frame["value"] * 2).to_csv("newer.csv", index=False)
    still = ["--init-model", "model.forecast", "--epochs", "1", "--learning-rate", "1e-12"]
    for more in ([], ["--rescale"]):
        code, out, err = run("train", "newer.csv", *still, *more, "-m", "next.forecast")
        assert code == 0, err
        assert out.startswith("forecast,mae")
        assert "saved next.forecast" in err
        before, after = fc.load("model.forecast"), fc.load("next.forecast")
        same = before.bundle.manifest.scaling == after.bundle.manifest.scaling
        assert same == (not more)
    expected = 2 * before.predict()["value"].to_numpy()
    assert after.predict()["value"].to_numpy() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rescale"], "--rescale needs --init-model"),
        (["--init-model", "m.forecast", "--units", "3"], "is determined by the model"),
        (
            ["--init-model", "m.forecast", "--timesteps", "3"],
            "--timesteps is determined by the model",
        ),
        (
            ["--init-model", "m.forecast", "--future", "coming.csv"],
            "a model that is trained from scratch",
        ),
        (["--time-budget", "soon"], '"soon" is not like 90s, 5m or 1h'),
        (["--time-budget", "-5m"], "time_budget = -300"),
    ],
)
def test_what_going_on_cannot_do_is_said(run, table, golden, tmp_path, arguments, words):
    (tmp_path / "m.forecast").write_bytes(golden.read_bytes())
    code, out, err = run("train", table, *arguments, "-m", "other.forecast")
    assert (code, out) == (2, "")
    assert words in " ".join(err.split())
    assert not (tmp_path / "other.forecast").exists()


def test_a_table_that_does_not_fit_is_trained_on_some_series_at_a_time(
    run, tmp_path, monkeypatch, linear_training
):
    from forecast_cli.training import block_training

    days = pd.date_range("2024-01-01", periods=60)
    draw = np.random.default_rng(0)
    frame = pd.concat(
        pd.DataFrame({"id": f"s{number:02d}", "day": days, "y": draw.gamma(3.0, 5.0, 60)})
        for number in range(12)
    )
    frame.to_parquet(tmp_path / "panel.parquet", row_group_size=100)
    settings = ["-c", "y", "--series", "id", "-H", "3", "--timesteps", "6", "--preset", "classic"]
    code, scores, err = run("train", "panel.parquet", *settings, "--units", "3", "-m", "a.forecast")
    assert code == 0 and "arrays" not in err
    for name in ("ROW_BYTES", "BLOCK_ROWS"):
        monkeypatch.setattr(block_training, name, 10**8 if name == "ROW_BYTES" else 200)
    bounded = ["--units", "3", "--memory", "8", "-m", "b.forecast"]
    code, out, err = run("train", "panel.parquet", *settings, *bounded)
    assert code == 0 and out == scores and "720 rows turned into arrays" in err
    assert not list(tmp_path.glob(".*"))
    forecasts = [run("predict", "-m", f"{name}.forecast", "--level", "80")[1] for name in "ab"]
    assert forecasts[0] == forecasts[1] and len(forecasts[0].splitlines()) == 37
    for more in (["--report", "page.html"], ["--keep-better"]):
        code, _, err = run("train", "panel.parquet", *settings, *bounded, *more)
        assert code == 2 and "Leave --memory out" in err
