"""Forecasts as bytes, in formats that other programs read."""

import io
import json
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

Format = Literal["csv", "json", "jsonl", "parquet"]


def plain(value: object) -> str:
    """Return a number with the fewest digits that identify it, and no exponent.

    >>> plain(620763307.0), plain(0.1)
    ('620763307', '0.1')
    """
    return np.format_float_positional(np.float64(str(value)), trim="-")


def render(frame: pd.DataFrame, format: Format) -> bytes:
    """Return a table as bytes: numbers in full, without exponents in CSV."""
    if format == "parquet":
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        return buffer.getvalue()
    if format == "csv":
        text = frame.to_csv(index=False, float_format=plain, lineterminator="\n")
    else:
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        texts = [json.dumps(row, ensure_ascii=False, default=str) for row in rows]
        text = "\n".join(texts) if format == "jsonl" else "[" + ",\n ".join(texts) + "]"
        text += "\n"
    return text.encode()


def guess_format(path: str) -> Format | None:
    """Return the format that a file's name indicates; None where it is unknown."""
    suffixes: dict[str, Format] = {
        ".csv": "csv",
        ".json": "json",
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".parquet": "parquet",
    }
    return suffixes.get(Path(path).suffix.lower())
