"""The recipe for a few long series that are forecast far ahead."""

from typing import Any

from ...core.errors import counted
from .data_profile import Facts, Recipe, because, choose_channels, choose_segment, choose_unit

# The steps in a week, at the least; windows of four that a long series holds; windows from which a
# network is large; and what an epoch is of them.
WEEK, LEAST_WINDOWS, LARGE, PASS = 96, 10, 30_000, 0.6
# So many forecasts that do not overlap a map is fitted to at the least: it has a weight for every
# step back and ahead.
LEAST_DISTINCT = 12
# What is near goes with the last days, and few rows know those; so many seasons ahead are far.
FAR = 4


def reaches_weeks(facts: Facts) -> bool:
    """Whether it is far ahead in steps finer than days, and the rows are many windows of weeks."""
    unit = choose_unit(facts)
    if facts.horizon < FAR * facts.season:
        return False
    return unit >= WEEK and facts.rows >= LEAST_WINDOWS * 4 * unit + facts.horizon


def long_series(facts: Facts) -> Recipe:
    """A few long series: networks over segments of weeks beside linear maps of as many.

    Each column is read for itself, by one network for all. What is learned in a few passes holds
    longer than what is learned in many, and equal weights hold longer than those of one validation
    split, whose months may not be like the next ones.
    """
    unit = choose_unit(facts)
    steps = [facts.back] if facts.back else [times * unit for times in (2, 4)]
    segments = [_half(choose_segment(each)) for each in steps]
    units = 128 if facts.windows >= LARGE else 64
    size = {"fast": 1, "auto": 2, "best": 4}[facts.preset]
    # The windows of several columns are enough for a map of half of them too.
    distinct = facts.targets * (facts.rows - steps[-1] - facts.horizon) / facts.horizon
    simple = ["linear-half", "linear-whole"] if facts.targets > 1 else ["linear-whole"]
    if not facts.plain or distinct < LEAST_DISTINCT:
        simple = []
    settings: dict[str, Any] = {
        "window": {"timesteps": steps[-1]},
        "network": {
            "layers": [{"type": "gru", "units": units}],
            "anchor": "last",
            "window_scale": "usual",
            "segment": segments[0],
            "channels": choose_channels(facts),
        },
        "training": {
            "epochs": 7,
            "steps_per_epoch": max(20, round(PASS * facts.windows / 256)),
            "batch_size": max(8, 256 // facts.targets),
            "schedule": "cosine",
            "clip": 1.0,
        }
        | ({"loss": "mae"} if facts.plain else {}),
        "ensemble": {
            "size": size,
            "timesteps": steps[:size],
            "segments": segments[:size],
            "simple": simple,
        },
    }
    back = " and ".join(str(each) for each in steps[:size])
    networks = f"{counted(size, 'network')} GRU({units}), {back} steps back"
    beside = f", beside {counted(len(simple), 'linear map')}" if simple else ""
    return Recipe(settings, {"network.layers": f"{because(facts)}{networks}{beside}"})


def _half(segment: int) -> int:
    """Half of a segment, where it has one.

    >>> _half(48), _half(33)
    (24, 33)
    """
    return segment // 2 if segment % 2 == 0 else segment
