"""`forecast serve` as a process: signals, tokens, clients that hang up, are slow or are many."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress

import pytest

from ..frames import seasonal_frame
from ..servers import serving

TOKEN = "a-token-of-20-digits"
PREDICT = "/v1/models/model/predict"


@pytest.fixture(scope="module")
def folder(linear, tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    frame = seasonal_frame(120, "D")
    linear(frame, column="value", horizon=3, timesteps=8).save(folder / "model.forecast")
    linear(frame, column="other", horizon=3, timesteps=8).save(folder / "other.forecast")
    (folder / "token").write_text(f"{TOKEN}\n")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with serving(folder, "model.forecast", "--timeout", "2s", "--max-body", "0.1") as process:
        yield process


def ask(server, path, data=None, **headers):
    """Return status and document of an answer."""
    request = urllib.request.Request(server.url + path, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def wait_for(found):
    """Wait until something is true."""
    end = time.monotonic() + 60
    while not found():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_closed(address):
    """Whether a server takes no connections any more."""
    try:
        with socket.create_connection(address, 30):
            return False
    except ConnectionRefusedError:
        return True


def test_it_forecasts_logs_and_loads_no_tensorflow(server):
    status, document = ask(server, PREDICT, b"")
    assert status == 200 and len(document["forecast"]) == 3
    wait_for(lambda: any(line["event"] == "request" for line in server.log))
    assert server.log[0]["event"] == "started" and server.log[0]["url"] == server.url
    with open(f"/proc/{server.process.pid}/maps") as file:
        maps = file.read()
    assert "onnxruntime" in maps and "tensorflow" not in maps and "sklearn" not in maps


def test_a_slow_client_is_given_up_and_others_are_answered(server):
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
    with socket.create_connection(server.address, 30) as slow:
        slow.sendall(f"{head}Content-Length: 1000\r\n\r\ndate,value\n".encode())
        assert ask(server, PREDICT, b"")[0] == 200
        answer = slow.makefile("rb").read().decode()
        assert answer.startswith("HTTP/1.1 408") and "body-too-slow" in answer


@pytest.mark.slow
def test_connections_without_a_request_are_closed(server):
    with socket.create_connection(server.address, 30) as silent:
        silent.sendall(b"GET / HT")
        # Closed by a reset, or in order.
        with suppress(ConnectionResetError):
            assert silent.recv(100) == b""
    assert ask(server, "/health")[0] == 200


def test_a_client_that_hangs_up_leaves_the_server_well(server):
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
    for sent in (b"", b"Content-Length: 50\r\n\r\ndate,va", b"Content-Length: 0\r\n\r\n"):
        with socket.create_connection(server.address, 30) as client:
            client.sendall(head.encode() + sent)
    wait_for(lambda: 499 in [line.get("status") for line in server.log])
    assert ask(server, PREDICT, b"")[0] == 200
    assert not [line for line in server.log if line["event"] == "fault"]


def test_a_huge_body_is_not_read(server):
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
    with socket.create_connection(server.address, 30) as client:
        client.sendall(f"{head}Content-Length: 99999999999\r\n\r\n".encode())
        answer = client.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 413") and "connection: close" in answer.lower()


@pytest.mark.slow
def test_a_model_is_replaced_while_it_is_asked_for(folder, server):
    before = (folder / "model.forecast").read_bytes()
    statuses = set()

    def asked_for(name):
        status, document = ask(server, PREDICT, b"")
        statuses.add(status)
        return name in document["forecast"][0]

    shutil.copy(folder / "other.forecast", folder / "new")
    os.replace(folder / "new", folder / "model.forecast")
    wait_for(lambda: asked_for("other"))
    (folder / "model.forecast").write_bytes(before[:500])
    wait_for(lambda: ask(server, "/v1/models/model")[1]["error"] is not None)
    assert not asked_for("value")
    (folder / "model.forecast").write_bytes(before)
    wait_for(lambda: asked_for("value"))
    assert statuses == {200}


@pytest.mark.slow
def test_a_reader_of_the_log_that_stops_holds_nothing_up(folder):
    with serving(folder, "other.forecast", unread=True) as server:
        # More lines than a pipe takes.
        for _ in range(200):
            assert ask(server, f"/{'x' * 600}")[0] == 404
        assert ask(server, "/health")[0] == 200
        assert server.end() == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_once_its_requests_are_answered(folder, number):
    token = {"Authorization": f"Bearer {TOKEN}"}
    with serving(folder, "model.forecast", "--token-file", "token") as server:
        assert ask(server, PREDICT, b"")[0] == 401
        assert ask(server, PREDICT, b"", **token)[0] == 200
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n"
        with socket.create_connection(server.address, 30) as client:
            client.sendall(
                f"{head}Content-Length: 2\r\nContent-Type: application/json\r\n\r\n{{".encode()
            )
            wait_for(lambda: ask(server, "/health")[0] == 200)
            server.process.send_signal(number)
            wait_for(lambda: is_closed(server.address))
            client.sendall(b"}")
            assert client.recv(10_000).startswith(b"HTTP/1.1 200")
        assert server.process.wait(60) == 0
        assert server.log[-1]["event"] == "stopped"
        assert TOKEN not in server.errors.read_text()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--host", "0.0.0.0"], "Pass --token-file FILE; or --no-auth"),
        (["--token", "short"], "at least 16 characters"),
        (["--token", TOKEN, "--no-auth"], "one of the two"),
        (["--token", TOKEN, "--token-file", "token"], "Pass --token or --token-file"),
        (["--token-file", "none"], "cannot be read"),
        (["--host", "203.0.113.1", "--no-auth"], "cannot listen"),
        (["--port", "70000"], "Invalid --port"),
        (["--timeout", "soon"], "is not like 90s"),
    ],
)
def test_what_it_refuses_to_start_with(run, folder, monkeypatch, arguments, text):
    (folder / "token").touch()
    code, _, err = run("serve", folder / "model.forecast", *arguments)
    assert code == 2 and text in " ".join(err.split())


def test_models_that_cannot_be_served(run, folder, tmp_path):
    assert run("serve", tmp_path / "none.forecast", "--port", "0")[0] == 4
    assert run("serve")[0] == 2
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = run("serve", folder / "model.forecast", "--port", taken.getsockname()[1])
    assert code == 2 and "already in use" in err


def test_without_its_libraries_it_names_the_extra(folder):
    code = (
        "import sys\nsys.modules['fastapi'] = None\n"
        "from forecast_cli.cli.app import run\nsys.exit(run(['serve', 'model.forecast']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "pip install 'forecast-cli[serve]'" in done.stderr
