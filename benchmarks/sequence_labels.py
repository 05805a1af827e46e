"""Sequences as classes: one LSTM, two, and a SimpleRNN on scikit-learn's handwritten digits.

An image is a sequence of 8 steps of 8 features, its label one of 10 digits; 1,797 of them, a fifth
for the test, drawn with the same share of each digit. With --repeat N the networks are trained
with N seeds, which also draw the splits; the mean counts. The settings were chosen on seeds 0 to
2, so the seeds begin with 3.
"""

import csv
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from common import Row, at_least, finish, flags, forecast, options, run

NETWORKS = {
    "LSTM(50)": {"cell": "lstm", "units": "50"},
    "LSTM(50), LSTM(50)": {"cell": "lstm", "units": "50,50"},
    "SimpleRNN(50)": {"cell": "rnn", "units": "50"},
}
STACKED = "LSTM(50), LSTM(50)"
REACH = 0.97
FIRST_SEED = 3
SETTINGS = flags(
    layout="rows", step_features=8, label="digit", epochs=100, patience=0, validation=0, test=0.2,
    learning_rate=0.003, schedule="cosine", dropout=0.3, recurrent_dropout=0.1,
)  # fmt: skip


def main() -> int:
    arguments = options(__doc__, repeat=3).parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "digits.csv")
        rows = []
        for network, shape in NETWORKS.items():
            seeds = range(FIRST_SEED, FIRST_SEED + arguments.repeat)
            told = [train(network, shape, seed, folder) for seed in seeds]
            accuracy = sum(each[0] for each in told) / len(told)
            seconds = sum(each[1] for each in told) / len(told)
            label = f"{network}, {seconds:.1f} s"
            if network == STACKED:
                rows.append(at_least(label, accuracy, REACH, "{:.4f}"))
            else:
                rows.append(Row(label, f"{accuracy:.4f}"))
    return finish(f"Accuracy on 360 digits, mean of {arguments.repeat}", rows)


def write(path: Path) -> None:
    """Write the digits, one a row."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*[f"row{at // 8}_{at % 8}" for at in range(64)], "digit"])
        for image, digit in zip(digits.data.astype(int), digits.target, strict=True):
            writer.writerow([*image, digit])


def train(name: str, shape: dict[str, str], seed: int, folder: Path) -> tuple[float, float]:
    """The accuracy on the test split, and the seconds of the training."""
    print(f"training {name}, seed {seed}", file=sys.stderr, flush=True)
    more = flags(**shape, seed=seed)
    child = run(forecast("train", "digits.csv", *SETTINGS, *more, "--json"), folder)
    told = json.loads(child.output)
    found = told["evaluation"]
    return float(found["scores"][found["model"]]["accuracy"]["digit"]), child.seconds


if __name__ == "__main__":
    sys.exit(main())
