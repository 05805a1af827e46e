"""The user's own settings, below those of the project's `forecast.toml`."""

import os
import sys
from pathlib import Path


def user_config() -> Path:
    """Return where the settings of the user are, whether or not there are any.

    `$XDG_CONFIG_HOME/forecast/config.toml`, by default in `~/.config`; on Windows in `%APPDATA%`.
    A relative path in the variable does not count, as the specification says.
    """
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(base):
        folder = Path(base)
    elif sys.platform == "win32" and os.environ.get("APPDATA"):
        folder = Path(os.environ["APPDATA"])
    else:
        folder = Path(os.path.expanduser("~")) / ".config"
    return folder / "forecast" / "config.toml"
