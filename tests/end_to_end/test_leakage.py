"""Nothing that comes after an origin reaches the forecast from it, or its interval, on any path."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forecast_cli as fc
from forecast_cli.config.resolution import configure
from forecast_cli.core.events import ignore
from forecast_cli.data.reading import read_panel
from forecast_cli.evaluation import model_evaluation as judging
from forecast_cli.evaluation import scoring
from forecast_cli.evaluation.metrics.interval import IntervalSums
from forecast_cli.evaluation.scoring import baselines
from forecast_cli.forecasting.intervals.calibration import calibrate, validation_errors
from forecast_cli.forecasting.network_forecaster import NetworkForecaster
from forecast_cli.forecasting.prediction import predict
from forecast_cli.forecasting.prediction_request import PredictionRequest
from forecast_cli.training.pipeline import specify_intervals
from forecast_cli.training.preparation import make_dataset

ROWS, VALIDATION, TEST = 100, 20, 30
# In training, in validation, across the beginning of the test, and in the test up to its end.
GAPS = (range(8, 11), range(52, 54), range(67, 72), range(80, 84), (90,))
DATES = pd.date_range("2020-01-01", periods=ROWS)
BASE = {"horizon": 3, "timesteps": 6, "validation": VALIDATION, "test": TEST}
EVERYTHING = {
    "series": "shop",
    "past_covariates": ("p", "kind"),
    "future_covariates": ("x", "event"),
    "static_covariates": ("size", "region"),
    "calendar_features": ("dayofweek",),
}
POLICIES = ("interpolate", "ffill", "season", "mask")
# Origins right behind a gap, whose last filled value knows them.
LATER = (73, 84)
CASES = {
    "plain": {},
    "one step, fed back": {"preset": "classic", "mode": "many-to-one"},
    "two targets": {"column": ("y", "p")},
    "one of two": {"column": ("y", "p"), "target": "y"},
    "log": {"transform": "log", "scaler": "standard"},
    "series": {"series": "shop"},
    "series, one scaler": {"series": "shop", "scale_by": "all", "scaler": "robust"},
    "covariates": EVERYTHING,
    "covariates, one step": {
        **EVERYTHING,
        "preset": "classic",
        "past_covariates": (),
        "mode": "many-to-one",
    },
    **{f"gaps {name}": {"missing": name} for name in POLICIES},
    **{f"series gaps {name}": {"missing": name, "series": "shop"} for name in POLICIES},
    **{f"covariates gaps {name}": {**EVERYTHING, "missing": name} for name in POLICIES[::3]},
}
LEVEL = (50.0, 80.0, 95.0)
case = pytest.mark.parametrize("name", CASES)
# What the intervals of conformal are made of is part of what those of adaptive are.
cases_and_methods = pytest.mark.parametrize(
    ("name", "method"),
    [(name, method) for name, flat in CASES.items() for method in ("adaptive", "cqr")
     if method == "adaptive" or name in ("plain", "series", "covariates gaps mask")],
)  # fmt: skip


def one(name, seed, rows=ROWS, *, gaps=False):
    """A series with covariates of each kind; with gaps, at other rows for another seed."""
    draw = np.random.default_rng(seed)
    p, x = draw.normal(size=(2, rows))
    y = 50.0 * seed + 5 * np.sin(np.arange(rows) / 3) + draw.normal(size=rows)
    frame = pd.DataFrame(
        {
            "shop": name, "date": DATES[-rows:], "y": y, "p": 10 + p, "x": x,
            "kind": draw.choice(["a", "b"], rows), "event": draw.choice(["no", "sale"], rows),
            "size": 10.0 * seed, "region": "north" if seed % 2 else "south",
        }
    )  # fmt: skip
    if gaps:
        holes = DATES[[row - seed + 1 for gap in GAPS for row in gap]]
        frame.loc[frame["date"].isin(holes), "y"] = np.nan
        frame.loc[frame["date"].isin(DATES[76:79]), "p"] = np.nan
    return frame


def table(flat):
    """The rows that a case is about."""
    gaps = "missing" in flat
    whole = [one("A", 1, gaps=gaps)]
    if "series" in flat:
        whole += [one("B", 2, gaps=gaps), one("C", 3, 75, gaps=gaps)]
    frame = pd.concat(whole, ignore_index=True)
    return frame if "series" in flat else frame.drop(columns="shop")


def changed(frame, row, seed=9):
    """The same with other values from a date on: of all that is not known ahead."""
    draw, later = np.random.default_rng(seed), (frame["date"] >= DATES[row]).to_numpy()
    frame = frame.copy()
    for column in ("y", "p"):
        values = draw.uniform(1, 500, int(later.sum()))
        frame.loc[later, column] = frame.loc[later, column].where(
            frame.loc[later, column].isna(), values
        )
    frame.loc[later, "kind"] = draw.choice(["a", "b", "zoo"], int(later.sum()))
    return frame


def flat_of(name, **more):
    return {"column": "y", **BASE, **CASES[name], **more}


@pytest.fixture(scope="module")
def model_of(linear):
    """The model of a case; `unseen`: one that has not seen series B."""

    @cache
    def make(name, method="conformal", *, unseen=False):
        flat = flat_of(name, intervals=method, level=LEVEL)
        if unseen or method != "conformal":
            flat["transform"] = make(name).config.transform
        frame = table(flat)
        return linear(frame[frame["shop"] != "B"] if unseen else frame, **flat)

    return make


def made(frame, flat):
    """The dataset of a training."""
    config = configure(flat)
    return make_dataset(read_panel(frame, config.data, on_event=ignore), config, on_event=ignore)


def scored(network, simple, origins, claims):
    """The sums of a scoring, and all that it has forecast: points, ends of intervals, baselines."""
    ends = []

    class Recorder(IntervalSums):
        def add(self, actual, lower, upper, series):
            ends.append((lower, upper))
            super().add(actual, lower, upper, series)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "IntervalSums", Recorder)
        sums = scoring.score(network, simple, origins, claims)
    # A stateful network goes along the rows once.
    anew = NetworkForecaster(network.dataset, network.runtime, network.dropout)
    sides = [np.concatenate(side) for side in zip(*ends, strict=True)]
    return sums, [anew(origins), *sides, *(each(origins) for each in simple.values())]


def scored_in_training(dataset, runtime):
    """The network on the test split of a training, the origins, and all that is forecast."""
    network = NetworkForecaster(dataset, runtime)
    validation, origins = validation_errors(network), dataset.origins("test")
    calibration = calibrate(dataset, validation)
    if calibration is None or not len(origins):
        return None
    claims = specify_intervals(calibration, dataset, validation)
    return network, origins, scored(network, baselines(dataset, origins), origins, claims)[1]


def before(network, origins, values, row):
    """The origins up to a date, and what belongs to them."""
    kept = np.asarray(network.dataset.panel.timeline.times[origins] <= DATES[row])
    assert kept.any()
    return [origins[kept], *(value[kept] for value in values)]


def same(ours, theirs):
    """Whether arrays are equal to the bit."""
    pairs = zip(ours, theirs, strict=True)
    return all(np.array_equal(mine, other, equal_nan=True) for mine, other in pairs)


# In training: the scores of the test split.


@cases_and_methods
def test_scores_in_training(model_of, name, method):
    flat = flat_of(name, intervals=method, level=LEVEL)
    # That the choice of a transform sees no test row is tested by what is learned.
    flat["transform"] = model_of(name).config.transform
    frame, runtime = table(flat), model_of(name, method).bundle.runtime

    whole = scored_in_training(made(frame, flat), runtime)
    for row in LATER:
        other = scored_in_training(made(changed(frame, row), flat), runtime)
        assert same(before(*whole, row), before(*other, row))


@case
def test_the_test_part_changes_nothing_that_is_learned(linear, model_of, name):
    flat = flat_of(name, level=LEVEL)
    frame, first = table(flat), model_of(name).bundle
    other = changed(frame, ROWS - TEST)
    second = linear(other, **flat).bundle
    assert second.manifest.config == first.manifest.config
    assert second.manifest.scaling == first.manifest.scaling
    assert second.manifest.splits == first.manifest.splits
    flat["transform"] = first.manifest.config.transform
    assert same(learned(first, made(frame, flat)), learned(second, made(other, flat)))


def learned(bundle, dataset):
    """All that training reads, and what it measures before the test."""
    early = np.asarray(dataset.panel.timeline.times < DATES[ROWS - TEST])
    calibration, scaling = bundle.calibration, dataset.scaling
    scaled = scaling.each(dataset.panel.owners).transform(dataset.filled)[early]
    starts = [dataset.starts(part, horizon=3) for part in ("train", "validation")]
    return [
        scaled, *starts, dataset.naive, bundle.naive, dataset.units.naive_error, scaling.center,
        scaling.scale, calibration.errors, calibration.units, calibration.recent,
    ]  # fmt: skip


# A saved model on rows of a table.


def judged(model, frame, monkeypatch, **more):
    """The network of an evaluation, its origins, and the forecasts and intervals from them."""
    seen = []

    def spy(network, simple, origins, claims=None):
        sums, values = scored(network, simple, origins, claims)
        seen.append((network, origins, values))
        return sums

    monkeypatch.setattr(judging, "score", spy)
    judging.evaluate_model(model.bundle, frame, level=LEVEL, **more)
    return seen[0]


@cases_and_methods
def test_a_saved_model_judged_on_rows(model_of, monkeypatch, name, method):
    frame, model = table(flat_of(name)), model_of(name, method)
    whole = judged(model, frame, monkeypatch)
    for row in LATER:
        assert same(
            before(*whole, row), before(*judged(model, changed(frame, row), monkeypatch), row)
        )


SEVERAL = [name for name, flat in CASES.items() if "series" in flat]


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("begin", [None, "2020-03-11"])
def test_a_series_that_training_has_not_seen(model_of, monkeypatch, name, begin):
    frame, model = table(flat_of(name)), model_of(name, "adaptive", unseen=True)
    whole = judged(model, frame, monkeypatch, begin=begin)
    for row in (73, 90):
        other = judged(model, changed(frame, row), monkeypatch, begin=begin)
        assert same(before(*whole, row), before(*other, row))


ASKED = (
    {"level": LEVEL}, {"level": LEVEL, "intervals": "adaptive"},
    {"samples": 3, "intervals": "adaptive"}, {"samples": 3},
)  # fmt: skip


@case
@pytest.mark.parametrize("begin", [72, 82])
def test_a_forecast_from_a_date(model_of, name, begin):
    """Every pair of a case, a date and a request."""
    frame, model = table(flat_of(name)), model_of(name, unseen=name in SEVERAL)
    for more in ASKED[(list(CASES).index(name) + (begin == 82)) % 2 :: 2]:
        wanted = PredictionRequest(begin=DATES[begin].isoformat(), **more)
        first, second = (
            predict(model.bundle, rows, wanted) for rows in (frame, changed(frame, begin))
        )
        pd.testing.assert_frame_equal(first, second, check_exact=True)


@case
def test_one_step_over_every_row(model_of, name):
    frame, model = table(flat_of(name)), model_of(name, unseen=name in SEVERAL)
    names = [*(["shop"] if name in SEVERAL else []), "date", "y_forecast"]
    for row in (30, 72, 82, 84):
        first, second = (
            model.predict_in_sample(rows)[lambda found, row=row: found["date"] <= DATES[row]][names]
            for rows in (frame, changed(frame, row))
        )
        assert first["y_forecast"].notna().any()
        pd.testing.assert_frame_equal(first, second, check_exact=True)


# Any gaps, any origin.


@settings(deadline=None, max_examples=25)
@given(
    holes=st.sets(st.integers(1, ROWS - 1), max_size=60),
    row=st.integers(76, ROWS - 4),
    policy=st.sampled_from(POLICIES),
    mode=st.sampled_from(["many-to-one", "many-to-many"]),
)
def test_any_gaps_and_any_origin(model_of, holes, row, policy, mode):
    flat = {"preset": "classic", "missing": policy, "mode": mode, "level": LEVEL}
    flat = flat_of("plain", intervals="adaptive", **flat)
    frame = table({})
    frame.loc[sorted(holes), "y"] = np.nan
    runtime = model_of("plain" if mode == "many-to-many" else "one step, fed back").bundle.runtime
    found = []
    for rows in (frame, changed(frame, row)):
        whole = scored_in_training(made(rows, flat), runtime)
        if whole is None:
            return
        network, origins, values = whole
        times = network.dataset.panel.timeline.times[origins]
        found.append([each[times <= DATES[row]] for each in (origins, *values)])
    assert same(*found)


# Networks of every kind.

NETWORKS = {
    "relative to the last value": {"anchor": "last", "window_scale": "std", "skip": "linear"},
    "a forecast at every step": {"head": "sequence"},
    "with a state, adaptive": {"stateful": True, "intervals": "adaptive"},
    "under dropout": {"dropout": 0.2, "intervals": "dropout"},
    "normalised, of series": {**CASES["covariates gaps interpolate"], "intervals": "cqr"},
    "masked, of series": CASES["covariates gaps mask"],
}
TRAINED = {"preset": "classic", "units": 4, "cell": "rnn", "epochs": 1, "patience": 0}


@pytest.mark.tf
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_every_kind(monkeypatch, name):
    """What follows the test part's beginning changes no weight, and nothing looks ahead."""
    flat = {"column": "y", **BASE, **TRAINED, **NETWORKS[name], "level": LEVEL}
    frame, row = table(flat), 86
    model, other = (fc.train(rows, **flat) for rows in (frame, changed(frame, ROWS - TEST)))
    assert other.bundle.weights == model.bundle.weights
    assert other.bundle.manifest.scaling == model.bundle.manifest.scaling
    for part in ("errors", "units", "recent"):
        assert same(*[[getattr(each.bundle.calibration, part)] for each in (model, other)])
    # Neither in a judgement, nor in a forecast from a date, nor in those of one step.
    rows = (frame, changed(frame, row))
    assert same(*(before(*judged(model, each, monkeypatch), row) for each in rows))
    wanted = PredictionRequest(begin=DATES[row].isoformat(), level=LEVEL)
    first, second = (predict(model.bundle, each, wanted) for each in rows)
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    steps = [model.predict_in_sample(each)["y_forecast"].to_numpy() for each in rows]
    dates = model.predict_in_sample(frame)["date"].to_numpy() <= DATES[row]
    assert same([steps[0][dates]], [steps[1][dates]])
