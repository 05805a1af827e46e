"""How a field of the configuration describes itself as a setting.

Flags, environment variables, keyword arguments, their documentation and completion are generated
from this description: see `scripts/generate_settings.py`.
"""

from typing import Any, Literal

from pydantic import Field

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
    described = {"group": group, "shown": shown, **more}
    return Field(
        default,
        description=description,
        examples=examples,
        json_schema_extra={"setting": described},
        **(constraints or {}),
    )
