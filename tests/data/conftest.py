"""Small tables on disk."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path, monkeypatch) -> Callable[..., str]:
    """Write a file and give its name, as a user in its folder would type it."""
    monkeypatch.chdir(tmp_path)

    def call(content: str | bytes, name: str = "table.csv") -> str:
        Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    return call
