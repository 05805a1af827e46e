"""An option as data, and how its text becomes a value."""

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

import typer

OUTPUT = "Output"


@dataclass(frozen=True)
class Flag:
    """An option: the name that it has in Python, what it takes, and what the help says of it.

    Args:
        name: With underscores; the flag has hyphens.
        type: Of its value.
        help: One sentence.
        default: What the help calls the default; empty where there is nothing to say.
        short: A second name, e.g. `-c`.
        metavar: What stands for the value in the help.
        least: The least number.
        parser: Makes a value of the text.
        split: Whether one text may hold several values with commas between them.
        spelled: The flag, where it is not the name: one of several values is given at a time.
    """

    name: str
    type: Any
    help: str
    default: str = ""
    short: str = ""
    metavar: str | None = None
    least: int | None = None
    parser: Callable[[str], Any] | None = None
    spelled: str = ""
    split: bool = False

    @property
    def several(self) -> bool:
        """Whether it may be given again and again."""
        return get_origin(self.type) is list

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return f"FORECAST_{self.name.upper()}"

    def from_environment(self) -> list[str] | None:
        """Several values, a line each, since names may hold blanks; single ones typer reads."""
        text = os.environ.get(self.variable) if self.several else None
        return text.splitlines() if text else None

    def parameter(self, panel: str) -> inspect.Parameter:
        """As a parameter that typer understands; FORECAST_NAME in the environment works too."""
        spelled = self.spelled or f"--{self.name.replace('_', '-')}"
        names = [spelled, *([self.short] if self.short else [])]
        if self.type is bool and panel != OUTPUT:
            names[0] += f"/--no-{self.name.replace('_', '-')}"
        choices = get_args(self.type) if get_origin(self.type) is Literal else ()
        listed = f" ({', '.join(choices)})" if len(choices) > 1 else ""
        info = typer.Option(
            *names,
            help=self.help + listed + (f" [dim]\\[{self.default}][/dim]" if self.default else ""),
            rich_help_panel=panel,
            show_default=False,
            envvar=None if self.several else self.variable,
            show_envvar=False,
            metavar=self.metavar or ("NAME" if choices else None),
            min=self.least,
            parser=self.parser,
        )
        default = False if panel == OUTPUT else None
        return keyword(self.name, Annotated[self.type | None, info], default)


def keyword(
    name: str, annotation: Any, default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    """A keyword-only parameter."""
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def number(text: str) -> float | int | str:
    """A size as typed: a whole number of steps, a fraction, or a date.

    >>> number("12"), number("0.2"), number("2024-01-01")
    (12, 0.2, '2024-01-01')
    """
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def whole_numbers(text: str) -> tuple[int, ...]:
    """Whole numbers between commas.

    >>> whole_numbers("64,32")
    (64, 32)
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f'"{text}" is not like 64 or 64,32.') from None


def levels(text: str) -> tuple[float, ...]:
    """Percents between commas.

    >>> levels("80,95")
    (80.0, 95.0)
    """
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f'"{text}" is not like 80 or 80,95.') from None


def seconds(text: str) -> float:
    """A time as typed, in seconds.

    >>> seconds("90"), seconds("5m"), seconds("1.5h")
    (90.0, 300.0, 5400.0)
    """
    number, unit = text.rstrip("smh"), text[len(text.rstrip("smh")) :]
    try:
        return float(number) * {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}[unit]
    except (ValueError, KeyError):
        raise typer.BadParameter(f'"{text}" is not like 90s, 5m or 1h.') from None


def names(text: str) -> list[str]:
    """Names between commas.

    >>> names("Region,State")
    ['Region', 'State']
    """
    return text.split(",")
