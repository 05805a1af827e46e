"""A run killed at any stage leaves old files or new ones, and goes on to the same result.

The moments are steps on files, statements to a study and events of the run, not times, so that they
are the same on every machine. Each run is a fork of a process that has loaded the libraries and
used none.
"""

import json
import os
import shutil
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
MOMENTS, PARTIAL = 30, "model.forecast.partial"
# Reads commands on stdin, a line each: at which step to kill itself, and the arguments.
SERVER = """
import json, os, signal, sys
import forecast_cli.api.functions, forecast_cli.api.summaries, forecast_cli.cli.train
import forecast_cli.networks.ensemble_training, forecast_cli.networks.onnx_export, tf2onnx
import forecast_cli.backtesting.comparison, forecast_cli.tuning.tuning, sqlalchemy
from forecast_cli.cli.app import run
from forecast_cli.cli.progress import Progress

FILES = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir"}

def forked(kill_at, arguments):
    here, steps = os.getcwd(), 0

    def step(*_):
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
    for module in ("backtest", "compare", "tune"):
        module = sys.modules.get(f"forecast_cli.cli.{module}")
        if hasattr(module, "Progress"):
            module.Progress = Counted
    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", step)
    sys.addaudithook(watch)
    os.dup2(os.open(os.environ["OUTPUT"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    code = run(arguments)
    sys.stdout.flush()
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
NETWORK = ("--preset", "classic", "--units", 2, "--timesteps", 4, "--horizon", 1, "-e", 2,
           "--patience", 0)  # fmt: skip
ALWAYS = ("--checkpoint-every", 0, "--resume")


class Runs:
    """Runs commands in a folder, to their end or until they are killed."""

    def __init__(self, folder, frame):
        self.folder, self.temporary = folder / "work", folder / "temporary"
        self.steps, self.output = folder / "steps", folder / "output"
        self.table, self.model = folder / "table.csv", self.folder / "model.forecast"
        self.folder.mkdir()
        self.temporary.mkdir()
        frame.to_csv(self.table, index=False)
        more = {"TMPDIR": self.temporary, "STEPS": self.steps, "OUTPUT": self.output}
        more |= {"XDG_CACHE_HOME": self.folder / "cache", "OMP_NUM_THREADS": 1}
        self.server = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            cwd=self.folder,
            env=os.environ | {name: str(each) for name, each in more.items()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(self, *arguments, kill_at=0):
        """Run a command; its exit code."""
        self.server.stdin.write(json.dumps([kill_at, [*map(str, arguments)]]) + "\n")
        self.server.stdin.flush()
        code = int(self.server.stdout.readline())
        assert not list(self.temporary.iterdir())
        return code

    def moments(self, number):
        """So many steps of the last whole run, the first and the last among them."""
        count = int(self.steps.read_text())
        assert count > number
        return sorted({1 + place * (count - 1) // (number - 1) for place in range(number)})

    def files(self):
        """The names in the folder; without a cache that holds nothing."""
        empty = not [each for each in self.folder.glob("cache/**/*") if each.is_file()]
        return {each.name for each in self.folder.iterdir()} - ({"cache"} if empty else set())

    def result(self):
        """What the last whole run printed, without times and notes."""
        return without_times(json.loads(self.output.read_text()))


def without_times(content):
    if isinstance(content, dict):
        return {
            name: without_times(each)
            for name, each in content.items()
            if name not in ("seconds", "notes")
        }
    return [without_times(each) for each in content] if isinstance(content, list) else content


@pytest.fixture
def runs(tmp_path, frame):
    made = Runs(tmp_path, frame[-90:])
    with made.server:
        yield made


def test_a_training_killed_at_thirty_stages_keeps_a_whole_model_and_is_resumed(runs, golden):
    model = runs.model
    tiny = ("train", runs.table, "-c", "value", *NETWORK, *ALWAYS, "--refit", "-q")
    old = Path(golden).read_bytes()
    model.write_bytes(old)
    assert runs.call(*tiny) == 0
    whole = fc.load(model).bundle
    for kill_at in runs.moments(MOMENTS):
        model.write_bytes(old)
        assert runs.call(*tiny, kill_at=kill_at) == -9
        assert runs.files() <= {model.name, PARTIAL}
        if model.read_bytes() != old:
            assert fc.load(model).bundle.weights == whole.weights
        assert runs.call(*tiny) == 0, kill_at
        assert runs.files() == {model.name}
        assert fc.load(model).bundle.weights == whole.weights


COMMANDS = {
    "tune": (*ALWAYS, "--trials", 3, "--n-windows", 1, "--space", "../space.toml"),
    "tune in a file": (*ALWAYS, "--trials", 3, "--n-windows", 1, "--space", "../space.toml",
                       "--storage", "../study.db"),
    "compare": (*ALWAYS, "--n-windows", 2, "--models", "lstm,rnn"),
    "backtest": ("--n-windows", 3, "--models", "lstm,theta,naive", "--jobs", 1),
    "backtest with refits": ("--n-windows", 3, "--models", "lstm", "--refit-every", "always",
                             "--jobs", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_what_takes_several_trainings_goes_on_to_the_same_result(runs, golden, name):
    pytest.importorskip("statsforecast")
    command, more = name.split()[0], COMMANDS[name]
    network = [*NETWORK[:2], *NETWORK[4:]] if command == "tune" else NETWORK
    arguments = (command, runs.table, "-c", "value", *network, *more, "--json")
    space, study = runs.folder.parent / "space.toml", runs.folder.parent / "study.db"
    space.write_text("units = [2, 3, 4]\nlearning_rate = {low = 0.001, high = 0.1, log = true}\n")
    old = Path(golden).read_bytes()
    kept = set() if command == "backtest" else {runs.model.name}
    for each in kept:
        (runs.folder / each).write_bytes(old)
    assert runs.call(*arguments) == 0
    assert runs.files() == kept
    whole = runs.result()
    weights = [fc.load(runs.folder / each).bundle.weights for each in kept]
    for kill_at in runs.moments(8):
        study.unlink(missing_ok=True)
        shutil.rmtree(runs.folder / "cache", ignore_errors=True)
        for each in kept:
            (runs.folder / each).write_bytes(old)
        assert runs.call(*arguments, kill_at=kill_at) == -9
        assert runs.files() <= {*kept, "cache", PARTIAL}
        for each in kept:
            if (now := runs.folder / each).read_bytes() != old:
                assert [fc.load(now).bundle.weights] == weights
                if study.exists() and not (runs.folder / PARTIAL / "job.json").exists():
                    # It was finished: another run adds trials.
                    study.unlink()
        assert runs.call(*arguments) == 0, kill_at
        assert runs.result() == whole, kill_at
        assert runs.files() == kept
        assert [fc.load(runs.folder / each).bundle.weights for each in kept] == weights
