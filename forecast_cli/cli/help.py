"""`forecast help`, and the files that come with the package."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import UsageError, nearest
from .command import COMMANDS, GROUPS, HELP, build, first_screen
from .completion import complete_part
from .options import option
from .terminal import WIDEST, columns, is_dumb

HERE = Path(__file__).parent
PAGES, ENDING = "pages", ".md"
Whole = Annotated[bool, option("--all", help="Show every option of a command.", env=False)]


def shipped_folder(name: str) -> Path:
    """Return a folder, "docs" or "sample_data", that a package holds, and a checkout at its top.

    Raises:
        UsageError: It was left out of this installation.
    """
    for folder in (HERE / name, HERE.parents[1] / name):
        if folder.is_dir():
            return folder
    raise UsageError(
        f"This installation has no {name}.", "Install the package again: pip install forecast-cli."
    )


def complete_help(incomplete: str) -> list[str]:
    """Return the commands and pages that begin like what was typed."""
    names = [*COMMANDS, *(path.stem for path in _pages()), PAGES]
    return complete_part(incomplete, dict.fromkeys(names))


Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[COMMAND|PAGE]",
        autocompletion=complete_help,
        show_default=False,
        help="A command, or a page of the documentation; pages: a list of them.",
    ),
]


def help(words: Words = None, whole: Whole = False) -> None:
    """Show the help of a command, or a page of the documentation.

    A page has the name of its file; where a command has the same name, the page ends with .md.

    Examples:
        forecast help train
        forecast help train --all
        forecast help settings
    """
    names = [word for word in words or () if word != "all"]
    whole = whole or "all" in (words or ())
    if len(names) > 1:
        raise UsageError("The help is of one command or page.", "Name one of them.")
    if not names:
        typer.echo(first_screen(GROUPS))
    elif names[0] in COMMANDS:
        command = build(names[0])
        context = typer.Context(command, info_name=f"forecast {names[0]}", **HELP)
        with context:
            typer.echo(command.format_all(context) if whole else command.get_help(context))
    elif names[0] == PAGES:
        for path in _pages():
            typer.echo(f"{path.stem:<16} {_title(path)}")
    else:
        _show_page(names[0], [*COMMANDS])


def _pages() -> list[Path]:
    """The pages of the documentation, each on a topic."""
    return sorted(shipped_folder("docs").glob(f"*{ENDING}"))


def _title(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((line.lstrip("# ") for line in lines if line.startswith("# ")), "")


def _show_page(name: str, commands: list[str]) -> None:
    """Show a page: laid out on a terminal, as it is written in a pipe."""
    pages = {path.stem: path for path in _pages()}
    path = pages.get(name.removesuffix(ENDING))
    if path is None:
        raise UsageError(
            f'There is no command or page "{name}".',
            nearest(name, list(dict.fromkeys([*commands, *pages]))),
        )
    text = path.read_text(encoding="utf-8")
    if not sys.stdout.isatty() or is_dumb():
        typer.echo(text.rstrip())
        return
    from rich.console import Console
    from rich.markdown import Markdown

    os.environ.setdefault("LESS", "-RFX")
    console = Console(width=min(columns(), WIDEST))
    with console.pager(styles=True):
        console.print(Markdown(text))
