"""The folder tells what it costs to import, and imports only point down."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "forecast_cli"
# From the bottom up; a folder may import from those before it.
LAYERS = ("root", "core", "data", "model", "nn", "verbs", "cli")
ROOT = {
    "__init__", "covariates", "errors", "events", "config", "consistency", "courses", "ensemble",
    "layers", "membership", "network", "searchable", "settings",
}  # fmt: skip
ALLOWED = {
    "root": {"pydantic"},
    "core": {"numpy", "scipy", "sklearn"},
    "data": {
        "numpy",
        "pandas",
        "pyarrow",
        "dateutil",
        "exchange_calendars",
        "holidays",
        "fsspec",
        "sqlalchemy",
    },
    "model": {"numpy", "pandas", "pydantic", "onnxruntime"},
    "nn": {"numpy", "tensorflow", "keras"},
    "verbs": {
        "numpy",
        "pandas",
        "pyarrow",
        "joblib",
        "optuna",
        "statsforecast",
        "threadpoolctl",
    },
    "cli": {"typer", "rich", "pandas", "tomlkit"},
}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__main__.py")


def layer(parts: tuple[str, ...]) -> str:
    if len(parts) > 1 and parts[0] in LAYERS:
        return parts[0]
    return "root" if parts[0] in ROOT else parts[0] if parts[0] in LAYERS else "verbs"


def imports(path: Path):
    """Each import as (module, relative), relative ones by their place in the package."""
    place = path.relative_to(PACKAGE).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module, False
        elif isinstance(node, ast.ImportFrom):
            base = place[: len(place) - node.level]
            modules = [node.module] if node.module else [alias.name for alias in node.names]
            yield from (("/".join([*base, *module.split(".")]), True) for module in modules)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down_and_cost_what_the_folder_says(path):
    own = layer(path.relative_to(PACKAGE).with_suffix("").parts)
    for module, relative in imports(path):
        if relative:
            other = layer(tuple(module.split("/")))
            if path.name != "__init__.py":
                assert LAYERS.index(other) <= LAYERS.index(own), f"{path}: {module}"
        else:
            top = module.split(".")[0]
            known = top in sys.stdlib_module_names or top in ALLOWED[own]
            assert known, f"{path} imports {module}"


def imported_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after running the code."""
    script = f"{code}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_package_and_its_help_load_next_to_nothing():
    heavy = {"numpy", "pandas", "tensorflow", "keras", "sklearn", "onnxruntime"}
    assert not imported_by("import forecast_cli") & {*heavy, "pydantic", "typer"}
    help_ = "from forecast_cli.cli.app import run\nrun(['train', '--help'])\nrun(['--version'])"
    assert not imported_by(help_) & heavy


def test_prediction_loads_neither_tensorflow_nor_scikit_learn(golden):
    code = (
        f"from forecast_cli.cli.app import run\nassert run(['predict', '-m', {str(golden)!r}]) == 0"
    )
    loaded = imported_by(code)
    assert "onnxruntime" in loaded
    assert not loaded & {"tensorflow", "keras", "sklearn"}


def test_the_public_names_are_these():
    import forecast_cli

    assert sorted(forecast_cli.__all__) == [
        "Config",
        "DataError",
        "ForecastError",
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
        "load",
        "train",
        "tune",
    ]
    assert all(getattr(forecast_cli, name) is not None for name in forecast_cli.__all__)


def test_the_map_of_the_house_shows_every_room():
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text()
    tree = page.split("```")[1]
    shown = set(re.findall(r"\w+", tree))
    missing = [path.stem for path in FILES if path.stem not in {*shown, "__init__"}]
    assert not missing
