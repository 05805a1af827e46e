"""`forecast predict` of large tables: written some series at a time, in bounded memory."""

import numpy as np
import pandas as pd
import pytest

from forecast_cli.forecasting import part_prediction


@pytest.fixture(scope="module")
def bundle(linear):
    return linear(panel(8), column="y", series="id", time="day", horizon=3, timesteps=6)


@pytest.fixture
def table(bundle, tmp_path, monkeypatch):
    """A model, and a table of which a fifth is read at a time."""
    bundle.save(tmp_path / "model.forecast")
    panel(20).to_parquet(tmp_path / "panel.parquet", row_group_size=50)
    monkeypatch.setattr(part_prediction, "MOST_ROWS", 120)
    return tmp_path / "panel.parquet"


def panel(series):
    days = pd.date_range("2024-01-01", periods=30)
    values = np.random.default_rng(0).gamma(3.0, 5.0, (series, 30))
    return pd.concat(
        pd.DataFrame({"id": f"s{number:02d}", "day": days, "y": own.round(2)})
        for number, own in enumerate(values)
    )


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.jsonl", "out.parquet", "-"])
def test_a_table_read_in_parts_is_forecast_as_one_that_is_read_at_once(
    run, table, tmp_path, monkeypatch, name
):
    code, out, err = run("predict", table, "--level", "80", "-o", name)
    assert code == 0 and "20 series in " in err and "network " in err
    parts = out.encode() if name == "-" else (tmp_path / name).read_bytes()
    monkeypatch.setattr(part_prediction, "MOST_ROWS", 10_000)
    code, out, err = run("predict", table, "--level", "80", "-o", name)
    assert code == 0 and "series in" not in err
    if name == "out.parquet":
        (tmp_path / "parts.parquet").write_bytes(parts)
        frames = [pd.read_parquet(tmp_path / each) for each in ("parts.parquet", name)]
        pd.testing.assert_frame_equal(*frames, rtol=1e-7)
        assert len(frames[0]) == 60
    else:
        whole = out.encode() if name == "-" else (tmp_path / name).read_bytes()
        assert parts == whole and len(parts.splitlines()) >= 60


def test_a_table_that_is_not_in_order_of_its_series_is_read_as_a_whole(run, table, tmp_path):
    run("predict", table, "-o", "parts.parquet")
    panel(20).sort_values("day").to_parquet(table)
    code, _, err = run("predict", table, "-o", "whole.parquet")
    assert code == 0 and "rows that are read as a whole, need about" in err
    whole, parts = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("whole", "parts"))
    pd.testing.assert_frame_equal(whole.sort_values(["id", "day"], ignore_index=True), parts)


def test_what_needs_more_memory_than_it_may_have_is_refused(run, table, monkeypatch):
    panel(20).sort_values("day").to_parquet(table)
    monkeypatch.setattr(part_prediction, "ROW_BYTES", 10**8)
    code, _, err = run("predict", table, "--memory", "10", "-o", "out.csv")
    assert code == 2 and "more than --memory 10" in err and "in order of its series" in err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--memory", "4"], "Name DATA"),
        (["panel.csv", "--memory", "4"], "is no Parquet file"),
        (["panel.parquet", "--memory", "0.02"], "is too little"),
        (["panel.parquet", "--memory", "4", "--in-sample", "-o", "out.csv"], "leave out"),
    ],
)
def test_a_bound_of_the_memory_without_effect_is_refused(run, table, tmp_path, arguments, text):
    panel(2).to_csv(tmp_path / "panel.csv", index=False)
    code, _, err = run("predict", *arguments)
    assert code == 2 and text in err


def test_with_warnings_as_errors_nothing_is_written(run, table, tmp_path):
    frame = panel(20)
    frame.loc[frame["id"] == "s19", "day"] -= pd.Timedelta(days=800)
    frame.to_parquet(table)
    code, _, err = run("predict", table, "-o", "out.parquet", "--strict")
    assert code == 3 and "ended long before" in err
    assert not list(tmp_path.glob("*out.parquet*"))


def test_what_one_part_has_too_much_of_may_be_allowed_in_the_whole_table(run, table):
    frame = panel(20).reset_index(drop=True)
    gaps = frame.index[frame["id"] == "s05"][10:15]
    frame.drop(gaps).to_parquet(table)
    code, _, err = run("predict", table, "--missing", "interpolate", "-o", "out.csv")
    assert code == 0, err
