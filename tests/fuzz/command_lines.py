"""Command lines made at random, from the options that the commands have and a pool of values."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from forecast_cli.cli.command import COMMANDS, build

# What an exit code may be: done, a condition met, an error of a kind.
DOCUMENTED = {0, 2, 3, 4, 5, 6, 130}
# Values that are good for some options, and wrong or odd for others.
VALUES: Sequence[str] = (
    "0", "1", "2", "3", "7", "10", "80", "95", "80,95", "-1", "0.5", "1.5", "1e400", "nan", "inf",
    "99999999999999999999", "", " ", "x", "auto", "none", "value", "value,other", "date", "D", "W",
    "MS", "B", "h", "2024-01-20", "2024-13-45", "9999-12-31", "0001-01-01", "%Y-%m-%d", "lstm",
    "naive", "lstm,naive", "classic", "quick", "mae", "conformal", "error", "interpolate", "=1+1",
    "\x1b[31m", "\u202e", "ü", "a b", "--", "-", "training.epochs=1", "a.b=c", "window.horizon=2",
    "other*2", "other+1", "csv", "json", "parquet", "out.csv", "out.xyz", "out.csv.gz", ".",
    "missing/out.csv", "Europe/Berlin", "XNYS", "forecast.toml", "[", "*", "mae>1", "utf-8", ";",
)  # fmt: skip
# Settings that keep a training small; a random option may still say otherwise.
SMALL = (
    "--preset=classic", "--epochs=1", "--units=2", "--timesteps=3", "--horizon=2",
    "--batch-size=32",
)  # fmt: skip
TRAINING = {"train", "compare", "backtest", "tune"}
# What ends a command that would go on for ever: a port that there is not, after all other words.
ENDING = {"serve": ["--port", "70000"]}
# Options that would wait, serve, or take long with good values.
LEFT_OUT = {"help", "help_all", "install_completion", "show_completion", "jobs", "watch"}


class CommandLines:
    """A generator of command lines.

    Args:
        files: What commands may read, by any name.
        seed: Makes the same lines again.
        trained: Share of the lines of training commands that name a column; each may take seconds.
    """

    def __init__(self, files: Sequence[str], seed: int, *, trained: float = 0.0) -> None:
        self.files, self.draw, self.trained = files, random.Random(seed), trained
        self.commands = [name for name in COMMANDS if build(name).params]
        self.options = {name: self._options(name) for name in self.commands}

    def _options(self, command: str) -> list[tuple[str, Sequence[str] | None]]:
        """Return the flags of a command, each with values that suit it; None for a flag alone."""
        found: list[tuple[str, Sequence[str] | None]] = []
        for each in build(command).params:
            if each.param_type_name != "option" or each.name in LEFT_OUT:
                continue
            values = None if getattr(each, "is_flag", False) else _suitable(each, self.files)
            found += [(flag, values) for flag in (*each.opts, *each.secondary_opts)]
        return found

    def line(self) -> list[str]:
        """Return a command line."""
        draw = self.draw
        command = draw.choice(self.commands)
        words: list[str] = [draw.choice(self.files) for _ in range(draw.choice((0, 1, 1, 1, 2)))]
        if command in TRAINING:
            words = [draw.choice(("table.csv", "table.parquet", *words))]
            words += [*SMALL, *(["--column=value"] if draw.random() < self.trained else [])]
        elif command != "config" and draw.random() < 0.7:
            words.append("--model=model.forecast")
        for _ in range(draw.choice((0, 1, 1, 2, 2, 4))):
            flag, suitable = draw.choice(self.options[command])
            words.append(flag)
            if suitable is not None and draw.random() < 0.97:
                odd = (*VALUES, *self.files)
                words.append(draw.choice(suitable if draw.random() < 0.75 else odd))
        if draw.random() < 0.05:
            words.append(draw.choice(VALUES))
        if draw.random() < 0.05:
            draw.shuffle(words)
        words += ENDING.get(command, [])
        return [command, *words] if draw.random() < 0.98 else words


def _suitable(option: Any, files: Sequence[str]) -> Sequence[str]:
    """Return values that an option may take, by its type and by what its help calls them."""
    kind, called = option.type_descriptor.annotation, str(option.metavar or "")
    if choices := get_args(kind) if get_origin(kind) is Literal else ():
        return [str(each) for each in choices]
    if kind is int:
        return ("1", "2", "3", "5", "12", "40")
    if kind is float:
        return ("0", "0.1", "0.5", "1", "2.5")
    if called in ("FILE", "PATH"):
        return files
    return ("value", "other", "date", "1", "2", "80,95", "D", "naive", "2024-01-20", "auto", "a")


def make_files(folder: Path, golden: Path) -> list[str]:
    """Write the files of the pool; return their names."""
    import pandas as pd

    days = pd.date_range("2024-01-01", periods=40, freq="D")
    frame = pd.DataFrame({
        "date": days, "value": [20.0 + at * 7 % 11 for at in range(40)],
        "other": [float(at % 5) for at in range(40)],
    })  # fmt: skip
    frame.to_csv(folder / "table.csv", index=False)
    frame.to_parquet(folder / "table.parquet", index=False)
    frame.assign(shop="a").to_json(folder / "rows.json", orient="records", date_format="iso")
    frame.head(1).to_csv(folder / "one.csv", index=False)
    (folder / "empty.csv").write_text("")
    (folder / "noise.bin").write_bytes(bytes(range(256)) * 9)
    (folder / "settings.toml").write_text('preset = "classic"\n[training]\nepochs = 1\n')
    (folder / "model.forecast").write_bytes((golden / "format-8.forecast").read_bytes())
    (folder / "labels.forecast").write_bytes((golden / "format-2-labels.forecast").read_bytes())
    (folder / "damaged.forecast").write_bytes(
        (golden / "format-8.forecast").read_bytes()[:-200] + bytes(200)
    )
    names: list[Any] = sorted(each.name for each in folder.iterdir())
    return [*names, "missing.csv", "*.csv", "sqlite:///none.db", "folder/none.csv"]
