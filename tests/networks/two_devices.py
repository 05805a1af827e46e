"""Trains on one and on several devices into which the CPU is divided, and prints the results.

It is a process of its own: TensorFlow divides the CPU before its first use alone.
"""

import json
from contextlib import nullcontext
from dataclasses import replace
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import tensorflow as tf

import forecast_cli as fc
from forecast_cli.config.covariates import plain_inputs
from forecast_cli.config.layers import Dense, Lstm, Mask
from forecast_cli.config.network import Network
from forecast_cli.config.sections import Training
from forecast_cli.core.events import Note
from forecast_cli.networks.batches import WindowFeed
from forecast_cli.networks.build import assemble
from forecast_cli.networks.devices import find_replicas
from forecast_cli.networks.train_step import Runner
from forecast_cli.networks.training_loop import fit
from forecast_cli.training import block_training, preparation

TIMESTEPS, HORIZON = 4, 2
VALUES = np.sin(np.arange(120) / 5).astype(np.float32)[:, None]
PLAIN = Network(layers=(Lstm(units=5), Dense(units=3)))
GAPS = VALUES.copy()
GAPS[::7] = np.nan
# Of each: the network, the settings of the training, and the values where they are others. There
# are 75 training windows.
CASES = {
    "batches of 32, the last of 11": (PLAIN, {}, VALUES),
    "batches of 37, the last of 1": (PLAIN, {"batch_size": 37}, VALUES),
    "clipped": (PLAIN, {"clip": 0.05, "optimizer": "sgd", "learning_rate": 0.1}, VALUES),
    "moving average": (PLAIN, {"ema": 0.5}, VALUES),
    "weight decay": (PLAIN, {"optimizer": "adamw", "weight_decay": 0.1}, VALUES),
    "average, fewer steps": (PLAIN, {"average": 2, "steps_per_epoch": 2}, VALUES),
    "penalties": (
        Network(layers=(Lstm(kernel_regularizer="l2:0.1", activity_regularizer="l1:0.1"),)),
        {"batch_size": 37},
        VALUES,
    ),
    "gaps": (Network(layers=(Mask(), Lstm(units=5)), anchor="last"), {}, GAPS),
    "every step": (Network(layers=(Lstm(units=5),), head="sequence"), {}, VALUES),
    "teacher": (
        Network(layers=(Lstm(units=5),), head="encoder-decoder", decoder="teacher"), {}, VALUES,
    ),
    "float16": (PLAIN, {"precision": "mixed_float16", "clip": 0.5}, VALUES),
    "dropout": (Network(layers=(Lstm(units=5, dropout=0.3),)), {}, VALUES),
}  # fmt: skip


def train(network, settings, values, devices):
    """The losses of the epochs, and the weights after them."""
    training = Training(**{"epochs": 4, "learning_rate": 0.01, "patience": 0} | settings)
    starts, inputs = np.arange(100, dtype=np.int32), plain_inputs(1, (0,))
    feed = WindowFeed(values, inputs, starts[:75], starts[85:], TIMESTEPS, HORIZON)
    feed = replace(feed, every_step=network.head == "sequence")
    replicas = find_replicas(devices)
    with replicas.scope() if replicas else nullcontext():
        built = assemble(
            network, TIMESTEPS, inputs, (HORIZON, 1), seed=1, precision=training.precision
        )
    runner = Runner(built.network, feed, training, built.learner, replicas=replicas)
    epochs = list(fit(runner))
    losses = [[each.loss, each.validation_loss] for each in epochs]
    return losses, [each.tolist() for each in runner.network.get_weights()]


def train_whole(devices, shops=2, blocks=False, **settings):
    """What a training through the public API tells: epochs, notes, forecasts.

    Args:
        devices: How many.
        shops: How many series.
        blocks: Whether the table is read some series at a time.
        **settings: Others.
    """
    notes = []
    days = pd.date_range("2024-01-01", periods=90).strftime("%Y-%m-%d")
    parts = [
        pd.DataFrame(
            {"day": days, "shop": shop, "sold": 20 * size + size * np.sin(np.arange(90) / 3)}
        )
        for shop, size in [("north", 1.0), ("south", 7.0), ("east", 3.0), ("west", 5.0)][:shops]
    ]
    table = pd.concat(parts)
    with TemporaryDirectory() as folder:
        if blocks:
            table.to_parquet(f"{folder}/table.parquet")
            table, settings = f"{folder}/table.parquet", settings | {"cache": f"{folder}/cache"}
        model = fc.train(
            table, column="sold", series="shop", time="day", horizon=2, timesteps=6, units=4,
            epochs=4, learning_rate=0.01, preset="classic", devices=devices,
            on_event=lambda event: notes.extend([event.text] if isinstance(event, Note) else []),
            **{"batch_size": 29} | settings,
        )  # fmt: skip
    losses = [[each["loss"], each["validation_loss"]] for each in model.bundle.epochs]
    return losses, model.predict()["sold"].tolist(), [each for each in notes if "device" in each]


def train_labels(devices):
    """The losses of a training on sequences of two classes."""
    draw = np.random.default_rng(0)
    parts = [
        pd.DataFrame({"who": f"p{number:02d}", "label": "ab"[number % 2],
                      "x": np.sin(np.arange(9) * (0.4 + 0.5 * (number % 2))) + draw.normal(size=9)})
        for number in range(40)
    ]  # fmt: skip
    model = fc.train(
        pd.concat(parts), series="who", label="label", column="x", epochs=3, units=4, batch_size=13,
        devices=devices,
    )  # fmt: skip
    return [each["loss"] for each in model.bundle.epochs]


def refuse():
    """The error for more devices than there are."""
    try:
        train_whole(4)
    except fc.UsageError as error:
        return str(error)


WHOLE = {
    "ensemble": {"ensemble": 2, "patience": 1, "refit": True, "baselines": ["naive"],
                 "combine": "weights"},
    "original units": {"loss": "mase"},
    "in blocks": {"blocks": True, "shops": 4},
    "stateful": {"stateful": True, "batch_size": 8, "shops": 1},
}  # fmt: skip


def main():
    """Print the results as JSON."""
    block_training.BLOCK_ROWS, preparation.MOST_ROWS = 100, 200
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 3)
    networks = {name: [train(*case, count) for count in (1, 2)] for name, case in CASES.items()}
    whole = {
        name: [train_whole(count, **settings) for count in (None, 2)]
        for name, settings in WHOLE.items()
    }
    again = train(*CASES["dropout"], 2)
    three = [train(*CASES["batches of 37, the last of 1"], count) for count in (1, 3)]
    labels = [train_labels(count) for count in (1, 2)]
    more = {"again": again, "refused": refuse(), "three": three, "labels": labels}
    print(json.dumps({"networks": networks, "whole": whole} | more))


if __name__ == "__main__":
    main()
