"""What effects of covariates are fitted to: the training rows of a table."""

from collections.abc import Sequence

from ..baselines.effect_fitting import EffectProblem
from ..baselines.effects import Cycle
from ..config.schema import Config
from ..core.ragged import cumulate
from ..core.windows import Floats
from ..data.panel import Panel
from ..data.season import default_seasons
from ..data.splits import Splits

# Harmonics of the calendar features with a phase, at most, the most frequent feature first.
HARMONICS = {
    "minute": 3, "hour": 12, "dayofweek": 3, "day": 3, "week": 4, "month": 6, "quarter": 2,
    "dayofyear": 4,
}  # fmt: skip


def make_problem(
    panel: Panel,
    splits: Splits,
    rows: tuple[Floats, Floats],
    *,
    config: Config,
    season: int,
    timesteps: int,
) -> EffectProblem:
    """Return the training rows of a target, and of what is known ahead.

    Args:
        panel: The table.
        splits: Of its rows.
        rows: All rows of the target, shape `(n_rows,)`, and of what is known ahead,
            `(n_rows, n_ahead)`, in any units; NaN where missing.
        config: With the horizon filled in.
        season: Steps in the season of the frequency; 1 where there is none.
        timesteps: The lookback.
    """
    begin, end = splits.bounds("train")
    training = panel.between(begin, end)
    target, known = (each[training] for each in rows)
    inputs = panel.columns.inputs
    names = [panel.columns.features[place] for place in inputs.ahead]
    counts = inputs.categories
    categories = {at: counts[place] for at, place in enumerate(inputs.ahead) if place in counts}
    return EffectProblem(
        target, known, cumulate(end - begin), names, categories, _cycles(names),
        default_seasons(panel, config, season), config.window.horizon or 1, timesteps,
    )  # fmt: skip


def _cycles(names: Sequence[str]) -> list[Cycle]:
    """Return the calendar features with a phase, by the names of their columns."""
    return [
        Cycle(
            name=name,
            sin=names.index(f"{name}_sin"),
            cos=names.index(f"{name}_cos"),
            harmonics=most,
        )
        for name, most in HARMONICS.items()
        if f"{name}_sin" in names and f"{name}_cos" in names
    ]
