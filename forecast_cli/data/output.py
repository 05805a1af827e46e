"""Forecasts as bytes, in the forms that other programs read."""

import io
from pathlib import Path
from typing import Any, Literal

import pandas as pd

Format = Literal["csv", "json", "jsonl", "parquet"]


def render(frame: pd.DataFrame, format: Format) -> bytes:
    """A table as bytes: numbers to 8 significant digits in text, in full in Parquet."""
    if format == "parquet":
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        return buffer.getvalue()
    if format == "csv":
        text = frame.to_csv(index=False, float_format="%.8g", lineterminator="\n")
    else:
        lines = format == "jsonl"
        records: Any = frame.to_json(
            orient="records", lines=lines, date_format="iso", double_precision=10
        )
        text = records if lines else records + "\n"
    return str(text).encode()


def format_of(path: str) -> Format | None:
    """The format that a file's name asks for."""
    suffixes: dict[str, Format] = {
        ".csv": "csv",
        ".json": "json",
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".parquet": "parquet",
    }
    return suffixes.get(Path(path).suffix.lower())
