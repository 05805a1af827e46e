"""The example beside an exported network makes the forecast of the model without the package."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc

ROWS, HORIZON = 120, 4
SETTINGS = {"column": "sales", "horizon": HORIZON, "timesteps": 12, "validation": 24, "test": 24}


def table(**more) -> pd.DataFrame:
    steps = np.arange(ROWS)
    sales = 100 + steps + 20 * np.sin(2 * np.pi * steps / 12)
    dates = pd.date_range("2014-01-01", periods=ROWS, freq="MS")
    return pd.DataFrame({"date": dates, "sales": sales, **more})


def run_example(folder) -> np.ndarray:
    """Run the example where the package cannot be imported: shape `(horizon, targets)`."""
    block = (
        "import runpy, sys; sys.modules['forecast_cli'] = sys.modules['pandas'] = None; "
        "runpy.run_path('example.py', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", block], cwd=folder, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return np.array([line.split(",") for line in done.stdout.split()], float)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"transform": "log", "scaler": "standard"},
        {"transform": "log1p", "intervals": "quantile"},
        {"mode": "many-to-one", "lower_bound": "none"},
    ],
    ids=lambda each: "-".join(map(str, each.values())) or "plain",
)
def test_the_example_makes_the_forecast_of_the_model(linear, tmp_path, settings):
    model = linear(table(), **SETTINGS | settings)
    model.export(tmp_path / "out")
    expected = model.predict()[["sales"]].to_numpy()
    assert run_example(tmp_path / "out") == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("mode", ["many-to-many", "many-to-one"])
def test_covariates_and_categories_are_beside_it(linear, tmp_path, mode):
    frame = table(price=np.tile([9.0, 7.0, 8.0], ROWS // 3), kind=np.tile(["a", "b"], ROWS // 2))
    model = linear(
        frame.iloc[:-HORIZON],
        future_covariates=("price", "kind"),
        categorical="kind",
        mode=mode,
        **SETTINGS,
    )
    future = frame.iloc[-HORIZON:].drop(columns="sales")
    model.export(tmp_path / "out", future=future)
    expected = model.predict(future=future)[["sales"]].to_numpy()
    assert run_example(tmp_path / "out") == pytest.approx(expected, rel=1e-6)
    about = json.loads((tmp_path / "out" / "description.json").read_text())
    assert about["categories"] == {"kind": ["unknown", "a", "b"]}
    assert [about["features"][place] for place in about["ahead"]] == ["price", "kind"]
    with pytest.raises(fc.DataError, match="price"):
        model.export(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_of_several_series_the_first_is_described(linear, tmp_path):
    shops = [table().assign(shop=name, sales=lambda t, k=k: t["sales"] * k)
             for k, name in enumerate(("north", "south"), start=1)]  # fmt: skip
    model = linear(pd.concat(shops), series="shop", **SETTINGS)
    model.export(tmp_path / "out")
    first = model.predict(only="north")[["sales"]].to_numpy()
    assert run_example(tmp_path / "out") == pytest.approx(first, rel=1e-6)
    about = json.loads((tmp_path / "out" / "description.json").read_text())
    assert about["series"] == "north"


@pytest.mark.parametrize("number", [1, 4, 8])
def test_golden_models_are_exported(golden, tmp_path, number):
    model = fc.load(golden.with_name(f"format-{number}.forecast"))
    model.export(tmp_path / "out")
    manifest = model.bundle.manifest
    expected = model.predict()[list(manifest.targets)].to_numpy()[: manifest.horizon]
    assert run_example(tmp_path / "out") == pytest.approx(expected, rel=1e-6)


def test_the_network_holds_its_description(linear, tmp_path):
    import onnx

    linear(table(), **SETTINGS).export(tmp_path / "out")
    network = onnx.load(tmp_path / "out" / "network.onnx")
    (about,) = [each.value for each in network.metadata_props if each.key == "forecast"]
    assert json.loads(about) == json.loads((tmp_path / "out" / "description.json").read_text())


def test_an_earlier_export_is_replaced_and_nothing_else(linear, tmp_path):
    model, out = linear(table(), **SETTINGS), tmp_path / "out"
    model.export(out)
    (out / "note.txt").write_text("old")
    model.export(out)
    assert not (out / "note.txt").exists() and (out / "example.py").is_file()
    other = tmp_path / "other"
    other.mkdir()
    (other / "note.txt").write_text("mine")
    with pytest.raises(fc.UsageError, match="no earlier export"):
        model.export(other)
    assert (other / "note.txt").read_text() == "mine"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["other", "out"]


def test_what_cannot_be_exported_is_refused(golden, tmp_path):
    labels = fc.load(golden.with_name("format-2-labels.forecast"))
    with pytest.raises(fc.UsageError, match="sequences to labels"):
        labels.export(tmp_path / "out")
    stateful = fc.load(golden.with_name("format-2.forecast"))
    with pytest.raises(fc.UsageError, match="stateful"):
        stateful.export(tmp_path / "out")
    with pytest.raises(fc.UsageError, match='Did you mean "keras"'):
        fc.load(golden).export(tmp_path / "out", format="kera")


def test_a_full_disk_leaves_the_earlier_export(golden, tmp_path):
    resource = pytest.importorskip("resource")
    path, model = tmp_path / "out", fc.load(golden)
    model.export(path)
    names = sorted(each.name for each in path.iterdir())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(fc.UsageError, match=r"cannot be written: File too large\. Free some"):
            model.export(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sorted(each.name for each in path.iterdir()) == names
    assert list(tmp_path.iterdir()) == [path]
