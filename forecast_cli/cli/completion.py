"""Completion: of values, and the scripts of shells where typer's own are not enough."""

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import UsageError

# Settings whose values are columns of the table, and those whose names commas separate.
COLUMNS = (
    "column", "target", "time", "series", "past_covariates", "future_covariates",
    "static_covariates", "categorical", "label",
)  # fmt: skip
# Ends of the names of text tables, whose names are read without Arrow.
TEXT = (".csv", ".tsv", ".txt")
SAMPLE_BYTES = 65_536
FLAGS = ("--install-completion", "--show-completion")
WORD = "_TYPER_COMPLETE_WORD_TO_COMPLETE"
POWERSHELLS = ("powershell", "pwsh")
# zsh reads the file at the first Tab and calls it: typer's script only registers the function then,
# and that Tab offers nothing. It also doubles the quotes of a name, which is one quote by rcquotes.
ZSH = """
#compdef %(prog_name)s

%(complete_func)s() {
  setopt localoptions rcquotes
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" %(autocomplete_var)s=complete_zsh %(prog_name)s)
}

compdef %(complete_func)s %(prog_name)s
if [[ $funcstack[1] == _%(prog_name)s ]]; then
  %(complete_func)s "$@"
fi
"""  # noqa: E501


def complete_columns(incomplete: str) -> list[str]:
    """Return the columns of the tables on the command line that begin like what was typed.

    After a comma, another name begins.
    """
    names = dict.fromkeys(name for path in _named_files() for name in _columns(path))
    return complete_part(incomplete, names)


def complete_models(incomplete: str) -> list[str]:
    """Return the models that a comparison may have: presets, cells, baselines and files here."""
    from ..config.registries import BASELINES, CELLS, PRESETS

    baselines = [name for name, entry in BASELINES.items() if entry.forecasts]
    files = [path.name for end in ("*.forecast", "*.toml") for path in sorted(Path().glob(end))]
    return complete_part(incomplete, ["model", *PRESETS, *CELLS, *baselines, *files])


def complete_part(incomplete: str, names: Iterable[str]) -> list[str]:
    """Return the names that go on what was typed last, behind the names before it."""
    before, comma, last = incomplete.rpartition(",")
    given = before.split(",") if comma else []
    return [
        _spell(f"{before}{comma}{name}")
        for name in names
        if name.startswith(last) and name not in given
    ]


def _spell(text: str) -> str:
    """A value as bash takes it: blanks and quotes are escaped; other shells do that elsewhere."""
    if os.environ.get("_FORECAST_COMPLETE") != "complete_bash":
        return text
    return "".join(f"\\{each}" if each in " '\"()&;$`\\|<>*?[]#" else each for each in text)


def _named_files() -> Iterator[Path]:
    """The files that the command line names, of which the shell tells all words."""
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    try:
        words = shlex.split(line)
    except ValueError:
        # A quote that is still open.
        words = line.split()
    for word in words[2:]:
        path = Path(os.path.expanduser(word))
        if not word.startswith("-") and path.is_file():
            yield path


def _columns(path: Path) -> list[str]:
    """The columns of a table; none where it cannot be read."""
    if path.suffix.lower() in TEXT:
        return _text_columns(path)
    from ..core.errors import ForecastError
    from ..data.io.opening import open_table

    try:
        return open_table(path).names
    except (ForecastError, OSError):
        return []


def _text_columns(path: Path) -> list[str]:
    """The cells of the first line of a text table."""
    import csv

    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        sample = file.read(SAMPLE_BYTES)
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(sample[:4096], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = csv.reader(sample.splitlines(), dialect)
    return [name.strip() for name in next(rows, []) if name.strip()]


def prepare(arguments: Sequence[str]) -> None:
    """Prepare typer for what a shell asks, and for the flags of completion.

    The shell may be named after them; else it is the one that called.
    """
    if os.environ.get("_FORECAST_COMPLETE") == "complete_powershell":
        _quote_values()
    if arguments and arguments[0] in FLAGS:
        import shutil

        from typer import _completion_shared

        _completion_shared._completion_scripts["zsh"] = ZSH
        if len(arguments) > 1:
            shell = arguments[1]
            if shell in POWERSHELLS and arguments[0] == FLAGS[0] and not shutil.which(shell):
                raise UsageError(
                    f"There is no program {shell} here, which knows where its profile is.",
                    f"Add to your profile what forecast {FLAGS[1]} {shell} prints.",
                )
            # The flags take a value where the shell is not to be found out.
            os.environ["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"


def _quote_values() -> None:
    """Make typer offer PowerShell values in quotes: without them, a comma makes two of one."""
    import re

    from typer import _completion_classes

    # It passes on the quotes of a word.
    word = os.environ.get(WORD, "")
    os.environ[WORD] = word.strip("'\"")

    def quoted(self: Any, item: Any) -> str:
        text = str(item.value)
        if not re.fullmatch(r"[\w./\\:-]+", text):
            text = "'" + text.replace("'", "''") + "'"
        return f"{text}:::{item.help or ' '}"

    _completion_classes.PowerShellComplete.format_completion = quoted  # type: ignore[method-assign]
