"""The seasonal naive forecast of statsforecast of a Parquet panel: read, forecast, written."""

import argparse

import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import SeasonalNaive

NAMES = {"id": "unique_id", "day": "ds", "value": "y"}
SEASON = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("panel")
    parser.add_argument("output")
    parser.add_argument("--horizon", type=int, default=SEASON)
    arguments = parser.parse_args()

    frame = pd.read_parquet(arguments.panel).rename(columns=NAMES)
    model = StatsForecast(models=[SeasonalNaive(SEASON)], freq="D", n_jobs=1)
    model.forecast(df=frame, h=arguments.horizon).to_parquet(arguments.output, index=False)


if __name__ == "__main__":
    main()
