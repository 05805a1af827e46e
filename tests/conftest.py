"""Tables and models that many tests share."""

import gc
import os
import pickle
import signal
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, settings

from forecast_cli.__main__ import NEW_OBJECTS

from .data.samples import write_samples
from .frames import seasonal_frame

ROOT = Path(__file__).parents[1]
# As many processes run tests as there are cores: more threads would only wait for each other.
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


# The same few examples in every run of the commit profile; many new ones each night, chosen by
# HYPOTHESIS_PROFILE=nightly.
RELAXED = {"deadline": None, "database": None}
FEW = {"max_examples": 15, "derandomize": True, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("commit", **FEW, **RELAXED)
# For changed code (benchmarks/mutation.py): that a test fails is enough.
settings.register_profile("mutation", phases=[Phase.explicit, Phase.generate], **FEW, **RELAXED)
settings.register_profile("nightly", max_examples=100, **RELAXED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "commit"))

# What tools keep in the working folder; tests must leave nothing else there.
CACHES = {".git", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", "__pycache__"}
DATA_FOLDERS = ("sample_data", "tests/golden")
FILES_BEFORE = pytest.StashKey[set[Path]]()


def list_files(folder: Path) -> set[Path]:
    """The entries of the working folder, and all files of the folders with data."""
    inside = (path for name in DATA_FOLDERS for path in (folder / name).rglob("*"))
    return {path for path in (*folder.iterdir(), *inside) if not CACHES & {*path.parts}}


SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)


def pytest_configure(config: pytest.Config) -> None:
    # The settings of the user who runs the tests are none of theirs.
    os.environ["XDG_CONFIG_HOME"] = str(ROOT / "tests" / "no-settings")
    # What matplotlib knows of fonts is the same in all tests; finished folds are not.
    os.environ.setdefault("MPLCONFIGDIR", str(Path.home() / ".cache" / "matplotlib"))
    for name in THREADS:
        os.environ.setdefault(name, "1")
    # In the background, or under nohup, signals are ignored, and so they would be by each command.
    for each, usual in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(each) == signal.SIG_IGN:
            signal.signal(each, usual)
    config.stash[FILES_BEFORE] = list_files(Path.cwd())


def pytest_collection_finish() -> None:
    """What was imported stays: the garbage collector need not go through it in every test."""
    gc.collect()
    gc.freeze()
    # As the command line has it.
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that leaves files in the working folder; only the controller's end is the end."""
    if hasattr(session.config, "workerinput"):
        return
    if left := list_files(Path.cwd()) - session.config.stash[FILES_BEFORE]:
        names = ", ".join(sorted(map(str, left)))
        session.config.get_terminal_writer().line(f"\nTests left files behind: {names}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def remember(function: Callable) -> Callable:
    """The same function, which computes nothing twice from the same arguments."""
    known = {}

    def call(*given, **settings):
        key = sha256(pickle.dumps((given, settings))).digest()
        if key not in known:
            known[key] = function(*given, **settings)
        return known[key]

    return call


@pytest.fixture(autouse=True)
def usual_signals():
    """A command that is left by Ctrl-C ignores signals from then on; other tests do not."""
    before = {each: signal.getsignal(each) for each in SIGNALS}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.fixture(autouse=True)
def own_cache(request, monkeypatch, tmp_path_factory) -> None:
    """Folds that one test has finished are not restored in another one."""
    name = f"cache-{crc32(request.node.nodeid.encode()):x}"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / name))


@pytest.fixture(autouse=True)
def spare_work() -> None:
    """Keep for the tests that follow what takes long and is the same in many of them.

    That is the compiled code of trainings, and the choice of a transform, which is a function of
    the training rows (tests/training/presets/test_transform_choice.py calls it as it is).
    """
    if training := sys.modules.get("forecast_cli.networks.ensemble_training"):
        training.MOST_FINISHED = 40
    presets = sys.modules.get("forecast_cli.training.presets.selection")
    if presets and presets.choose_transform.__module__ != __name__:
        presets.choose_transform = remember(presets.choose_transform)


@pytest.fixture
def frame() -> pd.DataFrame:
    return seasonal_frame()


@pytest.fixture
def table(tmp_path, frame) -> Path:
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def write(tmp_path, monkeypatch) -> Callable[..., str]:
    """Write a file and give its name, as a user in its folder would type it."""
    monkeypatch.chdir(tmp_path)

    def call(content: str | bytes, name: str = "table.csv") -> str:
        Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    return call


@pytest.fixture(scope="session")
def samples(tmp_path_factory) -> Path:
    """A folder with simulated tables in the forms of well-known ones."""
    return write_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="session")
def golden() -> Path:
    """A small model that the first version of the format wrote."""
    return ROOT / "tests" / "golden" / "format-1.forecast"


@pytest.fixture(scope="session")
def trained():
    """A small trained model; the test that first asks for it pays for TensorFlow."""
    import forecast_cli as fc

    settings = {"preset": "classic", "horizon": 3, "timesteps": 6, "units": 4, "epochs": 3}
    return fc.train(seasonal_frame(), column="value", **settings)


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run a command in an empty directory: its exit code, stdout and stderr."""
    from forecast_cli.cli.app import run as run_command

    monkeypatch.chdir(tmp_path)

    def call(*arguments) -> tuple[int, str, str]:
        code = run_command([str(each) for each in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture(scope="session")
def linear():
    """Makes a model like `fc.train`, but of a linear map of all that a network reads: at once.

    It forecasts about the last value, and every value of its window moves each of its forecasts,
    so that nothing that it must not see could stay unseen.
    """
    from dataclasses import replace

    import forecast_cli as fc
    from forecast_cli.config.resolution import configure
    from forecast_cli.core.events import Epoch, ignore
    from forecast_cli.data.reading import read_panel
    from forecast_cli.evaluation.split_evaluation import evaluate
    from forecast_cli.forecasting.intervals.calibration import calibrate, validation_errors
    from forecast_cli.training.fitting import Fitted, Trained, TrainingHistory
    from forecast_cli.training.model_assembly import make_bundle
    from forecast_cli.training.network_training import make_forecaster
    from forecast_cli.training.pipeline import specify_intervals
    from forecast_cli.training.preparation import make_dataset

    def make(table, *, on_event=ignore, **settings):
        config = configure({"preset": "classic"} | settings)
        panel = read_panel(table, config.data, on_event=on_event)
        dataset = make_dataset(panel, config, on_event=on_event)
        epoch = Epoch(1, 1, 1.0, None, True, 1.0, 1, 0.001)
        fitted = Fitted(
            (TrainingHistory(config.training, [epoch], False),),
            linear_network(
                dataset.timesteps,
                dataset.panel.columns.inputs,
                (dataset.steps_at_once, len(dataset.panel.columns.targets)),
                dataset.config.quantile_levels,
            ),
            b"",
            [],
        )
        trained = Trained(dataset, fitted)
        network = make_forecaster(trained)
        validation = validation_errors(network)
        calibration = calibrate(dataset, validation)
        claims = specify_intervals(calibration, dataset, validation)
        scores = evaluate(network, claims, validation)
        if calibration is not None and claims is not None:
            calibration = replace(calibration, ended=claims.recent.ended())
        return fc.Model(make_bundle(trained, trained, calibration, scores, seconds=0.0))

    return make


@pytest.fixture
def linear_training(monkeypatch):
    """Networks of this test are not trained: what is exported is a linear map, at once.

    For tests of what is done with a network, through `fc.train`, backtests, tuning or commands.
    The map depends on the settings of the network alone; a stateful network is a plain recurrence.
    The shares of an ensemble are those of networks that are not trained. Not for dropout, nor for
    processes that the test starts.
    """
    from forecast_cli.config.members import list_members
    from forecast_cli.core.events import Epoch
    from forecast_cli.model.records import TrainingHistory
    from forecast_cli.networks import ensemble_training
    from forecast_cli.training import network_training
    from forecast_cli.training.fitting import Fitted
    from forecast_cli.training.labels import training as label_training

    def history(training, on_event):
        epochs = [
            Epoch(number, training.epochs, 1 / number, 1 / number, True, 1.0, 1, 0.001)
            for number in range(1, training.epochs + 1)
        ]
        for epoch in epochs:
            on_event(epoch)
        return TrainingHistory(training, epochs, False)

    def train_members(trainer, *, on_event, **_):
        for member in list_members(trainer.config):
            alone = trainer.config.ensemble.alone
            network = None if alone else trainer.build(member).network
            yield network, history(member.training, on_event)

    def export(config, network, histories, feed, probes, *, activation=None, shares=None, **_):
        timesteps, inputs, outputs = feed.shape
        seed = crc32(config.network.model_dump_json().encode())
        if config.network.stateful:
            made = recurrent_network(inputs.features, outputs, seed=seed)
        else:
            made = linear_network(
                timesteps, inputs, outputs, config.quantile_levels, activation=activation, seed=seed
            )
        return Fitted(tuple(histories), made, b"", [], shares=shares)

    def fit_network(config, feed, probes, *, activation, on_event, **_):
        histories = [history(config.training, on_event)]
        return export(config, None, histories, feed, probes, activation=activation)

    monkeypatch.setattr(ensemble_training, "train_members", train_members)
    monkeypatch.setattr(network_training, "export", export)
    monkeypatch.setattr(label_training, "fit_network", fit_network)


def linear_network(timesteps, inputs, outputs, levels, *, activation=None, seed=0) -> bytes:
    """A network that a model file could hold: a linear map, missing values being 0."""
    from onnx import TensorProto, helper, numpy_helper

    draw, targets = np.random.default_rng(seed), list(inputs.targets)
    shape = [*outputs, *([len(levels)] if levels else [])]
    shapes = {"window": [timesteps, inputs.features]}
    if inputs.ahead:
        shapes["ahead"] = [outputs[0], len(inputs.ahead)]
    nodes, parts, constants = [], [], {"zero": np.zeros((), np.float32)}
    for name, each in shapes.items():
        weights = draw.uniform(0.01, 0.03, (*each, *shape)) * draw.choice([-1, 1], (*each, *shape))
        if name == "window":
            for place, target in enumerate(targets):
                if activation is None:
                    weights[-1, target, :, place] += 0.9
        constants[f"{name}_weights"] = weights.reshape(np.prod(each), -1).astype(np.float32)
        nodes += [
            helper.make_node("IsNaN", [name], [f"{name}_nan"]),
            helper.make_node("Where", [f"{name}_nan", "zero", name], [f"{name}_known"]),
            helper.make_node("Flatten", [f"{name}_known"], [f"{name}_flat"]),
            helper.make_node("MatMul", [f"{name}_flat", f"{name}_weights"], [f"{name}_part"]),
        ]
        parts.append(f"{name}_part")
    # Quantiles stand apart by a constant, and do not cross.
    apart = np.zeros(shape) + (np.array(levels) - 0.5 if levels else 0.0)
    constants["apart"] = apart.ravel().astype(np.float32)
    constants["shape"] = np.array([-1, *shape])
    nodes.append(helper.make_node("Sum", [*parts, "apart"], ["sum"]))
    softmax = activation == "softmax"
    nodes.append(helper.make_node("Reshape", ["sum", "shape"], ["raw" if softmax else "forecast"]))
    if softmax:
        nodes.append(helper.make_node("Softmax", ["raw"], ["forecast"]))
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, *each])
         for name, each in shapes.items()],
        [helper.make_tensor_value_info("forecast", TensorProto.FLOAT, [None, *shape])],
        [numpy_helper.from_array(each, name) for name, each in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def recurrent_network(features, outputs, *, seed=0) -> bytes:
    """A stateful network that a model file could hold: four units that read row after row."""
    from onnx import TensorProto, helper, numpy_helper

    draw, units = np.random.default_rng(seed), 4
    shapes = {
        "inputs": (1, units, features),
        "before": (1, units, units),
        "outputs": (units, np.prod(outputs)),
    }
    constants = {
        name: draw.uniform(-0.5, 0.5, shape).astype(np.float32) for name, shape in shapes.items()
    }
    constants["first"], constants["shape"] = np.array([0]), np.array([-1, *outputs])
    nodes = [
        helper.make_node("Transpose", ["window"], ["rows"], perm=[1, 0, 2]),
        helper.make_node("Unsqueeze", ["state", "first"], ["initial"]),
        helper.make_node(
            "RNN", ["rows", "inputs", "before", "", "", "initial"], ["", "last"], hidden_size=units
        ),
        helper.make_node("Squeeze", ["last", "first"], ["state_out"]),
        helper.make_node("MatMul", ["state_out", "outputs"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["forecast"]),
    ]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "recurrent",
        [info("window", TensorProto.FLOAT, [None, None, features]),
         info("state", TensorProto.FLOAT, [None, units])],
        [info("forecast", TensorProto.FLOAT, [None, *outputs]),
         info("state_out", TensorProto.FLOAT, [None, units])],
        [numpy_helper.from_array(each, name) for name, each in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()
