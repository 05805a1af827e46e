"""Each hint of tables and forecasts is followed to the letter, and leads to the right table."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.config.resolution import configure
from forecast_cli.core.errors import ForecastError
from forecast_cli.core.events import ignore
from forecast_cli.data.reading import read_panel
from forecast_cli.data.sequences import read_sequences
from forecast_cli.training.labels.datasets import make_labelled
from forecast_cli.training.pipeline import read_dataset

from .hint_cases import CASES, FEW, FORECASTS, MODELS, Case, Forecast
from .hints import PACKAGE, hinting_sites, recorded, unreached

# Files about tables that only forecasts, and their output, come to.
BY_FORECASTS = {
    "data/future_table.py", "data/known_future.py", "data/time/expected_frequency.py",
    "data/io/writer.py", "data/io/database_writer.py",
}  # fmt: skip
NETWORK, LIBRARY = "needs a network", "needs a library to be missing"
LARGE = "needs a very large table, as in the tests of limits"
FOLDER = "is followed in the tests of folders"
BLOCKS = "is followed in the tests of trainings in blocks"
SERIES = "is followed in the tests of networks for each series"
# Places to which no case comes: a file, and words of the message.
EXEMPT = {
    ("data/io/remote.py", ""): NETWORK,
    ("data/io/sql.py", "dialect"): LIBRARY,
    ("data/io/sql.py", "library"): LIBRARY,
    ("data/io/sql.py", "driver"): LIBRARY,
    ("data/io/sql.py", "returns no table"): "needs another database than SQLite",
    ("data/io/workbooks.py", "library"): LIBRARY,
    ("data/io/writer.py", "library"): LIBRARY,
    ("data/time/holidays.py", "not installed"): LIBRARY,
    ("data/time/holidays.py", "what, how_to_install"): LIBRARY,
    ("data/dates/month_names.py", "need Babel"): LIBRARY,
    ("data/time/holidays.py", "INSTALL"): LIBRARY,
    ("data/time/holidays.py", "failed to make"): "needs a library that fails",
    ("data/io/compression.py", "unpacks to more"): LARGE,
    ("data/io/compression.py", "cannot be unpacked"): "needs a damaged archive",
    ("data/io/sources.py", "more than {MOST_COLUMNS"): LARGE,
    ("data/io/sources.py", "cannot be read from line"): LARGE,
    ("data/io/csv_reader.py", "cannot be read as CSV"): "needs another fault than Arrow has",
    ("data/time/dropped_rows.py", "the steps of the model"): "is a hint on a forecast",
    ("training/ensemble_fitting.py", "too few training rows"): "needs a training",
    ("training/finetuning.py", "gives the network"): "needs a training",
    ("training/labels/datasets.py", "of sequence"): "infinite labels are no numbers in text",
    ("backtesting/cutoffs.py", "before a cutoff"): "needs a model with more rows than its plan",
    ("data/io/storage.py", "any more"): "needs a file that vanishes meanwhile",
    ("data/io/storage.py", "is a directory"): "is read as a directory of Parquet files before",
    ("data/known_future.py", "has no times"): "is refused by the request before",
    ("forecasting/prediction.py", "not finite numbers"): "needs a network that overflows",
    ("forecasting/history.py", "There is no option"): "arguments are checked before",
    ("forecasting/intervals/interval_methods.py", "There is no"): "arguments are checked before",
    ("forecasting/intervals/prediction_intervals.py", "Sample paths"): "needs missing errors",
    ("data/io/row_batches.py", ""): FOLDER,
    ("forecasting/partitions.py", ""): FOLDER,
    ("forecasting/prediction_folder.py", ""): FOLDER,
    ("forecasting/remote_prediction_folder.py", ""): FOLDER,
    ("data/io/remote_folder.py", ""): FOLDER,
    ("training/per_series.py", "to train on"): SERIES,
    ("forecasting/history.py", "a network for each series"): SERIES,
    ("forecasting/stream/live_model.py", "a network for each series"): SERIES,
    ("training/series_arrays.py", ""): BLOCKS,
    ("training/array_cache.py", ""): BLOCKS,
    ("training/block_training.py", ""): BLOCKS,
}


def write_tables(tables, name):
    """Write the files of a case, and return what is read."""
    if isinstance(tables, pd.DataFrame) and name.endswith(".parquet"):
        tables.to_parquet(name)
        return name
    if isinstance(tables, dict):
        for file, content in tables.items():
            write_tables(content, file)
        return name
    if isinstance(tables, str | bytes):
        name = name if "://" not in name else "table.csv"
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(tables.encode() if isinstance(tables, str) else tables)
        return name
    return tables


def read(source, settings, how):
    """The values of the target, as far as a table is read before a training."""
    settings = {"column": ("y",)} | settings
    settings = {name: value for name, value in settings.items() if value not in (None, ())}
    if how == "dataset":
        panel = read_dataset(source, configure(FEW | settings), on_event=ignore).panel
        return panel.values[:, 0]
    config = configure(settings)
    if how == "labels":
        sequences = read_sequences(source, config.data)
        return make_labelled(sequences, config, on_event=ignore).sequences.values[:, 0]
    return read_panel(source, config.data, on_event=ignore).values[:, 0]


def refuse(case: Case):
    """The error of a case, and what was read."""
    source = write_tables(case.table, case.name)
    source = case.name if "://" in case.name or "*" in case.name else source
    with pytest.raises(ForecastError) as caught:
        read(source, case.settings, case.how)
    assert case.said in str(caught.value)
    return caught.value, source


def follow(case: Case):
    """Do what a hint says, to the letter."""
    error, source = refuse(case)
    settings = dict(case.settings)
    for each in case.then if isinstance(case.then, tuple) else (case.then,):
        if isinstance(each, dict) and not any("." in key for key in each):
            named = re.findall(r"`([a-z_]+)", str(error))
            assert not named or {*named} & {*each}, f"{each} is not what is advised: {error}"
            settings |= each
        elif each is not None:
            written = write_tables(each, case.name)
            in_place = isinstance(each, dict) or "://" in case.name
            source = source if in_place else written
    source = source if case.source is None else case.source
    try:
        values = read(source, settings, case.how)
    except ForecastError as further:
        assert case.leads and case.leads in str(further), further
        assert str(further) != str(error)
        return
    assert not case.leads, "does not lead on"
    if case.how != "labels":
        lost = {*case.keep} - {*values[np.isfinite(values)].tolist()}
        assert not lost, f"lost: {lost}"


@pytest.fixture
def model_of(linear, golden):
    """Returns the model of a name, made once."""
    made = {"labels": fc.load(golden.with_name("format-2-labels.forecast"))}

    def call(name):
        if name not in made:
            table, settings = MODELS[name]
            own = {"column": "y", "horizon": 2, "timesteps": 3} | settings
            made[name] = linear(table, **own)
        return made[name]

    return call


def follow_forecast(case: Forecast, model_of):
    """Do what a hint on a forecast says."""
    first, second = case.model if isinstance(case.model, tuple) else (case.model, case.model)
    with pytest.raises(ForecastError, match=re.escape(case.said)) as caught:
        case.refused(model_of(first))
    assert caught.value.hint, "no advice"
    case.then(model_of(second))


def follow_all(cases, call, tmp_path, monkeypatch):
    """Follow all hints; return the lines at which errors were made. Each must come to its end."""
    wrong = {}
    with recorded() as lines:
        for number, case in enumerate(cases):
            (tmp_path / str(number)).mkdir()
            monkeypatch.chdir(tmp_path / str(number))
            try:
                call(case)
            except (Exception, pytest.fail.Exception) as error:
                wrong[f"{number} {case.said}"] = str(error)[:500]
    assert wrong == {}
    return lines


# All cases are in one test for each kind, so that it is known to which places none of them comes.
@pytest.mark.slow
def test_each_hint_on_a_table_leads_to_the_right_one_or_on(tmp_path, monkeypatch):
    lines = follow_all(CASES, follow, tmp_path, monkeypatch)
    sites = [site for site in hinting_sites("data") if site[0] not in BY_FORECASTS]
    sites += hinting_sites("training", kind="DataError")
    assert without_case(sites, lines) == []


@pytest.mark.slow
def test_each_hint_on_a_forecast_leads_to_one(model_of, tmp_path, monkeypatch):
    lines = follow_all(
        FORECASTS, lambda case: follow_forecast(case, model_of), tmp_path, monkeypatch
    )
    sites = [site for site in hinting_sites("data") if site[0] in BY_FORECASTS]
    sites += [*hinting_sites("forecasting"), *hinting_sites("backtesting", kind="DataError")]
    assert without_case(sites, lines) == []


def without_case(sites, lines):
    """Places to which no case comes, though there is no reason why."""
    left = [f"{file}:{line}" for file, line, _ in unreached(sites, lines)]
    return [site for site in left if exemption(site) is None]


def exemption(site: str) -> str | None:
    """Why no case comes to a place: `file:line`."""
    file, line = site.rsplit(":", 1)
    text = (PACKAGE / file).read_text().splitlines()[int(line) - 1 :][:6]
    here = "\n".join(text)
    return next((why for (name, words), why in EXEMPT.items()
                 if file == name and words in here), None)  # fmt: skip
