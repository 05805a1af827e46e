"""Run random command lines in one process, and look at how each ends.

    python benchmarks/command_lines.py                          # 10,000 lines, half an hour
    python benchmarks/command_lines.py --lines 500 --seed 3 --trained 0.2

Prints how often each exit code occurred, and the lines that ended in another one than those of
docs/interface.md, or in an exception; the exit code is 1 where there is one.
"""

import argparse
import collections
import contextlib
import io
import os
import shlex
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from forecast_cli.cli.app import run
from forecast_cli.core.errors import ForecastError
from tests.fuzz.command_lines import DOCUMENTED, CommandLines, make_files

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
# Seconds after which a line is reported.
LONG = 30.0


class Streams:
    """Standard output and error that are kept, as text and as bytes."""

    def __init__(self) -> None:
        self.out, self.err = (io.TextIOWrapper(io.BytesIO()) for _ in range(2))


def call(words: list[str]) -> tuple[int | None, str]:
    """Run a line; return its exit code, None for an exception, and what it said last."""
    kept = Streams()
    with contextlib.redirect_stdout(kept.out), contextlib.redirect_stderr(kept.err):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return run(words), ""
        except ForecastError as error:
            # `--debug` shows where it comes from.
            return error.exit_code, ""
        except BaseException as error:
            frames = traceback.extract_tb(error.__traceback__)
            places = [f"{Path(each.filename).name}:{each.lineno}" for each in frames[-3:]]
            return None, f"{type(error).__name__}: {str(error)[:200]} at {' '.join(places)}"


def main() -> int:
    """Read the options and run the lines; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trained", type=float, default=0.02)
    given = parser.parse_args()
    codes: collections.Counter[int | None] = collections.Counter()
    wrong: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        files = make_files(Path(), GOLDEN)
        lines = CommandLines(files, given.seed, trained=given.trained)
        for number in range(given.lines):
            words = lines.line()
            # What a line writes over is there again for the next ones.
            make_files(Path(), GOLDEN)
            began = time.monotonic()
            code, said = call(words)
            codes[code] += 1
            if code not in DOCUMENTED and said not in wrong:
                wrong[said] = shlex.join(words)
                print(f"{number}: {code} {said}\n  {wrong[said]}", file=sys.stderr, flush=True)
            if (took := time.monotonic() - began) > LONG:
                print(f"{number}: {took:.0f} s\n  {shlex.join(words)}", file=sys.stderr, flush=True)
        os.chdir("/")
    print("exit code,lines")
    for found, count in sorted(codes.items(), key=str):
        print(f"{'exception' if found is None else found},{count}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
