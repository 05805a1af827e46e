"""The tutorials' forecast in plain Keras: windows, an LSTM(50), 20 epochs, the test, a model."""

import argparse

import numpy as np
import pandas as pd
from sklearn.preprocessing import MinMaxScaler
from tensorflow import keras

TIMESTEPS = 10
VALIDATION, TEST = 0.1, 0.2


def read_column(csv: str, column: str) -> np.ndarray:
    """The column, shape `(rows, 1)`."""
    return pd.read_csv(csv)[[column]].to_numpy("float32")


def make_windows(
    values: np.ndarray, first: int, last: int, timesteps: int
) -> tuple[np.ndarray, np.ndarray]:
    """The windows before each of the rows from `first` to `last`, and those rows."""
    x = np.array([values[row - timesteps : row] for row in range(first, last)])
    return x, values[first:last]


def make_network(timesteps: int, units: int) -> keras.Model:
    """One LSTM and the output."""
    network = keras.Sequential(
        [keras.layers.Input((timesteps, 1)), keras.layers.LSTM(units), keras.layers.Dense(1)]
    )
    network.compile(optimizer="adam", loss="mse")
    return network


def split(rows: int) -> tuple[int, int]:
    """The rows at which validation and test begin."""
    test = rows - round(TEST * rows)
    return test - round(VALIDATION * rows), test


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv")
    parser.add_argument("column")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--model", default="model.keras")
    arguments = parser.parse_args()

    prices = read_column(arguments.csv, arguments.column)
    rows = len(prices)
    validation, test = split(rows)
    scaler = MinMaxScaler().fit(prices[:validation])
    values = scaler.transform(prices)
    x_train, y_train = make_windows(values, TIMESTEPS, validation, TIMESTEPS)
    x_test, y_test = make_windows(values, test, rows, TIMESTEPS)
    network = make_network(TIMESTEPS, units=50)
    network.fit(
        x_train,
        y_train,
        validation_data=make_windows(values, validation, test, TIMESTEPS),
        epochs=arguments.epochs,
        batch_size=32,
        verbose=0,
    )
    forecast = scaler.inverse_transform(network.predict(x_test, verbose=0))
    error = np.abs(forecast - scaler.inverse_transform(y_test)).mean()
    print(f"{len(x_train)} training windows, MAE on the test {error:.4f}")
    network.save(arguments.model)


if __name__ == "__main__":
    main()
