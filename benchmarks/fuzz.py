"""Feed what reads files with random input, for as long as wanted.

    python benchmarks/fuzz.py                        # ten seconds each
    python benchmarks/fuzz.py --seconds 3600 --target model --seed 7
    python benchmarks/fuzz.py --target dates --engine atheris --seconds 600

Prints a table: the executions of each target, how many inputs were accepted, and how many ended in
an exception that is no refusal. Each fault is written to a file, and counted once a place; the exit
code is 1 where there is one. atheris, which is guided by the lines that an input reaches, runs one
target and prints its own report; it is installed with `pip install atheris`.
"""

import argparse
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fuzz.mutations import mutate, mutate_json
from tests.fuzz.targets import MOST_BYTES, TARGETS, Target


def place_of(error: BaseException) -> str:
    """Return the line of the package in which an exception was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if "forecast_cli" in each.filename] or frames
    return f"{type(error).__name__} in {Path(own[-1].filename).name}:{own[-1].lineno}"


def fuzz(name: str, target: Target, seed: int, seconds: float, folder: Path) -> int:
    """Run a target for a time, print its row, and return the number of faults."""
    draw, seeds = random.Random(seed), target.seeds()
    change = mutate_json if target.kind == "json" else mutate
    runs = accepted = 0
    faults: dict[str, Path] = {}
    ends = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "input"
        while time.monotonic() < ends:
            data = change(draw.choice(seeds), seeds, draw)
            runs += 1
            try:
                accepted += target.accepts(data, path)
            except Exception as error:
                if (place := place_of(error)) not in faults:
                    faults[place] = folder / f"fault-{name}-{seed}-{len(faults)}"
                    faults[place].write_bytes(data)
    print(f"{name},{seed},{runs},{accepted},{len(faults)}", flush=True)
    for place, file in faults.items():
        print(f"  {place}: {file}", file=sys.stderr, flush=True)
    return len(faults)


def guided(target: Target, seconds: float) -> None:
    """Run a target by atheris, which ends the process."""
    import atheris

    atheris.instrument_all()
    with tempfile.TemporaryDirectory() as scratch:
        corpus, path = Path(scratch) / "corpus", Path(scratch) / "input"
        corpus.mkdir()
        for number, seed in enumerate(target.seeds()):
            (corpus / str(number)).write_bytes(seed)
        limits = [f"-max_total_time={seconds:.0f}", f"-max_len={MOST_BYTES}", "-timeout=60"]
        atheris.Setup([sys.argv[0], str(corpus), *limits], lambda data: target.accepts(data, path))
        atheris.Fuzz()


def main() -> int:
    """Read the options and run; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--target", choices=list(TARGETS), action="append")
    parser.add_argument("--seconds", type=float, default=10, help="for each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", choices=["mutations", "atheris"], default="mutations")
    parser.add_argument("--folder", type=Path, default=Path(), help="where faults are written")
    given = parser.parse_args()
    names = given.target or list(TARGETS)
    if given.engine == "atheris":
        if len(names) != 1:
            parser.error("atheris runs one --target")
        guided(TARGETS[names[0]], given.seconds)
    print("target,seed,executions,accepted,faults")
    faults = [fuzz(name, TARGETS[name], given.seed, given.seconds, given.folder) for name in names]
    return int(any(faults))


if __name__ == "__main__":
    sys.exit(main())
