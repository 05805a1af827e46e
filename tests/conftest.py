"""Tables and models that many tests share."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]


def seasonal_frame(rows: int = 240, freq: str = "MS", seed: int = 0) -> pd.DataFrame:
    """A trend, a season of twelve and noise, with a second column that follows the first."""
    rng = np.random.default_rng(seed)
    steps = np.arange(rows)
    value = 100 + 0.1 * steps + 10 * np.sin(2 * np.pi * steps / 12) + rng.normal(0, 1, rows)
    dates = pd.date_range("2000-01-01", periods=rows, freq=freq)
    other = np.roll(value, 1) + rng.normal(0, 1, rows)
    return pd.DataFrame({"date": dates, "value": value.round(3), "other": other.round(3)})


@pytest.fixture
def frame() -> pd.DataFrame:
    return seasonal_frame()


@pytest.fixture
def table(tmp_path, frame) -> Path:
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def golden() -> Path:
    """A small model that the first version of the format wrote."""
    return ROOT / "tests" / "golden" / "format-1.forecast"


@pytest.fixture(scope="session")
def trained():
    """A small trained model; the test that first asks for it pays for TensorFlow."""
    import forecast_cli as fc

    return fc.train(seasonal_frame(), column="value", horizon=3, timesteps=6, units=4, epochs=3)


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run a command in an empty directory: its exit code, stdout and stderr."""
    from forecast_cli.cli.app import run as run_command

    monkeypatch.chdir(tmp_path)

    def call(*arguments) -> tuple[int, str, str]:
        code = run_command([str(each) for each in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call
