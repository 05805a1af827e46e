"""The page about Python has an example of every public name."""

import re
from pathlib import Path

import forecast_cli as fc

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text()


def test_every_public_name_is_on_the_page():
    missing = [name for name in fc.__all__ if not re.search(rf"\bfc\.{name}\b", PAGE)]
    assert not missing
    methods = [name for name in vars(fc.Model) if not name.startswith("_")]
    assert not [name for name in methods if not re.search(rf"\b{name}\b", PAGE)]
