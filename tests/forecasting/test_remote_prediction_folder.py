"""`forecast predict` into a folder at an address: resumable, without renaming."""

import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from forecast_cli.cli import folder_output
from forecast_cli.data.io import remote_folder
from forecast_cli.forecasting import partitions, prediction_folder
from forecast_cli.forecasting.remote_prediction_folder import AddressedFolder


def panel(first, count):
    days = pd.date_range("2024-01-01", periods=30)
    return pd.concat(
        pd.DataFrame({
            "id": f"s{number:02d}", "day": days,
            "y": np.random.default_rng(number).gamma(3.0, 5.0, 30).round(2),
        })
        for number in range(first, first + count)
    )  # fmt: skip


@pytest.fixture(scope="module")
def bundle(linear):
    return linear(panel(0, 8), column="y", series="id", time="day", horizon=3, timesteps=6)


@pytest.fixture(autouse=True)
def tables(bundle, tmp_path):
    """A model, and a folder of five files of four series each."""
    bundle.save(tmp_path / "model.forecast")
    (tmp_path / "panel").mkdir()
    for number in range(5):
        panel(4 * number, 4).to_parquet(tmp_path / "panel" / f"{number}.parquet")
    return tmp_path


@pytest.fixture(autouse=True)
def store(monkeypatch):
    """Let memory:// stand for an object store, which the command line takes it for no more."""
    monkeypatch.setattr(folder_output, "IN_MEMORY", ())


@pytest.fixture(params=["memory", "file"])
def output(request, tmp_path, monkeypatch):
    """The address of a folder in which nothing can be renamed, as in object stores."""

    def refuse(*_, **__):
        raise NotImplementedError("there is no renaming")

    for kind in (MemoryFileSystem, LocalFileSystem):
        for name in ("mv", "mv_file", "rename", "move"):
            monkeypatch.setattr(kind, name, refuse, raising=False)
    MemoryFileSystem.store.clear()
    return "memory://bucket/out/" if request.param == "memory" else f"file://{tmp_path}/store/out/"


@pytest.fixture
def memory():
    MemoryFileSystem.store.clear()
    return "memory://bucket/out/"


def opened(address):
    return fsspec.core.url_to_fs(address)


def names(address):
    files, path = opened(address)
    return sorted(each.removeprefix(f"{path}/") for each in files.find(path))


def put(address, name, data=b"mine"):
    files, path = opened(address)
    files.makedirs(path, exist_ok=True)
    files.pipe_file(f"{path}/{name}", data)


def get(address, name):
    files, path = opened(address)
    return files.cat_file(f"{path}/{name}")


def forecasts(address):
    parts = [each for each in names(address) if each.startswith("part-")]
    frames = [pd.read_parquet(io.BytesIO(get(address, each))) for each in parts]
    return pd.concat(frames, ignore_index=True)


def expected(run, tables):
    if not (tables / "whole").exists():
        assert run("predict", "panel", "-o", "whole/")[0] == 0
    return pd.read_parquet(tables / "whole")


PARTS = [f"part-{number:05d}.parquet" for number in range(5)]


def test_the_parts_are_those_of_a_local_folder(run, tables, output):
    code, out, err = run("predict", "panel", "-o", output)
    assert (code, out) == (0, ""), err
    assert names(output) == ["_manifest.json", *PARTS]
    pd.testing.assert_frame_equal(forecasts(output), expected(run, tables))
    local = json.loads((tables / "whole" / "_manifest.json").read_text())
    assert json.loads(get(output, "_manifest.json")) == local
    files, path = opened(output)
    assert len(files.ls(path)) == 6


@pytest.mark.slow
def test_processes_write_to_storage_that_they_share(run, tables):
    output = f"file://{tables}/store/out/"
    code, _, err = run("predict", "panel", "-o", output, "--jobs", "2")
    assert code == 0, err
    pd.testing.assert_frame_equal(forecasts(output), expected(run, tables))


def test_processes_that_do_not_share_storage_are_an_error(run, memory):
    code, _, err = run("predict", "panel", "-o", memory, "--jobs", "2")
    assert code == 2 and "not for this worker" in err and "storage that all workers share" in err
    assert "_manifest.json" not in names(memory)


@pytest.fixture
def made(monkeypatch):
    """The parts that are made; the run is stopped before the fourth."""
    real, made, stops = partitions.write_part, [], [KeyboardInterrupt]

    def write(*piece):
        if len(made) == 3 and stops:
            raise stops.pop()
        made.append(piece[-1].name)
        return real(*piece)

    monkeypatch.setattr(prediction_folder, "write_part", write)
    return made


def test_a_run_that_was_cut_off_goes_on_with_what_is_missing(run, tables, output, made):
    code, _, err = run("predict", "panel", "-o", output)
    assert code == 130 and "3 of 5 parts are stored" in err
    assert "_manifest.json" not in names(output)
    code, _, err = run("predict", "panel", "-o", output)
    assert code == 0 and "3 of 5 parts were restored" in err
    assert made == [f"part-{number:05d}" for number in range(5)]
    assert names(output) == ["_manifest.json", *PARTS]
    pd.testing.assert_frame_equal(forecasts(output), expected(run, tables))


def test_a_command_that_is_killed_leaves_parts_that_count_and_nothing_else(run, tables):
    for number in range(5, 40):
        panel(4 * number, 4).to_parquet(tables / "panel" / f"{number:02d}.parquet")
    output, temporary = f"file://{tables}/store/out/", tables / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "forecast_cli", "predict", "panel", "-o", output]
    environment = os.environ | {"TMPDIR": str(temporary)}
    with subprocess.Popen(command, cwd=tables, env=environment, stderr=subprocess.PIPE) as process:
        while process.poll() is None and not [*tables.glob("store/out/_partial/records-*/*")]:
            time.sleep(0.002)
        process.kill()
    assert "_manifest.json" not in names(output)
    assert not [*temporary.iterdir()]
    code, _, err = run("predict", "panel", "-o", output)
    assert code == 0 and "of 40 parts were restored" in err, err
    assert forecasts(output).groupby("id").size().to_dict() == {f"s{n:02d}": 3 for n in range(160)}


def test_files_are_sent_where_the_system_does_not_name_open_ones(run, tables, memory, monkeypatch):
    monkeypatch.setattr(remote_folder, "OPEN_FILES", Path("nowhere"))
    assert run("predict", "panel", "-o", memory)[0] == 0
    pd.testing.assert_frame_equal(forecasts(memory), expected(run, tables))


def test_a_part_without_its_record_is_made_again(run, tables, output, made):
    assert run("predict", "panel", "-o", output)[0] == 130
    (record,) = [each for each in names(output) if each.endswith("part-00001.json")]
    files, path = opened(output)
    files.rm_file(f"{path}/{record}")
    put(output, "part-00001.parquet", b"half of it")
    code, _, err = run("predict", "panel", "-o", output)
    assert code == 0 and "2 of 5 parts were restored" in err
    pd.testing.assert_frame_equal(forecasts(output), expected(run, tables))


@pytest.mark.parametrize("what", ["part-00002.parquet", "part-00002.json"])
def test_a_write_that_fails_leaves_no_part_that_counts(run, tables, memory, monkeypatch, what):
    real = MemoryFileSystem.put_file

    def fail(self, local, path, **more):
        if path.endswith(what):
            self.pipe_file(path, b"half of it")
            raise PermissionError(13, "Permission denied")
        return real(self, local, path, **more)

    monkeypatch.setattr(MemoryFileSystem, "put_file", fail)
    code, _, err = run("predict", "panel", "-o", memory)
    assert code == 2 and "memory://bucket/out/ cannot be written: Permission denied." in err
    left = names(memory)
    assert "_manifest.json" not in left and not any(each.endswith(what) for each in left)
    monkeypatch.setattr(MemoryFileSystem, "put_file", real)
    code, _, err = run("predict", "panel", "-o", memory)
    assert code == 0 and "2 of 5 parts were restored" in err
    pd.testing.assert_frame_equal(forecasts(memory), expected(run, tables))


def test_forecasts_that_fail_leave_no_part(run, tables, memory):
    broken = panel(12, 4).rename(columns={"y": "other"})
    broken.to_parquet(tables / "panel" / "3.parquet")
    assert run("predict", "panel", "-o", memory)[0] == 3
    assert not {"part-00003.parquet", "_manifest.json"} & {*names(memory)}


def test_another_run_is_not_mixed_with_one_that_is_unfinished(run, memory, made):
    assert run("predict", "panel", "-o", memory)[0] == 130
    before = names(memory)
    code, _, err = run("predict", "panel", "-o", memory, "--level", "80")
    assert code == 2 and "memory://bucket/out/ holds unfinished forecasts of" in err
    assert names(memory) == before


def remove_as_told(err):
    """Remove the folder that a message says to remove, with all its files."""
    (address,) = re.findall(r"remove (\S+) with all its files", err)
    files, path = opened(address)
    files.rm(path, recursive=True)


def test_a_folder_that_is_removed_as_advised_is_begun_from_scratch(run, tables, output, made):
    assert run("predict", "panel", "-o", output)[0] == 130
    code, _, err = run("predict", "panel", "-o", output, "-H", "2")
    assert code == 2
    remove_as_told(err)
    code, _, err = run("predict", "panel", "-o", output, "-H", "2")
    assert code == 0 and "restored" not in err
    assert len(forecasts(output)) == 2 * 20


def test_parts_without_what_is_known_of_them_stay_until_they_are_removed(run, tables, output, made):
    assert run("predict", "panel", "-o", output)[0] == 130
    files, path = opened(output)
    files.rm(f"{path}/_partial", recursive=True)
    left = {each: get(output, each) for each in names(output)}
    assert [*left] == PARTS[:3]
    for more in ([], ["-H", "2"]):
        code, _, err = run("predict", "panel", "-o", output, *more)
        assert code == 2 and "holds other files (part-00000.parquet" in err
        assert {each: get(output, each) for each in names(output)} == left
    remove_as_told(err)
    assert run("predict", "panel", "-o", output)[0] == 0
    pd.testing.assert_frame_equal(forecasts(output), expected(run, tables))


@pytest.mark.parametrize("name", ["notes.txt", "_partial/mine.json"])
def test_nobody_is_told_to_remove_a_folder_that_holds_something_else(run, output, made, name):
    assert run("predict", "panel", "-o", output)[0] == 130
    files, path = opened(output)
    files.pipe_file(f"{path}/{name}", b"mine")
    code, _, err = run("predict", "panel", "-o", output, "-H", "2")
    assert (
        code == 2
        and f"holds other files ({name})" in err
        and "remove" not in err.replace(output, "")
    )
    files.rm_file(f"{path}/_partial/run.json")
    code, _, err = run("predict", "panel", "-o", output)
    assert code == 2 and "holds other files" in err and "remove" not in err.replace(output, "")
    assert get(output, name) == b"mine"


def test_the_summary_of_a_resumed_run_is_of_what_it_made(run, output, made):
    assert run("predict", "panel", "-o", output)[0] == 130
    code, _, err = run("predict", "panel", "-o", output)
    assert code == 0
    (series,) = re.findall(r"(\d+) series in ([\d.]+) s: ", err)
    (parts,) = re.findall(r"saved \S+: 5 parts, 3 restored, 2 made in ([\d.]+) s", err)
    assert series == ("8", parts)


def test_the_summary_of_a_run_with_nothing_to_make_says_so(run, output, monkeypatch):
    def stop(self, records):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # after the last part, before the manifest
        patch.setattr(AddressedFolder, "describe", stop)
        assert run("predict", "panel", "-o", output)[0] == 130
    code, _, err = run("predict", "panel", "-o", output)
    assert code == 0 and "5 parts, 5 restored, 0 made in" in err and "series in" not in err


def test_a_worker_of_another_run_writes_nothing(run, memory, monkeypatch):
    real = partitions.write_part

    def write(*piece):
        if piece[-1].name == "part-00001":
            put(memory, "_partial/run.json", b'{"key": "of another"}')
        return real(*piece)

    monkeypatch.setattr(prediction_folder, "write_part", write)
    code, _, err = run("predict", "panel", "-o", memory)
    assert code == 2 and "is not that of this run any more" in err
    assert "part-00001.parquet" not in names(memory)


def test_parts_that_are_gone_at_the_end_are_an_error(run, memory, monkeypatch):
    real = partitions.write_part

    def write(*piece):
        record = real(*piece)
        if piece[-1].name == "part-00001":
            files, path = opened(memory)
            files.rm_file(f"{path}/part-00001.parquet")
        return record

    monkeypatch.setattr(prediction_folder, "write_part", write)
    code, _, err = run("predict", "panel", "-o", memory)
    assert code == 2 and "lacks 1 part, written before: part-00001.parquet" in err
    assert "_manifest.json" not in names(memory)


def test_earlier_forecasts_are_replaced_with_all_their_parts(run, tables, output):
    assert run("predict", "panel", "-o", output)[0] == 0
    for number in (3, 4):
        (tables / "panel" / f"{number}.parquet").unlink()
    assert run("predict", "panel", "-o", output, "-H", "2")[0] == 0
    assert names(output) == ["_manifest.json", *PARTS[:3]]
    assert len(forecasts(output)) == 2 * 12


@pytest.mark.parametrize(
    "name", ["notes.txt", "part-00007.parquet", "_partial/mine.json", "deep/part-00000.parquet"]
)
@pytest.mark.parametrize("earlier", [False, True])
def test_a_folder_that_holds_other_files_is_left_as_it_is(run, memory, name, earlier):
    if earlier:
        assert run("predict", "panel", "-o", memory)[0] == 0
    put(memory, name)
    before = {each: get(memory, each) for each in names(memory)}
    code, _, err = run("predict", "panel", "-o", memory)
    assert code == 2 and "holds other files" in err and name in err
    assert {each: get(memory, each) for each in names(memory)} == before


@pytest.mark.parametrize(
    "data",
    [b"\xff{", b"[1]", b"[" * 100_000, b'{"parts": 1}', b'{"parts": [{"part": "../precious"}]}',
     b'{"parts": ["_partial/run.json", 5, null]}'],
)  # fmt: skip
def test_a_manifest_made_on_purpose_removes_nothing(run, memory, data):
    put("memory://bucket/", "precious")
    put(memory, "_manifest.json", data)
    put(memory, "part-00009.parquet")
    code, _, err = run("predict", "panel", "-o", memory)
    assert code == 2 and "Traceback" not in err
    assert get("memory://bucket/", "precious") == get(memory, "part-00009.parquet") == b"mine"


@pytest.mark.parametrize("data", [b"\xff{", b"[1]", b"[" * 100_000, b'{"model": 1}'])
def test_a_run_or_a_record_made_on_purpose_is_refused_or_made_again(
    run, tables, memory, made, data
):
    assert run("predict", "panel", "-o", memory)[0] == 130
    (record,) = [each for each in names(memory) if each.endswith("part-00001.json")]
    put(memory, record, data)
    code, _, err = run("predict", "panel", "-o", memory)
    assert code == 0 and "2 of 5 parts were restored" in err, err
    pd.testing.assert_frame_equal(forecasts(memory), expected(run, tables))
    put(memory, "_partial/run.json", data)
    code, _, err = run("predict", "panel", "-o", memory)
    assert code == 2 and "holds unfinished forecasts of" in err


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3://key:secret@bucket/out/", "pip install s3fs"),
        ("gs://bucket/out/", "pip install gcsfs"),
        ("https://ann:secret@example.org/out/", "files are not written to addresses of https"),
        ("nowhere://bucket/out/", 'unknown protocol "nowhere"'),
    ],
)
def test_what_cannot_be_written_is_told_before_any_work(run, address, said):
    code, _, err = run("predict", "panel", "-o", address)
    assert code == 2 and said in err and "secret" not in err


@pytest.mark.parametrize("protocol", ["file", "local"])
@pytest.mark.parametrize("host", ["", "localhost/"])
def test_file_addresses_have_absolute_paths(run, tables, protocol, host):
    wrong = f"{protocol}://{host}{str(tables)[1:]}/out/"
    code, _, err = run("predict", "panel", "-o", wrong)
    assert code == 2 and "comes an absolute path" in err
    assert {each.name for each in tables.iterdir()} == {"model.forecast", "panel"}
    (right,) = re.findall(r"Write (\S+), or", err.replace("\n", " "))
    assert run("predict", "panel", "-o", right)[0] == 0
    assert (tables / "out" / "_manifest.json").is_file()


@pytest.mark.parametrize("name", ["panel/0.parquet", "panel/*.parquet"])
def test_tables_are_not_looked_for_below_the_working_folder(run, tables, name):
    code, _, err = run("predict", f"file://{name}", "-o", "out.csv")
    assert code == 2 and "comes an absolute path" in err
    assert run("predict", f"file://{tables}/{name}", "-o", "out.csv")[0] == 0


@pytest.mark.parametrize("name", ["out", "out.parquet"])
def test_a_file_at_an_address_is_refused_with_what_is_written_there(run, tables, name):
    address = f"file://{tables}/{name}"
    code, _, err = run("predict", "panel", "-o", address)
    assert code == 2 and "at an address forecasts are written to folders only" in err
    assert run("predict", "panel", "-o", f"{address}/")[0] == 0
    assert run("predict", "panel", "-o", "local.parquet")[0] == 0
    code, _, err = run("predict", "panel", "-o", "postgresql://host/sales?table=t")
    assert code == 2 and "files and SQLite databases" in err
