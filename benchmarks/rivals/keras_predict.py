"""A saved Keras model at work: one forecast from the last window of the table."""

import argparse

import pandas as pd
from sklearn.preprocessing import MinMaxScaler
from tensorflow import keras

TIMESTEPS = 10
TRAINING_SHARE = 0.7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv")
    parser.add_argument("column")
    parser.add_argument("--model", default="model.keras")
    arguments = parser.parse_args()

    values = pd.read_csv(arguments.csv)[[arguments.column]].to_numpy("float32")
    scaler = MinMaxScaler().fit(values[: round(TRAINING_SHARE * len(values))])
    network = keras.models.load_model(arguments.model)
    window = scaler.transform(values[-TIMESTEPS:])[None]
    forecast = scaler.inverse_transform(network.predict(window, verbose=0))
    print(f"{forecast[0, 0]:.4f}")


if __name__ == "__main__":
    main()
