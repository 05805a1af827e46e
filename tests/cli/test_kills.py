"""A training killed at any stage leaves the old model or the new one, and can be resumed.

The moments are steps on files and events of the training, not times, so that they are the same on
every machine. Each run is a fork of a process that has loaded the libraries and used none.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import forecast_cli as fc

pytestmark = [
    pytest.mark.tf,
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the runs are forks"),
]
MOMENTS = 30
# Reads commands on stdin, a line each: at which step to kill itself, and the arguments.
SERVER = """
import json, os, signal, sys
import forecast_cli.api.functions, forecast_cli.api.summaries, forecast_cli.cli.train
import forecast_cli.networks.ensemble_training, forecast_cli.networks.onnx_export, tf2onnx
from forecast_cli.cli.app import run
from forecast_cli.cli.progress import Progress

FILES = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir"}

def forked(kill_at, arguments):
    here, steps = os.getcwd(), 0

    def step():
        nonlocal steps
        steps += 1
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event, given):
        if event in FILES and str(given[0]).startswith(here):
            if event != "open" or given[2] & (os.O_WRONLY | os.O_RDWR):
                step()

    class Counted(Progress):
        def on_event(self, event):
            step()
            super().on_event(event)

    forecast_cli.cli.progress.Progress = Counted
    sys.addaudithook(watch)
    code = run(arguments)
    with open(os.environ["STEPS"], "w") as file:
        file.write(str(steps))
    os._exit(code)

for line in sys.stdin:
    kill_at, arguments = json.loads(line)
    child = os.fork()
    if not child:
        forked(kill_at, arguments)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture
def runs(tmp_path):
    """Runs a training in a folder, to its end or until it is killed; its exit code."""
    folder, temporary = tmp_path / "work", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    more = {"TMPDIR": str(temporary), "STEPS": str(tmp_path / "steps"), "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        cwd=folder,
        env=os.environ | more,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def call(*arguments, kill_at=0):
        server.stdin.write(json.dumps([kill_at, [*map(str, arguments)]]) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        assert not list(temporary.iterdir())
        return code

    with server:
        yield call, folder, lambda: int((tmp_path / "steps").read_text())


def test_a_training_killed_at_thirty_stages_keeps_a_whole_model_and_is_resumed(runs, frame, golden):
    call, folder, count_steps = runs
    table, model = folder.parent / "table.csv", folder / "model.forecast"
    frame[-90:].to_csv(table, index=False)
    tiny = ("train", table, "-c", "value", "--preset", "classic", "--units", 2, "--timesteps", 4,
            "--horizon", 1, "-e", 2, "--patience", 0, "--refit", "-q",
            "--checkpoint-every", 0, "--resume")  # fmt: skip
    old = Path(golden).read_bytes()
    model.write_bytes(old)
    assert call(*tiny) == 0
    whole, count = fc.load(model).bundle, count_steps()
    assert count > MOMENTS
    for kill_at in sorted({1 + place * (count - 1) // (MOMENTS - 1) for place in range(MOMENTS)}):
        model.write_bytes(old)
        assert call(*tiny, kill_at=kill_at) == -9
        assert {each.name for each in folder.iterdir()} <= {model.name, f"{model.name}.partial"}
        if model.read_bytes() != old:
            assert fc.load(model).bundle.weights == whole.weights
        assert call(*tiny) == 0, kill_at
        assert [each.name for each in folder.iterdir()] == [model.name]
        assert fc.load(model).bundle.weights == whole.weights
