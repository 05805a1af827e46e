"""What covariates are worth: the same network with and without them, on several series.

Hourly electricity prices of four markets, each with two series that are known a day ahead
(forecasts of load and generation) and the day of the week. A day is forecast from every hour of
the last fifth. With --repeat N each network is trained with N seeds; the mean counts. Then the day
after the table is forecast with its own table of covariates.

The table is `electricity-short-with-ex-vars.csv` of Nixtla's transfer-learning-time-series, and
`electricity-short-future-ex-vars.csv` beside it.
"""

import json
import sys
from argparse import Namespace
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from common import Row, at_most, finish, flags, forecast, options, run

SETTINGS = flags(
    series="unique_id", column="y", horizon=24, timesteps=168, segment=24, skip="linear",
    anchor="last", scaler="standard", loss="mae", learning_rate=0.003, schedule="cosine", clip=1,
    epochs=40, batch_size=128, preset="classic",
)  # fmt: skip
KINDS: dict[str, list[str]] = {
    "without covariates": [],
    "calendar features": ["--calendar-features", "auto"],
    "future covariates": ["--future-covariate", "Exog*", "--future-covariate", "day_*"],
}
WITHOUT, WITH = "without covariates", "future covariates"


def main() -> int:
    arguments = parse()
    with TemporaryDirectory() as name:
        folder = Path(name)
        told = {
            kind: [train(arguments, more, seed, folder) for seed in range(arguments.repeat)]
            for kind, more in KINDS.items()
        }
        run(forecast("predict", "--future", arguments.future), folder)
    means = {
        kind: fmean(next(iter(each.values())) for each in scores) for kind, scores in told.items()
    }
    naive = fmean(each["seasonal-naive"] for each in told[WITHOUT])
    rows = [Row("seasonal naive, MASE", f"{naive:.3f}")]
    rows += [Row(f"{kind}, MASE", f"{mean:.3f}") for kind, mean in means.items()]
    rows.append(at_most("with over without", means[WITH] / means[WITHOUT], 0.95, "{:.3f}"))
    return finish(f"Covariates on four markets, mean of {arguments.repeat} seeds", rows)


def parse() -> Namespace:
    parser = options(__doc__, repeat=3)
    parser.add_argument("csv", type=Path, help="electricity-short-with-ex-vars.csv")
    parser.add_argument("--future", type=Path, help="[the file of the day after, beside it]")
    arguments = parser.parse_args()
    arguments.csv = arguments.csv.resolve()
    beside = arguments.csv.with_name("electricity-short-future-ex-vars.csv")
    arguments.future = (arguments.future or beside).resolve()
    return arguments


def train(arguments: Namespace, more: list[str], seed: int, folder: Path) -> dict[str, float]:
    """The MASE of each forecaster, mean over the series."""
    command = forecast("train", arguments.csv, *SETTINGS, *more, "--seed", str(seed), "--json")
    scores = json.loads(run(command, folder).output)["evaluation"]["scores"]
    return {name: metrics["mase"]["y"] for name, metrics in scores.items()}


if __name__ == "__main__":
    sys.exit(main())
