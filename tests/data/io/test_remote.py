"""Tables at addresses: a server on this machine, and fsspec's own memory."""

import gzip
import io
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fsspec
import pandas as pd
import pytest

from forecast_cli.config.sections import Data, Dialect
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.io.opening import open_table
from forecast_cli.data.io.remote import masked, suffix
from forecast_cli.data.reading import read_panel

from ...frames import seasonal_frame

FRAME = pd.DataFrame(
    {
        "date": pd.date_range("2024-01-01", periods=6, freq="D").strftime("%Y-%m-%d"),
        "value": [1.5, 2.0, 3.25, 4.0, 5.0, 6.0],
    }
)
CSV = FRAME.to_csv(index=False).encode()


def written(write):
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


WORKBOOK = written(lambda stream: FRAME.to_excel(stream, index=False))
PAGES = {
    "/table.csv": CSV,
    "/table.csv.gz": gzip.compress(CSV),
    "/table.parquet": written(lambda stream: FRAME.to_parquet(stream, index=False)),
    "/table.json": FRAME.to_json(orient="records").encode(),
    "/table.xlsx": WORKBOOK,
    "/export": WORKBOOK,
    "/long.csv": seasonal_frame().to_csv(index=False).encode(),
    "/page": b"\n<!DOCTYPE html><html><body>Log in</body></html>",
    "/broken.csv": b"date,value\n2024-01-01,1\n2024-01-02,two\n",
    "/broken.parquet": b"PAR1 and nothing else",
}
ASKED = []


class Handler(BaseHTTPRequestHandler):
    """Serves PAGES, and keeps what was asked for."""

    def do_GET(self):
        ASKED.append((self.path, self.headers.get("Authorization")))
        body = PAGES.get(self.path.partition("?")[0])
        if body is None:
            self.send_error(503 if "busy" in self.path else 404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def port():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """No proxy between these tests and this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    ASKED.clear()


@pytest.fixture
def memory():
    """Fsspec's memory, emptied afterwards."""
    files = fsspec.filesystem("memory")
    yield files
    files.rm("/", recursive=True)


@pytest.mark.parametrize(
    "name",
    [
        "table.csv",
        "table.csv?year=2024&raw=1",
        "table.csv.gz",
        "table.parquet?raw=1",
        "table.json",
        "table.xlsx?download=1",
        "export?format=xlsx",
    ],
)
def test_every_form_is_read_from_an_address_that_is_asked_once(port, name):
    panel = read_panel(f"http://127.0.0.1:{port}/{name}", Data(column=("value",)))
    assert panel.values[:, 0].tolist() == FRAME["value"].tolist()
    assert [path for path, _ in ASKED] == [f"/{name}"]


def test_a_cell_is_named_with_its_address(port):
    with pytest.raises(DataError, match=rf'http://127.0.0.1:{port}/broken.csv line 3: .*"two"'):
        read_panel(f"http://127.0.0.1:{port}/broken.csv", Data(column=("value",)))
    with pytest.raises(DataError, match=r"broken\.parquet cannot be read"):
        open_table(f"http://127.0.0.1:{port}/broken.parquet")


def test_user_and_password_are_sent_and_not_said(port):
    address = f"http://ann:se%40cret@127.0.0.1:{port}/table.csv?token=abc"
    opened = open_table(address)
    assert ASKED == [("/table.csv?token=abc", "Basic YW5uOnNlQGNyZXQ=")]
    assert opened.name == f"http://ann:***@127.0.0.1:{port}/table.csv?token=***"
    for wrong in (address.replace("table", "none"), address.replace("se%40", "s/e")):
        with pytest.raises(DataError) as error:
            open_table(wrong)
        assert "***@127.0.0.1" in str(error.value)
        assert "cret" not in str(error.value)
        assert "abc" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.csv", "There is no file http://127.0.0.1:PORT/none.csv. Check the address."),
        ("busy.csv", "cannot be read: the server answered 503 Service Unavailable."),
        ("page", "http://127.0.0.1:PORT/page is a web page, not a table."),
    ],
)
def test_an_answer_that_is_no_table_is_told(port, name, said):
    with pytest.raises(DataError) as error:
        open_table(f"http://127.0.0.1:{port}/{name}")
    assert said.replace("PORT", str(port)) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_server_that_does_not_listen_is_told():
    with pytest.raises(DataError, match=r"^http://127.0.0.1:9/x.csv cannot be read: Connection re"):
        open_table("http://127.0.0.1:9/x.csv")
    with pytest.raises(DataError, match=r"^ftp://127.0.0.1:9/x.csv cannot be read: Connection ref"):
        open_table("ftp://127.0.0.1:9/x.csv")


def test_a_server_that_is_silent_is_told(memory, monkeypatch):
    def wait(*_):
        raise TimeoutError

    monkeypatch.setattr(type(memory), "cat_file", wait)
    with pytest.raises(
        DataError, match=r"memory://x\.csv cannot be read: the server did not answer in time"
    ):
        open_table("memory://x.csv")


def test_whatever_fsspec_knows_is_read(memory, tmp_path):
    memory.pipe({"/a.csv": CSV, "/b.parquet": PAGES["/table.parquet"]})
    (tmp_path / "a.csv").write_bytes(CSV)
    for address in ("memory://a.csv", "memory://b.parquet", (tmp_path / "a.csv").as_uri()):
        panel = read_panel(address, Data(column=("value",)))
        assert panel.values[:, 0].tolist() == FRAME["value"].tolist()
    with pytest.raises(DataError, match=r"There is no file memory://none\.csv"):
        open_table("memory://none.csv")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        open_table(tmp_path.as_uri())


def test_a_pattern_is_expanded_where_files_can_be_listed(memory):
    memory.pipe({"/part/1.csv": CSV, "/part/2.csv": CSV.replace(b"2024-01", b"2024-02")})
    opened = open_table("memory://part/*.csv")
    assert opened.read().columns.num_rows == 12
    with pytest.raises(DataError, match=r"Nothing matches memory://none/\*\.csv"):
        open_table("memory://none/*.csv")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nonsense://x.csv", 'unknown protocol "nonsense"'),
        ("smb://ann:secret@host/x.csv", r"smb://ann:\*\*\*@host/x.csv .* pip install smbprotocol"),
    ],
)
def test_what_is_not_installed_or_not_known_is_named(address, said, monkeypatch):
    monkeypatch.setitem(sys.modules, "smbprotocol", None)
    with pytest.raises(UsageError, match=said):
        open_table(address)


def test_without_fsspec_it_is_said_what_to_install(monkeypatch):
    for name in [each for each in sys.modules if each.split(".")[0] == "fsspec"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=r"pip install 'forecast-cli\[remote\]'"):
        open_table("https://example.org/x.csv")


def test_a_query_or_an_encoding_has_its_place():
    with pytest.raises(UsageError, match=r"https://example\.org/x\.csv is no database"):
        open_table("https://example.org/x.csv", Dialect(query="select 1"))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://example.org/pkg@1/x.csv", "https://example.org/pkg@1/x.csv"),
        ("http://localhost:8000/pkg@1/x.csv", "http://localhost:8000/pkg@1/x.csv"),
        ("abfs://box@account/x.csv", "abfs://box@account/x.csv"),
        ("https://ghp_1@example.org/x.csv", "https://***@example.org/x.csv"),
        ("https://ann:a@b@example.org/x.csv", "https://ann:***@example.org/x.csv"),
        ("mysql://ann:a/b?c#d@h/db", "mysql://ann:***@h/db"),
        ("s3://b/x?X-Amz-Signature=1f&year=2", "s3://b/x?X-Amz-Signature=***&year=2"),
        ("https://h/x?api_key=1#top", "https://h/x?api_key=***#top"),
        ("https://h/x?access_code=1&Table=t", "https://h/x?access_code=***&Table=t"),
        ("https://h/x?passcode=1&jwt=2#token=3", "https://h/x?passcode=***&jwt=***#token=***"),
        ("mssql://h/d;uid=ann;pwd=x?table=t", "mssql://h/d;uid=***;pwd=***"),
        ("sales.csv?a=1", "sales.csv?a=1"),
    ],
)
def test_only_secrets_are_hidden(address, said):
    assert masked(address) == said


def test_the_suffix_is_that_of_the_path():
    assert suffix("s3://bucket/a.b/table.PARQUET?versionId=1.csv") == ".parquet"
    assert suffix("memory://table.json") == ".json"
    assert suffix("zip://table.csv::https://example.org/all.zip") == ".csv"


def test_the_command_line_reads_an_address(port, run):
    code, out, _ = run("inspect", f"http://127.0.0.1:{port}/table.csv")
    assert code == 0
    assert "6 rows" in out
    code, out, err = run("inspect", f"http://127.0.0.1:{port}/none.csv")
    assert (code, out) == (3, "")
    assert len(err.splitlines()) <= 2


@pytest.mark.parametrize("how", [(), ("--json",), ("--debug",)])
def test_no_secret_of_an_address_is_said_or_stored(port, run, linear_training, how, tmp_path):
    address = f"http://ann:se%40cret@127.0.0.1:{port}/long.csv?access_code=secret#jwt=secret"
    settings = ("-c", "value", "--preset", "classic", "--horizon", 2, "--timesteps", 3, "-e", 1)
    for command in (
        ("train", address, *settings, *how),
        ("inspect", address, *how),
        ("config", *settings, *how),
        ("predict", address, *how),
        ("evaluate", address, *how),
        ("backtest", address, "-c", "value", "--models", "naive", "--horizon", 2, *how),
        ("inspect", "model.forecast", *how),
    ):
        code, out, err = run(*command)
        assert code == 0, err
        assert "secret" not in (out + err).replace("se%40cret", "secret")
    for entry in zipfile.ZipFile(tmp_path / "model.forecast").infolist():
        held = zipfile.ZipFile(tmp_path / "model.forecast").read(entry)
        assert b"secret" not in held.replace(b"se%40cret", b"secret")


@pytest.mark.slow
def test_no_secret_is_in_an_error_or_in_where_it_comes_from(port):
    address = f"http://ann:se%40cret@127.0.0.1:{port}/none.csv?access_code=secret"
    for more in ([], ["--json"], ["--debug"]):
        done = subprocess.run(
            [sys.executable, "-m", "forecast_cli", "inspect", address, *more],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == (1 if more == ["--debug"] else 3)
        assert "none.csv" in done.stdout + done.stderr
        assert "secret" not in (done.stdout + done.stderr).replace("se%40cret", "secret")
