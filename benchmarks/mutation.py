"""Change the numerical code line by line, and see whether its tests notice.

    pip install mutmut
    python benchmarks/mutation.py                                  # all files, an hour
    python benchmarks/mutation.py core/scaling baselines/naive --show

Prints a row for each file: how many changes (mutants) mutmut made, how many of them a test failed
on, and how many no test noticed; `--show` prints these as well. A mutant is run by the tests of its
own file alone, up to the first that fails. docs/reliability.md says which ones may survive. Works
in a copy of the repository in a temporary folder.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
# The tests of each file; none of them needs TensorFlow.
TESTS = {
    "core/scaling": ["core/test_scaling", "end_to_end/test_vectorised"],
    "core/error_scale": ["core/test_error_scale"],
    "core/diebold_mariano": ["core/test_diebold_mariano"],
    "evaluation/metrics/accumulators": [
        "evaluation/metrics/test_accumulators",
        "evaluation/metrics/test_point",
        "evaluation/metrics/test_interval",
    ],
    "evaluation/metrics/interval": ["evaluation/metrics/test_interval"],
    "evaluation/metrics/point": ["evaluation/metrics/test_point"],
    "forecasting/intervals/calibration": ["forecasting/intervals/test_calibration"],
    "forecasting/intervals/conformal": ["forecasting/intervals/test_conformal"],
    "data/splits": ["data/test_splits"],
    "baselines/naive": ["baselines/test_naive"],
    "baselines/ridge": ["baselines/test_ridge"],
    "baselines/intermittent": ["baselines/test_intermittent"],
}
# Those with a limit of seconds would fail on a busy machine.
CHOSEN = "not no_loop and not forecast_at_once"
SETTINGS = """
[tool.mutmut]
source_paths = ["forecast_cli"]
only_mutate = ["forecast_cli/{module}.py"]
pytest_add_cli_args = ["--numprocesses=0", "-x", "-p", "no:cacheprovider", "-k", "{chosen}"]
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false
"""
COPIED = ("forecast_cli", "tests", "sample_data", "docs", "scripts", "benchmarks")
# Each is a process of its own otherwise, and they are many.
SHOW = """
import sys
from mutmut.__main__ import cli
for name in sys.argv[1:]:
    cli(["show", name], standalone_mode=False)
"""
# What mutmut stores for a mutant: how the tests ended.
OUTCOMES = {0: "survived", 1: "killed", 3: "killed", 33: "not tested", 34: "not tested"}


def copy_repository(module: str, folder: Path) -> None:
    """Copy what the tests need, with the settings of mutmut for one file."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    tests = json.dumps([f"tests/{name}.py" for name in TESTS[module]])
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    settings += SETTINGS.format(module=module, tests=tests, chosen=CHOSEN)
    (folder / "pyproject.toml").write_text(settings, "utf-8")


def run(folder: Path, *arguments: str) -> str:
    """Run Python in a copy of the repository, and return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": "", "HYPOTHESIS_PROFILE": "mutation"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stdout[-4000:] + done.stderr[-4000:])
    return done.stdout


def measure(module: str, *, show: bool) -> None:
    """Run the mutants of a file and print its row."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "copy"
        folder.mkdir()
        copy_repository(module, folder)
        run(folder, "-m", "mutmut", "run", "--max-children", "1")
        stored = (folder / "mutants" / "forecast_cli" / f"{module}.py.meta").read_text("utf-8")
        codes: dict[str, int] = json.loads(stored)["exit_code_by_key"]
        found = Counter(OUTCOMES.get(code, "timeout") for code in codes.values())
        counts = [found[name] for name in ("killed", "timeout", "survived", "not tested")]
        print(",".join(map(str, [module, len(codes), *counts])), flush=True)
        left = [name for name, code in codes.items() if OUTCOMES.get(code) == "survived"]
        if show and left:
            print(run(folder, "-c", SHOW, *left), flush=True)


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(TESTS))
    parser.add_argument("--show", action="store_true", help="print the mutants that survive")
    given = parser.parse_args()
    if unknown := set(given.modules) - set(TESTS):
        parser.error(f"no such module: {', '.join(sorted(unknown))}")
    print("module,mutants,killed,timeout,survived,not tested")
    for module in given.modules or TESTS:
        measure(module, show=given.show)


if __name__ == "__main__":
    main()
