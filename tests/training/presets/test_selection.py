"""What is chosen where nothing is said: from a table to a configuration, and to models."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import forecast_cli as fc
from forecast_cli.backtesting.models import make_entries
from forecast_cli.baselines.member_maps import fit_maps
from forecast_cli.config.members import list_members
from forecast_cli.config.resolution import configure, leaves
from forecast_cli.config.schema import Config
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.reading import read_panel
from forecast_cli.training.ensemble_fitting import fit_baseline_maps
from forecast_cli.training.preparation import make_dataset
from forecast_cli.training.resolution import resolve_preset

from ...frames import seasonal_frame

SHORT_ONE = [300, 40, 300, 300, 300]
# All that is known of a daily series is where it ends.
WALK = pd.DataFrame(
    {
        "date": pd.date_range("2020-01-01", periods=300, freq="D"),
        "value": 100 + np.random.default_rng(1).normal(0, 1, 300).cumsum(),
    }
)


def resolved(frame, *, base=None, assignments=(), **said):
    """The dataset whose configuration is chosen for a table, and what was noted of it.

    Networks are trained on it, however few its rows are, unless a preset is said, or None.
    """
    notes = []
    usual = {} if base and "preset" in base else {"preset": "trained"}
    config = configure({"column": ("value",)} | usual | said, base, assignments)
    panel = read_panel(frame, config.data, on_event=notes.append)
    return make_dataset(panel, config, on_event=notes.append), notes


def chosen(frame, **said):
    return resolved(frame, **said)[0].config


def texts(notes, *, warning=False):
    return " / ".join(each.text for each in notes if each.warning == warning)


def panel_of(lengths, freq="MS"):
    """Series of such lengths, one below the other, each with a season of twelve."""
    parts = [
        seasonal_frame(rows, freq, seed=seed)[["date", "value"]].assign(place=f"place {seed}")
        for seed, rows in enumerate(lengths)
    ]
    return pd.concat(parts, ignore_index=True)


def hours(rows):
    """A day and a week in hours, and a second column that follows."""
    steps, noise = np.arange(rows), np.random.default_rng(0).normal(0, 1, (2, rows))
    value = 50 + 10 * np.sin(np.pi * steps / 12) + 5 * np.sin(np.pi * steps / 84) + noise[0]
    dates = pd.date_range("2020-01-01", periods=rows, freq="h")
    return pd.DataFrame({"date": dates, "value": value, "other": np.roll(value, 1) + noise[1]})


def check_holds_together(dataset):
    """What every choice must be: a valid configuration whose networks can be built and trained."""
    config = dataset.config
    assert Config.model_validate_json(config.model_dump_json()) == config
    for member in list_members(config):
        assert member.timesteps <= config.window.timesteps
        assert member.timesteps % (member.network.segment or 1) == 0
        assert type(member.network).model_validate(member.network.model_dump()) == member.network
        if member.network.anchor == "season":
            assert 1 < member.network.season_length <= member.timesteps
    assert len(dataset.starts("train", horizon=dataset.steps_at_once)) > 0


# Which preset it is.


def test_without_a_word_it_is_auto(frame):
    dataset, notes = resolved(frame, preset=None)
    assert dataset.config.preset == "auto"
    assert "because" not in texts(notes)


def layers_of(config):
    return [(each.type, each.units) for each in config.network.layers]


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ({"epochs": 200}, "preset auto with epochs 200 "),
        ({"batch_size": 8}, "preset auto with batch_size 8 "),
        ({"learning_rate": 0.01, "patience": 3}, "preset auto with learning_rate 0.01, patience 3"),
        ({"loss": "mse", "seed": 7}, "preset auto with loss mse, seed 7 "),
    ],
)
def test_settings_of_the_training_adjust_the_default_preset_and_nothing_else(frame, said, note):
    """The rest of the configuration is what it would be without them."""
    plain, (dataset, notes) = chosen(frame), resolved(frame, preset=None, **said)
    assert note in texts(notes)
    expected = plain.training.model_copy(update=said)
    changes = {"training": expected, "preset": "auto"}
    assert dataset.config == plain.model_copy(update=changes)


@pytest.mark.parametrize(
    ("said", "layers"),
    [
        ({"units": (8,)}, [("lstm", 8)]),
        ({"units": (8, 4)}, [("lstm", 8), ("lstm", 4)]),
        ({"cell": "gru"}, [("gru", 16)]),
        ({"dense": (3,)}, [("lstm", 16), ("dense", 3)]),
        ({"dropout": 0.1}, [("lstm", 16)]),
    ],
)
def test_settings_of_layers_are_those_of_the_members(frame, said, layers):
    plain, config = chosen(frame), chosen(frame, **said)
    assert layers_of(config) == layers
    for name in ("ensemble", "training", "window", "transform"):
        assert getattr(config, name) == getattr(plain, name)


def test_a_cell_that_is_left_open_is_that_of_the_preset():
    said = {"test": 0, "validation": 100, "horizon": 96}
    assert layers_of(chosen(hours(7000), units=(8,), **said)) == [("gru", 8)]
    layer = {"network": {"layers": [{"unit_forget_bias": False}]}}
    assert layers_of(resolved(hours(7000), base=layer, **said)[0].config) == [("lstm", 64)]
    (one,) = resolved(hours(7000), assignments=["network.layers.0.residual=true"], **said)[
        0
    ].config.network.layers
    assert (one.type, one.units, one.residual) == ("gru", 64, True)


@pytest.mark.parametrize("mode", [{"head": "recursive"}, {"mode": "many-to-one"}])
def test_steps_that_are_fed_back_keep_the_ensemble(frame, mode):
    config = chosen(frame, **mode)
    assert (config.window.mode, config.ensemble.size) == ("many-to-one", 2)


def test_what_contradicts_a_setting_gives_way_and_the_note_says_so(frame):
    dataset, notes = resolved(frame, head="sequence")
    assert dataset.config.network.relative == ""
    assert dataset.config.ensemble.baselines
    assert "head sequence: the preset's anchor, window_scale, skip left out" in texts(notes)
    dataset, notes = resolved(frame, loss="pinball", quantile=0.9)
    assert (dataset.config.ensemble.size, dataset.config.ensemble.baselines) == (2, ())
    assert "quantile 0.9: mean of networks, without baselines" in texts(notes)
    dataset, _ = resolved(frame, segment=5)
    assert [each.timesteps for each in list_members(dataset.config)] == [20, 20]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"stateful": True}, "Stateful networks cannot be members of an ensemble"),
        ({"intervals": "dropout", "dropout": 0.1}, "`intervals=dropout` is for one network"),
    ],
)
def test_what_needs_one_network_is_refused_with_advice_that_works(frame, said, why):
    with pytest.raises(UsageError, match=why) as caught:
        resolved(frame, **said)
    assert "`preset=classic`" in caught.value.hint
    assert chosen(frame, preset="classic", **said).ensemble.alone


def test_an_error_that_the_plain_preset_has_too_does_not_advise_it(frame):
    with pytest.raises(UsageError, match="the season is 12 steps, the window 6") as caught:
        resolved(frame, timesteps=6, anchor="season")
    assert "classic" not in caught.value.hint


@pytest.mark.slow
@pytest.mark.parametrize(
    "said",
    [
        {"seed": 3},
        {"refit": False},
        {"time_budget": 60.0},
        {"horizon": 5},
        {"timesteps": 13},
        {"transform": "log1p"},
        {"loss": "mse"},
        {"ensemble": 3},
        {"baselines": ("smoothing",)},
        {"scaler": "standard"},
        {"intervals": "quantile"},
        {"test": 0},
    ],
)
def test_what_goes_with_any_preset_leaves_auto(frame, said):
    assert chosen(frame, preset=None, **said).preset == "auto"


def test_a_preset_by_name_keeps_layers_that_are_set_by_hand_and_fills_in_the_rest(frame):
    config = chosen(frame, preset="auto", units=(8, 4), cell="gru", epochs=3)
    assert [(each.type, each.units) for each in config.network.layers] == [("gru", 8), ("gru", 4)]
    assert (config.preset, config.training.epochs) == ("auto", 3)
    assert config.network.anchor == "last"
    assert config.ensemble.baselines


def test_sequences_with_labels_are_classic():
    config = configure({"column": ("a", "b"), "label": ("kind",)})
    notes = []
    assert resolve_preset(config, notes.append).preset == "classic"
    assert notes == []


def test_classic_is_the_plain_network_of_the_tutorials(frame):
    config = chosen(frame, preset="classic")
    assert [(each.type, each.units) for each in config.network.layers] == [("lstm", 50)]
    assert (config.network.anchor, config.transform) == ("none", "none")
    assert (config.scaler, config.training.loss, config.training.refit) == ("minmax", "mse", False)


SAID = {
    "window.timesteps": st.integers(1, 30),
    "window.horizon": st.integers(1, 14),
    "transform": st.sampled_from(["none", "log", "log1p"]),
    "scaler": st.sampled_from(["standard", "robust", "none"]),
    "training.loss": st.sampled_from(["mse", "huber", "owa"]),
    "training.seed": st.integers(0, 9),
    "training.refit": st.booleans(),
    "training.batch_size": st.integers(1, 64),
    "training.learning_rate": st.sampled_from([0.1, 0.02]),
    "ensemble.size": st.integers(1, 4),
    "ensemble.baselines": st.sampled_from([[], ["naive"], ["naive", "ridge-short"]]),
    "split.test": st.sampled_from([0, 0.1, 20]),
    "network.anchor": st.sampled_from(["none", "last", "mean"]),
    "network.padding": st.sampled_from(["mask", "first"]),
}
FLAGS = {"ensemble.size": "ensemble", "ensemble.baselines": "baselines"}


def nested_of(flat):
    """A `forecast.toml` of dotted paths."""
    nested = {}
    for path, value in flat.items():
        *way, last = path.split(".")
        owner = nested
        for part in way:
            owner = owner.setdefault(part, {})
        owner[last] = value
    return nested


@pytest.mark.slow
@given(
    st.sets(st.sampled_from(sorted(SAID)), min_size=1, max_size=5).flatmap(
        lambda paths: st.fixed_dictionaries({path: SAID[path] for path in sorted(paths)})
    ),
    st.sampled_from(["auto", "fast", "best"]),
    st.sampled_from(["flags", "toml", "set"]),
)
def test_what_is_said_always_wins_over_what_is_chosen(said, preset, how):
    frame = seasonal_frame(110)
    if how == "flags":
        flags = {FLAGS.get(path, path.split(".")[-1]): value for path, value in said.items()}
        dataset, _ = resolved(frame, preset=preset, **flags)
    elif how == "toml":
        dataset, _ = resolved(frame, base={"preset": preset} | nested_of(said))
    else:
        assignments = [f"{path}={json.dumps(value)}" for path, value in said.items()]
        dataset, _ = resolved(frame, preset=preset, assignments=assignments)
    config = dataset.config
    got = leaves(config.model_dump(mode="json"))
    assert {path: got[path] for path in said} == said
    check_holds_together(dataset)
    # What is said of all networks is what each of them does.
    for member in list_members(config):
        assert member.timesteps == said.get("window.timesteps", member.timesteps)
        assert member.training.loss == said.get("training.loss", member.training.loss)
        assert member.network.anchor == said.get("network.anchor", member.network.anchor)


# What each kind of data is given.


@pytest.mark.parametrize("preset", [None, "fast", "best"])
def test_few_rows_are_given_the_pretrained_network(preset):
    dataset, notes = resolved(seasonal_frame(144), preset=preset)
    assert dataset.config.network.pretrained
    assert dataset.config.preset == (preset or "auto")
    assert "training rows; model: the pretrained network, not trained" in texts(notes)
    check_holds_together(dataset)


@pytest.mark.parametrize(
    "said",
    [
        {"epochs": 3},
        {"cell": "gru"},
        {"ensemble": 3},
        {"timesteps": 12},
        {"scaler": "standard"},
        {"intervals": "ensemble"},
        {"missing": "mask"},
        {"past_covariates": ("other",)},
        {"calendar_features": ("month",)},
    ],
    ids=str,
)
def test_networks_are_trained_where_a_setting_asks_for_what_they_do(said):
    assert not chosen(seasonal_frame(144), preset=None, **said).network.pretrained


def test_networks_are_trained_where_rows_are_many_or_most_values_are_zero():
    assert not chosen(seasonal_frame(500), preset=None).network.pretrained
    table = panel_of([250] * 40)
    assert not chosen(table, preset=None, series=("place",)).network.pretrained
    short = panel_of([60] * 120)
    assert chosen(short, preset=None, series=("place",), refit=True).network.pretrained
    many = panel_of([100] * 120)
    assert chosen(many, preset=None, series=("place",)).network.pretrained
    best = chosen(many, preset="best", series=("place",))
    assert not best.network.pretrained and best.ensemble.baselines == ("pretrained",)
    demand = np.random.default_rng(0).poisson(0.3, 144)
    assert not chosen(seasonal_frame(144).assign(value=demand), preset=None).network.pretrained


def test_few_rows_are_given_small_networks_beside_simple_forecasts():
    dataset, notes = resolved(seasonal_frame(144))
    config = dataset.config
    assert config.window.horizon == 12
    assert config.transform == "log"
    assert config.training.refit
    assert config.ensemble.combine == "weights"
    assert {"naive", "seasonal-naive", "smoothing", "structural"} <= set(config.ensemble.baselines)
    assert [each.network.anchor for each in list_members(config)] == ["last", "season"]
    assert config.network.season_length == 12
    # Windows leave origins to learn from, and all simple forecasts have what they look back on.
    assert 24 <= config.window.timesteps <= 96 - 12 - 5
    assert fit_baseline_maps(dataset).shape == (8, 1, config.window.timesteps, 12)
    assert "transform log" in texts(notes)
    assert "season of 12 steps found; model: 2 networks LSTM(16)" in texts(notes)


def test_steps_back_that_are_said_are_those_that_are_noted():
    dataset, notes = resolved(seasonal_frame(144), timesteps=9)
    assert [each.timesteps for each in list_members(dataset.config)] == [9]
    assert "model: LSTM(16), lookback 9" in texts(notes)
    assert np.isfinite(fit_baseline_maps(dataset)).all()


@pytest.mark.parametrize(("preset", "size"), [("fast", 1), ("auto", 2), ("best", 6)])
def test_presets_differ_in_how_many_networks_there_are(preset, size):
    assert chosen(seasonal_frame(500), preset=preset).ensemble.size == size


def test_many_series_are_given_the_median_of_six_large_networks():
    dataset, notes = resolved(panel_of(SHORT_ONE * 5), series=("place",), test=0)
    config = dataset.config
    assert (config.ensemble.size, config.ensemble.combine) == (6, "median")
    assert (config.network.padding, config.network.masked) == ("first", False)
    assert [each.training.loss for each in list_members(config)] == ["owa", "mae"] * 3
    assert {each.timesteps for each in list_members(config)} == {24, 48, 72}
    assert (config.transform, config.scale_by) == ("log", "all")
    assert "5 of 25 series are shorter than 72 steps" in texts(notes)
    assert "6 networks LSTM(64) for all series" in texts(notes)
    check_holds_together(dataset)


def test_many_series_without_a_season_give_the_pretrained_network_a_fifth():
    random = np.random.default_rng(3)
    dates = pd.date_range("2000-01-02", periods=400, freq="W")
    levels = [100 + 0.8 * np.cumsum(random.normal(0, 1, 401)) for _ in range(25)]
    frames = [
        pd.DataFrame({"date": dates, "value": np.convolve(each, [0.5, 0.5], "valid")})
        for each in levels
    ]
    table = pd.concat([each.assign(place=str(place)) for place, each in enumerate(frames)])
    said = {"series": ("place",), "horizon": 13, "test": 0}
    ensemble = chosen(table, preset="auto", **said).ensemble
    assert (ensemble.size, ensemble.combine) == (6, "mean")
    assert (ensemble.baselines, ensemble.pretrained_weight) == (("pretrained",), 0.2)
    for preset in ("auto", None):
        assert chosen(table, preset=preset, pretrained_weight=0.4, **said).ensemble == (
            ensemble.changed(pretrained_weight=0.4)
        )
    for own in ({"preset": "trained"}, {"baselines": ("naive",)}):
        alone = chosen(table, **{"preset": "auto"} | said | own).ensemble
        assert "pretrained" not in alone.baselines
        assert alone.pretrained_weight is None


def test_what_is_said_of_all_of_many_series_is_said_of_each():
    table = panel_of(SHORT_ONE * 5)
    said = {"timesteps": 20, "loss": "mse", "ensemble": 3}
    dataset, _ = resolved(table, series=("place",), test=0, **said)
    members = list_members(dataset.config)
    assert [(each.timesteps, each.training.loss) for each in members] == [(20, "mse")] * 3
    check_holds_together(dataset)


def test_without_logarithms_each_of_many_series_has_a_scale_of_its_own():
    config = chosen(panel_of([300] * 25), series=("place",), test=0, transform="none")
    assert (config.ensemble.size, config.transform, config.scale_by) == (6, "none", "series")


def test_a_column_of_gaps_is_told_as_such():
    table = seasonal_frame(144).assign(value=np.nan)
    with pytest.raises(DataError, match="missing values"):
        resolved(table, missing="interpolate")


def test_a_series_that_nearly_nothing_is_known_of_spoils_nothing():
    """A few long series beside one that is shorter than any window."""
    for more in ({}, {"intervals": "quantile"}, {"missing": "mask"}):
        dataset, _ = resolved(panel_of([100, 100, 8]), series=("place",), **more)
        check_holds_together(dataset)


@pytest.mark.parametrize("columns", [("value",), ("value", "other")])
def test_long_series_are_given_segments_of_weeks(columns):
    split = {"test": 0, "validation": 100, "horizon": 96}
    dataset, notes = resolved(hours(7000), column=columns, **split)
    config = dataset.config
    assert [each.type for each in config.network.layers] == ["gru"]
    assert [each.timesteps for each in list_members(config)] == [2 * 168, 4 * 168]
    assert config.network.channels == ("independent" if len(columns) > 1 else "joint")
    half = ("ridge-half",) if len(columns) > 1 else ()
    assert config.ensemble.baselines == (*half, "ridge-full")
    assert "season of 24 and 168 steps found" in texts(notes)
    check_holds_together(dataset)


@pytest.mark.parametrize("season", [97, 99, 117, 121])
def test_a_season_of_any_length_can_be_cut_into_segments(season):
    said = {"season_length": season, "horizon": 24, "test": 0, "validation": 100}
    check_holds_together(resolved(hours(7000), transform="none", **said)[0])


def test_a_random_walk_is_given_one_network_and_is_called_one():
    dataset, notes = resolved(WALK)
    config = dataset.config
    assert (config.ensemble.size, config.training.refit) == (1, False)
    assert config.ensemble.baselines == ("naive", "structural", "ridge-short")
    assert "random walk" in texts(notes)


@pytest.mark.slow
@pytest.mark.parametrize(
    "said",
    [
        {"intervals": "quantile"},
        {"intervals": "cqr", "preset": "best"},
        {"intervals": "adaptive"},
        {"intervals": "ensemble", "ensemble": 3},
        {"intervals": "ensemble"},
        {"combine": "median"},
        {"missing": "mask"},
        {"missing": "mask", "intervals": "quantile"},
        {"past_covariates": ("other",)},
        {"future_covariates": ("other",)},
        {"calendar_features": ("month",)},
        {"horizon": 1},
        {"horizon": 1, "missing": "mask"},
        {"horizon": 30},
        {"column": ("value", "other")},
        {"column": ("value", "other"), "target": ("value",)},
        {"column": ("value", "other"), "calendar_features": ("month",)},
        {"column": ("value", "other"), "horizon": 1},
        {"validation": 0},
        {"test": 0, "validation": 0},
        {"season_length": 1},
        {"season_length": 70},
        {"preset": "fast", "baselines": ()},
        {"preset": "auto", "head": "segments", "segment": 6},
        {"preset": "auto", "head": "recursive"},
        {"preset": "auto", "mode": "many-to-one"},
        {"preset": "auto", "ema": 0.9},
        {"preset": "auto", "average": 3},
        {"member_timesteps": (36,)},
        {"member_timesteps": (72,)},
        {"ensemble": 2, "member_timesteps": (10, 20)},
        {"member_anchors": ("mean",)},
    ],
)
def test_whatever_is_asked_for_resolves(said):
    dataset, _ = resolved(seasonal_frame(144), **said)
    check_holds_together(dataset)
    if dataset.config.ensemble.baselines:
        assert np.isfinite(fit_baseline_maps(dataset)).all()


@pytest.mark.slow
@given(
    st.lists(st.integers(12, 400), min_size=1, max_size=4),
    st.sampled_from(["MS", "D", "h", "W", "QS", "YS", "15min"]),
    st.none() | st.integers(1, 40),
    st.sampled_from(["auto", "fast", "best"]),
    st.sampled_from([{}, {}, {"intervals": "quantile"}, {"missing": "mask"}]),
)
def test_every_table_gets_what_can_be_trained_or_is_told_what_is_missing(
    lengths, freq, horizon, preset, more
):
    said = more | ({"horizon": horizon} if horizon else {})
    said |= {"series": ("place",)} if len(lengths) > 1 else {}
    # Years behind 2200 are asked about: of another calendar, perhaps.
    table = panel_of([min(each, 190) if freq == "YS" else each for each in lengths], freq)
    try:
        dataset, _ = resolved(table, preset=preset, **said)
    except DataError as error:
        assert "rows" in str(error)
        assert "--" in str(error)
        return
    check_holds_together(dataset)
    if dataset.config.ensemble.baselines:
        assert np.isfinite(fit_baseline_maps(dataset)).all()


@pytest.mark.parametrize(
    ("rows", "split"),
    [(120, (0.2, 0.1)), (24, (0, 0.1)), (20, (0, 0))],
)
def test_short_tables_keep_their_rows_to_learn_from_and_say_so(rows, split):
    dataset, notes = resolved(seasonal_frame(rows), horizon=2 if rows > 20 else 4)
    assert (dataset.config.split.test, dataset.config.split.validation) == split
    gone = [name for name, size in zip(("test", "validation"), split, strict=True) if not size]
    said = [f"no {name} split" in texts(notes, warning=True) for name in ("test", "validation")]
    assert said == [name in gone for name in ("test", "validation")]


@pytest.mark.parametrize("said", [{"test": 0.2}, {"validation": 2}, {"preset": "classic"}])
def test_splits_that_are_said_stay(said):
    dataset, notes = resolved(seasonal_frame(24), horizon=2, **said)
    expected = configure({}).split.model_copy(update={k: said[k] for k in said if k != "preset"})
    assert (dataset.config.split.test, dataset.config.split.validation) == (
        expected.test, expected.validation,
    )  # fmt: skip
    assert "split" not in texts(notes, warning=True)


# Nothing of it comes from the future.


@pytest.mark.slow
@given(st.integers(0, 2**31), st.floats(0.1, 8), st.sampled_from([1, 3]))
def test_rows_behind_training_choose_nothing(seed, spread, count):
    table = panel_of([130] * count)
    more = {"series": ("place",)} if count > 1 else {}
    before, _ = resolved(table, **more)
    behind = np.concatenate(
        [
            np.arange(a, b)
            for a, b in zip(before.splits.train_end, before.splits.indptr[1:], strict=True)
        ]
    )
    noise = np.random.default_rng(seed).lognormal(0, spread, len(behind))
    table.loc[behind, "value"] = np.maximum(noise, 1e-3)
    after, _ = resolved(table, **more)
    assert after.config == before.config
    assert np.array_equal(after.scaling.center, before.scaling.center)
    assert np.array_equal(after.scaling.scale, before.scaling.scale)


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_logarithm_is_chosen_by_the_training_rows_and_reads_later_ones_as_low(value):
    table = seasonal_frame(144)
    before, _ = resolved(table)
    table.loc[140, "value"] = value
    after, events = resolved(table)
    assert before.config.transform == after.config.transform == "log"
    assert after.config == before.config
    said = '1 of 144 values (the first in row 141) of "value" are not above 0'
    assert said in texts(events, warning=True)
    scaled = after.scaled[:, 0]
    assert np.isfinite(scaled).all()
    assert scaled[140] < np.median(scaled)
    changed = np.arange(144) != 140
    np.testing.assert_array_equal(scaled[changed], before.scaled[changed, 0])


def test_of_many_series_too_a_logarithm_is_chosen_by_the_training_rows():
    table = panel_of([320] * 30)
    table.loc[319, "value"] = 0.0
    config = chosen(table, series=("place",))
    assert (config.ensemble.size, config.transform, config.scale_by) == (6, "log", "all")


# Simple forecasts and backtests.


def test_simple_forecasts_learn_nothing_from_the_room_before_short_series():
    said = {"padding": "first", "timesteps": 20, "baselines": ("naive", "ridge-short"), "test": 0}
    dataset, _ = resolved(panel_of([15, 60, 80]), series=("place",), horizon=3, **said)
    assert dataset.padding.added.any()
    scaled = dataset.scaling.each(dataset.panel.owners).transform(dataset.filled)
    expected = fit_maps(
        scaled[:, 0].astype(np.float32).astype(np.float64),
        dataset.panel.indptr,
        dataset.splits.train_end,
        horizon=3,
        season=12,
        seasons=(12,),
        names=("naive", "ridge-short"),
        timesteps=20,
    )
    got = fit_baseline_maps(dataset)
    for each, name in zip(got, expected, strict=True):
        np.testing.assert_allclose(each[0], expected[name], rtol=1e-5, atol=1e-6)


def test_a_backtest_knows_the_presets_by_name():
    entries = make_entries(["auto", "fast", "best"], configure({"column": ("value",)}))
    assert [each.name for each in entries] == ["auto", "fast", "best"]
    assert [each.config.preset for each in entries] == ["auto", "fast", "best"]


# From a table to forecasts.


@pytest.mark.slow
@pytest.mark.tf
def test_a_column_and_a_preset_are_all_that_an_ensemble_needs(run, tmp_path):
    seasonal_frame(120).to_csv(tmp_path / "table.csv", index=False)
    train = ("train", "table.csv", "--column", "value", "--preset", "trained", "--json")
    code, out, _ = run(*train)
    notes = " / ".join(json.loads(out)["notes"])
    assert code == 0
    assert "season of 12 steps found" in notes
    assert "transform log" in notes
    model = fc.load(tmp_path / "model.forecast")
    forecast = model.predict()
    code, out, _ = run("predict")
    assert code == 0
    assert forecast["date"].tolist() == list(pd.date_range("2010-01-01", periods=12, freq="MS"))
    kept = pd.read_csv(io.StringIO(out))["value"]
    assert kept.tolist() == pytest.approx(forecast["value"].tolist(), rel=1e-6)
    season = 100 + 0.1 * np.arange(120, 132) + 10 * np.sin(np.pi * np.arange(120, 132) / 6)
    assert np.abs(forecast["value"] - season).mean() < 2


@pytest.mark.slow
@pytest.mark.tf
def test_of_a_random_walk_it_forecasts_the_last_value():
    model = fc.train(WALK, column="value", preset="trained")
    last = WALK["value"].iloc[-1]
    assert model.predict()["value"].tolist() == pytest.approx([last] * 7, rel=1e-6)


@pytest.mark.slow
@pytest.mark.tf
def test_series_shorter_than_the_window_are_forecast_in_and_out_of_the_table(tmp_path):
    table = panel_of([60, 9, 50])
    said = {"padding": "first", "timesteps": 20, "horizon": 3, "units": 4, "epochs": 1}
    said |= {"preset": "classic", "baselines": ["naive"]}
    model = fc.train(table, column="value", series="place", **said)
    model.save(tmp_path / "m.forecast")
    for known in (None, table, table[table["place"] == "place 1"]):
        got = fc.load(tmp_path / "m.forecast").predict(known)
        names = table["place"].unique() if known is None else known["place"].unique()
        assert got["place"].tolist() == [each for each in names for _ in range(3)]
        assert np.isfinite(got["value"]).all()
        alone = got.loc[got["place"] == "place 1", "value"].tolist()
        first = model.predict()
        expected = first.loc[first["place"] == "place 1", "value"].tolist()
        assert alone == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("columns", "expected"), [(("y",), "log"), (("y", "below"), "none")], ids=["alone", "beside"]
)
def test_effects_choose_a_transform_that_all_columns_have(columns, expected):
    random, days = np.random.default_rng(0), 400
    known = random.normal(size=days)
    week = 0.3 * np.sin(np.arange(days) * 2 * np.pi / 7)
    values = np.exp(3 + 0.5 * known + week + 0.05 * random.normal(size=days))
    table = pd.DataFrame({"time": pd.date_range("2020", periods=days), "y": values, "x": known})
    table["below"] = random.normal(size=days)
    config = configure(
        {"column": columns, "target": ("y",), "future_covariates": ("x",), "horizon": 7}
    )
    notes: list[object] = []
    dataset = make_dataset(
        read_panel(table, config.data, on_event=notes.append), config, on_event=notes.append
    )
    assert dataset.config.transform == expected
    said = [text for each in notes if "transform" in (text := getattr(each, "text", ""))]
    assert said == [
        f"transform {expected}, chosen by regression on covariates in the training rows"
    ]
