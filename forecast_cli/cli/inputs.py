"""The files of a command: which of them is the model, and which are tables."""

from collections.abc import Sequence
from pathlib import Path

from ..core.errors import UsageError

# Where a model is saved and looked for.
MODEL = Path("model.forecast")
STDIN = "-"


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


def one_or_all(tables: list[str]) -> str | list[str]:
    """Return a single table by itself."""
    return tables[0] if len(tables) == 1 else tables
