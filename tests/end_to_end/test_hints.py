"""Each hint of tables and forecasts is followed to the letter, and leads to the right table."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.resolution import configure
from forecast_cli.core.errors import ForecastError
from forecast_cli.core.events import ignore
from forecast_cli.data.reading import read_panel
from forecast_cli.data.sequences import read_sequences
from forecast_cli.training.labels.datasets import make_labelled
from forecast_cli.training.pipeline import read_dataset

from .hint_cases import CASES, FEW, Case


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
    """The error of a case."""
    source = write_tables(case.table, case.name)
    source = case.name if "://" in case.name or "*" in case.name else source
    with pytest.raises(ForecastError) as caught:
        read(source, case.settings, case.how)
    assert case.said in str(caught.value)
    return caught.value, source


@pytest.mark.parametrize("name", CASES)
def test_a_hint_leads_to_the_table_or_on(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    case = CASES[name]
    error, source = refuse(case)
    assert error.hint, "no advice"
    then = case.then if isinstance(case.then, tuple) else (case.then,)
    settings = dict(case.settings)
    for each in then:
        if isinstance(each, dict) and not any("." in key for key in each):
            named = re.findall(r"`([a-z_]+)", str(error))
            assert not named or {*named} & {*each}, f"{each} is not what is advised: {error}"
            settings |= each
        elif each is not None:
            written = write_tables(each, case.name)
            source = written if isinstance(each, str | bytes) and "://" not in case.name else (
                source if isinstance(each, dict | str | bytes) else written
            )  # fmt: skip
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
        assert not lost
