"""What `forecast doctor` finds."""

import json
import os

import pytest

from forecast_cli.cli import doctor


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


def test_a_self_test_that_does_not_end_is_stopped(run, monkeypatch):
    monkeypatch.setattr(doctor, "LIMIT", 0)
    code, out, err = run("doctor")
    assert code == 5 and "FAILED  self-test        stopped after 0 s" in out and "self-test" in err


def test_a_library_that_aborts_is_told(run, monkeypatch):
    monkeypatch.setattr(
        doctor, "SELF_TEST", "import os, sys; print('no AVX', file=sys.stderr); os.abort()"
    )
    found = checks(run("doctor", "--json")[1])
    assert not found["self-test"]["ok"]
    assert found["self-test"]["found"] == "its process ended with code -6 no AVX"
