"""How far back a network remembers: LSTM against SimpleRNN on the multiplication problem.

A sequence is 100 steps of (mark, number); two steps are marked, and the label is the product of
their numbers. 2,560 sequences to learn from, a fifth of them validation, and 440 others to be
tested on; two layers of 30 units, 100 epochs. What counts is the share of errors up to 0.04.

The time is that of an epoch after the first, which compiles, beside Keras `fit` of the same
network with the same batches; Keras is measured for a few epochs. With --repeat N the networks are
trained with N seeds, and every one of them has to reach the figure.

Source of the problem: Hochreiter and Schmidhuber (1997), experiment 5.
"""

import csv
import json
import random
import sys
from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

from common import Row, at_least, finish, flags, forecast, options, rival, run

STEPS, LEARNED, VALIDATION, TESTED = 100, 2560, 512, 440
CLOSE = 0.04
REACH = 92.95
FAR_BELOW = 60.0
SETTINGS = flags(
    units="30,30", epochs=100, batch_size=32, patience=0, scaler="none", validation=VALIDATION,
    test=0, learning_rate=0.003, schedule="cosine", clip=1,
)  # fmt: skip
CELLS = ("lstm", "rnn")


def main() -> int:
    parser = options(__doc__, repeat=1)
    parser.add_argument("--keras-epochs", type=int, default=4, metavar="N", help="[4]")
    arguments = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        draw = random.Random(0)
        write(folder / "learned.csv", LEARNED, draw)
        truth = write(folder / "tested.csv", TESTED, draw)
        rows = figures(arguments, folder, truth)
    return finish("The multiplication problem, 100 steps", rows)


def write(path: Path, count: int, draw: random.Random) -> list[float]:
    """Write sequences, one a row; their labels."""
    names = [f"{what}_{step}" for step in range(1, STEPS + 1) for what in ("mark", "number")]
    labels = []
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "product"])
        for _ in range(count):
            numbers = [round(draw.random(), 6) for _ in range(STEPS)]
            first, second = draw.sample(range(STEPS), 2)
            cells = [
                cell
                for step, number in enumerate(numbers)
                for cell in (int(step in (first, second)), number)
            ]
            labels.append(numbers[first] * numbers[second])
            writer.writerow([*cells, f"{labels[-1]:.6f}"])
    return labels


def figures(arguments: Namespace, folder: Path, truth: list[float]) -> list[Row]:
    """The share of small errors of each cell, and the time of an epoch beside Keras."""
    rows: list[Row] = []
    seconds: dict[str, float] = {}
    for cell in CELLS:
        shares = []
        for seed in range(arguments.repeat):
            print(f"training {cell}, seed {seed}", file=sys.stderr, flush=True)
            share, epoch = train(cell, seed, folder, truth)
            shares.append(share)
            seconds[cell] = min(epoch, seconds.get(cell, epoch))
        name = f"{cell}: errors up to {CLOSE}"
        if cell == "lstm":
            rows.append(at_least(f"{name}, least of {len(shares)}", min(shares), REACH, "{:.2f} %"))
        else:
            kept = "pass" if max(shares) < FAR_BELOW else "FALLS SHORT"
            most = f"{max(shares):.2f} %"
            rows.append(Row(f"{name}, most of {len(shares)}", most, f"below {FAR_BELOW} %", kept))
    print("training with Keras", file=sys.stderr, flush=True)
    told = json.loads(
        run(
            rival("keras_sequences.py", "learned.csv", "product", "2", "30,30",
                  "--epochs", str(arguments.keras_epochs), "--validation", str(VALIDATION)),
            folder,
        ).output
    )  # fmt: skip
    keras = min(told["seconds"][1:])
    rows.append(Row("an epoch of lstm: forecast", f"{seconds['lstm']:.3f} s"))
    rows.append(Row("an epoch of lstm: Keras fit", f"{keras:.3f} s"))
    rows.append(at_least("Keras / forecast", keras / seconds["lstm"], 1.0, "{:.2f} x"))
    return rows


def train(cell: str, seed: int, folder: Path, truth: list[float]) -> tuple[float, float]:
    """The share of small errors in percent, and the seconds of the fastest epoch."""
    task = flags(layout="rows", step_features=2, label="product", task="regression", cell=cell)
    more = flags(seed=seed, model=f"{cell}.forecast")
    trained = run(forecast("train", "learned.csv", *task, *SETTINGS, *more, "--json"), folder)
    epochs = [epoch["seconds"] for epoch in json.loads(trained.output)["epochs"]]
    given = run(forecast("predict", "tested.csv", "-m", f"{cell}.forecast"), folder)
    labels = [float(row["product"]) for row in csv.DictReader(given.output.splitlines())]
    close = sum(abs(a - b) <= CLOSE for a, b in zip(labels, truth, strict=True))
    return 100.0 * close / len(truth), min(epochs[1:])


if __name__ == "__main__":
    sys.exit(main())
