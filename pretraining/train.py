"""Train the network on simulated series: `python -m pretraining.train --batches 6000`.

Interrupted, it goes on where its last checkpoint was; the log keeps the loss on simulated series
that it is not trained on.
"""

import argparse
import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from statistics import fmean

import keras
import numpy as np
import tensorflow as tf

from forecast_cli.baselines.pretrained.features import look
from forecast_cli.baselines.pretrained.network import inputs_of
from forecast_cli.networks.pretrained import Combination, loss

from .simulator import Shape, simulate

# Seasons of the simulated tables, and how often each is drawn.
SEASONS: dict[tuple[int, ...], float] = {
    (): 3.0,
    (4,): 3.0,
    (12,): 4.0,
    (7,): 1.5,
    (24, 168): 1.2,
    (24,): 0.7,
    (52,): 0.6,
    (13,): 0.3,
    (5,): 0.4,
    (6,): 0.3,
    (48, 336): 0.3,
    (96,): 0.15,
    (288,): 0.1,
}
SERIES, LONGEST, FARTHEST, VALIDATION = 128, 1000, 120, 24
RATE, WARM_UP, LAST_RATE, EVERY = 2e-3, 200, 0.02, 500
# The batches after which the log begins: a test repeats them.
FIRST = 100
Batch = tuple[list[np.ndarray], np.ndarray]


def draw(seed: int, number: int) -> Batch:
    """Draw a batch: the inputs of the network, and the actual values, shape `(series, horizon)`.

    Args:
        seed: Of the training.
        number: Of the batch; the same seed and number give the same batch.
    """
    rng = np.random.default_rng([seed, number])
    share = np.array(list(SEASONS.values())) / sum(SEASONS.values())
    while True:
        seasons = list(SEASONS)[rng.choice(len(SEASONS), p=share)]
        season = seasons[0] if seasons else 1
        least = max(10, 2 * season + 3)
        most = max(least + 1, min(LONGEST, max(60, 16 * season, 6 * max(seasons, default=1))))
        steps = int(np.exp(rng.uniform(*np.log([least, most]))))
        horizon = int(np.exp(rng.uniform(*np.log([4, max(24, 4.1 * season)]))))
        horizon = max(1, min(horizon, steps // 2, FARTHEST))
        values = simulate(rng, Shape(SERIES, steps + horizon, seasons))
        found = _usable(values, steps, horizon, seasons)
        if found is not None:
            return found


def _usable(values: np.ndarray, steps: int, horizon: int, seasons: tuple[int, ...]) -> Batch | None:
    """The batch without series that are constant or end in explosions; None if few are left."""
    features = look(values[:, :steps], horizon, [each for each in seasons if 2.5 * each <= steps])
    actual = (values[:, steps:] - features.level[:, None]) / features.scale[:, None]
    inputs = list(inputs_of(features).values())
    sizes = [np.abs(each).reshape(SERIES, -1).max(axis=1) for each in (*inputs[:-1], actual)]
    usable = (np.max(sizes, axis=0) < 1e3) & (np.abs(actual).max(axis=1) < 100)
    usable &= np.ptp(values[:, :steps], axis=1) > 0
    kept = np.flatnonzero(usable)
    if len(kept) < SERIES // 2:
        return None
    kept = np.resize(kept, SERIES)
    return [*(each[kept] for each in inputs[:-1]), inputs[-1]], actual[kept].astype("float32")


def batches(seed: int, first: int) -> Iterator[Batch]:
    """Batches from a number on, each drawn while the one before is trained with."""
    with ThreadPoolExecutor(1) as pool:
        coming: Future[Batch] = pool.submit(draw, seed, first)
        while True:
            now = coming.result()
            first += 1
            coming = pool.submit(draw, seed, first)
            yield now


class Training:
    """A training that can be interrupted.

    Args:
        folder: Where checkpoints and the log are kept.
        seed: Of weights and batches.
        steps: Batches in all.
    """

    def __init__(self, folder: Path, seed: int, steps: int) -> None:
        keras.utils.set_random_seed(seed)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.seed, self.steps = folder, seed, steps
        self.network = Combination()
        self.network(draw(seed, 0)[0])
        self.optimizer = keras.optimizers.Adam(RATE, clipnorm=1.0)
        self.optimizer.build(self.network.trainable_variables)
        self.done = tf.Variable(0, dtype=tf.int64)
        held = {"network": self.network, "optimizer": self.optimizer, "done": self.done}
        self.checkpoints = tf.train.CheckpointManager(tf.train.Checkpoint(**held), folder, 2)
        self.checkpoints.restore_or_initialize()
        self.step = tf.function(self._step, reduce_retracing=True)
        self.measure = tf.function(
            lambda inputs, actual: loss(actual, self.network(inputs)), reduce_retracing=True
        )

    def _step(self, inputs: list[tf.Tensor], actual: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            found = loss(actual, self.network(inputs))
        variables = self.network.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(found, variables), variables, strict=True))
        return found

    def run(self) -> None:
        """Train to the end, saving every `EVERY` batches."""
        held_out = [draw(self.seed + 1, number) for number in range(VALIDATION)]
        begun, first, losses = time.monotonic() - self._spent(), int(self.done), []
        for inputs, actual in batches(self.seed, first):
            done = int(self.done)
            if done >= self.steps:
                break
            self.optimizer.learning_rate.assign(self._rate(done))
            losses.append(float(self.step(inputs, tf.constant(actual))))
            self.done.assign_add(1)
            if done + 1 in (FIRST, self.steps) or (done + 1) % EVERY == 0:
                validation = fmean([float(self.measure(*each)) for each in held_out])
                self._log(done + 1, fmean(losses), validation, time.monotonic() - begun)
                losses = []
                self.checkpoints.save()
        weights = {each.path: each.numpy() for each in self.network.trainable_weights}
        np.savez(self.folder / "weights.npz", **weights)

    def _spent(self) -> float:
        """The seconds of the runs before, up to the checkpoint that this one goes on from."""
        log = self.folder / "log.jsonl"
        rows = [json.loads(row) for row in log.read_text().splitlines()] if log.exists() else []
        return max((row["seconds"] for row in rows if row["batches"] <= int(self.done)), default=0)

    def _rate(self, done: int) -> float:
        """The learning rate: a warm-up, then a cosine."""
        fading = 0.5 * (1 + np.cos(np.pi * min(1.0, done / self.steps)))
        return float(RATE * min(1.0, (done + 1) / WARM_UP) * (fading + LAST_RATE))

    def _log(self, done: int, training: float, validation: float, seconds: float) -> None:
        row = {
            "batches": done,
            "series": SERIES,
            "seed": self.seed,
            "loss": round(float(training), 5),
            "validation_loss": round(float(validation), 5),
            "seconds": round(seconds),
        }
        print(json.dumps(row), flush=True)
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("pretrained"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batches", type=int, default=6_000)
    args = parser.parse_args()
    Training(args.folder, args.seed, args.batches).run()


if __name__ == "__main__":
    main()
