"""The same data, configuration and seed give the same file but for times."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

from ..frames import seasonal_frame

LARGE = ["-H", "24", "--units", "128", "--timesteps", "48", "--batch-size", "512", "-e", "1"]
SMALL = ["-H", "3", "-e", "2"]
VOLATILE = {"created", "seconds", "sha256"}


def without_times(part):
    """A document without the times of its making, and the hashes of what has some."""
    if isinstance(part, dict):
        return {name: without_times(each) for name, each in part.items() if name not in VOLATILE}
    return [without_times(each) for each in part] if isinstance(part, list) else part


def contents(path):
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    return {
        name: without_times(json.loads(data)) if name.endswith(".json") else data
        for name, data in entries.items()
    }


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize(
    "options",
    [
        [*SMALL, "--preset", "classic", "--cell", "gru", "--ensemble", "2"],
        [*SMALL, "--preset", "auto"],
        # Without the last, several threads add up products of this size in another order.
        [*LARGE, "--deterministic"],
    ],
    ids=["classic", "auto", "large"],
)
def test_the_number_of_threads_and_the_order_of_sets_do_not_matter(tmp_path, options):
    made = []
    for threads in ("1", "2"):
        environment = {
            **os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads,
            "TF_NUM_INTRAOP_THREADS": threads, "TF_NUM_INTEROP_THREADS": threads,
            "PYTHONHASHSEED": threads,
        }  # fmt: skip
        # The file has the command that made it: the same one, in a folder for each.
        folder = tmp_path / threads
        folder.mkdir()
        seasonal_frame(2000 if "--deterministic" in options else 120).to_csv(
            folder / "t.csv", index=False
        )
        subprocess.run(
            [sys.executable, "-m", "forecast_cli", "train", "t.csv", "-c", "value", "-q",
             *options],
            cwd=folder, env=environment, check=True, timeout=600,
        )  # fmt: skip
        made.append(contents(folder / "model.forecast"))
    assert made[0] == made[1]
