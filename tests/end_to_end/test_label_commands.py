"""Sequences with a label on the command line."""

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

ONE = "x1,x2,x3,y\n1,2,3,2\n4,5,6,5\n7,8,9,8\n10,11,12,11\n"
TUTORIAL = (
    "--layout rows --label y --units 10 --activation relu --dense 5 --validation 0 --test 0 "
    "--batch-size 1 --epochs 3"
)
QUICK = ["--units", "4", "--epochs", "2"]


def write(folder, name, content):
    (folder / name).write_text(content)


def steps(rows=60):
    values = np.random.default_rng(0).normal(5, 2, (rows, 4)).round(3)
    return pd.DataFrame(values, columns=list("abcd"))


@pytest.fixture
def trained(run, tmp_path, linear_training):
    """A model of classes beside its table; what was said while it was made."""
    frame = steps()
    frame["direction"] = np.where(frame["d"] > frame["a"], "up", "down")
    frame.to_csv(tmp_path / "t.csv", index=False)
    return run("train", "t.csv", "--layout", "rows", "--label", "direction", *QUICK)


@pytest.mark.tf
def test_four_rows_are_enough_to_train_on_and_to_go_on_from(run, tmp_path, monkeypatch):
    write(tmp_path, "one.csv", ONE)
    code, out, err = run("train", "one.csv", *TUTORIAL.split())
    assert (code, out) == (0, "")
    for words in (
        "task regression",
        "4 sequences of 3 steps",
        "4 train, 0 validation, 0 test",
        "epoch 3/3",
        "nothing is scored",
        "saved model.forecast; next: forecast predict DATA",
    ):
        assert words in err
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"x1,x2,x3\n13,14,15\n")))
    code, out, err = run("predict", "-")
    assert (code, err) == (0, "")
    labels = pd.read_csv(io.StringIO(out))
    assert list(labels) == ["sequence", "y"]
    assert labels["sequence"].tolist() == [1]
    assert np.isfinite(labels["y"]).all()


@pytest.mark.tf
def test_scores_on_stdout_and_the_confusion_with_the_words(run, trained):
    code, out, err = trained
    scores = pd.read_csv(io.StringIO(out))
    assert code == 0
    assert list(scores) == ["label", "accuracy", "macro_f1"]
    assert scores["label"].tolist() == ["lstm", "majority class"]
    assert "task classification" in err
    assert "12 sequences of the test split" in err
    lines = err.splitlines()
    (head,) = [at for at, line in enumerate(lines) if line.split()[-2:] == ["down", "up"]]
    rows = [line.split() for line in lines[head + 1 : head + 3]]
    assert [row[0] for row in rows] == ["down", "up"]
    counts = np.array([row[1:] for row in rows], int)
    assert counts.sum() == 12
    assert np.trace(counts) / 12 == pytest.approx(scores["accuracy"][0])
    assert "\x1b" not in out + err


@pytest.mark.tf
def test_every_sequence_of_a_table_gets_a_row(run, trained, tmp_path):
    steps(5).assign(name=list("klmno")).to_csv(tmp_path / "new.csv", index=False)
    code, out, err = run("predict", "new.csv")
    labels = pd.read_csv(io.StringIO(out))
    assert (code, err) == (0, "")
    assert list(labels) == ["sequence", "direction", "p_down", "p_up"]
    assert labels["sequence"].tolist() == [1, 2, 3, 4, 5]
    assert (labels["p_down"] + labels["p_up"]).to_numpy() == pytest.approx(1, abs=1e-6)
    larger = np.where(labels["p_up"] > labels["p_down"], "up", "down")
    assert labels["direction"].tolist() == larger.tolist()


@pytest.mark.tf
def test_json_of_a_prediction_holds_a_record_for_each_sequence(run, trained):
    code, out, err = run("predict", "t.csv", "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document.keys() - {"schema", "command", "version"} == {
        "model", "notes", "forecast", "seconds",
    }  # fmt: skip
    assert len(document["forecast"]) == 60
    first = document["forecast"][0]
    assert first.keys() == {"sequence", "direction", "p_down", "p_up"}
    table = pd.read_csv(io.StringIO(run("predict", "t.csv")[1]))
    assert pd.DataFrame(document["forecast"])["p_up"].tolist() == table["p_up"].tolist()


@pytest.mark.tf
def test_labels_are_written_in_every_form(run, trained, tmp_path):
    expected = pd.read_csv(io.StringIO(run("predict", "t.csv")[1]))
    for form, reader in {
        "csv": pd.read_csv,
        "json": pd.read_json,
        "jsonl": lambda path: pd.read_json(path, lines=True),
        "parquet": pd.read_parquet,
    }.items():
        assert run("predict", "t.csv", "-o", f"labels.{form}") == (0, "", "")
        got = reader(tmp_path / f"labels.{form}")
        assert got["direction"].tolist() == expected["direction"].tolist()
        assert got["p_up"].tolist() == pytest.approx(expected["p_up"].tolist(), rel=1e-6)


@pytest.mark.tf
def test_a_model_shows_its_labels_and_what_was_taken_for_which(run, trained):
    code, out, _ = run("inspect", "model.forecast")
    assert code == 0
    for words in (
        "direction, down, up",
        "sequences of up to 4 steps of 1",
        "60: 42 train, 6 validation, 12 test",
        "loss cross-entropy",
        "macro_f1",
        "majority class",
        "actual",
    ):
        assert words in out
    assert "steps ahead" not in out


@pytest.mark.tf
def test_options_of_forecasts_are_refused_for_labels(run, trained, tmp_path):
    for arguments, message in {
        "predict": "Name the table that holds them",
        "predict t.csv --horizon 2": "Omit --horizon, --only, --start, --future, --what-if",
        "predict t.csv --in-sample": "Omit --in-sample",
        "predict t.csv --state s.json": "no state to continue from",
    }.items():
        code, out, err = run(*arguments.split())
        assert (code, out) == (2, "")
        assert message in err
    assert not (tmp_path / "s.json").exists()


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_json_of_a_training_tells_a_script_everything(run, tmp_path):
    frame = steps()
    frame.assign(y=frame["a"] + frame["d"], z=frame["b"]).to_csv(tmp_path / "t.csv", index=False)
    flags = ["--layout", "rows", "--label", "y,z", "--step-features", "2"]
    code, out, err = run("train", "t.csv", *flags, *QUICK, "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["labels"]["names"] == ["y", "z"]
    assert document["labels"]["columns"] == ["a", "b", "c", "d"]
    assert document["labels"]["classes"] == []
    assert document["features"] == ["a", "b"]
    assert document["config"]["data"] | {"series": []} == document["config"]["data"]
    assert document["config"]["data"]["task"] == "regression"
    assert document["config"]["window"]["timesteps"] == 2
    assert document["splits"]["train"] == 42
    assert [epoch["number"] for epoch in document["epochs"]] == [1, 2]
    assert document["evaluation"]["scores"]["lstm"].keys() == {"mae", "rmse", "r2"}
    assert any("task regression" in note for note in document["notes"])
    assert json.loads(run("inspect", "model.forecast", "--json")[1])["labels"] == document["labels"]


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_the_names_of_sequences_come_back_with_their_labels(run, tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"who": np.repeat(np.arange(20), 4), "day": np.tile([1, 2], 40)})
    frame["x"] = rng.normal(size=80).round(3)
    frame["activity"] = np.where(frame["who"] < 10, "walk", "run")
    frame.to_csv(tmp_path / "t.csv", index=False)
    flags = ["--series", "who,day", "--column", "x", "--label", "activity"]
    code, out, err = run("train", "t.csv", *flags, *QUICK)
    assert (code, out.splitlines()[0]) == (0, "label,accuracy,macro_f1")
    assert "40 sequences of 2 steps" in err
    labels = pd.read_csv(io.StringIO(run("predict", "t.csv")[1]))
    assert list(labels) == ["who", "day", "activity", "p_run", "p_walk"]
    assert labels[["who", "day"]].drop_duplicates().shape == (40, 2)


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_file_and_environment_say_what_the_label_is(run, tmp_path, monkeypatch):
    write(tmp_path, "one.csv", ONE)
    write(
        tmp_path,
        "forecast.toml",
        'split = {validation = 0, test = 0}\n[data]\nlayout = "rows"\nlabel = "nope"\n',
    )
    monkeypatch.setenv("FORECAST_LABEL", "y")
    code, out, _ = run("train", "one.csv", "--epochs", "1", "--json")
    assert code == 0
    assert json.loads(out)["labels"]["names"] == ["y"]


WRONG = [
    ("--layout rows --label Y", 3, 'one.csv has no column "Y". Did you mean "y"?'),
    ("--label y", 2, "Name the column that identifies the sequence with --series"),
    ("--label y --series nope", 3, 'one.csv has no column "nope"'),
    ("--layout rows --label y --horizon 3", 2, "horizon"),
    ("--layout rows --label y --stateful", 2, "stateful"),
    ("--layout rows --label y --head sequence", 2, "is for forecasts"),
    (
        "--layout rows --label y --step-features 2",
        2,
        "3 columns cannot be split into steps of 2 columns",
    ),
    ("--layout rows --label y --missing drop", 2, "leave the rows out, or give --missing mask"),
    ("--layout rows --label y --test 2024-01-01", 2, "Give a fraction or a number of sequences"),
    ("--layout rows --label y --test 4", 3, "leave none to train on"),
    ("--layout rows --label y --task guess", 2, "guess"),
    ("--layout columns --label y", 2, "columns"),
    ("--layout rows --label y --loss mape", 2, "Pass --loss mse or"),
    (
        "--layout rows --label y,x3 --task classification",
        2,
        "Classification takes one label, not 2",
    ),
    ("--task regression --column x1", 2, "--task is for labelled sequences"),
    ("--layout rows --label y --future-covariate x1", 2, "is for forecasts"),
    ("--column x1 --task regression", 2, "--task is for labelled sequences"),
    ("--column x1 --loss cross-entropy", 2, "name the column of classes in --label"),
]


@pytest.mark.parametrize(("flags", "code", "message"), WRONG, ids=[each[0] for each in WRONG])
def test_what_cannot_be_is_said_in_one_line(run, tmp_path, flags, code, message):
    write(tmp_path, "one.csv", ONE)
    got, out, err = run("train", "one.csv", *flags.split())
    assert (got, out) == (code, "")
    last = err.splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last
    # The reason, and not the whole configuration.
    assert "{" not in last
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["one.csv"]
