"""The files of a command: models, tables, and what a model file tells of its training."""

import hashlib
import shlex
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import UsageError

if TYPE_CHECKING:
    from ..model.bundle import Bundle

# Where a model is saved and looked for.
MODEL = Path("model.forecast")
STDIN = "-"
# The words of the command line.
CALLED: ContextVar[tuple[str, ...]] = ContextVar("called", default=())


def is_named_model(file: str) -> bool:
    """Whether a file of the command line is a model, by its content or its name."""
    from ..model.bundle import is_model

    return file != STDIN and (is_model(Path(file)) or file.endswith(MODEL.suffix))


def split_model(files: Sequence[str], named: Path | None = None) -> tuple[Path | None, list[str]]:
    """Return the model and the tables among the files of a command.

    Args:
        files: As they were given; a model comes first.
        named: The model of the option --model.

    Returns:
        None where no model is named.

    Raises:
        UsageError: Two models are named.
    """
    if not files or not is_named_model(files[0]):
        return named, list(files)
    if named is not None:
        raise UsageError(f"{files[0]} is a model, and --model names another.", "Name one of them.")
    return Path(files[0]), list(files[1:])


def model_flag(model: Path) -> str:
    """What names a model on the command line; empty for the default one."""
    return "" if model == MODEL else f" -m {shlex.quote(str(model))}"


def one_or_all(tables: list[str]) -> str | list[str]:
    """Return a single table by itself."""
    return tables[0] if len(tables) == 1 else tables


def record_origin(bundle: "Bundle", tables: Sequence[str]) -> "Bundle":
    """Return a model that tells by which command and from which files it was trained."""
    from ..data.io.remote import masked
    from ..model.records import Origin, SourceFile

    files = []
    for each in tables:
        path = Path(each)
        if path.is_file():
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            files.append(SourceFile(path=each, size=path.stat().st_size, sha256=sha256))
    command = shlex.join(["forecast", *(masked(word) for word in CALLED.get())])
    origin = Origin(command=command, files=tuple(files))
    run = bundle.manifest.run.model_copy(update={"origin": origin})
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"run": run}))
