"""`forecast examples`."""

import shlex
import shutil
from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import UsageError
from .console import Console
from .help import shipped_folder
from .options import OutputOptions

FOLDER = "sample_data"
# What is shown, by topic; DATA is the folder of the tables.
RECIPES = {
    "Closing prices: hard to beat yesterday's": (
        "forecast inspect DATA/prices.csv",
        "forecast train DATA/prices.csv --column Close -m prices.forecast",
        "forecast predict -m prices.forecast --level 80,95",
        "forecast backtest DATA/prices.csv -c Close --models naive,drift,window-mean",
    ),
    "Hourly demand with temperature": (
        "forecast train DATA/energy.csv -c demand --past-covariate temperature -H 24 "
        "-m energy.forecast --preset fast",
        "forecast plot energy.forecast",
        "forecast explain energy.forecast",
    ),
    "Many shops with prices and promotions": (
        "forecast train DATA/stores.csv -c sales --series store --future-covariate price "
        "--future-covariate promo -H 14 -m stores.forecast --preset fast",
        "forecast predict -m stores.forecast --future DATA/stores-future.csv --only S01,S02",
        "forecast predict -m stores.forecast --future DATA/stores-future.csv --only S01 "
        "--what-if 'price*0.9'",
    ),
}
Folder = Annotated[
    Path,
    typer.Argument(
        metavar="[FOLDER]",
        show_default=False,
        help=f"Folder of the tables; they are written where they are not there yet. [{FOLDER}]",
    ),
]


def examples(output_options: OutputOptions, folder: Folder = Path(FOLDER)) -> None:
    """Write small tables, and recipes that run on them.

    The tables are simulated. Each recipe is a few commands that run as they are printed.

    Examples:
        forecast examples
        forecast examples tables
        forecast examples --json
    """
    console = Console(output_options)
    written = write_tables(folder)
    quoted = shlex.quote(folder.as_posix())
    recipes = [
        {"title": title, "commands": [each.replace("DATA", quoted) for each in commands]}
        for title, commands in RECIPES.items()
    ]
    if output_options.json:
        console.document({"folder": str(folder), "written": written, "recipes": recipes})
        return
    console.say(f"wrote {', '.join(written)} to {folder}" if written else f"found {folder}")
    for recipe in recipes:
        console.lines([f"# {recipe['title']}", *recipe["commands"], ""])


def write_tables(folder: Path) -> list[str]:
    """Write the sample tables that a folder lacks; return the names of those that were written.

    Raises:
        UsageError: The folder cannot be written.
    """
    source = shipped_folder(FOLDER)
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(source.glob("*.csv")):
            if not (folder / path.name).exists():
                shutil.copyfile(path, folder / path.name)
                written.append(path.name)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written: {error.strerror or error}.", "Name another folder."
        ) from None
    return written
