"""Models are read again when their files are replaced; a broken one leaves the old one in place."""

import os
import shutil

import pytest

from forecast_cli.api.serve.models import open_models
from forecast_cli.core.errors import ModelFileError, UsageError

PREDICT = "/v1/models/model/predict"


@pytest.fixture
def path(tmp_path, paths):
    shutil.copy(paths["days"], tmp_path / "model.forecast")
    return tmp_path / "model.forecast"


@pytest.fixture
def server(start, path):
    return start(models=[str(path)])


def replace(path, content):
    other = path.with_suffix(".new")
    other.write_bytes(content)
    os.replace(other, path)


def described(server):
    return server.client.get("/v1/models/model").json()


def test_a_replaced_model_is_served(server, path, linear, tables):
    before = server.client.post(PREDICT).json()["forecast"]
    linear(tables["days"], column="other", horizon=2, timesteps=5).save(path)
    server.service.models.refresh()
    after = server.client.post(PREDICT).json()["forecast"]
    assert "value" in before[0] and "other" in after[0] and len(after) == 2
    assert described(server)["sha256"] == server.log("model replaced")[0]["sha256"]


@pytest.mark.parametrize("content", [b"no model", b"", None])
def test_a_broken_model_leaves_the_old_one_in_place(server, path, content):
    before, whole = server.client.post(PREDICT).json(), path.read_bytes()
    replace(path, whole[: len(whole) // 2] if content is None else content)
    server.service.models.refresh()
    assert server.client.post(PREDICT).json() == before
    assert "model.forecast" in described(server)["error"]
    replace(path, whole)
    server.service.models.refresh()
    assert described(server)["error"] is None
    counted = 'forecast_models_replaced_total{model="model",served="no"} 1.0'
    assert counted in server.client.get("/metrics").text
    assert len(server.log("model not replaced")) == 1 and not server.log("model replaced")


def test_a_removed_model_is_still_served(server, path):
    path.unlink()
    server.service.models.refresh()
    assert server.client.post(PREDICT).status_code == 200
    error = described(server)["error"]
    assert error.startswith("There is no model model.forecast")


def test_names_stand_in_addresses(paths, tmp_path):
    days = str(paths["days"])
    assert [*open_models([f"a={days}", days], print).served] == ["a", "days"]
    with pytest.raises(UsageError, match="days-2="):
        open_models([days, days], print)
    strange = tmp_path / "two words.forecast"
    shutil.copy(days, strange)
    with pytest.raises(UsageError, match="NAME="):
        open_models([str(strange)], print)
    assert [*open_models([f"words={strange}"], print).served] == ["words"]
    with pytest.raises(ModelFileError):
        open_models([str(tmp_path / "none.forecast")], print)
