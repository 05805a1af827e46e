"""The recipe for many series."""

from typing import Any

from ...core.errors import counted
from .data_profile import Facts, Recipe, choose_channels, choose_segment, choose_unit
from .defaults import choose_timesteps

# From so strong a season on, 0 to 1, it rules what follows.
STRONG = 0.6
# So many horizons of the usual series are left to learn from beside the longest window.
LEFT = 4


def many_series(facts: Facts) -> Recipe:
    """Large networks over segments of the window, a season or more at a time, one for all series.

    Logarithms bring series of any size to one scale, so that one scaler does for all. Windows and
    losses go by turns: members that differ count for more than larger ones. Where there is no
    strong season, what follows goes with how much a window moves, and soon there is nothing more
    to learn.
    """
    strong = _strong(facts)
    steps, segments = zip(*_windows(facts), strict=True)
    size = {"fast": 1, "auto": 6, "best": 12}[facts.preset]
    epochs = {"fast": 30, "auto": 40, "best": 60}[facts.preset] if strong else 15
    settings: dict[str, Any] = {
        "transform": "log" if facts.logs else "none",
        **({"scale_by": "all" if facts.logs else "series"} if facts.named else {}),
        "window": {"timesteps": max(steps[:size])},
        "network": {
            "layers": [{"type": "lstm", "units": 64}],
            "skip": "linear",
            "anchor": "last",
            "window_scale": "usual" if strong else "mad",
            "segment": segments[0],
            "padding": "first" if facts.plain else "mask",
            "channels": choose_channels(facts),
        },
        "training": {
            "epochs": epochs,
            "steps_per_epoch": 100,
            "batch_size": 256,
            "learning_rate": 0.005,
            "schedule": "cosine",
            "clip": 1.0,
            "patience": 0,
        }
        | ({"loss": "owa"} if facts.plain else {}),
        "ensemble": {"size": size, "combine": "median" if strong and size > 2 else "mean"}
        | ({"losses": ["owa", "mae"][:size]} if facts.plain else {})
        | ({"timesteps": steps[:size], "segments": segments[:size]} if size > 1 else {}),
    }
    back = " and ".join(str(each) for each in sorted(set(steps[:size])))
    networks = f"{counted(size, 'network')} LSTM(64) for all series, {back} steps back"
    above = "all values are above 0" if facts.logs else "some values are not above 0"
    season = f"a season of strength {facts.traits.season_strength:.2f}"
    return Recipe(
        settings,
        {
            "transform": f"transform {settings['transform']}: {above}",
            "network.layers": f"{networks}, {epochs} x 100 batches: {season}",
        },
    )


def _strong(facts: Facts) -> bool:
    """Whether the season rules what follows."""
    return facts.traits.season_strength >= STRONG


def _windows(facts: Facts) -> list[tuple[int, int]]:
    """Steps back and steps in a segment, in the order in which networks take them.

    Two, one and three of the longest season that is not too long to look back on (or four, where
    a season says little), as far as the usual series reaches; each in as many segments.
    """
    if facts.back:
        return [(facts.back, choose_segment(facts.back))]
    unit = choose_unit(facts)
    most = facts.rows - LEFT * facts.horizon
    times = [each for each in (2, 1, 3 if _strong(facts) else 4) if each * unit <= most]
    if not times:
        steps = choose_timesteps(facts.rows, facts.season, facts.horizon)
        return [(steps, choose_segment(steps))]
    return [(each * unit, each * choose_segment(unit)) for each in times]
