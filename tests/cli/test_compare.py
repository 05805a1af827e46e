"""`forecast compare`: each kind of cell trained in the same way, and the best one saved."""

import io
import json

import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.config.resolution import configure
from forecast_cli.training.cell_comparison import compare, sort_rows

TINY = ("--units", 2, "--epochs", 2, "--timesteps", 6, "--horizon", 3)
SETTINGS = {"units": (2,), "epochs": 2, "timesteps": 6, "horizon": 3}


@pytest.mark.slow
@pytest.mark.tf
def test_cells_stand_beside_simple_forecasts_and_the_best_is_saved(run, table, tmp_path):
    code, out, err = run("compare", table, "--column", "value", *TINY)
    got = pd.read_csv(io.StringIO(out)).set_index("model")
    assert code == 0
    assert {"lstm", "gru", "rnn", "naive", "seasonal-naive", "drift"} == set(got.index)
    assert got.mae.is_monotonic_increasing
    cells = got.loc[["lstm", "gru", "rnn"]]
    best = cells.validation.idxmin()
    assert f"The best cell is {best}: its validation loss is the lowest" in err
    model = fc.load(tmp_path / "model.forecast")
    assert model.config.network.recurrent[0].type == best
    assert (cells.parameters > 0).all() and (cells.seconds > 0).all()
    assert model.evaluation.own_scores["mae"]["value"] == pytest.approx(cells.mae[best])
    assert model.bundle.manifest.parameters == cells.parameters[best]


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_each_cell_is_what_training_it_alone_gives(frame):
    result = compare(frame, configure({"column": ("value",), **SETTINGS}), cells=("gru",))
    rows = {row["model"]: row for row in result.rows}
    for cell in ("gru",):
        alone = fc.train(frame, column="value", cell=cell, **SETTINGS)
        assert rows[cell]["mae"] == alone.evaluation.own_scores["mae"]["value"]
        assert rows[cell]["skill"] == alone.evaluation.skill


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_targets_stay_together_since_their_units_differ(frame):
    large = frame.assign(other=frame["other"] * 1000)
    config = configure({"column": ("other", "value"), **SETTINGS})
    rows = compare(large, config, cells=("gru", "rnn")).rows
    assert [row["column"] for row in rows] == ["other"] * 5 + ["value"] * 5
    for target in ("other", "value"):
        errors = [row["mae"] for row in rows if row["column"] == target]
        assert errors == sorted(errors)


@pytest.mark.parametrize(("measure", "order"), [("mase", "ba"), ("mae", "ab")])
def test_rows_are_sorted_by_the_measure_of_the_verdict(measure, order):
    rows = [{"model": "a", "mae": 1.0, "mase": 0.9}, {"model": "b", "mae": 2.0, "mase": 0.5}]
    found = sort_rows(rows[::-1], ("y",), measure=measure)
    assert "".join(row["model"] for row in found) == order
    # What has no such measure is last.
    rows[0][measure] = None
    assert [row["model"] for row in sort_rows(rows, ("y",), measure=measure)] == ["b", "a"]


@pytest.mark.slow
@pytest.mark.tf
def test_the_test_split_has_no_part_in_the_choice(frame):
    config = configure({"column": ("value",), "test": 24, **SETTINGS})
    changed = frame.copy()
    changed.loc[len(frame) - 24 :, "value"] = 1e6
    first, second = (compare(each, config, cells=("lstm", "rnn")) for each in (frame, changed))
    assert first.cell == second.cell
    assert first.bundle.weights == second.bundle.weights
    assert first.rows != second.rows


@pytest.mark.slow
@pytest.mark.tf
def test_one_json_document(run, table):
    code, out, err = run("compare", table, "-c", "value", *TINY, "--cells", "rnn", "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert told["cell"] == "rnn"
    assert told["verdict"].startswith("The best cell is rnn. The network")
    assert [row["model"] for row in told["models"] if row["parameters"]] == ["rnn"]


@pytest.mark.slow
@pytest.mark.tf
def test_somebody_who_stops_it_has_what_was_trained_by_then(frame):
    notes = []
    config = configure({"column": ("value",), **SETTINGS, "epochs": 50})
    result = compare(frame, config, on_event=notes.append, should_stop=lambda: True)
    assert result.cell == "lstm"
    assert any("gru, rnn were not trained" in getattr(note, "text", "") for note in notes)


def test_what_makes_no_sense_is_refused(run, table):
    for arguments, words in (
        (("--cells", "lsmt"), 'There is no cell "lsmt". Did you mean "lstm"?'),
        (("--cell", "gru"), "Pass --cells instead of --cell."),
        (("--label", "other"), "--label is for labelled sequences"),
        (("-c", "vaule"), 'Did you mean "value"?'),
    ):
        column = () if "-c" in arguments or "--label" in arguments else ("-c", "value")
        code, out, err = run("compare", table, *column, *arguments)
        assert code in (2, 3)
        assert words in err and not out
