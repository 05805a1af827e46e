"""One run at a time writes a model."""

import pytest

from forecast_cli.core.errors import UsageError
from forecast_cli.model.checkpoints import open_checkpoints


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
