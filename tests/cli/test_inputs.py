"""What a model tells of the command and the files that it comes from."""

import json
import shlex
from hashlib import sha256

import pytest

from forecast_cli.cli.inputs import CALLED, record_origin


@pytest.mark.tf
def test_a_training_keeps_its_command_and_the_hash_of_its_table(run, table, linear_training):
    words = ["train", table.name, "-c", "value", "-H", "3", "--preset", "classic"]
    assert run(*words)[0] == 0
    document = json.loads(run("inspect", "model.forecast", "--json")[1])
    origin = document["run"]["origin"]
    assert shlex.split(origin["command"]) == ["forecast", *words]
    data = table.read_bytes()
    (file,) = origin["files"]
    assert file == {"path": table.name, "size": len(data), "sha256": sha256(data).hexdigest()}
    # The command repeats the training.
    assert run(*shlex.split(origin["command"])[1:], "-m", "again.forecast")[0] == 0
    again = json.loads(run("inspect", "again.forecast", "--json")[1])
    assert again["evaluation"] == document["evaluation"]
    code, card, _ = run("inspect", "model.forecast", "--markdown")
    assert code == 0 and "## Command\n\n    forecast train table.csv" in card


def test_secrets_of_addresses_are_not_kept(linear, frame):
    address = "https://ann:secret@example.org/sales.csv?token=hidden"
    CALLED.set(("train", address))
    model = linear(frame, column="value", horizon=3, timesteps=12)
    origin = record_origin(model.bundle, [address]).manifest.run.origin
    assert origin.files == ()
    assert "secret" not in origin.command and "hidden" not in origin.command


def test_a_card_is_of_a_model_alone(run, table):
    code, _, err = run("inspect", table, "--markdown")
    assert code == 2 and "--markdown is for a model" in err
