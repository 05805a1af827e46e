"""Servers as processes of their own, and the browser, for tests of several folders."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")


@dataclass
class Process:
    """A server that runs.

    Args:
        process: It.
        url: Where it listens.
        errors: A file with its log.
        code: Its exit code, once it has ended.
    """

    process: subprocess.Popen
    url: str
    errors: Path
    code: int | None = None
    address: tuple[str, int] = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self.address = parts.hostname, parts.port

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        self.code = self.process.wait(60)
        return self.code

    @property
    def log(self) -> list[dict]:
        """The whole lines of the log."""
        lines = self.errors.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]


@contextmanager
def serving(folder: Path, *arguments: object, unread: bool = False) -> Iterator[Process]:
    """Run `forecast serve` on a free port, its log in a file, or in a pipe that is not read."""
    words = ["serve", *map(str, arguments), "--port", "0", "--json"]
    errors = Path(tempfile.mkstemp(".jsonl", dir=folder)[1])
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with errors.open("w") as log, subprocess.Popen(
        [sys.executable, "-m", "forecast_cli", *words],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE if unread else log,
        text=True, env=environment,
    ) as process:  # fmt: skip
        try:
            text = ""
            # The document ends with the brace in the first column.
            for line in process.stdout:
                text += line
                if line == "}\n":
                    break
            yield Process(process, json.loads(text)["url"], errors)
        finally:
            if process.poll() is None:
                process.kill()


def texts_drawn(page: Any, act: Callable[[], None]) -> list[str]:
    """The texts that the charts of a page draw while something is done."""
    page.evaluate("""() => {
        const plain = CanvasRenderingContext2D.prototype.fillText;
        window.drawn = [];
        CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
            window.drawn.push(text);
            plain.call(this, text, ...place);
        };
    }""")
    act()
    page.wait_for_function("window.drawn.length > 0")
    drawn: list[str] = page.evaluate("window.drawn")
    return drawn
