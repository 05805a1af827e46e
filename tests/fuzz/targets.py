"""What is fuzzed: each target reads bytes, and either accepts them or refuses them by an error.

Any other exception is a fault. `benchmarks/fuzz.py` runs the targets for long, the tests briefly.
"""

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from forecast_cli.api.summaries import summarize, training_document
from forecast_cli.config.resolution import configure, read_toml
from forecast_cli.config.sections import Data
from forecast_cli.core.errors import ForecastError
from forecast_cli.core.events import ignore
from forecast_cli.data.dates.date_writing import write_dates
from forecast_cli.data.dates.parsing import parse_dates
from forecast_cli.data.dates.time_column import find_time
from forecast_cli.data.io.opening import open_table
from forecast_cli.data.io.tables import Table
from forecast_cli.data.reading import read_panel
from forecast_cli.forecasting.frames import in_table_style
from forecast_cli.forecasting.prediction import predict
from forecast_cli.forecasting.prediction_request import PredictionRequest
from forecast_cli.model.loading import load_bundle

from ..model import crafted

HERE = Path(__file__).parent
# The most bytes that a target reads: what is long is the matter of other tests.
MOST_BYTES = 50_000


@dataclass(frozen=True)
class Target:
    """Something that reads bytes.

    Args:
        read: Reads them from a file of its own; raises a `ForecastError` to refuse them.
        seeds: Good and odd inputs to begin from.
        kind: How inputs are changed: `bytes`, or `json` for documents.
    """

    read: Callable[[Path], object]
    seeds: Callable[[], list[bytes]]
    kind: str = "bytes"

    def accepts(self, data: bytes, path: Path) -> bool:
        """Whether bytes are accepted; exceptions other than a `ForecastError` go through."""
        path.write_bytes(data[:MOST_BYTES])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.read(path)
        except ForecastError as error:
            if not str(error).strip():
                raise AssertionError("a refusal without a message") from error
            return False
        return True


def corpus(name: str) -> Callable[[], list[bytes]]:
    """The seeds of a target: the files of its folder."""
    return lambda: [path.read_bytes() for path in sorted((HERE / "corpus" / name).iterdir())]


def read_table(path: Path) -> None:
    """A table of any format, of which the last column is forecast."""
    column = open_table(path).names[-1]
    missing: Any = ("error", "interpolate", "mask")[path.stat().st_size % 3]
    panel = read_panel(path, Data(column=(column,), missing=missing))
    if len(panel.values) != panel.indptr[-1]:
        raise AssertionError("rows are lost")


def read_dates(path: Path) -> None:
    """A cell a line, as a column of dates; what was read can be written."""
    cells = path.read_text(errors="replace").split("\n")[:200]
    table = Table("cells", pa.table({"date": cells}), str)
    find_time(table, Data(), ignore)
    dates = parse_dates(table, "date")
    write_dates(dates.times[:5], dates.style)


def read_config(path: Path) -> None:
    """A `forecast.toml`; what was resolved is read again as the same."""
    config = configure({}, read_toml(path))
    again = configure({}, json.loads(config.model_dump_json(exclude_unset=True)))
    if again != config:
        raise AssertionError(f"{again} is not {config}")


def read_assignments(path: Path) -> None:
    """An assignment a line, as `--set` takes them."""
    configure({}, {}, path.read_text(errors="replace").split("\n")[:20])


def read_model(path: Path) -> None:
    """A model file: described, and forecasting."""
    bundle = load_bundle(path)
    summarize(bundle)
    json.dumps(training_document(bundle, path), allow_nan=False)
    manifest = bundle.manifest
    if manifest.labels is not None:
        return
    if not manifest.columns.unknown_ahead:
        predict(bundle, None, PredictionRequest(min(manifest.horizon, 20) + 1, level=(80.0,)))
    in_table_style(predict(bundle), manifest.time)


def read_manifest(path: Path) -> None:
    """A manifest, with the entries of the golden model of its format, and their hashes."""
    text = path.read_bytes()
    number = json.loads(text).get("format")
    golden = crafted.GOLDEN / f"format-{number}.forecast"
    entries = crafted.read_entries(golden if golden in GOLDEN else GOLDEN[-1])
    crafted.write_model(path, entries | {"manifest.json": text})
    read_model(path)


# Those that can forecast without further rows, of several kinds.
GOLDEN = [crafted.GOLDEN / f"format-{number}.forecast" for number in (1, 2, 4, 5, 6, 7, 8)]


def manifests() -> list[bytes]:
    return [crafted.read_entries(path)["manifest.json"] for path in GOLDEN]


def models() -> list[bytes]:
    # The smallest ones: what is read of them is the same.
    return [path.read_bytes() for path in GOLDEN if path.stat().st_size < MOST_BYTES]


def packed_tables() -> list[bytes]:
    """The text tables of the corpus, and one of them in each binary format."""
    import pandas as pd

    from forecast_cli.data.io.writer import compress, render

    days = pd.date_range("2024-01-01", periods=20, freq="D")
    frame = pd.DataFrame({"day": days, "sales": np.arange(20.0), "shop": ["a"] * 20})
    text = render(frame, "csv")
    packed = [compress(text, f"a.csv{suffix}") for suffix in (".gz", ".bz2", ".xz", ".zst")]
    binary = [render(frame, each) for each in ("parquet", "feather", "xlsx", "sqlite", "jsonl")]
    return [*corpus("tables")(), *packed, *binary]


TARGETS: dict[str, Target] = {
    "tables": Target(read_table, packed_tables),
    "dates": Target(read_dates, corpus("dates")),
    "config": Target(read_config, corpus("config")),
    "assignments": Target(read_assignments, corpus("assignments")),
    "manifest": Target(read_manifest, manifests, "json"),
    "model": Target(read_model, models),
}
