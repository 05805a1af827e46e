"""A backtest in plain Keras: one training, then a call of `predict` at each cutoff."""

import argparse
import json
from time import perf_counter

import numpy as np
from keras_tutorial import read_column
from sklearn.preprocessing import MinMaxScaler
from tensorflow import keras

VALIDATION = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv")
    parser.add_argument("column")
    for name in ("--timesteps", "--horizon", "--epochs", "--n-windows"):
        parser.add_argument(name, type=int, required=True)
    arguments = parser.parse_args()
    timesteps, horizon = arguments.timesteps, arguments.horizon

    values = read_column(arguments.csv, arguments.column)
    first = len(values) - horizon - arguments.n_windows + 1
    held = first - round(VALIDATION * first)
    scaler = MinMaxScaler().fit(values[:held])
    scaled = scaler.transform(values)
    origins = range(timesteps, first - horizon + 1)
    x = np.array([scaled[row - timesteps : row] for row in origins])
    y = np.array([scaled[row : row + horizon, 0] for row in origins])
    train = held - horizon - timesteps + 1
    network = keras.Sequential(
        [
            keras.layers.Input((timesteps, 1)),
            keras.layers.LSTM(50),
            keras.layers.Dense(horizon),
        ]
    )
    network.compile(optimizer="adam", loss="mse")
    held_back = (x[train + horizon :], y[train + horizon :])
    network.fit(x[:train], y[:train], epochs=arguments.epochs, validation_data=held_back, verbose=0)
    began = perf_counter()
    errors = []
    for row in range(first, first + arguments.n_windows):
        forecast = network.predict(scaled[None, row - timesteps : row], verbose=0)
        actual = values[row : row + horizon, 0]
        errors.append(np.abs(scaler.inverse_transform(forecast)[0] - actual).mean())
    print(json.dumps({"predicting": perf_counter() - began, "mae": float(np.mean(errors))}))


if __name__ == "__main__":
    main()
