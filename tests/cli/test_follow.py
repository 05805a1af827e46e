"""`forecast predict --follow`: a process that forecasts the rows of its standard input."""

import io
import json
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

GOLDEN = Path(__file__).parents[1] / "golden"
MODEL = GOLDEN / "format-8.forecast"
FOLLOW = ["predict", "-m", str(MODEL), "--follow"]


def months(count: int, begin: str = "2006-01") -> pd.DataFrame:
    """Rows that follow those of the model."""
    times = pd.date_range(begin, periods=count, freq="MS")
    values = 170.0 + 10 * np.sin(np.arange(count) * np.pi / 6)
    return pd.DataFrame({"date": times.strftime("%Y-%m"), "value": values.round(3)})


@pytest.fixture
def follow(run, monkeypatch, tmp_path):
    """Run the command with a text as its standard input: its exit code, stdout and stderr."""

    def call(text: str, *arguments: object) -> tuple[int, str, str]:
        (tmp_path / "input").write_text(text)
        with (tmp_path / "input").open() as file:
            monkeypatch.setattr(sys, "stdin", file)
            return run(*FOLLOW, *arguments)

    return call


def start(folder: Path, *arguments: object) -> subprocess.Popen:
    """The command in a process of its own, with pipes."""
    command = [sys.executable, "-m", "forecast_cli", *FOLLOW, *map(str, arguments)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(command, cwd=folder, text=True, **pipes)


def test_the_last_forecast_is_that_of_predict_and_each_has_its_cutoff(follow, run, tmp_path):
    rows = months(6)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    code, out, err = follow(rows.to_csv(index=False), "--level", "80")
    made = pd.read_csv(io.StringIO(out))
    assert code == 0
    assert err == "end of input: 6 rows read, 6 used\n"
    assert made["cutoff"].tolist() == rows["date"].repeat(3).tolist()
    table = pd.concat([pd.read_csv(tmp_path / "rows.csv")])
    stored = table_of_model()
    pd.concat([stored, table]).to_csv(tmp_path / "whole.csv", index=False)
    _, out, _ = run("predict", "whole.csv", "-m", MODEL, "--level", "80")
    expected = pd.read_csv(io.StringIO(out))
    pd.testing.assert_frame_equal(made[-3:].drop(columns="cutoff").reset_index(drop=True), expected)


def table_of_model() -> pd.DataFrame:
    """The rows that the model keeps."""
    from forecast_cli.forecasting.history import stored_panel
    from forecast_cli.model.loading import load_bundle

    panel = stored_panel(load_bundle(MODEL))
    return pd.DataFrame(
        {"date": panel.timeline.times.strftime("%Y-%m"), "value": panel.values[:, 0]}
    )


def test_lines_may_be_json_and_so_may_the_output(follow):
    rows = months(3).to_dict("records")
    text = "".join(json.dumps(row) + "\n" for row in rows)
    code, out, _ = follow(text, "--format", "jsonl", "--horizon", "1")
    made = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [each["cutoff"] for each in made] == ["2006-01", "2006-02", "2006-03"]
    assert list(made[0]) == ["cutoff", "date", "value"]
    _, table, _ = follow(months(3).to_csv(index=False, sep=";"), "--horizon", "1")
    assert pd.read_csv(io.StringIO(table))["value"].tolist() == [each["value"] for each in made]


def test_any_bytes_are_left_out_and_counted(follow, tmp_path, run, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, 5000).astype(np.uint8).tobytes()
    rows = months(4).to_csv(index=False).encode()
    endless = b"9" * 1_500_000
    (tmp_path / "bytes").write_bytes(rows + noise + b"\n" + endless + b"\n2006-05,170")
    with (tmp_path / "bytes").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        code, out, err = run(*FOLLOW, "--horizon", "1")
    assert code == 0
    assert pd.read_csv(io.StringIO(out))["cutoff"].iloc[-1] == "2006-05"
    assert "Traceback" not in err
    assert "left out: unreadable" in err


def test_anomalies_have_a_row_of_their_own(follow):
    rows = months(5)
    rows.loc[3, "value"] = 500.0
    code, out, err = follow(
        rows.to_csv(index=False), "--anomalies", "--false-alarm-rate", "0.2", "--every", "100"
    )
    made = pd.read_csv(io.StringIO(out))
    assert code == 0
    assert made["anomaly"].tolist()[3] is True
    assert made.loc[3, "value_actual"] == 500.0
    assert "held-out rows" in err.splitlines()[0]
    assert "flagged as anomalies" in err.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_a_row_is_answered_before_the_next_one_comes_and_a_signal_ends_it_well(
    tmp_path, sent, name
):
    state, lines = tmp_path / "state", months(3).to_csv(index=False).splitlines(keepends=True)
    with start(tmp_path, "--state", state, "--horizon", 1) as process:
        process.stdin.write(lines[0] + lines[1])
        process.stdin.flush()
        assert process.stdout.readline() == "cutoff,date,value\n"
        assert process.stdout.readline().startswith("2006-01,2006-02,")
        process.stdin.write(lines[2])
        process.stdin.flush()
        assert process.stdout.readline().startswith("2006-02,2006-03,")
        process.send_signal(sent)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert err == f"stopped by {name}: 2 rows read, 2 used\n"
    with start(tmp_path, "--state", state, "--horizon", 1) as again:
        out, err = again.communicate(lines[0] + "".join(lines[2:]), timeout=60)
    assert again.returncode == 0
    assert [line.split(",")[0] for line in out.splitlines()] == ["cutoff", "2006-03"]
    assert "1 left out: at the time of the last row of its series" in err


def test_a_reader_that_has_enough_ends_it_without_a_word(tmp_path):
    with start(tmp_path, "--state", tmp_path / "state") as process:
        process.stdout.readline()
        process.stdout.close()
        with suppress(BrokenPipeError):
            process.stdin.write(months(5).to_csv(index=False))
            process.stdin.close()
        err = process.stderr.read()
        assert process.wait(timeout=60) == 0
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_memory_stays_the_same_over_many_rows(tmp_path):
    times = pd.date_range("2006-01", "2199-12", freq="MS").strftime("%Y-%m")
    rows, sizes = "".join(f"{each},170\n" for each in times), []
    with start(tmp_path, "--every", 1_000_000, "-q") as process:
        process.stdin.write("date,value\n")
        for _ in range(12):
            # All but the first ones are late: they are read, and left out.
            process.stdin.write(rows)
            process.stdin.flush()
            text = Path(f"/proc/{process.pid}/status").read_text()
            sizes.append(int(text.split("VmRSS:")[1].split()[0]))
        process.communicate(timeout=120)
    assert process.returncode == 0
    assert sizes[-1] < sizes[4] + 8_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rows.csv"], "cat rows.csv | forecast predict --follow"),
        (["--json"], "--format jsonl"),
        (["--start", "2006-01"], "--start has no effect"),
        (["--samples", "3"], "--samples has no effect"),
        (["--format", "parquet"], "Choose a --format of csv, tsv, jsonl"),
        (["--output", "out.csv.gz"], "Choose a --format"),
        (["--false-alarm-rate", "0.1"], "Pass --anomalies"),
        (["--every", "never"], "Give a number of rows"),
        (["--skip-rows", "3"], "--skip-rows has no effect"),
        (["--future", "plan.csv"], "reads no future covariates"),
        (["--only", "north"], "one series"),
        (["--state", "nowhere/file"], "Create it first"),
        (["--anomalies", "--false-alarm-rate", "0.00001"], "Pass at least --false-alarm-rate"),
        (["-o", "nowhere/made.csv"], "in a directory that exists"),
        (["-o", "."], "in a directory that exists"),
        (["-o", "made.xyz"], "Name a file that ends with .csv"),
        (["rows.csv"], f"cat rows.csv | forecast predict --follow -m {MODEL}"),
    ],
)
def test_what_has_no_effect_on_a_stream_is_refused(follow, arguments, words):
    code, out, err = follow("", *arguments)
    assert code == 2
    assert words in (out + err)


@pytest.mark.parametrize(
    "option", [["--every", "3"], ["--anomalies"], ["--false-alarm-rate", "0.1"]]
)
def test_options_of_streams_need_follow(run, option):
    code, _, err = run("predict", "-m", MODEL, *option)
    assert code == 2
    assert "Pass --follow" in err


def test_a_stream_without_a_header_is_refused(follow):
    code, _, err = follow("2006-01,170\n2006-02,171\n")
    assert code == 3
    assert "Begin with a line of the names date, value" in err


def test_a_state_of_another_model_is_refused(follow, tmp_path, run, monkeypatch):
    follow(months(2).to_csv(index=False), "--state", "one.state")
    (tmp_path / "empty").write_text("")
    with (tmp_path / "empty").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        code, _, err = run(
            "predict", "-m", GOLDEN / "format-5.forecast", "--follow", "--state", "one.state"
        )
    assert code == 4
    assert "another model" in err
    Path("one.state").write_text("{}")
    code, _, err = follow("", "--state", "one.state")
    assert code == 4
    assert "is not the state of a stream" in err


def test_output_to_a_file_is_appended_with_one_header(follow, tmp_path):
    rows = months(4)
    how = ("--state", "one.state", "--output", "made.csv", "--horizon", "1")
    follow(rows[:2].to_csv(index=False), *how)
    follow(rows[2:].to_csv(index=False), *how)
    made = pd.read_csv(tmp_path / "made.csv")
    assert made["cutoff"].tolist() == rows["date"].tolist()


def test_lines_are_not_appended_to_a_table_of_other_columns(follow, run, tmp_path):
    run("predict", "-m", MODEL, "-o", "made.csv")
    before = (tmp_path / "made.csv").read_bytes()
    code, _, err = follow(months(2).to_csv(index=False), "-o", "made.csv")
    assert code == 2
    assert "has the columns date, value; the lines to append have cutoff, date, value" in err
    assert (tmp_path / "made.csv").read_bytes() == before


def test_a_line_that_was_cut_off_is_ended_before_lines_are_appended(follow, tmp_path):
    made = tmp_path / "made"
    made.write_text("cutoff,date,value\n2005-12,2006-0")
    code, _, _ = follow(months(1).to_csv(index=False), "-o", "made", "--horizon", "1")
    lines = made.read_text().splitlines()
    assert code == 0
    assert lines[1] == "2005-12,2006-0"
    assert [len(line.split(",")) for line in lines[2:]] == [3]


def test_lines_go_to_a_pipe_by_its_name(tmp_path):
    process = start(tmp_path, "--horizon", "1", "-o", "/dev/stdout")
    out, err = process.communicate(months(1).to_csv(index=False), timeout=120)
    assert process.returncode == 0, err
    assert out.startswith("cutoff,date,value\n2006-01,2006-02,")
