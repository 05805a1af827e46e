"""Bad input: one line that says what, where and how to mend it; the nearest name; exit codes."""

import json
import os
import zipfile

import numpy as np
import pytest

ROWS = "\n".join(f"2020-01-{day:02},{day}" for day in range(1, 31))
TABLES = {
    "good.csv": f"Date,Close\n{ROWS}\n",
    "empty.csv": "",
    "head.csv": "Date,Close\n",
    "few.csv": "Date,Close\n2020-01-01,1\n2020-01-02,2\n2020-01-03,3\n",
    "text.csv": "Date,Close\n2020-01-01,1\n2020-01-02,abc\n2020-01-03,3\n",
    "twice.csv": "Date,Close\n2020-01-01,1\n2020-01-01,2\n2020-01-03,3\n",
    "gap.csv": "Date,Close\n2020-01-01,1\n2020-01-02,2\n2020-01-03,3\n2020-01-07,4\n",
    "hole.csv": "Date,Close\n2020-01-01,1\n2020-01-02,\n2020-01-03,3\n",
    "ragged.csv": "Date,Close\n2020-01-01,1\n2020-01-02,2,3\n",
    "comma.csv": 'Date,Close\n2020-01-01,1\n2020-01-02,"4,787"\n',
    "data.csv": "2020-01-01,17.5\n2020-01-02,18.5\n",
    "notes.txt": "not a model\n",
}


@pytest.fixture(autouse=True)
def tables(tmp_path, golden):
    for name, text in TABLES.items():
        (tmp_path / name).write_text(text)
    data = golden.read_bytes()
    (tmp_path / "good.forecast").write_bytes(data)
    (tmp_path / "cut.forecast").write_bytes(data[: len(data) // 2])
    (tmp_path / "folder").mkdir()


TRAIN = [
    ("missing.csv -c Close", 3, "There is no file missing.csv"),
    ("god.csv -c Close", 3, "Did you mean good.csv?"),
    ("folder -c Close", 3, "folder is a directory"),
    ("empty.csv -c Close", 3, "empty.csv is empty"),
    ("head.csv -c Close", 3, "head.csv has a header and no rows"),
    ("good.csv -c Clsoe", 3, 'no column "Clsoe". Did you mean "Close"? There are: Date, Close.'),
    ("text.csv -c Close", 3, 'text.csv line 3: column "Close" holds "abc". A number was expected'),
    ("twice.csv -c Close", 3, "twice.csv line 3 (2020-01-01)"),
    ("gap.csv -c Close", 3, "gap.csv line 5: the steps are not regular: 2020-01-07 is 4 days"),
    ("hole.csv -c Close", 3, '1 missing value in column "Close": hole.csv line 3'),
    ("ragged.csv -c Close", 3, "ragged.csv line 3 has 3 cells; the header has 2"),
    ("few.csv -c Close --preset classic", 3, "few.csv has 3 rows; at least 4 are needed"),
    (
        "good.csv -c Close --timesteps 50 --preset classic",
        3,
        "at least 76 are needed: 53 to train on",
    ),
    ("good.csv -c Close --test 2021-01-01", 3, "--test 2021-01-01 leaves 0 rows"),
    ("good.csv", 2, "No column was specified"),
    ("good.csv -c Close --test soon", 2, '--test "soon" is neither a number nor a date'),
    ("comma.csv -c Close", 3, "could be 4787 or 4.787. Specify the decimal mark: --decimal"),
    ("data.csv -c Close", 3, "begins with 2020-01-01, 17.5: a line of data, not of names"),
    ("good.csv -c Close --target Open", 2, '--target "Open" is not among the columns'),
    ("good.csv -c Close --freq fortnight", 2, 'Unknown frequency "fortnight"'),
    ("good.csv -c Close --timezone Mars", 2, "Unknown time zone"),
    ("good.csv -c Close --epochs none", 2, "--epochs"),
    ("good.csv -c Close --units 5,x", 2, "is not like 64 or 64,32"),
    ("good.csv -c Close --activation rleu", 2, 'Did you mean "relu"?'),
    ("good.csv -c Close --unknown", 2, "No such option: --unknown"),
    ("good.csv -c Close --config none.toml", 2, "none.toml cannot be read"),
    ("good.csv -c Close -m notes.txt", 2, "notes.txt exists and is not a model"),
    ("good.csv -c Close -m folder", 2, "folder is a directory"),
    ("good.csv -c Close -m no/model.forecast", 2, "There is no directory no"),
]
PREDICT = [
    ("", 4, "There is no model model.forecast"),
    ("-m notes.txt", 4, "notes.txt is not a model"),
    ("-m cut.forecast", 4, "cut.forecast is not a model, or is truncated"),
    ("-m folder", 4, "folder"),
    ("-m good.forecast good.csv", 3, 'good.csv has no column "value"'),
    ("-m good.forecast -o no/next.csv", 2, "no/next.csv cannot be written"),
    ("-m good.forecast -o folder", 2, "or name a file with -o"),
    ("-m good.forecast --horizon 0", 2, "--horizon"),
    ("-m good.forecast --in-sample", 2, "--in-sample"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "arguments", "code", "message"),
    [("train", *case) for case in TRAIN] + [("predict", *case) for case in PREDICT],
)
def test_bad_input_is_one_line_with_its_exit_code(run, command, arguments, code, message, tmp_path):
    before = sorted(os.listdir(tmp_path))
    got, out, err = run(command, *arguments.split())
    assert (got, out) == (code, "")
    last = err.splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last
    assert "Traceback" not in err
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("train few.csv -c Close --preset classic", "data"),
        ("train --epochs x", "usage"),
        ("predict", "model"),
    ],
)
def test_json_holds_errors_too(run, arguments, code):
    _, out, err = run(*arguments.split(), "--json")
    error = json.loads(out)["error"]
    assert error["code"] == code
    assert error["message"]
    assert error.keys() == {"code", "message", "hint"}
    assert err == ""


def altered(path, target, change):
    """A copy of a model file whose manifest is changed."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name == "manifest.json" else data)


def test_a_model_of_a_newer_version_says_to_upgrade(run, golden, tmp_path):
    from forecast_cli.model.manifest import FORMAT

    newer = f'"format": {FORMAT + 1}'.encode()
    altered(golden, tmp_path / "new.forecast", lambda m: m.replace(b'"format": 1', newer))
    code, _, err = run("predict", "-m", "new.forecast")
    assert code == 4
    assert f"has format {FORMAT + 1}; this version reads up to {FORMAT}. Upgrade" in err


def test_a_damaged_model_is_not_used(run, golden, tmp_path):
    altered(golden, tmp_path / "odd.forecast", lambda m: m.replace(b'network.onnx": "', b'x": "'))
    code, _, err = run("predict", "-m", "odd.forecast")
    assert code == 4
    assert "is damaged: network.onnx" in err


def test_a_model_that_would_fill_the_memory_is_not_unpacked(run, golden, monkeypatch):
    monkeypatch.setattr("forecast_cli.model.archive.LARGEST", 1000)
    code, _, err = run("predict", "-m", golden)
    assert code == 4
    assert "too much" in err


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b'"targets": [\n  "value"', b'"targets": [\n  "nope"', "not among the features"),
        (b'"day": 1', b'"day": 99', "time.day"),
        (b'"format": 1', b'"format": 0', "format"),
    ],
)
def test_a_manifest_that_cannot_be_is_named(run, golden, tmp_path, old, new, why):
    altered(golden, tmp_path / "odd.forecast", lambda manifest: manifest.replace(old, new))
    code, _, err = run("predict", "-m", "odd.forecast")
    assert (code, why in err) == (4, True)


def test_any_changed_byte_is_an_error_of_the_model_file(run, golden, tmp_path):
    data = golden.read_bytes()
    for place in range(40, len(data), 97):
        changed = data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :]
        (tmp_path / "odd.forecast").write_bytes(changed)
        assert run("predict", "-m", "odd.forecast")[0] in (0, 4)


def test_a_zip_that_is_no_model_is_not_written_over(run, tmp_path):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("manifest.json", "{}")
    code, _, err = run("train", "good.csv", "-c", "Close", "-m", "other.zip")
    assert (code, "is not a model" in err) == (2, True)


def test_debug_shows_where_an_error_comes_from(run):
    from forecast_cli.core.errors import DataError

    with pytest.raises(DataError):
        run("train", "missing.csv", "-c", "Close", "--debug")


def test_help_without_a_command_is_usage(run):
    code, out, err = run()
    assert code == 2
    assert "train" in out
    assert err == ""


@pytest.mark.slow
@pytest.mark.parametrize("command", ["train", "now", "inspect"])
def test_a_table_whose_rows_fit_into_no_memory_is_refused_with_the_figure(
    run, tmp_path, monkeypatch, command
):
    rows = "".join(f"{number},{number % 7}\n" for number in range(30_000))
    (tmp_path / "rows.csv").write_text("id,y\n" + rows)
    column = () if command == "inspect" else ("--column", "y")
    monkeypatch.setattr("forecast_cli.core.memory.free_memory", lambda: 1.4e6)
    code, out, err = run(command, "rows.csv", *column)
    assert (code, out) == (2, "")
    assert "rows.csv, 30,000 rows, would need about 1.5 MB of memory; 1.4 MB are free." in err
    assert "Take fewer rows, or longer steps." in " ".join(err.split())


def test_a_new_table_whose_rows_fit_into_no_memory_is_not_forecast(run, tmp_path, monkeypatch):
    months = [f"{year}-{month:02},1,2" for year in range(1980, 2010) for month in range(1, 13)]
    (tmp_path / "months.csv").write_text("\n".join(["date,value,other", *months]))
    monkeypatch.setattr("forecast_cli.core.memory.free_memory", lambda: 17_000.0)
    code, out, err = run("predict", "months.csv", "-m", "good.forecast")
    assert (code, out) == (2, "")
    assert "months.csv, 360 rows, would need about 18.0 kB of memory; 17.0 kB are free." in err


def test_a_horizon_that_fits_into_no_memory_is_refused_with_the_figure(run, golden, monkeypatch):
    monkeypatch.setattr("forecast_cli.core.memory.free_memory", lambda: 5e7)
    code, _, err = run("now", "good.csv", "-c", "Close", "-H", "20000")
    assert code == 2
    assert "20,000 steps" in err and "would need about 0.3 GB of memory; 50.0 MB are free" in err
    model = golden.with_name("format-10-pretrained.forecast")
    code, _, err = run("predict", "-m", model, "-H", "20000")
    assert code == 2
    assert "20,000 steps" in err and "would need about 0.3 GB of memory; 50.0 MB are free" in err


def test_sample_paths_that_fit_into_no_memory_are_refused_with_the_figure(run, monkeypatch):
    monkeypatch.setattr("forecast_cli.core.memory.free_memory", lambda: 3e9)
    code, _, err = run("predict", "-m", "good.forecast", "--samples", "100000000")
    assert code == 2
    assert "A forecast of 300,000,000 rows would need about 66.0 GB of memory; 3.0 GB" in err
    assert "fewer than --samples 100000000" in " ".join(err.split())


def test_a_command_that_finds_no_memory_says_so(run, table, monkeypatch):
    def inspect(*_, **__):
        return np.empty(2**50)

    monkeypatch.setattr("forecast_cli.data.inspection.report.inspect_table", inspect)
    code, out, err = run("inspect", table)
    assert (code, out) == (2, "")
    assert err.startswith("error: There is not enough memory: ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("trian", 'There is no command "trian". Did you mean train? See forecast --help.'),
        ("zzz", 'There is no command "zzz". See forecast --help.'),
        ("train --colum x", "No such option: --colum. Did you mean --column?"),
        ("train a.csv --hor 3", "Did you mean --horizon"),
        ("train --zz", "No such option: --zz. See forecast train --help."),
        ("train a.csv --cell lstmm", 'Invalid --cell "lstmm". Did you mean "lstm"?'),
        ("predict --horizon 0", "Invalid --horizon 0: must be at least 1."),
        ("train a.csv --epochs x", 'Invalid --epochs "x": must be a whole number.'),
        ("plot x --kind forcast", 'Invalid --kind "forcast". Did you mean "forecast"?'),
        ("tune none.csv --sampler tpee", 'Did you mean "tpe"?'),
    ],
)
def test_the_nearest_name_is_proposed(run, words, message):
    code, out, err = run(*words.split())
    assert (code, out) == (2, "")
    assert err.startswith("error: ") and message in err
