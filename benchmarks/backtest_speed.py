"""How long a backtest takes: whole processes, with one cutoff and with a hundred.

The network is trained once, on the rows before the first cutoff; all forecasts are made in one
batch. Beside it stands a plain Keras script that trains the same network and calls
`model.predict` at each of the same cutoffs.
"""

import json
import sys
from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

from common import (
    HERE,
    Command,
    Row,
    at_least,
    at_most,
    best_seconds,
    finish,
    flags,
    forecast,
    options,
    rival,
    rounds,
)

ENERGY = HERE.parent / "sample_data" / "energy.csv"
MANY = 100
TIMESTEPS, HORIZON, EPOCHS = 48, 24, 5
ONE, HUNDRED = "forecast backtest, 1 cutoff", f"forecast backtest, {MANY} cutoffs"
KERAS = f"plain Keras script, {MANY} cutoffs"


def main() -> int:
    parser = options(__doc__, repeat=3)
    parser.add_argument("csv", nargs="?", type=Path, default=ENERGY, help="[the sample energy]")
    parser.add_argument("--column", default="demand", metavar="NAME", help="[demand]")
    arguments = parser.parse_args()
    arguments.csv = arguments.csv.resolve()
    with TemporaryDirectory() as name:
        children = rounds(commands(arguments), Path(name), arguments.repeat)
    seconds = best_seconds(children)
    loop = min(json.loads(child.output)["predicting"] for child in children[KERAS])
    more = max(seconds[HUNDRED] - seconds[ONE], 0.0)
    rows = [
        *[Row(name, f"{value:.2f} s") for name, value in seconds.items()],
        at_most(f"{MANY} cutoffs / 1 cutoff", seconds[HUNDRED] / seconds[ONE], 2.0, "{:.2f} x"),
        at_least(
            "plain Keras script / forecast backtest",
            seconds[KERAS] / seconds[HUNDRED],
            1.0,
            "{:.2f} x",
        ),
        Row(f"the {MANY - 1} more cutoffs alone", f"{more:.2f} s"),
        Row(f"{MANY} calls of model.predict alone", f"{loop:.2f} s"),
    ]
    return finish(f"Backtests, best of {arguments.repeat}", rows)


def commands(arguments: Namespace) -> dict[str, Command]:
    """What is timed, by name."""
    shape = flags(timesteps=TIMESTEPS, horizon=HORIZON, epochs=EPOCHS)
    how = flags(column=arguments.column, models="lstm,seasonal-naive", step_size=1, patience=0)
    output = ["-o", "backtest.csv"]
    start = ["backtest", arguments.csv, *shape, *how, *output]
    table = (arguments.csv, arguments.column)
    return {
        ONE: forecast(*start, *flags(n_windows=1)),
        HUNDRED: forecast(*start, *flags(n_windows=MANY)),
        KERAS: rival("keras_backtest.py", *table, *shape, *flags(n_windows=MANY)),
    }


if __name__ == "__main__":
    sys.exit(main())
