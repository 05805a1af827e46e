"""Nothing is sent or fetched, but from an address that the user gives."""

import os
import subprocess
import sys

import pytest

from ..frames import seasonal_frame

EVENTS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}
BACKTEST = ("-c", "value", "-H", "3", "--models", "pretrained,naive", "--n-windows", "2")
calls: list[tuple[str, str]] = []
watching = [False]


def refuse(event: str, arguments: tuple) -> None:
    """Note and refuse calls of the network; a hook of the interpreter stays until its end."""
    if watching[0] and event in EVENTS:
        calls.append((event, str(arguments[1:])))
        raise OSError("there is no network")


sys.addaudithook(refuse)


@pytest.fixture
def no_network():
    calls.clear()
    watching[0] = True
    yield calls
    watching[0] = False


@pytest.fixture
def lines(tmp_path, golden):
    seasonal_frame(60).to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "m.forecast").write_bytes(golden.with_name("format-8.forecast").read_bytes())
    return [
        ["inspect", "t.csv"],
        ["inspect", "m.forecast"],
        ["predict", "-m", "m.forecast", "--level", "80"],
        ["explain", "m.forecast"],
        ["backtest", "t.csv", "-c", "value", "-H", "3", "--models", "naive"],
    ]


@pytest.mark.filterwarnings("ignore")
def test_no_command_uses_the_network(run, lines, no_network):
    for words in lines:
        code, _, err = run(*words)
        assert code == 0, err
    assert not no_network


@pytest.mark.tf
@pytest.mark.filterwarnings("ignore")
def test_training_uses_no_network(run, lines, no_network):
    small = ("--preset", "classic", "-H", "2", "--timesteps", "3", "-e", "1", "-u", "2")
    code, _, err = run("train", "t.csv", "-c", "value", *small)
    assert code == 0, err
    assert not no_network


def test_an_address_of_the_user_is_fetched(run, no_network):
    code, _, err = run("inspect", "http://127.0.0.1:9/t.csv")
    assert code == 3 and "127.0.0.1:9" in err
    assert no_network


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [("predict",), ("now", "t.csv", "-c", "value"), ("backtest", "t.csv", *BACKTEST)]
)
def test_no_library_collects_usage_data(lines, tmp_path, words):
    """ONNX Runtime keeps what it is about to send, from native code, in the home directory."""
    home = tmp_path / "home"
    home.mkdir()
    # It sends nothing where a variable tells that tests are run, so none is handed on.
    environment = {name: os.environ.get(name, "") for name in ("PATH", "PYTHONPATH")}
    environment |= {"HOME": str(home), "FORECAST_MODEL": "m.forecast"}
    command = [sys.executable, "-m", "forecast_cli", *words]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert not [path for path in home.rglob("*") if path.is_file()]
