"""`forecast predict` into a folder: a file for each part, by processes, and resumable."""

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from forecast_cli.forecasting import part_prediction, partitions


@pytest.fixture(scope="module")
def bundle(linear):
    return linear(panel(0, 8), column="y", series="id", time="day", horizon=3, timesteps=6)


@pytest.fixture
def tables(bundle, tmp_path):
    """A model, a folder of five files, and the same table in one file."""
    bundle.save(tmp_path / "model.forecast")
    (tmp_path / "panel").mkdir()
    for number in range(5):
        panel(4 * number, 4).to_parquet(tmp_path / "panel" / f"{number}.parquet")
    panel(0, 20).to_parquet(tmp_path / "panel.parquet", row_group_size=50)
    return tmp_path


def panel(first, count):
    days = pd.date_range("2024-01-01", periods=30)
    return pd.concat(
        pd.DataFrame({
            "id": f"s{number:02d}", "day": days,
            "y": np.random.default_rng(number).gamma(3.0, 5.0, 30).round(2),
        })
        for number in range(first, first + count)
    )  # fmt: skip


def whole(run, tables, *options):
    assert run("predict", "panel.parquet", "-o", "whole.parquet", *options)[0] == 0
    return pd.read_parquet(tables / "whole.parquet")


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("source", ["panel", "panel/*.parquet", "panel.parquet"])
def test_all_files_of_the_folder_together_are_the_forecast(run, tables, monkeypatch, source, jobs):
    monkeypatch.setattr(partitions, "TASK_ROWS", 150)
    code, out, err = run("predict", source, "-o", "out/", "--level", "80", "--jobs", str(jobs))
    assert (code, out) == (0, ""), err
    pd.testing.assert_frame_equal(
        pd.read_parquet(tables / "out"), whole(run, tables, "--level", "80"), rtol=1e-7
    )
    about = json.loads((tables / "out" / "_manifest.json").read_text())
    parts = sorted(each.name for each in (tables / "out").glob("part-*"))
    assert [each["part"] for each in about["parts"]] == parts and about["series"] == 20
    assert len(parts) >= 4 and sum(each["series"] for each in about["parts"]) == 20
    assert not (tables / "out.partial").exists()


def test_files_have_the_format_that_is_asked_for(run, tables):
    assert run("predict", "panel", "-o", "out/", "--format", "csv")[0] == 0
    files = sorted((tables / "out").glob("*.csv"))
    expected = whole(run, tables)
    got = pd.concat([pd.read_csv(each, parse_dates=["day"]) for each in files], ignore_index=True)
    pd.testing.assert_frame_equal(got, expected, check_dtype=False, rtol=1e-7)


@pytest.mark.slow
def test_several_jobs_write_the_same_file_as_one(run, tables, monkeypatch):
    monkeypatch.setattr(part_prediction, "MOST_ROWS", 120)
    monkeypatch.setattr(partitions, "TASK_ROWS", 240)
    made = []
    for jobs in (1, 2, 3):
        code, _, err = run("predict", "panel.parquet", "-o", "out.csv", "--jobs", str(jobs))
        assert code == 0 and "20 series in" in err, err
        made.append((tables / "out.csv").read_bytes())
    assert made[0] == made[1] == made[2]


def test_files_that_are_not_in_order_of_their_series_are_read_as_a_whole(run, tables):
    for path in (tables / "panel").iterdir():
        pd.read_parquet(path).sort_values("day").to_parquet(path)
    assert run("predict", "panel", "-o", "out/")[0] == 0
    got = pd.read_parquet(tables / "out").sort_values(["id", "day"], ignore_index=True)
    pd.testing.assert_frame_equal(got, whole(run, tables), rtol=1e-7)


def test_a_run_that_was_cut_off_goes_on_with_what_is_missing(run, tables):
    broken = tables / "panel" / "3.parquet"
    good = broken.read_bytes()
    about = broken.stat()
    broken.write_bytes(good[:-1] + b"?")
    os.utime(broken, ns=(about.st_atime_ns, about.st_mtime_ns))
    # The footers are read first; a file that is damaged later fails in its task.
    assert run("predict", "panel", "-o", "out/")[0] == 3
    broken.write_bytes(good)
    os.utime(broken, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert run("predict", "panel", "-o", "out/")[0] == 0
    pd.testing.assert_frame_equal(pd.read_parquet(tables / "out"), whole(run, tables), rtol=1e-7)


@pytest.fixture
def unfinished(run, tables, monkeypatch):
    """A run that was ended when three of five parts were made."""
    real, made, left = partitions.write_part, [], [3]

    def write(*piece):
        if len(made) == left[0]:
            left[0] = 5
            raise KeyboardInterrupt
        made.append(piece)
        return real(*piece)

    from forecast_cli.forecasting import prediction_folder

    monkeypatch.setattr(prediction_folder, "write_part", write)
    code, _, err = run("predict", "panel", "-o", "out/")
    assert code == 130 and "3 of 5 parts are stored" in err and not (tables / "out").exists()
    made.clear()
    return made


def test_finished_parts_are_not_made_again(run, tables, unfinished):
    code, _, err = run("predict", "panel", "-o", "out/")
    assert code == 0 and "3 of 5 parts were restored" in err and len(unfinished) == 2
    pd.testing.assert_frame_equal(pd.read_parquet(tables / "out"), whole(run, tables), rtol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("change", ["model", "table", "options"])
def test_a_run_is_not_resumed_where_something_changed(
    run, tables, bundle, linear, unfinished, change
):
    more = []
    if change == "model":
        own = {"column": "y", "series": "id", "time": "day", "horizon": 2, "timesteps": 6}
        linear(panel(0, 8), **own).save(tables / "model.forecast")
    elif change == "table":
        panel(4, 4).iloc[:-1].to_parquet(tables / "panel" / "1.parquet")
    else:
        more = ["--level", "80"]
    code, _, err = run("predict", "panel", "-o", "out/", *more)
    assert code == 2 and "unfinished forecasts of" in err and change in err
    shutil.rmtree(tables / "out.partial")
    made = len(unfinished)
    code, _, err = run("predict", "panel", "-o", "out/", *more)
    assert made == 0 and "restored" not in err


def test_a_series_in_two_files_is_refused(run, tables):
    panel(4, 4).to_parquet(tables / "panel" / "5.parquet")
    code, _, err = run("predict", "panel", "-o", "out/")
    assert code == 3 and "4 series are in more than one file" in err and "5.parquet" in err
    assert not (tables / "out").exists()


def test_an_earlier_folder_of_forecasts_is_replaced_and_no_other(run, tables):
    for level in ([], ["--level", "80"]):
        assert run("predict", "panel", "-o", "out/", *level)[0] == 0
    assert "y_lo80" in pd.read_parquet(tables / "out")
    (tables / "mine").mkdir()
    (tables / "mine" / "notes.txt").write_text("kept")
    code, _, err = run("predict", "panel", "-o", "mine/")
    assert code == 2 and "holds other files" in err
    assert [each.name for each in (tables / "mine").iterdir()] == ["notes.txt"]


def test_what_is_gone_with_the_process_is_refused(run, tables):
    MemoryFileSystem.store.clear()
    code, _, err = run("predict", "panel", "-o", "memory://bucket/out/")
    assert code == 2 and "memory of this process, and is gone when the command ends" in err
    assert not MemoryFileSystem.store and "Name a folder of this machine, such as forecasts/" in err
    assert run("predict", "panel", "-o", "forecasts/")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["panel", "-o", "out/", "--only", "s01"], "Leave out --only"),
        (["panel.csv", "-o", "out/"], "is no Parquet file"),
        (["panel", "-o", "out/", "--json"], "--json prints one document"),
        (["panel", "-o", "out/", "--format", "xlsx"], "no files of the format xlsx"),
        (["-o", "out/"], "needs a table that is divided into parts. Name DATA"),
        (["panel.parquet", "-o", "out.csv", "--engine", "dask"], "Name a folder"),
        (["panel", "-o", "out/", "--engine-address", "tcp://a:1"], "Name its kind with --engine"),
        (["panel.csv", "--jobs", "2"], "is no Parquet file"),
        (["--jobs", "2"], "Name DATA"),
        (["panel", "-o", "out/", "--jobs", "4", "--memory", "0.5"], "is too little"),
    ],
)
def test_what_cannot_be_divided_is_refused(run, tables, arguments, text):
    panel(0, 2).to_csv(tables / "panel.csv", index=False)
    code, out, err = run("predict", *arguments)
    assert code in (2, 3) and text in out + err, err
    assert not (tables / "out").exists()


def test_the_environment_divides_only_what_can_be_divided(run, tables, monkeypatch):
    panel(0, 2).to_csv(tables / "panel.csv", index=False)
    plain = run("predict", "panel.csv")
    assert plain[0] == 0
    monkeypatch.setenv("FORECAST_JOBS", "2")
    monkeypatch.setenv("FORECAST_MEMORY", "4")
    assert run("predict", "panel.csv") == plain
    assert run("predict")[0] == 0
    code, _, err = run("predict", "panel.csv", "--jobs", "2")
    assert code == 2 and "is no Parquet file" in err
    assert run("predict", "panel", "-o", "out/")[0] == 0


def test_an_engine_that_is_not_installed_is_named_with_its_command(run, tables, monkeypatch):
    from forecast_cli.core import engines

    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    code, _, err = run("predict", "panel", "-o", "out/", "--engine", "ray")
    assert code == 2 and "pip install 'forecast-cli[ray]'" in err


def of_kind(folder, name):
    return next(each for each in (folder / "out.partial").iterdir() if each.name.startswith(name))


def change_record(**changes):
    """Put other values into the record of the first part."""

    def change(tables, outside):
        path = of_kind(tables, "records") / "part-00000.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def replace_record(data):
    def change(tables, outside):
        (of_kind(tables, "records") / "part-00000.json").write_bytes(data)

    return change


def replace_run(data):
    def change(tables, outside):
        (tables / "out.partial" / "run.json").write_bytes(data)

    return change


def link(name, *way):
    """Put a link to a file outside in the place of a file."""

    def change(tables, outside):
        folder = of_kind(tables, name) if way else tables / "out.partial"
        path = folder.joinpath(*(way or (name,)))
        path.unlink(missing_ok=True)
        path.symlink_to(outside / "precious")

    return change


def link_folder(name):
    """Put a link to a folder outside in the place of a folder."""

    def change(tables, outside):
        path = of_kind(tables, name) if name else tables / "out.partial"
        shutil.rmtree(path)
        path.symlink_to(outside)

    return change


def pipe(name, *way):
    def change(tables, outside):
        folder = of_kind(tables, name) if way else tables / "out.partial"
        path = folder.joinpath(*(way or (name,)))
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return change


def strangers(tables, outside):
    """Add what is no part of the forecasts."""
    parts = of_kind(tables, "parts")
    shutil.copy(parts / "part-00000.parquet", parts / "part-00099.parquet")
    (parts / ".hidden").mkdir()
    (parts / "folder").mkdir()
    (parts / "link").symlink_to(outside)


NOTE = {"text": "a", "warning": False, "names": "b", "parts": 1}
HOSTILE = {
    "a run that is no JSON": replace_run(b"\xff{"),
    "a run that is a list": replace_run(b"[1]"),
    "a run nested deep": replace_run(b"[" * 100_000),
    "a run of numbers": replace_run(b'{"model": 1, "input": [], "request": null}'),
    "a run that is a link": link("run.json"),
    "a run that is a pipe": pipe("run.json"),
    "a lock that is a link": link("lock"),
    "a lock that is a pipe": pipe("lock"),
    "a record that is no JSON": replace_record(b"{"),
    "a record that is a list": replace_record(b"[]"),
    "a record nested deep": replace_record(b'{"part":' + b"[" * 100_000),
    "a record that is a link": link("records", "part-00000.json"),
    "a record that is a pipe": pipe("records", "part-00000.json"),
    "a record of a part elsewhere": change_record(part="../../../outside/precious"),
    "a record of a part that is a number": change_record(part=1),
    "a record of text": change_record(series="many"),
    "a record of less than nothing": change_record(rows=-1),
    "a record of more than numbers count": change_record(series=10**30),
    "a record with a field more": change_record(path="/etc/passwd"),
    "a record without notes": change_record(notes=None),
    "a record of notes that are none": change_record(notes=[{"a": 1}]),
    "a record of a note of numbers": change_record(notes=[NOTE | {"text": 5}]),
    "a record of marks that are text": change_record(marks=["a"]),
    "a record of marks below 0": change_record(marks=[-1]),
    "a record of seconds that are text": change_record(seconds={"reading": "long"}),
    "a record of seconds of something else": change_record(seconds={"sleeping": 1.0}),
    "a part that is a link": link("parts", "part-00000.parquet"),
    "a part to come that is a link": link("parts", "part-00004.parquet"),
    "a part to come that is a pipe": pipe("parts", "part-00004.parquet"),
    "a record to come that is a link": link("records", "part-00004.json"),
    "parts that are a link": link_folder("parts"),
    "records that are a link": link_folder("records"),
    "a folder that is a link": link_folder(""),
    "what is no part": strangers,
}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes by name")
@pytest.mark.parametrize("kind", HOSTILE)
def test_an_unfinished_folder_made_on_purpose_is_refused_or_made_again(
    run, tables, unfinished, kind
):
    outside = tables / "outside"
    outside.mkdir()
    (outside / "precious").write_text("kept")
    HOSTILE[kind](tables, outside)
    code, _, err = run("predict", "panel", "-o", "out/")
    assert code in (0, 2) and "Traceback" not in err, err
    assert [each.name for each in outside.iterdir()] == ["precious"]
    assert (outside / "precious").read_text() == "kept"
    if code == 0:
        parts = sorted(each.name for each in (tables / "out").iterdir())
        assert parts == ["_manifest.json", *(f"part-{number:05d}.parquet" for number in range(5))]
        got = pd.read_parquet(tables / "out")
        pd.testing.assert_frame_equal(got, whole(run, tables), rtol=1e-7)


def test_a_folder_with_files_beside_its_forecasts_is_not_replaced(run, tables):
    assert run("predict", "panel", "-o", "out/")[0] == 0
    (tables / "out" / "notes.txt").write_text("mine")
    code, _, err = run("predict", "panel", "-o", "out/")
    assert code == 2 and "holds other files" in err
    assert (tables / "out" / "notes.txt").read_text() == "mine"
