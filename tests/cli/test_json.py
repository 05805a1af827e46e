"""JSON documents of all commands: one shape, its schema, and the lines of jq in docs/json.md."""

import json
import re
import shlex
from pathlib import Path

import jq
import jsonschema
import pytest

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "json.schema.json").read_text(encoding="utf-8"))
LINES = re.findall(r"^(forecast .*) \| jq (.*)$", (DOCS / "json.md").read_text(), re.MULTILINE)


@pytest.fixture
def folder(run, tmp_path, frame, linear):
    """A folder with table.csv and a model of its column `value`."""
    frame.to_csv(tmp_path / "table.csv", index=False)
    linear(frame, column="value", horizon=3, timesteps=12).save(tmp_path / "model.forecast")
    return tmp_path


COMMANDS = {
    "predict": 0,
    "future": 2,
    "explain": 0,
    "evaluate table.csv --start 2019-06-01": 0,
    "evaluate table.csv table.csv": 0,
    "inspect model.forecast": 0,
    "inspect table.csv": 0,
    "plot table.csv -c value": 0,
    "backtest table.csv -c value --models naive --n-windows 2": 0,
    "config": 0,
    "config --for table.csv -c value": 0,
    "examples": 0,
    "doctor --no-test": 0,
    "train none.csv -c value": 3,
    "train --epochs x": 2,
    "nothing": 2,
}


def test_every_document_has_the_shape_of_the_schema(run, folder):
    for words, expected in COMMANDS.items():
        code, out, err = run(*words.split(), "--json")
        document = json.loads(out)
        assert code == expected, (words, document.get("error"), err)
        jsonschema.validate(document, SCHEMA)
        assert [*document][:4] == ["schema", "command", "version", "notes"], words
        assert document["command"] == (None if words == "nothing" else words.split()[0])
        assert ("error" in document) == (code != 0)


@pytest.mark.tf
def test_a_training_has_it_too(run, folder, linear_training):
    document = json.loads(run("train", "table.csv", "-c", "value", "--json")[1])
    jsonschema.validate(document, SCHEMA)
    assert document["command"] == "train" and document["notes"]


def test_the_lines_of_jq_run(run, folder):
    found = {}
    for command, program in LINES:
        out = run(*shlex.split(command)[1:])[1]
        given = [word for word in shlex.split(program) if word != "-r"]
        found[shlex.split(command)[1:3][-1]] = jq.compile(*given).input_text(out).all()
    assert len(LINES) == 6
    assert [len(each) for each in found["--json"][:1]] and len(found["--json"]) == 3
    assert {*found["model.forecast"][0]} >= {"naive", "drift"}
    assert found["table.csv"] == [[]]
    assert found["none.csv"][0].startswith("There is no file none.csv")
    assert all(check.startswith("extra ") for check in found["--no-test"])
