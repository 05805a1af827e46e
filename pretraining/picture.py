"""Draw some series of each family of the simulator: `python -m pretraining.picture [PATH]`."""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np

from .simulator import COMPONENTS, Shape, events, noise, simulate, structural

PATH = Path(__file__).parents[1] / "docs" / "pictures" / "simulated-series.svg"
FAMILIES = {**COMPONENTS, "structural": structural, "noise": noise, "events": events}
# Of hours: the first season is the day, the second one the week.
SHAPE, EXAMPLES = Shape(40, 336, (24, 168)), 2


def draw(path: Path) -> None:
    """Write a picture with a panel for each family, and one for whole series."""
    mpl.use("svg")
    from matplotlib import pyplot as plt

    mpl.rcParams |= {"svg.hashsalt": "simulated", "font.size": 8}
    families = [*FAMILIES.items(), ("whole series", simulate)]
    figure, axes = plt.subplots(-(-len(families) // 3), 3, figsize=(10, 10), sharex=True)
    for place, (axis, (name, family)) in enumerate(zip(axes.flat, families, strict=False)):
        values = family(np.random.default_rng(place), SHAPE)
        shown = [each for each in values if np.ptp(each) > 0][:EXAMPLES]
        for number, each in enumerate(shown):
            scaled = (each - each.mean()) / each.std()
            axis.plot(scaled - 5.0 * number, linewidth=0.7)
        axis.set_title(name)
        axis.set_yticks([])
    for axis in axes.flat[len(families) :]:
        axis.set_axis_off()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else PATH)
