"""Libraries that an installation may lack, how to get them, and what they leave when loaded."""

import gc
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

from .errors import UsageError, listed

# The package, and what `requirements/predict.txt` leaves out of it: modules with their packages.
PACKAGE = "forecast-cli"
TRAINING = {
    "tensorflow": "tensorflow", "keras": "keras", "sklearn": "scikit-learn", "scipy": "scipy",
    "onnx": "onnx", "tf2onnx": "tf2onnx", "optuna": "optuna", "h5py": "h5py",
    "threadpoolctl": "threadpoolctl",
}  # fmt: skip
REQUIREMENT = re.compile(r"^([\w.-]+(?:\[[\w,]+\])?[^;]*);.*extra == ['\"]([\w-]+)['\"]")
EVERYTHING = f"This installation makes predictions only; for all of it: pip install {PACKAGE}"


@contextmanager
def native_stderr_silenced() -> Iterator[None]:
    """Keep what native code writes to stderr from the user, that is to file descriptor 2."""
    try:
        kept = os.dup(2)
    except OSError:
        # The process has no stderr: nothing has to be kept from it.
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


def collect_garbage_again() -> None:
    """Let Python look for garbage again, but not at once through all that libraries are made of.

    Objects that were frozen and are not any more count as old ones, which are seldom looked at.
    """
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()
    gc.enable()


def is_small() -> bool:
    """Whether this is an installation that makes predictions and trains nothing."""
    return find_spec("tensorflow") is None


def how_to_install(extra: str) -> str:
    """Return the command that installs an extra; where nothing trains, its libraries alone.

    Args:
        extra: Its name in `pyproject.toml`.
    """
    libraries = libraries_of(extra) if is_small() else []
    if not libraries:
        return f"pip install '{PACKAGE}[{extra}]'"
    return f"pip install {' '.join(repr(each) for each in libraries)}"


def libraries_of(extra: str) -> list[str]:
    """Return the requirements of an extra, as its package lists them; none where it has no list."""
    # It takes ten milliseconds to load, and only an error needs it.
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires(PACKAGE) or []
    except PackageNotFoundError:
        return []
    matched = [found for each in lines if (found := REQUIREMENT.match(each))]
    return [found[1].strip() for found in matched if found[2] == extra]


def version_of(library: str) -> str:
    """Return the installed version of a library; empty where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(library)
    except PackageNotFoundError:
        return ""


def require_training(what: str) -> None:
    """Refuse work that trains where libraries for it are missing.

    Args:
        what: The work, as the subject of a sentence.

    Raises:
        UsageError: There is no TensorFlow, or none of what comes with it.
    """
    missing = [package for module, package in TRAINING.items() if find_spec(module) is None]
    if missing:
        raise missing_for(what, missing)


def explain_missing(error: ModuleNotFoundError, what: str) -> UsageError | None:
    """Return the error for a library of trainings that work needs; None for any other one."""
    package = TRAINING.get((error.name or "").split(".")[0])
    return missing_for(what, [package]) if package else None


def missing_for(what: str, packages: Sequence[str]) -> UsageError:
    """Return the error for work that needs packages which are not installed."""
    verb = "is" if len(packages) == 1 else "are"
    return UsageError(
        f"{what} needs {listed(packages, most=3)}, which {verb} not installed.", EVERYTHING
    )
