"""The help of each command: examples and common options; all of them by group."""

import re
import shlex

import pytest
import typer

from forecast_cli.cli.command import COMMANDS, GROUPS, build
from forecast_cli.config.settings import SETTINGS


def options(text: str) -> set[str]:
    """The long flags that a help lists."""
    return set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", text, flags=re.MULTILINE))


def test_the_first_screen_names_every_command_by_what_it_is_for(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run("--help")
    assert code == 0 and out == run("-h")[1] == run("help")[1] == run()[1]
    lines = out.splitlines()
    assert len(lines) < 24 and max(map(len, lines)) <= 80
    assert re.findall(r"^(\w+) +\w+  ", out, flags=re.MULTILINE) == [*GROUPS]
    for commands in GROUPS.values():
        assert all(re.search(rf"\b{name}  +{text[:20]}", out) for name, text in commands.items())


def test_the_first_screen_fits_a_narrow_terminal(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, run("--help")[1].splitlines())) <= 60


def test_the_help_of_train_shows_a_dozen_options_and_the_whole_help_every_setting(run):
    short, whole = run("train", "--help")[1], run("train", "--help", "all")[1]
    assert 11 <= len(options(short)) <= 16
    assert {each.spelled for each in SETTINGS.values()} <= options(whole)
    assert options(short) < options(whole)
    headings = re.findall(r"^(\w.*):$", whole, flags=re.MULTILINE)
    assert headings[0] == "Examples" and headings[-1] == "Output"
    assert {each.group for each in SETTINGS.values()} < {*headings}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_short_help_fits_a_screen_and_a_half(run, name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert len(run(name, "--help")[1].splitlines()) <= 36


def test_the_whole_help_has_four_names(run):
    whole = run("predict", "--help", "all")[1]
    assert run("predict", "--help-all")[1] == run("help", "predict", "--all")[1] == whole
    assert run("help", "predict", "all")[1] == whole
    assert run("help", "predict")[1] == run("predict", "--help")[1]


def test_the_version_has_a_short_flag(run):
    assert run("-V") == run("--version")
    assert run("-V")[1].startswith("forecast ")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_help_begins_with_three_examples_that_parse(run, name):
    code, out, _ = run(name, "--help")
    assert code == 0 and out.index("Examples:") < out.index("Options:")
    assert COMMANDS[name].removesuffix(".") in " ".join(out.split())
    examples = re.findall(r"^  forecast (.*)$", out, flags=re.MULTILINE)
    assert len(examples) == 3
    for example in examples:
        own, *words = shlex.split(example.partition(" > ")[0])
        assert own == name
        build(name).make_context(name, words)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_whole_help_lists_every_option(run, name):
    whole = run(name, "--help", "all")[1]
    flags = {option.opts[0] for option in build(name).params if option.opts[0][:2] == "--"}
    assert flags <= options(whole)


def test_what_follows_two_hyphens_is_no_flag(run):
    code, _, err = run("inspect", "--", "--help")
    assert code == 3 and "--help" in err


def test_a_choice_completes():
    command = build("train")
    (cell,) = [each for each in command.params if each.name == "cell"]
    found = cell.shell_complete(typer.Context(command), "l")
    assert [each.value for each in found] == ["lstm"]
