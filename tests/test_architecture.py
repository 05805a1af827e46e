"""The folder tells what it costs to import, and imports only point down."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "forecast_cli"
# From the bottom up, with what each folder may import beside the standard library: importing a
# folder costs what stands here. A folder may import from itself and from those before it.
FOLDERS = {
    "core": {
        "dask", "distributed", "joblib", "numpy", "psutil", "pyspark", "ray", "scipy",
        "threadpoolctl",
    },
    "config": {"pydantic"},
    "data": {
        "babel", "dateutil", "exchange_calendars", "fsspec", "holidays", "numpy", "openpyxl",
        "pandas", "pyarrow", "sqlalchemy",
    },
    "baselines": {"numpy", "onnxruntime", "pydantic", "scipy", "statsforecast"},
    "model": {"numpy", "onnxruntime", "pandas", "pydantic"},
    "forecasting": {"numpy", "pandas", "pyarrow"},
    "networks": {"h5py", "keras", "numpy", "onnx", "tensorflow", "tf2onnx"},
    "evaluation": {"numpy", "pandas", "pyarrow"},
    "training": {"numpy", "pandas", "pydantic", "scipy", "sklearn"},
    "backtesting": {"joblib", "numpy", "pandas"},
    "tuning": {"joblib", "numpy", "optuna", "pandas", "sqlalchemy"},
    "api": {
        "fastapi", "jinja2", "markupsafe", "matplotlib", "numpy", "onnx", "pandas", "plotext",
        "prometheus_client", "pyarrow", "pydantic", "rich", "sklearn", "starlette", "tomlkit",
        "uvicorn",
    },
    "cli": {"pandas", "rich", "tomlkit", "typer"},
}  # fmt: skip
# These start in no time: no NumPy behind them.
LIGHT = ("core/errors", "core/events", "config/", "cli/app")
FILES = sorted(PACKAGE.rglob("*.py"))


def name_series(path: Path) -> str:
    """The module's place in the package, as `data/io/sources`."""
    return str(path.relative_to(PACKAGE).with_suffix("")).removesuffix("/__init__")


MODULES = {name_series(path): path for path in FILES}


def imports(path: Path):
    """Each import, lazy and typing ones too, as (module, whether it is of the package)."""
    place = path.relative_to(PACKAGE).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module, False
        elif isinstance(node, ast.ImportFrom):
            base = [*place[: len(place) - node.level], *(node.module or "").split(".")]
            module = "/".join(part for part in base if part)
            for alias in node.names:
                within = f"{module}/{alias.name}"
                yield (within if within in MODULES else module), True


@cache
def inside(name: str) -> set[str]:
    """The modules of the package that a module imports."""
    return {module for module, own in imports(MODULES[name]) if own and module != name}


def test_the_package_has_few_entries_each_a_concept_of_the_field():
    entries = {path.name.removesuffix(".py") for path in PACKAGE.iterdir()} - {"__pycache__"}
    assert entries == {*FOLDERS, "__init__", "__main__"}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(MODULES) - {"", "__init__", "__main__"}))
def test_imports_point_down_and_cost_what_the_folder_says(name):
    order, own = list(FOLDERS), name.split("/")[0]
    for module, inside in imports(MODULES[name]):
        if inside:
            assert order.index(module.split("/")[0]) <= order.index(own), f"{name}: {module}"
        else:
            top = module.split(".")[0]
            assert top in sys.stdlib_module_names or top in FOLDERS[own], f"{name}: {module}"


# Longest functions, with docstrings, and most parameters of library functions.
MOST_LINES, MOST_PARAMETERS = 40, 8


def test_functions_are_short_and_take_few_parameters():
    for name, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= MOST_LINES, f"{name}: {node.name} has {lines} lines"
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                count = sum(each.arg not in ("self", "cls") for each in given)
                assert count <= MOST_PARAMETERS, f"{name}: {node.name} has {count} parameters"


def test_no_file_imports_itself_by_way_of_others():
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join([*way[way.index(name) :], name])
        if name not in done:
            for module in sorted(inside(name)):
                visit(module, (*way, name))
            done.add(name)

    for name in MODULES:
        if not name.startswith("__"):
            visit(name, ())


@pytest.mark.parametrize("name", [name for name in sorted(MODULES) if name.startswith(LIGHT)])
def test_errors_settings_and_the_start_of_the_command_line_load_no_numpy(name):
    seen, left = set(), [name]
    while left:
        seen.add(now := left.pop())
        top = {module.split(".")[0] for module, inside in at_start(MODULES[now]) if not inside}
        assert not top & {"numpy", "pandas", "pyarrow", "tensorflow", "onnxruntime"}, now
        left += [
            module for module, inside in at_start(MODULES[now]) if inside and module not in seen
        ]


def at_start(path: Path):
    """The imports that run when the module is loaded."""
    place = path.relative_to(PACKAGE).with_suffix("").parts
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module, False
        elif isinstance(node, ast.ImportFrom):
            base = [*place[: len(place) - node.level], *(node.module or "").split(".")]
            yield "/".join(part for part in base if part), True


def imported_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after running the code."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_package_and_its_help_load_next_to_nothing():
    heavy = {"numpy", "pandas", "tensorflow", "keras", "sklearn", "onnxruntime"}
    assert not imported_by("import forecast_cli") & {*heavy, "pydantic", "typer"}
    help_ = "from forecast_cli.cli.app import run\nrun(['train', '--help'])\nrun(['--version'])"
    assert not imported_by(help_) & heavy


# What reads tables and dates, and what few models have, which a prediction from stored rows skips.
UNREAD = (
    "baselines.effects", "data.dates.cell_shapes", "data.dates.parsing", "data.dates.time_names",
    "data.io.body", "data.io.csv_reader", "data.io.database_writer", "data.io.decorations",
    "data.io.opening", "data.io.sources", "data.reading", "data.sequences", "data.time.calendars",
    "data.time.steps", "forecasting.label_prediction",
)  # fmt: skip


def test_prediction_loads_only_what_it_needs(golden):
    code = (
        f"from forecast_cli.cli.app import run\nassert run(['predict', '-m', {str(golden)!r}]) == 0"
    )
    loaded = imported_by(code)
    assert "onnxruntime" in loaded
    assert not loaded & {"tensorflow", "keras", "sklearn", "plotext", "matplotlib", "sqlite3"}
    assert not loaded & {f"forecast_cli.{each}" for each in UNREAD}


def test_a_forecast_without_training_loads_neither_tensorflow_nor_scikit_learn():
    table = PACKAGE.parent / "sample_data" / "prices.csv"
    words = ["now", str(table), "-c", "Close"]
    loaded = imported_by(f"from forecast_cli.cli.app import run\nassert run({words!r}) == 0")
    assert "onnxruntime" in loaded
    assert not loaded & {"tensorflow", "keras", "sklearn", "scipy", "plotext", "matplotlib"}


def test_the_public_names_are_these():
    import forecast_cli

    assert sorted(forecast_cli.__all__) == [
        "Config",
        "DataError",
        "ForecastError",
        "Forecaster",
        "Model",
        "ModelFileError",
        "Plan",
        "Search",
        "TrainingError",
        "UsageError",
        "__version__",
        "backtest",
        "compare",
        "configure",
        "evaluate",
        "inspect",
        "load",
        "now",
        "train",
        "tune",
    ]
    assert all(getattr(forecast_cli, name) is not None for name in forecast_cli.__all__)


def test_the_page_on_the_architecture_names_every_file():
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text()
    shown = set(re.findall(r"\w+", page.split("```")[1]))
    missing = [name for name in MODULES if name and not {name.split("/")[-1], name} & shown]
    assert not missing
