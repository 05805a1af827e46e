"""Training on tables that are read some series at a time: the models are those of whole tables."""

import hashlib
import io
import json
import os
import shutil
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.core.events import Done, Epoch, Note
from forecast_cli.data.io.row_batches import RowBatches
from forecast_cli.training import block_training, preparation

pytestmark = pytest.mark.tf
PLAIN = {
    "column": "y", "series": "id", "time": "day", "horizon": 3, "timesteps": 6, "preset": "classic",
    "units": 3, "epochs": 1, "batch_size": 64, "progress": False,
}  # fmt: skip
GAPS = {"max_filled": 1.0, "freq": "D"}
# What may depend on the other series of a table, by name.
SETTINGS = {
    "one scaler": {"scale_by": "all", "scaler": "standard"},
    "robust": {"scaler": "robust", "scale_by": "series"},
    "logarithms": {"transform": "log1p"},
    "interpolated": {"missing": "interpolate", **GAPS},
    "seasonal gaps": {"missing": "season", "season_length": 7, **GAPS},
    "skipped gaps": {"missing": "mask", **GAPS},
    "quantiles": {"intervals": "cqr", "level": 80},
    "adaptive": {"intervals": "adaptive", "level": 80, "refit": True},
    "one step at a time": {"mode": "many-to-one"},
    "every step": {"head": "sequence"},
    "split by date": {"test": "2024-02-20"},
    "covariates": {
        "past_covariates": "rain", "future_covariates": "promo", "static_covariates": "size",
        "calendar_features": "dayofweek",
    },
    "names of parts": {"series": ("id", "size")},
    "no times": {"time": "none"},
}  # fmt: skip
SERIES, BLOCK = 20, 200


def panel(*, gaps=False, seed=0):
    draw, tables = np.random.default_rng(seed), []
    for number in range(SERIES):
        rows = int(draw.integers(40, 60))
        days = pd.date_range("2024-01-01", periods=rows) + pd.Timedelta(days=number % 3)
        tables.append(pd.DataFrame({
            "id": f"s{number:02d}", "day": days,
            "y": (1 + number) * (3 + np.sin(np.arange(rows) * 0.9) + draw.uniform(0, 0.3, rows)),
            "rain": draw.normal(size=rows), "promo": draw.integers(0, 2, rows).astype(float),
            "size": number % 4,
        }))  # fmt: skip
        # The last steps are known of covariates alone.
        tables[-1].loc[rows - 3 :, ["y", "rain"]] = np.nan
    frame = pd.concat(tables, ignore_index=True)
    kept = draw.random(len(frame)) > (0.05 if gaps else 0.0)
    kept[np.flatnonzero(frame["id"].ne(frame["id"].shift()))] = True
    return frame[kept]


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a panel for some settings; it is then read in blocks of few series."""
    monkeypatch.setattr(block_training, "BLOCK_ROWS", BLOCK)

    def call(own, **how):
        frame = panel(gaps="missing" in own, **how)
        frame = frame if "future_covariates" in own else frame.dropna()
        frame.to_parquet(tmp_path / "panel.parquet", row_group_size=97)
        return tmp_path / "panel.parquet", PLAIN | own

    return call


def same(a, b):
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=True)
    if hasattr(a, "__dataclass_fields__"):
        return all(same(getattr(a, each.name), getattr(b, each.name)) for each in fields(a))
    return a == b


def facts(bundle):
    """A model without what differs from one training to the next."""
    manifest = bundle.manifest.model_copy(update={"sha256": {}, "run": None})
    epochs = [{k: v for k, v in each.items() if k != "seconds"} for each in bundle.epochs]
    return manifest.model_dump_json(), bundle.manifest.run.windows, epochs


PARTS = ("onnx", "weights", "history", "series", "scales", "ahead", "scores", "naive", "levels")


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_the_model_is_that_of_the_whole_table(linear_training, write, tmp_path, name):
    path, own = write(SETTINGS[name])
    whole = fc.train(path, **own).bundle
    blocks = fc.train(path, cache=tmp_path / "arrays", **own).bundle
    assert facts(blocks) == facts(whole)
    for part in (*PARTS, "usual", "calibration"):
        assert same(getattr(blocks, part), getattr(whole, part)), part
    assert len(list((tmp_path / "arrays").rglob("*.npy"))) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_a_sample_determines_scores_and_intervals_alone(
    linear_training, write, monkeypatch, tmp_path, name
):
    path, own = write(SETTINGS[name])
    whole = fc.train(path, **own)
    monkeypatch.setattr(block_training, "SAMPLE_ROWS", 400)
    notes = []
    blocks = fc.train(path, cache=tmp_path / "arrays", on_event=notes.append, **own)
    texts = [each.text for each in notes if isinstance(each, Note)]
    assert any(f"of {SERIES} series" in each and "sample" in each for each in texts)
    for part in ("history", "series", "ahead", "naive", "levels", "usual"):
        assert same(getattr(blocks.bundle, part), getattr(whole.bundle, part)), part
    for part in ("splits", "rows", "lower", "time"):
        assert getattr(blocks.bundle.manifest, part) == getattr(whole.bundle.manifest, part), part
    assert blocks.bundle.manifest.run.windows == whole.bundle.manifest.run.windows
    scaling = blocks.bundle.scaling, whole.bundle.scaling
    for numbers in ("center", "scale"):
        pair = (getattr(each, numbers) for each in scaling)
        np.testing.assert_allclose(*pair, rtol=1e-12)
    level = (80,) if blocks.bundle.calibration is not None else ()
    forecasts = [each.predict(level=level) for each in (blocks, whole)]
    assert forecasts[0].shape == forecasts[1].shape
    np.testing.assert_allclose(forecasts[0]["y"], forecasts[1]["y"], rtol=1e-6)
    assert len(blocks.predict(path)) == len(forecasts[1])


@pytest.mark.slow
@pytest.mark.parametrize("own", [{"loss": "mae"}, {"loss": "mase", "refit": True}])
def test_weights_are_those_of_a_table_in_memory_or_close(write, monkeypatch, tmp_path, own):
    path, own = write(own)
    own |= {"epochs": 3, "learning_rate": 0.01}
    losses = []
    cases = [{}, {"cache": tmp_path / "arrays"}, {"cache": tmp_path / "arrays"}]
    for number, where in enumerate(cases):
        if number == 2:
            monkeypatch.setattr(preparation, "MOST_ROWS", 2 * BLOCK)
        model = fc.train(path, **own, **where)
        losses.append([each["validation_loss"] for each in model.bundle.epochs])
    assert losses[1] == losses[0]
    np.testing.assert_allclose(losses[2], losses[0], rtol=0.05)


def test_an_interrupted_training_goes_on_to_the_same_weights(write, tmp_path):
    path, own = write({"epochs": 3})
    whole = fc.train(path, cache=tmp_path / "arrays", **own)
    model, seen = tmp_path / "m.forecast", []

    def stop_early(event):
        seen.append(event)
        if isinstance(event, Epoch) and event.number == 2:
            raise KeyboardInterrupt

    where = {"cache": tmp_path / "arrays", "path": model}
    with pytest.raises(KeyboardInterrupt):
        fc.train(path, on_event=stop_early, **own, **where)
    resumed = fc.train(path, resume=True, **own, **where)
    assert resumed.bundle.weights == whole.bundle.weights


def stop_after(count):
    def hear(event):
        if isinstance(event, Done) and event.number >= count:
            raise KeyboardInterrupt

    return hear


def read_rows(monkeypatch):
    """The first rows from which a table is read from now on."""
    read, found = RowBatches.read_ranges, []

    def remembered(self, columns, ends, first=0):
        found.append(first)
        return read(self, columns, ends, first)

    monkeypatch.setattr(RowBatches, "read_ranges", remembered)
    return found


def test_an_interrupted_conversion_goes_on_where_it_stopped(
    linear_training, write, tmp_path, monkeypatch
):
    path, own = write({})
    expected = fc.train(path, **own)
    cache = tmp_path / "arrays"
    with pytest.raises(KeyboardInterrupt):
        fc.train(path, cache=cache, on_event=stop_after(8), **own)
    done = len(list(cache.rglob("*.npz")))
    assert 2 <= done < len(list(cache.rglob("*.npy"))) + 2
    read = read_rows(monkeypatch)
    model = fc.train(path, cache=cache, **own)
    # The sample, and what comes after the blocks that were there.
    assert len(read) == 2 and read[1] > 0
    assert same(model.bundle.history, expected.bundle.history)
    read.clear()
    fc.train(path, cache=cache, **own)
    assert read == [0]


@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_damaged_arrays_are_made_again(linear_training, write, tmp_path, monkeypatch, ending):
    path, own = write({})
    cache = tmp_path / "arrays"
    first = fc.train(path, cache=cache, **own)
    damaged = sorted(cache.rglob(f"*{ending}"))[2]
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-9] + bytes(9))
    read, notes = read_rows(monkeypatch), []
    again = fc.train(path, cache=cache, on_event=notes.append, **own)
    assert len(read) == 2 and damaged.read_bytes() == content
    assert same(again.bundle.levels, first.bundle.levels)
    assert any("damaged" in each.text for each in notes if isinstance(each, Note))


def test_a_changed_table_is_read_again_and_a_copied_one_is_not(
    linear_training, write, tmp_path, monkeypatch
):
    path, own = write({})
    cache, notes = tmp_path / "arrays", []
    fc.train(path, cache=cache, **own)
    made = sorted(cache.rglob("*.np?"))
    # A folder that holds a copy of the file has the same rows.
    (tmp_path / "folder").mkdir()
    shutil.copy(path, tmp_path / "folder")
    read = read_rows(monkeypatch)
    fc.train(tmp_path / "folder", cache=cache, **own)
    assert read == [0]
    monkeypatch.undo()
    monkeypatch.setattr(block_training, "BLOCK_ROWS", BLOCK)
    panel(seed=1).dropna().to_parquet(path)
    changed = fc.train(path, cache=cache, on_event=notes.append, **own)
    assert any("made from other rows" in each.text for each in notes if isinstance(each, Note))
    assert same(changed.bundle.history, fc.train(path, **own).bundle.history)
    assert {*made}.isdisjoint(cache.rglob("*.np?"))


def test_a_folder_of_files_is_one_table(linear_training, write, tmp_path):
    path, own = write({})
    frame, folder = pd.read_parquet(path), tmp_path / "folder"
    folder.mkdir()
    # A series may go on in the next file.
    for number in range(3):
        cut = slice(number * 300, (number + 1) * 300 if number < 2 else None)
        frame.iloc[cut].to_parquet(folder / f"part-{number}.parquet")
    whole, blocks = (
        fc.train(folder, **own, **where) for where in ({}, {"cache": tmp_path / "arrays"})
    )
    assert facts(blocks.bundle)[1:] == facts(whole.bundle)[1:]
    assert same(blocks.bundle.history, fc.train(path, **own).bundle.history)
    frame.assign(y="text").to_parquet(folder / "part-3.parquet")
    with pytest.raises(DataError, match='column "y" is'):
        fc.train(folder, cache=tmp_path / "arrays", **own)


def test_a_table_is_read_in_blocks_where_it_does_not_fit(
    linear_training, write, tmp_path, monkeypatch
):
    path, own = write({})
    before = set(tmp_path.iterdir())
    monkeypatch.setattr(block_training, "SAMPLE_ROWS", 400)
    monkeypatch.setattr(block_training, "ROW_BYTES", 10**8)
    seen = []
    model = fc.train(path, memory=8, path=tmp_path / "m.forecast", on_event=seen.append, **own)
    assert any("sample" in each.text for each in seen if isinstance(each, Note))
    assert len(model.predict()) == 3 * SERIES
    # The temporary arrays are gone.
    assert {*tmp_path.iterdir()} - before == {tmp_path / "m.forecast"}
    # An order that cannot be read in blocks is no error where nobody asked for them.
    pd.read_parquet(path).sort_values("day").to_parquet(path)
    monkeypatch.setattr("forecast_cli.training.block_training.spare_memory", lambda limit: 1e9)
    fc.train(path, **own)


@pytest.mark.parametrize(
    ("change", "own", "text"),
    [
        (lambda frame: frame.sort_values("day"), {}, "do not follow each other"),
        (lambda frame: frame.assign(y=frame["y"].astype(str)), {}, "some series at a time"),
        (lambda frame: frame.assign(promo="a"), {"past_covariates": "promo"}, "some series"),
        (lambda frame: frame, {"series": ()}, "some series at a time"),
        (lambda frame: frame, {"missing": "drop"}, "some series at a time"),
        (lambda frame: frame, {"future_covariates": "promo", "preset": "auto"}, "effects"),
        (lambda frame: frame, {"future_covariates": "promo", "future_noise": 0.1}, "errors of"),
        (lambda frame: frame, {"memory": 0.01}, "is too little"),
    ],
)
def test_what_needs_the_whole_table_is_refused(write, tmp_path, change, own, text):
    path, own = write(own)
    change(pd.read_parquet(path)).to_parquet(path)
    with pytest.raises(UsageError, match=text):
        fc.train(path, cache=tmp_path / "arrays", **own)


def test_tables_that_are_no_parquet_files_are_refused(write, tmp_path):
    path, own = write({})
    frame = pd.read_parquet(path)
    frame.to_csv(tmp_path / "panel.csv")
    for table in (frame, tmp_path / "panel.csv"):
        with pytest.raises(UsageError, match="no Parquet file"):
            fc.train(table, memory=4, **own)


def test_a_folder_of_something_else_is_left_alone(write, tmp_path):
    path, own = write({})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cache.json").write_text(json.dumps({"mine": 1}))
    with pytest.raises(UsageError, match="no arrays of a table"):
        fc.train(path, cache=tmp_path / "mine", **own)
    assert [each.name for each in (tmp_path / "mine").iterdir()] == ["cache.json"]


def test_so_little_memory_that_no_block_fits_is_refused_with_what_is_enough(
    linear_training, write, tmp_path, monkeypatch
):
    path, own = write({})
    monkeypatch.setattr(preparation, "TRAINING_BYTES", 10**13)
    with pytest.raises(UsageError, match="too little for the training") as refused:
        fc.train(path, memory=8, cache=tmp_path / "arrays", **own)
    assert "memory=" in refused.value.hint


def block(cache, ending):
    return sorted(cache.rglob(f"*{ending}"))[2]


def with_numbers(**changes):
    """Put other numbers into a block, with the digest of its rows left right."""

    def change(cache, outside):
        path = block(cache, ".npz")
        with np.load(path) as file:
            numbers = {name: file[name] for name in file.files}
        numbers |= {
            name: value(numbers[name]) if callable(value) else value
            for name, value in changes.items()
        }
        np.savez(path, **{name: value for name, value in numbers.items() if value is not None})

    return change


def with_rows(make):
    """Put other rows into a block, with their right digest."""

    def change(cache, outside):
        path = block(cache, ".npz")
        rows = make(np.load(path.with_suffix(".npy")))
        np.save(path.with_suffix(".npy"), rows, allow_pickle=True)
        digest = hashlib.sha256(np.ascontiguousarray(rows).data).digest()
        with_numbers(digest=np.frombuffer(digest, np.uint8))(cache, outside)

    return change


def with_bytes(ending, data):
    def change(cache, outside):
        path = block(cache, ending) if ending.startswith(".n") else cache / ending
        path.write_bytes(data() if callable(data) else data)

    return change


def with_about(make):
    """Alter `cache.json`, JSON values in and out."""

    def change(cache, outside):
        path = cache / "cache.json"
        path.write_text(json.dumps(make(json.loads(path.read_text()))))

    return change


def with_series(make):
    def change(cache, outside):
        path = cache / "series.parquet"
        make(pd.read_parquet(path)).to_parquet(path, index=False)

    return change


def linked(ending):
    """Put a link to a file outside in the place of a file."""

    def change(cache, outside):
        path = block(cache, ending) if ending.startswith(".n") else cache / ending
        path.unlink()
        path.symlink_to(outside / "precious")

    return change


def linked_folder(cache, outside):
    folder = block(cache, ".npy").parent
    shutil.rmtree(folder)
    folder.symlink_to(outside)


def piped(ending):
    def change(cache, outside):
        path = block(cache, ending) if ending.startswith(".n") else cache / ending
        path.unlink()
        os.mkfifo(path)

    return change


def packed():
    """A bomb: 100 MB of zeros in 0.1 MB."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, digest=np.zeros(10**8, np.uint8))
    return buffer.getvalue()


def saved(values):
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=True)
    return buffer.getvalue()


HOSTILE_CACHE = {
    "an archive that is an array": with_bytes(".npz", lambda: saved(np.zeros(3))),
    "an archive of objects": with_numbers(lengths=np.array([{}], object)),
    "an archive without numbers": with_numbers(lengths=None),
    "an archive of more": with_numbers(evil=np.zeros(3)),
    "a bomb": with_bytes(".npz", packed),
    "noise": with_bytes(".npz", bytes(range(256))),
    "an archive in place of rows": with_bytes(".npy", packed),
    "rows of objects": with_bytes(".npy", lambda: saved(np.array([{}], object))),
    "rows of other types": with_rows(lambda rows: rows.astype(np.float64)),
    "rows of other columns": with_rows(lambda rows: np.hstack([rows, rows])),
    "fewer rows": with_rows(lambda rows: rows[:-1]),
    "rows of one dimension": with_rows(lambda rows: rows[:, 0]),
    "a scalar": with_rows(lambda rows: rows[0, 0]),
    "lengths below 0": with_numbers(lengths=lambda old: -old),
    "endless lengths": with_numbers(lengths=lambda old: old * 0 + 2**62),
    "lengths of fewer series": with_numbers(lengths=lambda old: old[:-1]),
    "lengths that are text": with_numbers(lengths=lambda old: old.astype(str)),
    "lengths that are no integers": with_numbers(lengths=lambda old: old + 0.5),
    "padding below 0": with_numbers(added=lambda old: old - 5),
    "splits beyond the end": with_numbers(train=lambda old: old + 10**6),
    "splits in another order": with_numbers(validation=lambda old: old * 0),
    "missing rows elsewhere": with_numbers(missing=np.array([10**9])),
    "missing rows of two dimensions": with_numbers(missing=np.zeros((2, 2), int)),
    "scales of other series": with_numbers(scales=np.ones((2, 1, 9))),
    "a history of other rows": with_numbers(history=np.zeros((1, 1))),
    "more kept rows than there are": with_numbers(rows=lambda old: old + 10**9),
    "fewer kept rows than none": with_numbers(rows=lambda old: -old),
    "times that are none": with_numbers(lasts=lambda old: np.full(len(old), "soon")),
    "times that are numbers": with_numbers(fresh=lambda old: np.zeros(len(old))),
    "counts that are no JSON": with_numbers(splits=np.array(["{"])),
    "counts that are a path": with_numbers(splits=np.array(['{"train": "/etc/passwd"}'])),
    "flags that are text": with_numbers(gaps=np.array(["yes"])),
    "a lowest value of nothing": with_numbers(least=np.zeros(0)),
    "an about that is no JSON": with_bytes("cache.json", b"\xff{"),
    "an about nested deep": with_bytes("cache.json", b"[" * 100_000),
    "an about that is a list": with_about(lambda about: [about]),
    "files that are text": with_about(lambda about: about | {"files": ["../../etc/passwd"]}),
    "files with paths elsewhere": with_about(
        lambda about: about | {"files": [{"path": "../../etc/passwd", "sha256": "a"}]}
    ),
    "files without digests": with_about(lambda about: about | {"files": [{"path": "a"}]}),
    "a format of text": with_about(lambda about: about | {"format": "old"}),
    "series that are no Parquet": with_bytes("series.parquet", b"PAR1"),
    "series of other columns": with_series(lambda frame: frame.rename(columns={"id": "../x"})),
    "series that are numbers": with_series(lambda frame: frame.assign(id=range(len(frame)))),
    "series without names": with_series(lambda frame: frame.assign(id=None)),
    "fewer series": with_series(lambda frame: frame.iloc[:-1]),
    "rows below 0": with_series(lambda frame: frame.assign(rows=-frame["rows"])),
    "rows that are text": with_series(lambda frame: frame.assign(rows="many")),
    "no series": with_series(lambda frame: frame.iloc[:0]),
    "no columns": with_series(lambda frame: frame.iloc[:, :0]),
    "numbers that are a link": linked(".npz"),
    "rows that are a link": linked(".npy"),
    "an about that is a link": linked("cache.json"),
    "series that are a link": linked("series.parquet"),
    "arrays that are a link": linked_folder,
    "numbers that are a pipe": piped(".npz"),
    "rows that are a pipe": piped(".npy"),
    "an about that is a pipe": piped("cache.json"),
    "series that are a pipe": piped("series.parquet"),
}


class Prepared(Exception):
    """Raised in place of a training, when its arrays are there."""


def prepare(path, cache, own):
    """Turn a table into arrays, and return them by their places in the cache."""
    with pytest.raises(Prepared):
        fc.train(path, cache=cache, **own)
    files = [each for each in cache.rglob("*") if each.name != "cache.json" and each.is_file()]
    assert not any(each.is_symlink() for each in files)
    return {str(each.relative_to(cache)): each.read_bytes() for each in files}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes by name")
@pytest.mark.parametrize("kind", HOSTILE_CACHE)
def test_arrays_made_on_purpose_are_refused_or_made_again(write, tmp_path, monkeypatch, kind):
    def stop(*_, **__):
        raise Prepared

    monkeypatch.setattr(block_training, "learn", stop)
    path, own = write({})
    cache, outside = tmp_path / "arrays", tmp_path / "outside"
    first = prepare(path, cache, own)
    outside.mkdir()
    (outside / "precious").write_text("kept")
    HOSTILE_CACHE[kind](cache, outside)
    try:
        assert prepare(path, cache, own) == first
    except UsageError as error:
        assert "no arrays of a table" in error.message
    assert [each.name for each in outside.iterdir()] == ["precious"]
    assert (outside / "precious").read_text() == "kept"
