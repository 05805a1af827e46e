"""What `forecast doctor` finds."""

import json
import os

import pytest


def checks(out: str) -> dict[str, dict]:
    return {each["check"]: each for each in json.loads(out)["checks"]}


def test_it_names_versions_machine_access_and_extras(run):
    code, out, err = run("doctor", "--no-test", "--json")
    found = checks(out)
    assert (code, err) == (0, "")
    assert {"forecast", "Python", "numpy", "tensorflow", "cores", "working folder"} <= {*found}
    assert {"extra excel", "extra plot", "extra sql"} <= {*found}
    assert found["working folder"]["found"].endswith("can be written")


def test_a_folder_that_cannot_be_written_fails(run, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    tmp_path.chmod(0o500)
    code, out, err = run("doctor", "--no-test")
    tmp_path.chmod(0o700)
    assert code == 5 and "FAILED  working folder" in out and "working folder" in err


@pytest.mark.slow
@pytest.mark.tf
def test_the_self_test_trains_and_forecasts(run):
    code, out, _ = run("doctor", "--json")
    assert code == 0
    assert checks(out)["self-test"]["found"].startswith("trained, saved, loaded, forecast 3 steps")
