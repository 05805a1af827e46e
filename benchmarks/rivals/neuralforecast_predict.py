"""An LSTM of neuralforecast: trained on a panel and saved, or loaded to forecast a panel.

Like the model of `scale.py`: 16 units, 28 steps back, 7 ahead, and intervals by quantiles.
"""

import argparse
import logging
import warnings

import pandas as pd
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MQLoss
from neuralforecast.models import LSTM

NAMES = {"id": "unique_id", "day": "ds", "value": "y"}
LOOKBACK, HORIZON = 28, 7


def train(panel: pd.DataFrame, folder: str) -> None:
    """Train for a few steps: what a forecast takes does not depend on how good it is."""
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    model = LSTM(
        h=HORIZON,
        input_size=LOOKBACK,
        encoder_hidden_size=16,
        encoder_n_layers=1,
        loss=MQLoss(level=[80, 95]),
        scaler_type="minmax",
        max_steps=100,
        accelerator="cpu",
        inference_windows_batch_size=8192,
        valid_batch_size=8192,
        **quiet,
    )
    models = NeuralForecast(models=[model], freq="D")
    models.fit(panel)
    models.save(folder, save_dataset=False, overwrite=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("panel")
    parser.add_argument("folder", help="of the model")
    parser.add_argument("--output", help="where forecasts are written; without it, train")
    arguments = parser.parse_args()

    warnings.simplefilter("ignore")
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    panel = pd.read_parquet(arguments.panel).rename(columns=NAMES)
    if arguments.output is None:
        train(panel, arguments.folder)
        return
    models = NeuralForecast.load(arguments.folder)
    models.predict(df=panel).to_parquet(arguments.output, index=False)


if __name__ == "__main__":
    main()
