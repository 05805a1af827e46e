"""Files are written whole, and replace only what may be replaced."""

import pytest

from forecast_cli.core.errors import UsageError
from forecast_cli.model.bundle import require_writable
from forecast_cli.model.checkpoints import open_checkpoints
from forecast_cli.model.file_writing import write_whole


def test_a_file_that_is_replaced_keeps_its_mode(tmp_path):
    path = tmp_path / "secret.csv"
    path.write_text("old")
    path.chmod(0o600)
    write_whole(path, b"new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_read_only_file_is_not_replaced(tmp_path, golden):
    path = tmp_path / "model.forecast"
    path.write_bytes(golden.read_bytes())
    path.chmod(0o444)
    with pytest.raises(UsageError, match=r"model\.forecast is read-only\."):
        require_writable(path)
    with pytest.raises(UsageError, match="cannot be written: The file is read-only"):
        write_whole(path, b"new")
    assert path.read_bytes() == golden.read_bytes()
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "table.csv"
    path.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(UsageError, match="cannot be written: File too large"):
            write_whole(path, bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_second_run_is_refused_with_the_process_of_the_first(tmp_path):
    model = tmp_path / "model.forecast"
    refused = pytest.raises(UsageError, match=r"Another run \(process \d+\) is writing")
    with open_checkpoints(model), refused, open_checkpoints(model):
        pass
    with open_checkpoints(tmp_path / "other.forecast"), open_checkpoints(model):
        pass
    assert not list(tmp_path.iterdir())


def test_a_lock_of_a_run_that_was_killed_is_free(tmp_path):
    folder = tmp_path / "model.forecast.partial"
    folder.mkdir()
    (folder / "lock").write_text("1")
    (folder / ".model.forecast.abcd1234").write_text("half of a model")
    (tmp_path / ".model.forecast.abcd1234").write_text("half of a model")
    with open_checkpoints(tmp_path / "model.forecast"):
        assert [each.name for each in tmp_path.iterdir()] == [folder.name]
    assert not list(tmp_path.iterdir())
