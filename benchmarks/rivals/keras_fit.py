"""Keras `fit` as it comes: seconds of each epoch, all windows of a column, no validation."""

import argparse
import json
from time import perf_counter

from keras_tutorial import make_network, make_windows, read_column
from sklearn.preprocessing import MinMaxScaler
from tensorflow import keras


class Clock(keras.callbacks.Callback):
    """Notes how long each epoch takes."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.began = perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.seconds.append(perf_counter() - self.began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv")
    parser.add_argument("column")
    for name in ("--timesteps", "--units", "--batch-size", "--epochs"):
        parser.add_argument(name, type=int, required=True)
    arguments = parser.parse_args()

    values = MinMaxScaler().fit_transform(read_column(arguments.csv, arguments.column))
    x, y = make_windows(values, arguments.timesteps, len(values), arguments.timesteps)
    network = make_network(arguments.timesteps, arguments.units)
    clock = Clock()
    network.fit(
        x,
        y,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        verbose=0,
        callbacks=[clock],
    )
    print(json.dumps({"windows": len(x), "seconds": clock.seconds}))


if __name__ == "__main__":
    main()
