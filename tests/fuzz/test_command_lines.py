"""Random command lines end in a documented exit code."""

from pathlib import Path

import pytest

from .command_lines import DOCUMENTED, CommandLines, make_files

GOLDEN = Path(__file__).parents[1] / "golden"


def check_lines(run, folder, count, *, seed, trained=0.0):
    """Run random lines, of which none may end in another exception or exit code."""
    lines = CommandLines(make_files(folder, GOLDEN), seed, trained=trained)
    for _ in range(count):
        words = [each for each in lines.line() if each != "--debug"]
        make_files(folder, GOLDEN)
        code, _, err = run(*words)
        assert code in DOCUMENTED, (words, err)
        assert "Traceback" not in err, words


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_random_command_lines(run, tmp_path):
    check_lines(run, tmp_path, 80, seed=1)


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.filterwarnings("ignore")
def test_more_random_command_lines_of_which_some_train(run, tmp_path):
    check_lines(run, tmp_path, 200, seed=2, trained=0.02)
