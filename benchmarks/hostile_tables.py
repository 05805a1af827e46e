"""What hostile tables and numbers cost: outcome, time and memory, each in a process of its own.

    python benchmarks/hostile_tables.py
    python benchmarks/hostile_tables.py --memory 8 --seconds 120 --only bomb

Each command may use so much memory (`RLIMIT_AS`) and time of the clock; 0 is success, 2 and 3 are
refusals. Anything else than these, or a traceback, is marked. The seconds are those of computing,
of all threads.
"""

import argparse
import bz2
import gzip
import io
import json
import lzma
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import feather, parquet

GIB = 2**30
MB = 10**6


def daily(values: object, name: str = "y", start: str = "2024-01-01") -> bytes:
    """A CSV of days and values."""
    numbers = np.asarray(values)
    days = np.datetime_as_string(np.datetime64(start, "D") + np.arange(len(numbers)))
    rows = (f"{day},{value!r}\n" for day, value in zip(days, numbers.tolist(), strict=True))
    return f"date,{name}\n{''.join(rows)}".encode()


def season(rows: int = 200, scale: float = 1.0, level: float = 50.0) -> np.ndarray:
    """A weekly season with noise, `(rows,)`."""
    noise = np.random.default_rng(0).normal(0, 1, rows)
    return scale * (level + 10 * np.sin(2 * np.pi * np.arange(rows) / 7) + noise)


def jump(factor: float) -> np.ndarray:
    """A series that changes its level in its last tenth."""
    values = season()
    values[180:] *= factor
    return values


def zipped(pieces: int) -> bytes:
    """A zip of real rows, 10 MB a piece."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.csv", "w", force_zip64=True) as entry,
    ):
        entry.write(b"date,y\n")
        for _ in range(pieces):
            entry.write(b"2024-01-01,1.5\n" * 666_667)
    return stream.getvalue()


def written(write: Callable[..., None], rows: int, **how: str) -> bytes:
    """A file of Arrow whose columns are zeros."""
    stream = io.BytesIO()
    write(pa.table({"date": np.zeros(rows), "y": np.zeros(rows)}), stream, **how)
    return stream.getvalue()


def gap() -> bytes:
    """A million minutes of which one is missing."""
    values = np.tile(season(1000), 1000)
    values[500_000] = np.nan
    minutes = pd.date_range("2020-01-01", periods=len(values), freq="min")
    return pd.DataFrame({"date": minutes, "y": values}).to_csv(index=False).encode()


ZEROS = bytes(100 * MB)
# By name: the content. Bombs unpack to 10 GB where that is quick to make.
TABLES: dict[str, Callable[[], bytes]] = {
    "a line of 100 MB": lambda: b"date,y\n2024-01-01," + b"1" * 100 * MB + b"\n2024-01-02,3\n",
    "100 MB without a line": lambda: b"x" * 100 * MB,
    "a million columns": lambda: b"".join(
        [
            ",".join(f"c{at}" for at in range(10**6)).encode(),
            *[b"\n" + b"1," * (10**6 - 1) + b"1"] * 3,
        ]
    ),
    "NUL bytes": lambda: daily(season()).replace(b"-05,", b"-05,\0"),
    "100 MB of NUL bytes": lambda: ZEROS,
    "mixed encodings": lambda: (
        daily(season(), "größe")
        + "2024-07-19,1,ü\n".encode("latin-1")
        + "2024-07-20,한\n".encode("utf-16")
    ),
    "an open quote": lambda: b'date,y\n2024-01-01,"1\n' + b"2024-01-02,2\n" * 10**6,
    "inf": lambda: daily([*season(199), np.inf]),
    "1e400": lambda: b"date,y\n" + b"".join(b"2024-01-%02d,1e400\n" % d for d in range(1, 29)),
    "escapes in names and cells": lambda: daily(season(), "y\x1b[31m\x07").replace(
        b"2024-01-05,", b"2024-01-05\x1b]0;x\x07,"
    ),
    "years 0001 and 9999": lambda: b"date,y\n0001-01-01,1\n9999-12-31,2\n" * 1,
    "days to 9999-12-31": lambda: daily(season(), start="9999-06-15"),
    "days from 0001-01-01": lambda: daily(season(), start="0001-01-01"),
    "JSON 10,000 deep": lambda: b"[" * 10_000 + b"]" * 10_000,
    "JSON lines 10,000 deep": lambda: b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"\n",
    "duplicate names": lambda: daily(season()).replace(b"date,y\n", b"y,y\n"),
    "empty names": lambda: daily(season()).replace(b"date,y\n", b",\n"),
    "a name of 10,000 characters": lambda: daily(season(), "y" * 10_000),
    "right-to-left names with markup": lambda: daily(season(), "\u202e[red]<b>שלום</b>[/red]"),
    "gzip bomb, 10 GB": lambda: gzip.compress(ZEROS, 6) * 100,
    "gzip bomb of rows, 10 GB": lambda: (
        gzip.compress(b"date,y\n") + gzip.compress(b"2024-01-01,1.5\n" * 6_666_667) * 100
    ),
    "bz2 bomb, 10 GB": lambda: bz2.compress(ZEROS) * 100,
    "xz bomb, 10 GB": lambda: lzma.compress(ZEROS, preset=0) * 100,
    "zstd bomb, 10 GB": lambda: bytes(pa.compress(ZEROS, codec="zstd", asbytes=True)) * 100,
    "zip bomb of rows, 3 GB": lambda: zipped(300),
    "gzip bomb of short rows, 1.9 GB": lambda: (
        gzip.compress(b"y\n") + gzip.compress(b"0\n" * 50 * MB) * 19
    ),
    "Parquet bomb, 1.6 GB": lambda: written(parquet.write_table, 100 * MB),
    "Feather bomb, 1.6 GB": lambda: written(feather.write_feather, 100 * MB, compression="zstd"),
}
SERIES: dict[str, Callable[[], bytes]] = {
    "constant": lambda: daily(np.full(200, 7.0)),
    "zeros": lambda: daily(np.zeros(200)),
    "1e-300": lambda: daily(season(scale=1e-300)),
    "1e300": lambda: daily(season(scale=1e300)),
    "a jump of a thousand": lambda: daily(jump(1000.0)),
    "1 row": lambda: daily(season(1)),
    "2 rows": lambda: daily(season(2)),
    "10 rows": lambda: daily(season(10)),
}
PRESETS = ("auto", "fast", "best", "classic")


def measure(arguments: list[str], folder: Path, memory: float, seconds: float) -> tuple[str, ...]:
    """Run a command; return its outcome, seconds of computing, megabytes at most, first error."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (int(memory * GIB),) * 2)

    began = time.monotonic()
    command = [sys.executable, "-m", "forecast_cli", *arguments]
    with (folder / "out").open("w+b") as out, (folder / "err").open("w+b") as err:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=err, preexec_fn=limit)
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            if time.monotonic() - began > seconds:
                process.kill()
            time.sleep(0.05)
        code = process.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        told, shown = err.read().decode(errors="replace"), (folder / "out").read_bytes()
    bad = code not in (0, 2, 3) or "Traceback" in told or b"\x1b" in shown + told.encode()
    reasons = [line for line in told.splitlines() if line.startswith("error")] if code else []
    took = f"{usage.ru_utime + usage.ru_stime:.1f} s"
    size = f"{usage.ru_maxrss / 1000:.0f} MB"
    return f"{'! ' * bad}{code}", took, size, (reasons or [told[-200:] if bad else ""])[0][:110]


def cases() -> list[tuple[str, Callable[[], bytes], list[list[str]]]]:
    """The name, the content and the commands of each case."""
    short = ["--horizon", "2", "--epochs", "1"]
    train = ["train", "table", "-c", "y", "--preset"]
    found = [
        (name, make, [["inspect", "table"], [*train, "classic", *short]])
        for name, make in TABLES.items()
    ]
    found += [
        (name, make, [[*train, preset, *short] for preset in PRESETS])
        for name, make in SERIES.items()
    ]
    logarithm = [[*train, preset, *short, "--transform", "log"] for preset in PRESETS]
    found.append(("negative under a logarithm", lambda: daily(season(level=0)), logarithm))
    filled = [*train, "classic", *short, "--missing", "interpolate"]
    found.append(
        ("one gap in a million", gap, [["inspect", "table"], [*train, "classic", *short], filled])
    )
    return found


def main() -> None:
    """Print a table of all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory", type=float, default=16.0, help="GiB of address space")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--only", default="", help="a part of the name of the cases to run")
    options = parser.parse_args()
    for name, make, commands in cases():
        if options.only not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "table").write_bytes(make())
            for command in commands:
                row = measure(command, Path(folder), options.memory, options.seconds)
                shown = " ".join(command[:1] + command[5:6] + command[10:])
                print(json.dumps([name, shown, *row], ensure_ascii=True)[1:-1], flush=True)


if __name__ == "__main__":
    main()
