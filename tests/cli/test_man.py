"""The manual page, as man reads it."""

import re
import shutil
import subprocess

import pytest

from forecast_cli.cli.command import COMMANDS
from forecast_cli.config.settings import SETTINGS


@pytest.fixture
def page(run, tmp_path):
    assert run("man", "-o", "forecast.1") == (0, "", "")
    return (tmp_path / "forecast.1").read_text()


def test_it_holds_every_command_every_setting_and_every_exit_code(page):
    text = page.replace(r"\-", "-")
    assert all(f'.SH "FORECAST {name.upper()}"' in text for name in COMMANDS)
    assert all(re.search(rf"{each.spelled}\b", text) for each in SETTINGS.values())
    assert all(rf"\fB{code}\fR" in text for code in (0, 1, 2, 3, 4, 5, 6, 130))


def test_man_finds_no_mistake_in_it(page):
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww", "-z"], input=page, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
