"""Predictions, backtests and searches by real clusters that the test starts on this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast_cli.model.loading import load_bundle

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PARTS, SERIES, DAYS = 200, 3, 20
PATIENCE = 300
# A process that starts a cluster, prints its address, and ends it with its own input.
DASK = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""
RAY = """
import sys, time, ray
# On a busy machine its own processes may not have started in time.
for left in (2, 1, 0):
    try:
        ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=10**8,
                 logging_level="ERROR", log_to_driver=False)
        break
    except Exception:
        if not left:
            raise
        ray.shutdown()
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
ray.shutdown()
"""
CLUSTERS = {"dask": DASK, "ray": RAY}
# Ray's clusters have a secret.
SETTINGS = {
    "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "0123456789abcdef" * 4,
}  # fmt: skip


@contextmanager
def cluster(name, folder):
    """Start a cluster of two workers; its address."""
    script = folder / f"{name}_cluster.py"
    script.write_text(CLUSTERS[name])
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL, env=os.environ | SETTINGS, cwd=folder,
    ) as process:  # fmt: skip
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def forecast(folder, *arguments, env=None, **more):
    """Start a command in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "forecast_cli", *map(str, arguments)], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | SETTINGS | (env or {}), **more,
    )  # fmt: skip


def panel(first, count):
    days = pd.date_range("2024-01-01", periods=DAYS)
    return pd.concat(
        pd.DataFrame({
            "id": f"s{number:04d}", "day": days,
            "y": np.random.default_rng(number).gamma(3.0, 5.0, DAYS).round(2),
        })
        for number in range(first, first + count)
    )  # fmt: skip


@pytest.fixture(scope="module")
def tables(linear, tmp_path_factory):
    """A model, a folder of 200 files, and the forecast of all of them as one table."""
    folder = tmp_path_factory.mktemp("cluster")
    own = {"column": "y", "series": "id", "time": "day", "horizon": 3, "timesteps": 6}
    model = linear(panel(0, 8), **own)
    model.save(folder / "model.forecast")
    (folder / "panel").mkdir()
    for number in range(PARTS):
        panel(SERIES * number, SERIES).to_parquet(folder / "panel" / f"{number:03d}.parquet")
    whole = panel(0, SERIES * PARTS)
    return folder, model.predict(whole)


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def records(folder):
    return sorted(folder.glob("out.partial/records-*/part-*.json"), key=os.path.getmtime)


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_worker_and_then_the_driver_are_killed_and_every_series_is_forecast_once(
    tables, tmp_path, name
):
    folder, expected = tables
    out = tmp_path / "out"
    with cluster(name, tmp_path) as address:
        command = ["predict", "panel", "-o", f"{out}/", "--engine", name]
        command += ["--engine-address", address]
        driver = forecast(folder, *command)
        wait_for(lambda: len(records(tmp_path)) >= 20 or driver.poll() is not None)
        assert driver.poll() is None, driver.communicate()
        _, worker = json.loads(records(tmp_path)[-1].read_text())["worker"].split(":")
        os.kill(int(worker), signal.SIGKILL)
        wait_for(lambda: len(records(tmp_path)) >= 70 or driver.poll() is not None)
        assert driver.poll() is None, driver.communicate()
        driver.kill()
        driver.communicate()
        made = len(records(tmp_path))
        assert 70 <= made < PARTS and not out.exists()
        after = forecast(folder, *command)
        _, errors = after.communicate(timeout=PATIENCE)
    assert after.returncode == 0, errors
    assert f"of {PARTS} parts were restored" in errors
    got = pd.read_parquet(out)
    assert len(got) == 3 * SERIES * PARTS and not got.duplicated(["id", "day"]).any()
    pd.testing.assert_frame_equal(got, expected, rtol=1e-6)
    assert [each.name for each in tmp_path.glob("out*")] == ["out"]


def read_until(process, words):
    """Read the errors of a process up to a line with some words."""
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError("the command has ended")


def running(group):
    """The processes of a group that have not ended."""
    states = {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = each.read_text().rsplit(")", 1)
        except OSError:
            continue
        state, _, its_group = rest.split()[:3]
        if int(its_group) == group and state not in "ZX":
            states[name] = state
    return states


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")
@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("way", ["dask", "ray", "local"])
def test_ctrl_c_in_a_terminal_stops_a_cluster_that_the_command_has_started(
    tables, tmp_path, way, again
):
    folder, _ = tables
    own = tmp_path / "own"
    own.mkdir()
    words = ["predict", "panel", "-o", f"{tmp_path / 'out'}/", "--engine", way, "--jobs", "2"]
    # A terminal sends the signal to a group of processes.
    run = forecast(folder, *words, env={"TMPDIR": str(own)}, process_group=0)
    wait_for(lambda: len(records(tmp_path)) >= 10 or run.poll() is not None)
    assert run.poll() is None, run.communicate()
    os.killpg(run.pid, signal.SIGINT)
    if again:
        time.sleep(0.05)
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGINT)
    began = time.monotonic()
    _, errors = run.communicate(timeout=PATIENCE)
    assert time.monotonic() - began < 15
    assert run.returncode == 130, errors
    # There may be notes on the series of a part, and on a cluster that takes long to start.
    notes = ("new to the model", "waiting for ")
    lines = [line for line in errors.splitlines() if not any(note in line for note in notes)]
    assert len(lines) == 1 and lines[0].startswith("error: Stopped"), errors
    wait_for(lambda: not running(run.pid))
    assert not list(own.iterdir())


@pytest.mark.tf
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")
@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("name", CLUSTERS)
def test_ctrl_c_in_a_training_lets_a_task_of_its_own_cluster_finish(tmp_path, name, again):
    long = pd.concat([panel(0, 1)] * 5, ignore_index=True)
    long["day"] = pd.date_range("2024-01-01", periods=len(long))
    long.to_csv(tmp_path / "table.csv", index=False)
    own = tmp_path / "own"
    own.mkdir()
    words = ["train", "table.csv", "-c", "y", "--time", "day", "-H", "3", "-t", "5", "--engine"]
    words += [name, "--jobs", "1", "--preset", "classic", "--patience", "0", "--ensemble", "6"]
    words += ["-u", "4", "-e", "1000000" if again else "300", "--no-chart"]
    run = forecast(tmp_path, *words, env={"TMPDIR": str(own)}, process_group=0)
    read_until(run, " train, ")
    # Until the task has begun.
    time.sleep(3)
    os.killpg(run.pid, signal.SIGINT)
    read_until(run, "stopping after this task")
    if again:
        os.killpg(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130, errors
    assert "Traceback" not in errors and "has no workers" not in errors
    assert ("nothing was saved" if again else "of 6 networks are trained") in errors
    wait_for(lambda: not running(run.pid))
    assert not list(own.iterdir())


NOWHERE = """
from forecast_cli.core import engines
engines.PATIENCE, engines.SILENCE = 2, 0.5
try:
    with engines.open_engine("dask", "tcp://127.0.0.1:9", on_event=print):
        pass
except engines.UsageError as error:
    print(error, flush=True)
"""


def test_an_address_where_no_cluster_is_is_an_error_after_a_word(tmp_path):
    script = [sys.executable, "-c", NOWHERE]
    done = subprocess.run(
        script, capture_output=True, text=True, env=os.environ | SETTINGS, timeout=PATIENCE
    )
    note, error = done.stdout.splitlines()
    assert "waiting for dask at tcp://127.0.0.1:9 to answer" in note
    assert error.startswith("dask at tcp://127.0.0.1:9 does not answer") and error.endswith(".")


def test_a_process_of_this_machine_that_is_killed_is_replaced(tables, tmp_path):
    folder, expected = tables
    out = tmp_path / "out"
    run = forecast(folder, "predict", "panel", "-o", f"{out}/", "--jobs", "2")
    wait_for(lambda: len(records(tmp_path)) >= 20 or run.poll() is not None)
    assert run.poll() is None, run.communicate()
    _, worker = json.loads(records(tmp_path)[-1].read_text())["worker"].split(":")
    os.kill(int(worker), signal.SIGKILL)
    _, errors = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0, errors
    pd.testing.assert_frame_equal(pd.read_parquet(out), expected, rtol=1e-6)


@pytest.mark.tf
@pytest.mark.parametrize("kind", ["members", "series"])
def test_trainings_by_workers_give_the_networks_that_they_give_here(tmp_path, kind):
    long = pd.concat([panel(0, 4)] * 5).sort_values("id", kind="stable", ignore_index=True)
    long["day"] = list(pd.date_range("2024-01-01", periods=5 * DAYS)) * 4
    long.to_csv(tmp_path / "table.csv", index=False)
    words = ["train", "table.csv", "-c", "y", "--series", "id", "--time", "day", "-H", "3", "-t"]
    words += ["5", "--preset", "classic", "-e", "2", "-u", "4", "--refit", "-q", "--no-chart"]
    words += {"members": ["--ensemble", "3"], "series": ["--per-series"]}[kind]

    def train(name, *way):
        run = forecast(tmp_path, *words, *way, "-m", f"{name}.forecast")
        _, errors = run.communicate(timeout=2 * PATIENCE)
        assert run.returncode == 0, errors
        assert "leaked" not in errors
        return load_bundle(tmp_path / f"{name}.forecast")

    one, others = train("one", "--jobs", "1"), [train("two", "--jobs", "2")]
    for name in CLUSTERS:
        with cluster(name, tmp_path) as address:
            others.append(train(name, "--engine", name, "--engine-address", address))
    for other in others:
        assert (one.onnx, one.weights) == (other.onnx, other.weights)
        if kind == "series":
            assert (one.networks == other.networks).all()


@pytest.mark.tf
def test_backtests_and_searches_by_workers_give_what_they_give_here(tmp_path):
    panel(0, 1).to_csv(tmp_path / "table.csv", index=False)
    long = pd.concat([panel(0, 1)] * 5, ignore_index=True)
    long["day"] = pd.date_range("2024-01-01", periods=len(long))
    long.to_csv(tmp_path / "table.csv", index=False)
    plain = ["--column", "y", "--time", "day", "--horizon", "3", "--timesteps", "5"]
    plain += ["--preset", "classic", "--epochs", "2", "--units", "4", "--json"]
    folds = ["backtest", "table.csv", *plain, "--models", "model,naive", "--n-windows", "3"]
    folds += ["--refit-every", "always"]
    trials = ["tune", "table.csv", *plain, "--trials", "3", "--n-windows", "2"]
    with cluster("dask", tmp_path) as address:
        engine = ["--engine", "dask", "--engine-address", address]
        made, commands = {}, {"here": [*folds, "--jobs", "1"], "there": [*folds, *engine]}
        commands["search"] = [*trials, *engine, "-m", "model.forecast"]
        for name, words in commands.items():
            output, errors = forecast(tmp_path, *words).communicate(timeout=2 * PATIENCE)
            made[name] = json.loads(output)
            assert "error" not in made[name], errors
    here, there = (pd.DataFrame(made[name]["forecasts"]) for name in ("here", "there"))
    pd.testing.assert_frame_equal(here, there, rtol=1e-4)
    trials = [row for row in made["search"]["trials"] if row["state"] in ("complete", "pruned")]
    assert len(trials) >= 3 and (tmp_path / "model.forecast").exists()
