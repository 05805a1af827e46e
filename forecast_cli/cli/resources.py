"""Files that come with the package: the documentation and the sample tables."""

from pathlib import Path

from ..core.errors import UsageError

HERE = Path(__file__).parent


def shipped_folder(name: str) -> Path:
    """Return a folder that an installed package holds, and that a checkout has at its top.

    Args:
        name: Of the folder, "docs" or "sample_data".

    Raises:
        UsageError: It was left out of this installation.
    """
    for folder in (HERE / name, HERE.parents[1] / name):
        if folder.is_dir():
            return folder
    raise UsageError(
        f"This installation has no {name}.", "Install the package again: pip install forecast-cli."
    )
