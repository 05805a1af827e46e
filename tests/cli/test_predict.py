"""`forecast predict` on a kept model, without TensorFlow."""

import gzip
import io
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from ..vanishing import vanishing


@pytest.fixture
def model(tmp_path, golden):
    (tmp_path / "model.forecast").write_bytes(golden.read_bytes())


@pytest.fixture
def rows(tmp_path):
    """Ten months to go on from, `2010-01` and on."""
    dates = pd.date_range("2010-01-01", periods=10, freq="MS").strftime("%Y-%m")
    frame = pd.DataFrame({"date": dates, "value": range(100, 110), "other": range(90, 100)})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    return frame


def test_a_kept_model_forecasts_what_it_always_did(run, model, golden):
    code, out, err = run("predict")
    got = pd.read_csv(io.StringIO(out))
    expected = pd.read_csv(golden.with_suffix(".csv"))
    assert (code, err) == (0, "")
    assert got["date"].tolist() == ["2005-01", "2005-02", "2005-03"]
    assert list(got) == ["date", "value", "other"]
    assert got["value"].tolist() == pytest.approx(expected["value"].tolist(), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("format-2", []),
        ("format-2-labels", ["format-2-labels-rows.csv"]),
        ("format-3", []),
        ("format-4", ["--level", "80"]),
        ("format-5", ["--level", "80"]),
        ("format-6", ["--level", "80"]),
        ("format-7", ["--level", "80"]),
        ("format-8", ["--level", "80"]),
        ("format-9", ["--level", "80"]),
        ("format-10", ["--level", "80"]),
        ("format-10-pretrained", ["--level", "80"]),
        ("format-10-member", ["--level", "80"]),
    ],
)
def test_kept_models_of_every_kind_give_what_they_always_did(run, golden, name, rows):
    tables = [golden.parent / each if each.endswith(".csv") else each for each in rows]
    code, out, err = run("predict", *tables, "-m", golden.parent / f"{name}.forecast")
    got = pd.read_csv(io.StringIO(out))
    expected = pd.read_csv(golden.parent / f"{name}.csv")
    # A series of that model ended before the others.
    ended = (
        "warning: 1 of 3 series ended long before 2024-02-29: small at 2024-01-07 (53 days before)"
    )
    assert (code, err.partition(";")[0]) == (0, ended if name == "format-3" else "")
    assert list(got) == list(expected)
    numbers = expected.select_dtypes("number").columns
    np.testing.assert_allclose(got[numbers], expected[numbers], rtol=1e-6)


def test_it_goes_on_from_the_end_of_a_table(run, model, rows):
    _, out, _ = run("predict", "rows.csv")
    assert pd.read_csv(io.StringIO(out))["date"].tolist() == ["2010-11", "2010-12", "2011-01"]


def test_only_the_last_steps_of_the_table_matter(run, model, rows, tmp_path):
    _, whole, _ = run("predict", "rows.csv")
    rows.tail(4).to_csv(tmp_path / "tail.csv", index=False)
    _, tail, _ = run("predict", "tail.csv")
    assert tail == whole


def test_it_is_a_filter(model, rows, tmp_path):
    command = [sys.executable, "-m", "forecast_cli", "predict", "-"]
    text = (tmp_path / "rows.csv").read_bytes()
    done = subprocess.run(command, input=text, capture_output=True, cwd=tmp_path, check=True)
    assert done.stdout.decode().splitlines()[0] == "date,value,other"
    assert len(done.stdout.splitlines()) == 4
    assert done.stderr == b""


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["head -n 1", "true"])
def test_a_closed_pipe_ends_quietly(model, rows, tmp_path, reader):
    command = f"{sys.executable} -m forecast_cli predict --horizon 20000 2>err | {reader}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, cwd=tmp_path, check=True
    )
    assert done.stdout in (b"date,value,other\n", b"")
    assert "trained for 3 steps" in (tmp_path / "err").read_text()
    assert "rror" not in (tmp_path / "err").read_text()


def test_beyond_its_horizon_it_says_that_it_goes_on_from_its_own(run, model):
    code, out, err = run("predict", "--horizon", "7")
    frame = pd.read_csv(io.StringIO(out))
    assert (code, len(frame)) == (0, 7)
    assert "trained for 3 steps" in err
    _, short, _ = run("predict")
    assert out.startswith(short.rstrip("\n"))


def test_quiet_says_nothing(run, model):
    assert run("predict", "--horizon", "7", "--quiet")[2] == ""


def test_a_shorter_horizon_is_the_beginning_of_the_longer(run, model):
    assert run("predict")[1].startswith(run("predict", "-H", "2")[1])


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet"])
def test_every_form_holds_the_same_forecast(run, model, form, tmp_path):
    readers = {
        "csv": pd.read_csv,
        "json": pd.read_json,
        "jsonl": lambda path: pd.read_json(path, lines=True),
        "parquet": pd.read_parquet,
    }
    assert run("predict", "-o", f"by-name.{form}")[:2] == (0, "")
    assert run("predict", "--format", form, "-o", "by-flag")[:2] == (0, "")
    by_name = readers[form](tmp_path / f"by-name.{form}")
    by_flag = readers[form](tmp_path / "by-flag")
    expected = pd.read_csv(io.StringIO(run("predict")[1]))
    for got in (by_name, by_flag):
        assert list(got) == list(expected)
        assert got["value"].tolist() == pytest.approx(expected["value"].tolist(), rel=1e-6)


def test_json_is_one_document_with_what_was_noted(run, model):
    code, out, err = run("predict", "--json", "-H", "4")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert [row["date"] for row in document["forecast"]] == [
        "2005-01",
        "2005-02",
        "2005-03",
        "2005-04",
    ]
    assert document["model"] == "model.forecast"
    assert "trained for 3 steps" in document["notes"][0]
    assert 0 < document["seconds"]["network"] < document["seconds"]["whole"]


def test_the_time_of_a_pretrained_network_is_counted(run, rows):
    words = ("--column", "value", "--preset", "pretrained", "--horizon", "1")
    code, _, err = run("train", "rows.csv", *words)
    assert code == 0, err
    seconds = json.loads(run("predict", "--json")[1])["seconds"]
    assert 0 < seconds["network"] < seconds["whole"]


@pytest.mark.parametrize(
    "arguments",
    [
        "-o model.forecast",
        "rows.csv -o rows.csv",
        "-o a.pkl",
        "-o a.parquet.gz",
        "--json -f csv",
        "--json -o a.csv",
    ],
)
def test_nothing_that_is_needed_is_written_over(run, model, rows, tmp_path, arguments):
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    code, out, _ = run("predict", *arguments.split())
    assert (code, out) == (2, "" if "--json" not in arguments else out)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_name_of_the_output_selects_format_and_compression(run, model, tmp_path):
    text = run("predict")[1]
    assert run("predict", "-o", "a.csv.gz")[0] == 0
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).decode() == text
    assert run("predict", "-o", "a.xlsx")[0] == 0
    times = pd.read_excel(tmp_path / "a.xlsx")["date"]
    assert list(times) == list(pd.to_datetime(pd.read_csv(io.StringIO(text))["date"]))
    error = run("predict", "-o", "a.pickle")[2]
    assert "unsupported output format .pickle" in error
    assert ".csv, .tsv, .json" in error


def test_a_link_is_followed_and_a_pipe_is_written_to(run, model, tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert run("predict", "-o", "link.csv")[0] == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == run("predict")[1]
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", "pipe"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert run("predict", "-o", "pipe", "-f", "csv")[0] == 0
    assert reader.communicate(timeout=10)[0] == run("predict")[1]
    read, written = os.pipe()
    assert run("predict", "-o", f"/dev/fd/{written}", "-f", "csv")[0] == 0
    os.close(written)
    with open(read) as stream:
        assert stream.read() == run("predict")[1]


def test_large_numbers_are_written_in_full(run, model, rows, tmp_path):
    large = rows.assign(value=620763300 + rows["value"])
    large.to_csv(tmp_path / "large.csv", index=False)
    _, out, _ = run("predict", "large.csv", "--in-sample")
    assert "e+" not in out
    assert pd.read_csv(io.StringIO(out))["value"].tolist() == large["value"].tolist()[4:]


def test_the_environment_names_the_model(run, model, tmp_path, monkeypatch):
    (tmp_path / "model.forecast").rename(tmp_path / "other.forecast")
    monkeypatch.setenv("FORECAST_MODEL", "other.forecast")
    monkeypatch.setenv("FORECAST_HORIZON", "1")
    assert len(run("predict")[1].splitlines()) == 2


@pytest.mark.slow
def test_a_full_disk_and_a_closed_stdout_are_no_tracebacks(model, tmp_path):
    for command, code in (("> /dev/full", 2), (">&-", 0)):
        done = subprocess.run(
            f"{sys.executable} -m forecast_cli predict {command}",
            shell=True, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code
        assert "Traceback" not in done.stderr


def test_in_sample_stands_beside_the_actual_values(run, model, rows):
    code, out, _ = run("predict", "rows.csv", "--in-sample")
    frame = pd.read_csv(io.StringIO(out))
    assert code == 0
    assert list(frame) == ["date", "value", "other", "value_forecast", "other_forecast"]
    assert frame["date"].tolist() == rows["date"].tolist()[4:]
    assert frame["value"].tolist() == rows["value"].tolist()[4:]


def test_an_in_sample_forecast_is_that_of_the_rows_before_it(run, model, rows, tmp_path):
    _, out, _ = run("predict", "rows.csv", "--in-sample")
    rows.head(7).to_csv(tmp_path / "head.csv", index=False)
    _, one, _ = run("predict", "head.csv", "-H", "1")
    seventh = pd.read_csv(io.StringIO(out)).iloc[3]
    assert seventh["value_forecast"] == pytest.approx(
        pd.read_csv(io.StringIO(one))["value"][0], rel=1e-6
    )


def test_a_terminal_gets_a_table(run, model, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    _, out, _ = run("predict")
    assert "date" in out
    assert "," not in out.splitlines()[1]


def test_a_table_with_gaps_can_be_read_in_its_own_way(run, model, rows, tmp_path):
    rows.astype({"value": object}).assign(value=[*rows["value"][:-2], "?", 109]).to_csv(
        tmp_path / "gap.csv", index=False
    )
    code, _, err = run("predict", "gap.csv", "--na", "?")
    assert (code, "Pass --missing interpolate, or ffill" in err) == (3, True)
    code, out, _ = run("predict", "gap.csv", "--na", "?", "--missing", "interpolate")
    assert (code, len(out.splitlines())) == (0, 4)


def test_a_named_pipe_is_read_once(model, rows, tmp_path):
    command = f"{sys.executable} -m forecast_cli predict <(cat rows.csv)"
    done = subprocess.run(["bash", "-c", command], capture_output=True, cwd=tmp_path, check=True)
    assert len(done.stdout.splitlines()) == 4


def test_too_few_rows_says_how_many_are_needed(run, model, rows, tmp_path):
    rows.tail(3).to_csv(tmp_path / "short.csv", index=False)
    code, _, err = run("predict", "short.csv")
    assert code == 3
    assert "short.csv has 3 rows; the model has a lookback of 4 and needs at least 4" in err


def test_a_table_with_other_steps_is_refused(run, model, rows, tmp_path):
    dates = pd.date_range("2010-01-01", periods=10, freq="D").strftime("%Y-%m-%d")
    rows.assign(date=dates).to_csv(tmp_path / "daily.csv", index=False)
    code, _, err = run("predict", "daily.csv")
    assert code == 3
    assert "the model is monthly, this table is daily" in err


def test_every_form_of_output_holds_the_same_forecast(run, model, tmp_path):
    outputs = ["f.csv", "f.parquet", "f.xlsx", "f.json", "sqlite:///f.db?table=forecasts"]
    for output in outputs:
        code, out, _ = run("predict", "-o", output)
        assert (code, out) == (0, "")
    with closing(sqlite3.connect(tmp_path / "f.db")) as database:
        stored = pd.read_sql_query("SELECT * FROM forecasts", database)
    readers = {"csv": pd.read_csv, "parquet": pd.read_parquet, "xlsx": pd.read_excel,
               "json": pd.read_json}  # fmt: skip
    frames = [readers[name](tmp_path / f"f.{name}") for name in readers] + [stored]
    for each in frames:
        assert each["value"].tolist() == pytest.approx(frames[0]["value"].tolist(), abs=1e-9)
        assert [str(day)[:7] for day in each["date"]] == ["2005-01", "2005-02", "2005-03"]
    assert stored["cutoff"].tolist() == ["2004-12"] * 3


def test_a_database_keeps_forecasts_of_other_nights(run, model, rows, tmp_path):
    """Repeated, a night replaces its own rows; `latest` leaves one row for each time."""
    rows.iloc[:-1].to_csv(tmp_path / "before.csv", index=False)
    written = []
    for table, mode in [("before", ""), ("rows", ""), ("rows", ""), ("rows", "&mode=latest"),
                        ("rows", "&mode=append")]:  # fmt: skip
        code, _, err = run("predict", f"{table}.csv", "-o", f"sqlite:///f.db?table=t{mode}")
        with closing(sqlite3.connect(tmp_path / "f.db")) as database:
            written.append(
                (err.split()[-1], *database.execute("SELECT count(*) FROM t").fetchone())
            )
        assert code == 0
    assert written == [("0", 3), ("0", 6), ("3", 6), ("5", 4), ("0", 7)]


def test_forecasts_of_many_nights_are_scored_from_the_database(run, model, rows, tmp_path):
    for count in (4, 5, 6, 10):
        rows.iloc[:count].to_csv(tmp_path / "then.csv", index=False)
        assert run("predict", "then.csv", "-o", "sqlite:///f.db?table=t")[0] == 0
    code, out, err = run("evaluate", "sqlite:///f.db?table=t", "rows.csv", "-c", "value", "--json")
    found = json.loads(out)
    # The last one has no actual values yet.
    assert (code, found["forecasts"], found["steps"]) == (0, 3, 3), err


def test_only_predictions_are_written_to_a_database(run, model, tmp_path):
    code, out, err = run("explain", "-o", "sqlite:///f.db?table=t")
    assert code == 2 and not out and "this command writes to files" in err
    code, _, err = run("predict", "-o", "sqlite:///f.db?table=t", "--format", "csv")
    assert code == 2 and "--format cannot be combined" in err
    (tmp_path / "rows.csv").touch()
    code, _, err = run("predict", "rows.csv", "--in-sample", "-o", "sqlite:///f.db?table=t")
    assert code == 2 and "--in-sample is written to a file" in err
    assert not (tmp_path / "f.db").exists()


def test_a_model_that_vanishes_while_it_is_read_is_an_error_or_read_whole(run, golden, tmp_path):
    path, refused = tmp_path / "gone.forecast", 0
    whole = run("predict", "-m", golden)[1]
    for number in range(1, 20):
        path.write_bytes(golden.read_bytes())
        with vanishing(path, number):
            code, out, err = run("predict", "-m", path)
        if path.exists():
            break
        assert (code, out) == (0, whole) or (code == 4 and path.name in err)
        refused += code == 4
    assert refused and not path.unlink()
