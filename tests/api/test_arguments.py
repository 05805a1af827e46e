"""Wrong arguments of the public functions: an error of ours that says what was expected."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.core.arguments import checked

TABLE = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=60), "y": np.arange(60.0) % 7})
ROWS = pd.DataFrame(
    {
        "date": pd.date_range("2010-01-01", periods=10, freq="MS"),
        "value": range(100, 110),
        "other": range(90, 100),
    }
)


class Thing:
    pass


# Not one of these is valid anywhere that is called below.
WRONG = {
    "text": "abc",
    "fraction": 3.5,
    "negative": -1,
    "list": ["a", 1],
    "mapping": {"a": 1},
    "object": Thing(),
    "not a number": float("nan"),
    "bytes": b"3",
    "NumPy text": np.str_("abc"),
    "array": np.array([[1, 2]]),
    "set": {3},
    "table": TABLE,
    "true": True,
}
# Arguments by function, and the values above that they may be.
ARGUMENTS = {
    "predict": {
        "horizon": "",
        "start": "",
        "level": "fraction",
        "only": "",
        "intervals": "",
        "samples": "",
        "seed": "",
        "missing": "",
        "header": "",
        "no_header": "true",
        "na": "text, NumPy text",
        "on_event": "",
        "what_if": "",
    },
    "evaluate": {"start": "", "level": "fraction", "intervals": "", "owa": "true", "on_event": ""},
    "score": {"level": "fraction", "start": "", "owa": "true", "forecast": "", "on_event": ""},
    "train": {
        "horizon": "",
        "column": "",
        "units": "",
        "learning_rate": "",
        "cell": "",
        "stateful": "true",
        "config": "",
        "init_model": "",
        "on_event": "",
        "should_stop": "",
        "rescale": "true",
    },
    "backtest": {"plan": "", "config": "", "epochs": ""},
    "compare": {"plan": "", "config": "", "epochs": ""},
    "tune": {"search": "", "config": "", "epochs": ""},
    "inspect": {"freq": "", "dayfirst": "true", "season_length": ""},
    "future": {"horizon": ""},
    "Plan": {
        "models": "text, NumPy text",
        "n_windows": "",
        "refit_every": "",
        "jobs": "",
        "keep": "true",
    },
    "Search": {
        "trials": "",
        "time_budget": "fraction",
        "sampler": "",
        "metric": "",
        "jobs": "",
        "study": "text, NumPy text",
        "storage": "text, NumPy text",
        "space": "text, NumPy text, mapping",
    },
}
CALLS = [(name, argument) for name, each in ARGUMENTS.items() for argument in each]


@pytest.fixture(scope="module")
def model(golden):
    return fc.load(golden)


@pytest.fixture
def functions(model):
    return {
        "predict": lambda **given: model.predict(ROWS, **given),
        "evaluate": lambda **given: model.evaluate(ROWS, **given),
        "score": lambda **given: fc.evaluate(ROWS, ROWS, **given),
        "train": lambda **given: fc.train(TABLE, **({"column": "none"} | given)),
        "backtest": lambda **given: fc.backtest(TABLE, column="none", **given),
        "compare": lambda **given: fc.compare(TABLE, column="none", **given),
        "tune": lambda **given: fc.tune(TABLE, column="none", **given),
        "inspect": lambda **given: fc.inspect(TABLE, **given),
        "future": lambda **given: model.future(**given),
        "Plan": fc.Plan,
        "Search": fc.Search,
    }


@pytest.mark.parametrize(("name", "argument"), CALLS)
def test_a_value_of_a_wrong_type_is_refused_in_our_words(functions, name, argument):
    for kind, value in WRONG.items():
        if kind in ARGUMENTS[name][argument].split(", "):
            continue
        with pytest.raises(fc.ForecastError) as raised:
            functions[name](**{argument: value})
        said = str(raised.value)
        assert len(said) < 3000
        for words in ("nput should", "validation error", "unable to parse", "\n", " 0x"):
            assert words not in said, f"{argument}={kind}: {said}"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda m: m.predict(level="80"),
            "Invalid `level` '80': must be a number in percent.*Pass `level=80`",
        ),
        (
            lambda m: m.predict(horizon="3"),
            "Invalid `horizon` '3': must be a whole number. Pass `horizon=3`",
        ),
        (lambda m: m.predict(horizon=0), "Invalid `horizon` 0: must be at least 1"),
        (lambda m: m.predict(horizn=3), 'no option "horizn". Did you mean "horizon"'),
        (lambda m: m.predict(mising="drop"), 'no option "mising". Did you mean "missing"'),
        (
            lambda m: m.predict(missing="intrpolate"),
            'Unknown `missing` "intrpolate". Did you mean "interpolate"',
        ),
        (lambda m: m.update(), "update: missing a required argument: 'rows'"),
        (lambda m: m.save(None), "Invalid `path` None"),
        (lambda m: fc.load(3), "Invalid `path` 3: must be a path"),
        (lambda m: fc.train(TABLE, horizn=3), 'no setting "horizn". Did you mean "horizon"'),
        (lambda m: fc.train(TABLE, horizon="3"), "Invalid `horizon` '3'.*Pass `horizon=3`"),
        (lambda m: fc.train(TABLE, "y"), "Pass settings by their names"),
        (
            lambda m: fc.train(TABLE, column=3),
            'Invalid `column` 3: must be text.*Pass it as text: "3"',
        ),
        (lambda m: fc.train(TABLE, column="y", epochs=0), "epochs = 0: must be at least 1"),
        (
            lambda m: fc.train(TABLE, column="y", epochs=None),
            "epochs = None: must be a whole number.*Leave it out",
        ),
        (lambda m: fc.train(3), "A table cannot be read from 3. Give a path"),
        (lambda m: fc.train(Thing()), "A table cannot be read from .of type Thing."),
        (lambda m: m.evaluate(ROWS, begn="2010"), 'no option "begn". There are: table, start'),
        (lambda m: fc.configure(3), "Invalid `settings` 3: must be a mapping"),
        (lambda m: fc.configure({}, 3), "Invalid `base` 3: must be a mapping"),
        (lambda m: fc.configure({3: 4}), 'no setting "3"'),
        (lambda m: fc.configure(epocs=3), 'no setting "epocs". Did you mean "epochs"'),
        (lambda m: fc.Config(3), "made of its sections by their names"),
        (lambda m: fc.Config(epochs=3), "has no epochs. Put epochs into .training., or pass"),
        (lambda m: fc.Config(training={"epocs": 3}), 'no training.epocs. Did you mean "epochs"'),
        (lambda m: fc.Config(training={"epochs": "x"}), "epochs = 'x': must be a whole number"),
        (lambda m: setattr(fc.Config(), "level", 3), "`level` cannot be set"),
        (lambda m: setattr(fc.Config().training, "epochs", 3), "`epochs` cannot be set"),
        (lambda m: fc.Plan("naive", models="naive"), "Plan: an option is given twice"),
        (lambda m: fc.Plan(*range(8)), "Plan: an option is given twice, or there are too many"),
        (lambda m: fc.Plan(model="naive"), 'no option "model". Did you mean "models"'),
        (lambda m: fc.Search(trials="9"), "Invalid `trials` '9'.*Pass `trials=9`"),
        (lambda m: fc.Forecaster(horizn=3), 'no parameter "horizn". Did you mean "horizon"'),
    ],
)
def test_a_message_says_what_was_given_and_what_was_expected(model, call, words):
    with pytest.raises(fc.UsageError, match=words):
        call(model)


def test_values_of_other_libraries_are_taken(model, tmp_path):
    plain = model.predict(ROWS, horizon=2, start="2010-09-01")
    other = model.predict(
        ROWS,
        horizon=np.int64(2),
        level=np.array([]),
        start=pd.Timestamp("2010-09-01"),
        on_event=None,
        only=None,
    )
    pd.testing.assert_frame_equal(plain, other)
    later = model.predict(ROWS, horizon=2, start=np.datetime64("2010-09-01"))
    pd.testing.assert_frame_equal(plain, later)
    assert checked("level", np.array([80, 95.5]), "levels") == (80, 95.5)
    assert checked("level", np.float32(80), "levels") == (80,)
    model.save(str(tmp_path / "a.forecast"))
    fc.load(Path(tmp_path, "a.forecast"))
    assert fc.Plan(models=["naive"], n_windows=np.int32(3)) == fc.Plan(("naive",), 3)
    assert fc.configure({"units": np.array([8, 4])}).network.layers[1].units == 4


def test_a_configuration_is_shown_in_ten_lines(model):
    assert repr(fc.Config()) == "Config\n  all defaults"
    given = fc.configure(preset="classic", epochs=5, horizon=7)
    assert str(given).splitlines() == [
        "Config",
        "  preset=classic",
        "  window    horizon=7",
        "  training  epochs=5",
    ]
    lines = repr(model.config).splitlines()
    assert len(lines) <= 10
    assert max(map(len, lines)) <= 100
