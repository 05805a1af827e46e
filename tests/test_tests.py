"""Where tests stand, and what they may use."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "forecast_cli"
FILES = sorted(TESTS.rglob("test_*.py"))
# Promises of several modules of a folder; those of several folders stand in end_to_end/.
SEVERAL_MODULES = {
    "api/report/test_browser",
    "api/serve/test_browser",
    "api/test_python_page",
    "api/test_update",
    "cli/test_help",
    "cli/test_interface",
    "cli/test_json",
    "cli/test_kills",
    "cli/test_streams",
    "cli/test_temporary_files",
    "data/test_blank_future",
    "evaluation/test_future_noise",
    "evaluation/test_intermittent_demand",
    "forecasting/test_responses",
    "model/test_crafted",
    "evaluation/test_one_pass",
    "networks/test_arguments",
    "networks/test_effects_graph",
    "networks/test_masks",
    "networks/test_onnx_everything",
    "networks/test_precision",
    "training/presets/test_intermittent",
    "training/presets/test_registry",
    "training/test_member_share",
}

# Folders of tests that mirror none of the package.
ELSEWHERE = {"end_to_end", "fuzz", "pretraining"}


def place(path: Path) -> str:
    return path.relative_to(TESTS).with_suffix("").as_posix()


MIRRORED = [
    path
    for path in FILES
    if path.parent != TESTS and path.relative_to(TESTS).parts[0] not in ELSEWHERE
]


@pytest.mark.parametrize("path", MIRRORED, ids=place)
def test_a_test_stands_where_its_module_does(path):
    folder = PACKAGE / path.parent.relative_to(TESTS)
    module = folder / f"{path.stem.removeprefix('test_')}.py"
    assert folder.is_dir()
    assert module.is_file() or place(path) in SEVERAL_MODULES, f"{path.name}: no {module.name}"


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=place)
def test_tests_use_public_names_alone(path):
    tree = ast.parse(path.read_text())
    modules, private = set(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            modules.update(alias.asname or alias.name for alias in node.names)
            private += [alias.name for alias in node.names if is_private(alias.name)]
        elif isinstance(node, ast.Import):
            modules.update(alias.asname or alias.name for alias in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            private += [node.attr] * (isinstance(node.value, ast.Name) and node.value.id in modules)
    assert not private


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_no_text_has_marks_of_a_conflict():
    root, marks = TESTS.parent, ("<" * 7 + " ", ">" * 7 + " ")
    folders = (root / each for each in ("forecast_cli", "tests", "docs", "benchmarks", "scripts"))
    paths = [*root.glob("*.md"), *(path for each in folders for path in each.rglob("*"))]
    texts = [path for path in paths if path.suffix in (".py", ".md", ".toml", ".json")]
    assert len(texts) > 500
    marked = [
        path
        for path in texts
        if any(line.startswith(marks) for line in path.read_text(errors="replace").splitlines())
    ]
    assert not marked
