"""Keras `fit` on sequences with a number for a label: seconds of each epoch, with validation."""

import argparse
import json

import numpy as np
import pandas as pd
from keras_fit import Clock
from tensorflow import keras


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv")
    parser.add_argument("label")
    parser.add_argument("step_features", type=int)
    parser.add_argument("units")
    for name in ("--epochs", "--validation"):
        parser.add_argument(name, type=int, required=True)
    arguments = parser.parse_args()

    table = pd.read_csv(arguments.csv)
    y = table.pop(arguments.label).to_numpy(np.float32)
    x = table.to_numpy(np.float32).reshape(len(table), -1, arguments.step_features)
    units = [int(size) for size in arguments.units.split(",")]
    layers = [
        keras.layers.LSTM(size, return_sequences=place < len(units))
        for place, size in enumerate(units, start=1)
    ]
    network = keras.Sequential([keras.Input(x.shape[1:]), *layers, keras.layers.Dense(1)])
    network.compile("adam", "mse")
    clock = Clock()
    held = arguments.validation
    network.fit(
        x[:-held],
        y[:-held],
        epochs=arguments.epochs,
        batch_size=32,
        validation_data=(x[-held:], y[-held:]),
        verbose=0,
        callbacks=[clock],
    )
    print(json.dumps({"samples": len(x) - held, "seconds": clock.seconds}))


if __name__ == "__main__":
    main()
