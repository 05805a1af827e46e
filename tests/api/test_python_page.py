"""The page about Python: its examples run, and every public name has one."""

import re
from pathlib import Path

import pytest

import forecast_cli as fc

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_every_public_name_is_on_the_page():
    missing = [name for name in fc.__all__ if not re.search(rf"\bfc\.{name}\b", PAGE)]
    assert not missing
    methods = [name for name in vars(fc.Model) if not name.startswith("_")]
    assert not [name for name in methods if not re.search(rf"\b{name}\b", PAGE)]


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.usefixtures("linear_training")
@pytest.mark.filterwarnings("default")
def test_the_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for number, block in enumerate(BLOCKS, start=1):
        exec(compile(block, f"example {number} of docs/python.md", "exec"), namespace)
