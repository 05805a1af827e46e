"""How a field of the configuration describes itself as a setting, and all settings by flat names.

Flags, environment variables, keyword arguments, their documentation and completion are generated
from the fields by `python scripts/generate_settings.py`; so is `settings.json`, which is read here
without pydantic.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

# How a value is typed: `str`, `int`, `float`, `bool`, one of some `choice`, several `names`,
# several whole numbers `ints`, several percentages `levels`, a `size` (a fraction, steps or a
# date), or a time in `seconds`.
Kind = Literal[
    "str", "int", "float", "bool", "choice", "names", "ints", "levels", "size", "seconds"
]
Group = Literal[
    "Data",
    "Many series",
    "Covariates",
    "Labelled sequences",
    "Splits, scaling, windows",
    "Network",
    "Training",
    "Ensemble",
    "Intervals",
]
FILE = Path(__file__).with_name("settings.json")
LAYERS = "network.layers"
# In place of a default that the default preset chooses from the data.
BY_PRESET = "by preset"


@dataclass(frozen=True)
class Setting:
    """A setting.

    Args:
        name: Its flat name, as a keyword argument; with hyphens it is the flag.
        path: Where the configuration has it, e.g. `training.epochs`; in `network.layers` it is
            short for a stack of layers.
        group: The panel of the help.
        help: One or two sentences.
        kind: How a value is typed.
        default: As the help states it; empty where there is nothing to state.
        choices: The valid values, where there are only some.
        least: The least number.
        metavar: The placeholder of the value in the help.
        short: A second name of the flag.
        flag: The flag, where it is spelled otherwise.
        split: Whether commas separate several values.
        common: Whether the short help shows it.
        search: Whether a search may choose it.
        reread: Whether a saved model may read a table with another value.
    """

    name: str
    path: str
    group: str
    help: str
    kind: Kind = "str"
    default: str = ""
    choices: tuple[str, ...] = ()
    least: int | None = None
    metavar: str | None = None
    short: str = ""
    flag: str = ""
    split: bool = False
    common: bool = False
    search: bool = True
    reread: bool = False

    @property
    def place(self) -> tuple[str, str]:
        """The section of the configuration, empty for none, and the field in it."""
        section, _, field = self.path.rpartition(".")
        return section, field

    @property
    def several(self) -> bool:
        """Whether it holds several values, one of which may be given without a list."""
        return self.kind in ("names", "ints", "levels")

    @property
    def spelled(self) -> str:
        """Its flag."""
        return self.flag or f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return f"FORECAST_{self.name.upper()}"


SETTINGS: dict[str, Setting] = {
    each["name"]: Setting(**each | {"choices": tuple(each.get("choices", ()))})
    for each in json.loads(FILE.read_text(encoding="utf-8"))
}
# Shorthand for a stack of layers.
SHORTHAND = tuple(name for name, each in SETTINGS.items() if each.place[0] == LAYERS)

# How a training reads its table.
READING = tuple(
    name
    for name, each in SETTINGS.items()
    if each.place[0] == "data" and each.group in ("Data", "Many series")
)
# What a forecast without a training takes.
ZERO_SHOT = (*READING, "horizon", "level")


def setting(
    default: Any,
    description: str,
    *,
    group: Group,
    shown: str | None = None,
    examples: list[Any] | None = None,
    constraints: dict[str, Any] | None = None,
    **more: Any,
) -> Any:
    """Return a field with its default and its description for the help.

    Args:
        default: Its default.
        description: One or two sentences.
        group: Its panel in the help.
        shown: The default as the help states it; the default itself where None.
        examples: Values that it may have.
        constraints: Bounds, as `pydantic.Field` takes them.
        **more: `name`, where the flat name differs from the field's; `common`, whether the short
            help shows it; `metavar` and `short`, the placeholder and the second name of the flag;
            `flag`, where it is spelled differently; `split`, whether commas separate values;
            `kind`, where its values are typed in a form of their own; `search`, whether a search
            may choose it; `reread`, whether a saved model may read a new table with another value.
    """
    from pydantic import Field

    described = {"group": group, "shown": shown, **more}
    return Field(
        default,
        description=description,
        examples=examples,
        json_schema_extra={"setting": described},
        **(constraints or {}),
    )
