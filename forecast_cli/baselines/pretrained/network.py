"""The pretrained network, which lies beside this file: its inputs, quantiles and rules."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ...core.windows import Floats
from .features import Features

NETWORK = Path(__file__).with_name("network.onnx")
# The quantiles that the network forecasts, and the order of its inputs.
QUANTILES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
MEDIAN = QUANTILES.index(0.5)
INPUTS = ("members", "series", "sizes", "past", "known", "ahead", "names")
# The season of a year of weeks.
WEEKS = 52
# From the inputs of a network to quantiles, shape `(series, horizon, quantiles)`.
Run: TypeAlias = Callable[[dict[str, Any]], Floats]


@dataclass(frozen=True)
class Rules:
    """How forecasts are made with a network; chosen on training parts for each network.

    Args:
        wider: How much wider its quantiles become where a series is as long as what is forecast,
            for real series are more surprising than simulated ones.
        walk_rows: The rows of a series that resembles a random walk of which the share of a random
            walk is half the largest: the fewer, the less it means that a test finds nothing else.
        year: The weeks in a year, where 52 steps are a season.
        recent: The last seasons of a longer series that are forecast from by themselves as well;
            the mean counts, in which what depends on where a series begins is less. 0 for none.
    """

    wider: float
    walk_rows: float
    year: float
    recent: int

    def in_steps(self, seasons: Sequence[int]) -> list[float]:
        """The steps in each season: those of a year of weeks are not whole."""
        return [self.year if each == WEEKS else each for each in seasons]


# The number of its rules in the metadata of a network, and the rules; the first ones where there is
# no number.
RULES_KEY, LATEST = "rules", "3"
RULES = {
    "1": Rules(wider=1.5, walk_rows=0.0, year=WEEKS, recent=0),
    "2": Rules(wider=1.0, walk_rows=50.0, year=WEEKS, recent=0),
    LATEST: Rules(wider=1.0, walk_rows=50.0, year=365.2425 / 7.0, recent=8),
}


@dataclass(frozen=True)
class Network:
    """A network at work."""

    run: Run
    rules: Rules


def inputs_of(features: Features) -> dict[str, Any]:
    """The arrays that the network reads, float32 but for names, by the names of its inputs."""
    count = len(features.ahead)
    known = np.broadcast_to(features.known[None], (count, *features.known.shape))
    named = {name: getattr(features, name) for name in INPUTS} | {"known": known}
    arrays = {name: np.ascontiguousarray(named[name], "float32") for name in INPUTS[:-1]}
    return arrays | {"names": np.asarray(features.names, "int32")}


def rules_of(session: Any) -> Rules:
    """Return the rules of a network, a session of onnxruntime.

    Raises:
        KeyError: A later version has made it.
    """
    return RULES[session.get_modelmeta().custom_metadata_map.get(RULES_KEY, "1")]


@cache
def packaged() -> Network:
    """The network of the package."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdigit():
        options.intra_op_num_threads = int(threads)
    session = onnxruntime.InferenceSession(NETWORK, options, ["CPUExecutionProvider"])
    return Network(lambda inputs: session.run(None, inputs)[0].astype(float), rules_of(session))
