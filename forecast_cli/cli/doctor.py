"""`forecast doctor`."""

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import starmap
from pathlib import Path
from typing import Annotated, Any

from ..core.errors import ForecastError, TrainingError
from ..core.libraries import EVERYTHING, how_to_install, is_small, libraries_of, version_of
from .console import Console
from .options import OutputOptions, option, user_config

# What the results depend on.
LIBRARIES = ("numpy", "pandas", "pyarrow", "onnxruntime")
FOR_TRAINING = ("tensorflow", "keras", "scikit-learn")
# What each extra is for.
EXTRAS = {
    "calendars": "exchange and holiday calendars",
    "classical": "ETS, Theta and ARIMA",
    "dask": "work on Dask clusters",
    "excel": "Excel workbooks",
    "plot": "charts as PNG, SVG and PDF",
    "ray": "work on Ray clusters",
    "remote": "tables at URLs and in object stores",
    "serve": "forecasts over HTTP",
    "spark": "work on Spark clusters",
    "sql": "tables in databases",
    "tuning": "the sampler cmaes",
}
PACKAGE_NAME = re.compile(r"[\w.-]+")
ROWS = 60
GIB = 2**30
# Seconds after which the self-test is stopped.
LIMIT = 300
# A process of its own can be stopped, and a library may abort it.
SELF_TEST = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from forecast_cli.cli.doctor import self_test
print(json.dumps(self_test()))
"""
NoTest = Annotated[bool, option("--no-test", help="Leave out the self-test.", env=False)]


def doctor(output_options: OutputOptions, no_test: NoTest = False) -> None:
    """Check the installation, and what each extra is for.

    It shows versions, cores, memory, GPU, extras and write access, then trains a small model and
    forecasts with it, which takes about ten seconds and is stopped after five minutes. The exit
    code is 5 where that fails. An installation for predictions alone has no such test.

    Examples:
        forecast doctor
        forecast doctor --no-test
        forecast doctor --json
    """
    console = Console(output_options)
    checks = [*_versions(), *_machine(), *_access(), *starmap(_extra, EXTRAS.items())]
    if not output_options.json:
        console.lines([_line(each) for each in checks])
    if not no_test and is_small():
        console.say(f"no self-test, which trains a model: {EVERYTHING}")
    elif not no_test:
        console.say("self-test: training a small model ...")
        results = _run_self_test()
        if not output_options.json:
            console.lines([_line(each) for each in results])
        checks += results
    failed = [str(each["check"]) for each in checks if not each["ok"] and not each.get("optional")]
    if output_options.json:
        console.document({"ok": not failed, "checks": checks})
    if failed and not output_options.json:
        raise TrainingError(f"Not all is well: {', '.join(failed)}.", "See the lines above.")


def _line(check: dict[str, Any]) -> str:
    """A check as a line for people."""
    mark = "ok" if check["ok"] else "--" if check.get("optional") else "FAILED"
    return f"{mark:<7} {check['check']:<16} {check['found']}"


def _check(name: str, found: str, ok: bool = True) -> dict[str, Any]:
    return {"check": name, "ok": ok, "found": found}


def _versions() -> list[dict[str, Any]]:
    """The versions of this tool, of Python and of the libraries."""
    found = [
        _check("forecast", version_of("forecast-cli")),
        _check("Python", f"{platform.python_version()} on {platform.platform(terse=True)}"),
    ]
    for name in (*LIBRARIES, *FOR_TRAINING):
        check = _check(name, version_of(name) or "not installed", bool(version_of(name)))
        found.append(check | ({"optional": True} if is_small() and name in FOR_TRAINING else {}))
    return found


def _machine() -> list[dict[str, Any]]:
    """Cores and memory that this process may use."""
    from ..core.parallel import cores

    found = [_check("cores", f"{cores()}")]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        page = os.sysconf("SC_PAGE_SIZE")
        whole, free = os.sysconf("SC_PHYS_PAGES") * page, os.sysconf("SC_AVPHYS_PAGES") * page
        found.append(_check("memory", f"{whole / GIB:.1f} GiB, {free / GIB:.1f} GiB free"))
    return found


def _access() -> list[dict[str, Any]]:
    """Whether models and temporary files can be written, and which settings are read."""
    own, here = user_config(), Path("forecast.toml")
    files = [str(path) for path in (own, here) if path.is_file()]
    return [
        _writable("working folder", Path.cwd()),
        _writable("temporary files", Path(tempfile.gettempdir())),
        _check("settings", ", ".join(files) or f"defaults; none in {own} or {here}"),
    ]


def _writable(name: str, folder: Path) -> dict[str, Any]:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return _check(name, f"{folder} can be written")
    except OSError as error:
        return _check(name, f"{folder} cannot be written: {error.strerror or error}", ok=False)


def _extra(name: str, use: str) -> dict[str, Any]:
    """Whether an extra is installed, and how to install it."""
    packages = [PACKAGE_NAME.match(each) for each in libraries_of(name)]
    missing = any(found and not version_of(found[0]) for found in packages)
    text = f"{use}: {how_to_install(name)}" if missing else use
    return {"check": f"extra {name}", "ok": not missing, "found": text, "optional": True}


def _run_self_test() -> list[dict[str, Any]]:
    """Run the self-test in another process, for a limited time."""
    command = [sys.executable, "-c", SELF_TEST, json.dumps(sys.path)]
    try:
        # Ctrl-C reaches this process alone, which then stops the other one.
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT, start_new_session=True
        )
    except subprocess.TimeoutExpired:
        reason = f"stopped after {LIMIT} s; is the machine busy, or short of memory?"
        return [_check("self-test", reason, ok=False)]
    try:
        return list(json.loads(done.stdout))
    except ValueError:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        reason = f"its process ended with code {done.returncode} {last}".rstrip()
        return [_check("self-test", reason, ok=False)]


def self_test() -> list[dict[str, Any]]:
    """Train, forecast and look for GPUs in this process."""
    return [_timed("self-test", _test_training), _timed("GPU", _gpu)]


def _timed(name: str, check: Callable[[], str]) -> dict[str, Any]:
    """Run a check, and tell what it found and how long it took, or why it failed."""
    began = time.monotonic()
    try:
        found, ok = check(), True
    except (ForecastError, ImportError, OSError, RuntimeError, ValueError) as error:
        found, ok = f"{type(error).__name__}: {error}", False
    return _check(name, f"{found} ({time.monotonic() - began:.1f} s)", ok)


def _test_training() -> str:
    """Train a small model, save it, load it and forecast with it."""
    import pandas as pd

    from ..api.functions import load, train

    dates = pd.date_range("2020-01-01", periods=ROWS, freq="D")
    frame = pd.DataFrame({"date": dates, "value": [float(day % 7) for day in range(ROWS)]})
    settings: Any = {"preset": "classic", "timesteps": 7, "horizon": 3, "units": 4, "epochs": 2}
    model = train(frame, column="value", **settings)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.forecast"
        model.save(path)
        forecasts = load(path).predict()
    if len(forecasts) != 3 or forecasts["value"].isna().any():
        raise ValueError(f"forecast {forecasts['value'].tolist()}, expected 3 numbers")
    return "trained, saved, loaded, forecast 3 steps"


def _gpu() -> str:
    """The GPUs that a training would use."""
    from ..networks import gpus

    return ", ".join(gpus()) or "none; trainings run on the cores"
