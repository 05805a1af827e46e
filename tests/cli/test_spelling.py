"""Messages name settings in backticks, and the command line spells them as flags."""

import ast
import dataclasses
import inspect
import json
import re
from pathlib import Path
from typing import get_args

import pytest

import forecast_cli as fc
from forecast_cli.cli.command import COMMANDS, build
from forecast_cli.cli.console import show_error
from forecast_cli.cli.spelling import as_flags, translate
from forecast_cli.config.layers import Layer
from forecast_cli.config.schema import Config
from forecast_cli.config.settings import SETTINGS

PACKAGE = Path(fc.__file__).parent


@pytest.mark.parametrize(
    ("message", "flags"),
    [
        ("Lower `timesteps` or `horizon`.", "Lower --timesteps or --horizon."),
        (
            "Pass `missing=interpolate` or `missing=drop`.",
            "Pass --missing interpolate or --missing drop.",
        ),
        ("Pass `past_covariates=temp`.", "Pass --past-covariate temp."),
        ("Pass `column=my sales`.", "Pass --column 'my sales'."),
        ("Pass `stateful=false` and `refit=true`.", "Pass --no-stateful and --refit."),
        (
            "Pass `network.layers.0.use_bias=false`.",
            "Pass --set network.layers.0.use_bias=false.",
        ),
        ("`data.past_covariates` names none.", "--past-covariate names none."),
        ("`ensemble.timesteps=10,20`", "--member-timesteps 10,20"),
        ("`merge_mode` needs `bidirectional=true`.", "merge_mode needs --bidirectional."),
        ("Lower `n_windows`.", "Lower --n-windows."),
        ('column "a`b" and `` are left', 'column "a`b" and `` are left'),
    ],
)
def test_a_setting_in_backticks_becomes_its_flag(message, flags):
    assert as_flags(message) == flags


def test_only_messages_of_a_document_are_translated():
    document = {"notes": ["`epochs`"], "forecast": [{"name": "`epochs`"}], "verdict": "`epochs`"}
    assert translate(document) == {
        "notes": ["--epochs"],
        "forecast": [{"name": "`epochs`"}],
        "verdict": "--epochs",
    }


def test_errors_name_flags_on_stderr_and_in_the_document(capsys):
    error = fc.UsageError("Too long.", "Lower `batch_size`.")
    show_error(error, as_json=False)
    show_error(error, as_json=True)
    shown = capsys.readouterr()
    assert shown.err == "error: Too long. Lower --batch-size.\n"
    assert json.loads(shown.out)["error"]["hint"] == "Lower --batch-size."


def texts():
    """Each string of the package that is no docstring, with {} for what is filled in."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        docs = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        inner = {
            id(each) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for each in n.values
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [e.value if isinstance(e, ast.Constant) else "{}" for e in node.values]
                yield path.name, "".join(map(str, parts))
            elif (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in docs | inner
            ):
                yield path.name, node.value


def known_names() -> set[str]:
    """Settings, fields of layers, options of commands and parameters of functions."""
    layers = get_args(get_args(Layer)[0])
    names = {*SETTINGS} | {field for layer in layers for field in layer.model_fields}
    methods = [each for _, each in inspect.getmembers(fc.Model, inspect.isfunction)]
    functions = [fc.train, fc.backtest, fc.compare, fc.tune, *methods]
    names |= {name for each in functions for name in inspect.signature(each).parameters}
    options = {name for each in COMMANDS for option in build(each).params for name in option.opts}
    names |= {each.removeprefix("--").replace("-", "_") for each in options}
    # Names that are deprecated.
    names |= {"simple", "ensemble.simple", "begin"}
    return names | {
        field.name for each in (fc.Plan, fc.Search) for field in dataclasses.fields(each)
    }


def is_path(name: str) -> bool:
    """Whether a dotted path leads to a setting."""
    held = Config().model_dump()
    for part in name.replace("{}", "0").split("."):
        if isinstance(held, tuple | list):
            held = held[0]
        elif isinstance(held, dict) and part in held:
            held = held[part]
        else:
            return False
    return True


@pytest.mark.slow
def test_whatever_stands_in_backticks_is_a_setting():
    known = known_names()
    wrong = []
    for path, text in texts():
        # The text of a script that is written is no message.
        if path in ("spelling.py", "script_template.py"):
            continue
        for name in re.findall(r"`([^`=]*)(?:=[^`]*)?`", text):
            good = "{}" in name or name in known or ("." in name and is_path(name))
            wrong += [] if good else [f"{path}: {name}"]
    assert not wrong


@pytest.mark.parametrize(
    ("words", "old", "new"),
    [
        (["train", "none.csv", "--from", "m.forecast"], "--from", "--init-model"),
        (["train", "none.csv", "--from=m.forecast"], "--from", "--init-model"),
        (["predict", "none.csv", "--from", "2020-01-01"], "--from", "--start"),
        (["evaluate", "none.csv", "--from", "2020-01-01"], "--from", "--start"),
        (["backtest", "none.csv", "--refit", "always"], "--refit", "--refit-every"),
        (["train", "none.csv", "--simple", "naive"], "--simple", "--baselines"),
    ],
)
def test_the_spelling_of_the_version_before_works_with_a_warning(run, words, old, new):
    code, _, err = run(*words)
    assert code in (3, 4)
    assert f"warning: {old} is deprecated: use {new}\n" in err


def test_a_deprecated_variable_of_the_environment_works_with_a_warning(run, monkeypatch):
    monkeypatch.setenv("FORECAST_BACKTEST_REFIT", "often")
    code, _, err = run("backtest", "none.csv")
    assert (code, "Invalid --refit-every often" in err) == (2, True)
    assert "warning: FORECAST_BACKTEST_REFIT is deprecated: use FORECAST_REFIT_EVERY\n" in err
    assert "deprecated" not in run("backtest", "none.csv", "--refit-every", "always")[2]
