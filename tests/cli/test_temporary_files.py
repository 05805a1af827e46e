"""What commands leave in the temporary directory: nothing.

That of a training stands in `test_train.py`, beside what else is seen of the same process.
"""

import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.tf, pytest.mark.slow]
SMALL = ("--preset", "classic", "--units", "2", "--epochs", "1", "--timesteps", "4",
         "--horizon", "2")  # fmt: skip
COMMANDS = {
    "tune": ("tune", "--trials", "2", "--jobs", "1", "--n-windows", "1"),
    "backtest": ("backtest", "--models", "lstm,naive", "--refit-every", "always",
                 "--jobs", "2", "--n-windows", "2", "-o", "out.csv"),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_stays_in_the_temporary_directory(name, table, tmp_path):
    empty, cache = tmp_path / "temporary", tmp_path / "cache"
    empty.mkdir()
    command, *more = COMMANDS[name]
    subprocess.run(
        [sys.executable, "-m", "forecast_cli", command, table, "-c", "value", *SMALL, *more],
        env=os.environ | {"TMPDIR": str(empty), "XDG_CACHE_HOME": str(cache)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert not list(empty.iterdir())
