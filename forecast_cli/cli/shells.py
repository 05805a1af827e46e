"""The scripts by which shells complete command lines, where typer's own are not enough."""

import os
from collections.abc import Sequence
from typing import Any

from ..core.errors import UsageError

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
