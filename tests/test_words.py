"""Messages, help, docstrings and pages use the standard terms of forecasting."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# What to write instead of a word that only this project would use.
INSTEAD = {
    r"simple forecasts?": "baseline",
    r"likewise": "as ...",
    r"steps back": "lookback, or input window",
    r"what came": "actual values",
    r"mend(?:s|ed|ing)?": "fix",
    r"(?:what|as) (?:is|was) said|(?:is|was) said": "given, or specified",
    r"doubt(?:s|ful)?": "warning",
    r"lives? on": "is carried over",
    r"foretells?": "predicts",
    r"by chance|could be chance": "significant",
    r"contenders?": "model",
    r"yardsticks?": "baseline",
    r"standings": "results",
    r"contests?": "comparison",
    r"told (?:of|what)|is told": "notified of",
    r"at the (?:least|most)": "at least, at most",
    r"teaches|kept are|who takes part|what each counts": "a plain sentence",
    r"somebody|nobody|whoever|whatever": "who or what it is",
    r"again and again": "repeated",
    r"anew": "again, or from scratch",
    r"drawn towards": "shrunk towards",
    r"stands? (?:in for|beside)": "replaces, or is compared with",
    r"goes? on from": "continues from",
    r"cannot be\.": "Invalid ...: must be ...",
}
WORDS = re.compile("|".join(f"(?P<w{n}>\\b(?:{word}))" for n, word in enumerate(INSTEAD)), re.I)
# Old names that are read, and only there.
OLD = {"config/deprecated.py", "model/upgrade.py"}
FILES = sorted((ROOT / "forecast_cli").rglob("*.py"))
PAGES = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))


def strings(path: Path):
    """Each string of a file, docstrings among them, with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def found(text: str, line: int) -> list[str]:
    words = [
        (match, list(INSTEAD.values())[int(match.lastgroup[1:])]) for match in WORDS.finditer(text)
    ]
    return [
        f'line {line + text[: match.start()].count(chr(10))}: "{match[0]}": {better}'
        for match, better in words
    ]


def test_strings_and_docstrings_use_the_terms_of_the_field():
    wrong = {}
    for path in FILES:
        name = path.relative_to(ROOT / "forecast_cli").as_posix()
        wrong[name] = [each for line, text in strings(path) for each in found(text, line)]
    assert not {name: each for name, each in wrong.items() if each and name not in OLD}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_use_the_terms_of_the_field(path):
    if path.name == "CHANGELOG.md":
        # Old spellings stand in code.
        assert not found(re.sub(r"`[^`]*`", "", path.read_text()), 1)
    else:
        assert not found(path.read_text(), 1)


def test_the_list_finds_its_own_words():
    assert found("A Contender, by chance.", 1) == [
        'line 1: "Contender": model',
        'line 1: "by chance": significant',
    ]
