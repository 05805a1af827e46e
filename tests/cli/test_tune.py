"""`forecast tune` as a user meets it."""

import io
import json
import sqlite3
import subprocess
import sys
import tomllib

import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.cli.spelling import as_flags

TINY = (
    "--preset", "classic", "--cell", "rnn", "--epochs", 2, "--timesteps", 6, "--horizon", 3,
    "--n-windows", 1, "--pruner", "none",
)  # fmt: skip
SPACE = 'units = [2, 3]\nanchor = ["last"]\n'


@pytest.fixture
def space(tmp_path):
    path = tmp_path / "space.toml"
    path.write_text(SPACE)
    return path


@pytest.mark.slow
@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_in_a_pipe_stdout_is_the_trials_and_stderr_the_words(run, table, space, tmp_path):
    arguments = ("-c", "value", *TINY, "--space", space, "--trials", 2)
    code, out, err = run("tune", table, *arguments, "--storage", "study.db", "-o", "tuned.toml")
    got = pd.read_csv(io.StringIO(out))
    assert code == 0
    assert set(got["trial"]) == {"0", "1", "as given"}
    assert got["mase"].is_monotonic_increasing
    assert (got["state"] == "complete").all()
    for words in (
        "each trial is trained at 1 cutoff", "searched settings: units, anchor",
        "2 of 2 trials", "too few completed trials to estimate the importance of settings",
        "on the test split, which no trial used", "seasonal-naive", "saved model.forecast",
    ):  # fmt: skip
        assert words in err
    model = fc.load(tmp_path / "model.forecast")
    assert as_flags(model.evaluation.verdict) in err
    # What the flags said is in the model, whatever was found.
    assert model.config.network.recurrent[0].type == "rnn"
    # The file makes the same model again.
    assert run("train", table, "--config", "tuned.toml", "-m", "again.forecast")[0] == 0
    assert fc.load(tmp_path / "again.forecast").bundle.onnx == model.bundle.onnx
    with sqlite3.connect(tmp_path / "study.db") as connection:
        assert connection.execute("SELECT count(*) FROM trials").fetchone() == (2,)
    connection.close()
    # A second run goes on with the study, here as one document.
    code, out, err = run("tune", table, *arguments, "--storage", "study.db", "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert len(told["trials"]) == 5
    assert list(told) == [
        "schema", "command", "version", "notes", "model", "trial", "settings", "trials",
        "importance", "verdict", "evaluation", "compared",
    ]  # fmt: skip
    assert any("the study has 2 trials" in note for note in told["notes"])


@pytest.mark.parametrize("flags", [(), ("--preset", "classic")], ids=["auto", "classic"])
def test_the_default_space_can_be_edited(run, table, tmp_path, flags):
    code, out, err = run("tune", table, "-c", "value", *flags, "--show-space")
    assert code == 0
    told = tomllib.loads(out)
    if flags:
        assert told["timesteps"] == {"low": 12, "high": 48, "step": 12}
    else:
        assert told["preset"] == ["auto", "fast", "best"]
        assert told["timesteps"][0] == "by preset"
    assert "horizon 12" in err
    (tmp_path / "space.toml").write_text(out)
    again = run("tune", table, "-c", "value", *flags, "--space", "space.toml", "--show-space")
    assert tomllib.loads(again[1]) == told


def test_what_a_flag_or_the_environment_says_is_not_searched(run, table, tmp_path, monkeypatch):
    monkeypatch.setenv("FORECAST_SKIP", "linear")
    (tmp_path / "forecast.toml").write_text('transform = "log"\n')
    flags = (
        "--units",
        "32",
        "--set",
        "training.batch_size=16",
        "--set",
        "network.layers.0.dropout=0.1",
    )
    _, out, _ = run("tune", table, "-c", "value", *flags, "--show-space")
    left = tomllib.loads(out)
    assert not {"units", "skip", "batch_size", "transform"} & {*left}
    # A space of one's own is more than what a file says, and less than a flag.
    (tmp_path / "space.toml").write_text('units = [1]\ntransform = ["none", "log"]\n')
    _, out, err = run(
        "tune", table, "-c", "value", "--units", 32, "--space", "space.toml", "--show-space"
    )
    assert tomllib.loads(out) == {"transform": ["none", "log"]}
    assert "not searched, because given: units" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--space", "bad.toml"), 'bad.toml: unist: There is no setting "unist". Did you mean'),
        (("--space", "none.toml"), "none.toml cannot be read"),
        (("--sampler", "tpo"), 'Unknown --sampler "tpo". Did you mean "tpe"?'),
        (("--pruner", "mean"), 'Unknown --pruner "mean"'),
        (("--metric", "mad"), 'Unknown --metric "mad". Did you mean "mae"?'),
        (("--trials", "0"), "--trials"),
        (("--time-budget", "soon"), '"soon" is not like 90s, 5m or 1h'),
        (("--storage", "text.db"), "text.db cannot be used for a study"),
        (
            ("--preset", "classic", "--sampler", "grid"),
            "learning_rate has no step, so that there is no grid",
        ),
        (("-o", "tuned.csv"), "tuned.csv is no .toml file"),
        (("-c", "vaule"), 'Did you mean "value"?'),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_trained(
    run, table, tmp_path, arguments, words
):
    (tmp_path / "bad.toml").write_text("unist = [4]")
    (tmp_path / "text.db").write_text("no database " * 100)
    column = () if "-c" in arguments else ("-c", "value")
    code, out, err = run("tune", table, *column, *arguments)
    assert code in (2, 3) and not out
    assert words in err
    assert not (tmp_path / "model.forecast").exists()


def test_help_costs_no_import_of_the_library():
    code = "import sys\nfrom forecast_cli.cli.app import run\nrun(['tune', '--help'])\n"
    code += "heavy = {'optuna', 'sqlalchemy', 'pandas', 'tensorflow'}\n"
    code += "print(sorted(heavy & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "--trials" in done.stdout


@pytest.mark.slow
@pytest.mark.tf
def test_several_jobs_end_with_a_model_too(run, table, space, tmp_path):
    from forecast_cli.core.parallel import dismiss_workers

    arguments = ("-c", "value", *TINY, "--space", space, "--trials", 2, "--jobs", 2)
    code, out, _ = run("tune", table, *arguments)
    dismiss_workers()
    assert code == 0
    assert pd.read_csv(io.StringIO(out))["state"].tolist() == ["complete"] * 3
    assert fc.load(tmp_path / "model.forecast").evaluation
