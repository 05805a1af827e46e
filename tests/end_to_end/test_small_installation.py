"""An installation without TensorFlow, made by the steps of the Dockerfile, and what works in it."""

import json
import re
import subprocess
import sys
import tomllib
from io import StringIO
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd
import pytest

from forecast_cli.core.libraries import TRAINING

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
MOST_MEGABYTES = 470


def requirements(lines) -> set[str]:
    return {line for line in lines if line.strip() and not line.startswith("#")}


def test_the_requirements_are_those_of_the_package_without_those_of_trainings():
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    given = requirements((ROOT / "requirements" / "predict.txt").read_text().splitlines())
    left_out = {*TRAINING.values(), "babel"}
    expected = {
        each for each in about["dependencies"] if re.split("[<>=]", each)[0] not in left_out
    }
    assert given == expected | {*about["optional-dependencies"].get("serve", ())}


def test_the_dockerfile_copies_what_is_there_and_ends_without_root():
    steps = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", (ROOT / "Dockerfile").read_text()))
    parted = [line.split() for line in steps.splitlines() if line]
    sent = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().split("\n") if line[:1] == "!"
    }
    copied = {each for name, *rest in parted if name == "COPY" and "--from" not in rest[0]
              for each in rest[:-1]}  # fmt: skip
    assert copied == sent and all((ROOT / each).exists() for each in copied)
    bases = [place for place, step in enumerate(parted) if step[0] == "FROM"]
    last = {step[0]: step[1:] for step in parted[bases[-1] :]}
    assert len(bases) == 2 and parted[bases[0]][1] == parted[bases[1]][1]
    assert int(last["USER"][0].split(":")[0]) > 0
    assert last["HEALTHCHECK"] and last["ENTRYPOINT"] == ['["forecast"]']


def assert_is_golden(text):
    """Other processors round the last digit in another way."""
    found, golden = pd.read_csv(StringIO(text)), pd.read_csv(GOLDEN / "format-8.csv")
    pd.testing.assert_frame_equal(found, golden, rtol=1e-6)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The folder in the place of the image, and what was printed while it was made."""
    folder = tmp_path_factory.mktemp("image")
    script = [sys.executable, str(ROOT / "scripts" / "run_dockerfile.py"), str(folder)]
    done = subprocess.run(script, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


@pytest.fixture
def small(image, tmp_path):
    """Run the tool of the small installation: its exit code, stdout and stderr."""

    def run(*arguments, stdin=None):
        command = [image[0] / "opt" / "forecast" / "bin" / "forecast", *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, input=stdin, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def table(tmp_path):
    """Months of which the golden models know those before 2005."""
    months = pd.period_range("2002-01", "2008-12", freq="M")
    steps = np.arange(len(months))
    values = 100 + steps + 20 * np.sin(2 * np.pi * steps / 12)
    path = tmp_path / "months.csv"
    pd.DataFrame({"date": months.astype(str), "value": values}).to_csv(path, index=False)
    return path


@pytest.mark.slow
def test_it_is_small(image):
    sizes = [int(size) for size in re.findall(r"^  (\d+) MB$", image[1], re.MULTILINE)]
    empty, *_, installed, image_size = sizes
    assert installed - empty < MOST_MEGABYTES and image_size < MOST_MEGABYTES - 40
    folders = {each.name for each in image[0].glob("opt/forecast/lib/python*/site-packages/*")}
    assert not folders & {*TRAINING, "babel", "pip"}


@pytest.mark.slow
def test_it_predicts_and_evaluates(small, table):
    model = GOLDEN / "format-8.forecast"
    code, out, err = small("predict", "-m", model, "--level", "80")
    assert code == 0, err
    assert_is_golden(out)
    code, out, err = small("predict", "-", "-m", model, "--json", stdin=table.read_text())
    assert code == 0 and len(json.loads(out)["forecast"]) == 3
    code, out, err = small("predict", "-m", model, "--follow", stdin=table.read_text())
    assert code == 0, err
    last = [line.split(",", 1)[1] for line in out.splitlines()[-3:]]
    code, out, _ = small("predict", table, "-m", model, "-o", "-")
    assert (code, out.splitlines()[1:]) == (0, last)
    code, out, err = small("evaluate", table, "-m", model, "--json", "--fail-if", "mae > 0.001")
    found = json.loads(out)
    assert code == 6, err
    assert found["overall"] and "seasonal-naive" in found["verdict"]


@pytest.mark.slow
def test_it_makes_models_where_nothing_is_trained(small, table):
    code, out, err = small("train", table, "-c", "value")
    assert code == 0, err
    assert "pretrained" in out
    code, out, err = small("predict", "--level", "80")
    assert code == 0, err
    assert out.startswith("date,value,value_lo80,value_hi80\n2009-01,")


@pytest.mark.slow
def test_it_serves_and_is_healthy(image, table, tmp_path):
    """The health check of the Dockerfile ends with 0, and the forecast is that of `predict`."""
    (check,) = re.findall(r"\[\"python\", \"-c\", \"(.*)\"\]", (ROOT / "Dockerfile").read_text())
    command = [image[0] / "opt" / "forecast" / "bin" / "forecast", "serve", "--port", "0",
               GOLDEN / "format-8.forecast", "--json"]  # fmt: skip
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **quiet) as process:
        try:
            lines = iter(process.stdout.readline, b"}\n")
            url = json.loads(b"".join(lines) + b"}")["url"]
            check = check.replace("http://127.0.0.1:8000", url)
            assert subprocess.run([sys.executable, "-c", check]).returncode == 0
            request = Request(f"{url}/v1/models/format-8/predict?level=80", b"", method="POST")
            request.add_header("Accept", "text/csv")
            with urlopen(request, timeout=60) as answer:
                assert_is_golden(answer.read().decode())
        finally:
            process.terminate()
    assert process.wait(60) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "--help", "doctor", "train --help", "inspect MODEL", "inspect TABLE", "plot MODEL",
        "report MODEL -o page.html", "explain -m MODEL", "config", "examples", "plot TABLE",
        "backtest TABLE -c value -H 3 --models naive,seasonal-naive",
    ],
)  # fmt: skip
def test_what_trains_nothing_works(small, table, command):
    named = {"MODEL": GOLDEN / "format-8.forecast", "TABLE": table}
    code, _, err = small(*[named.get(word, word) for word in command.split()])
    assert code == 0 and "Traceback" not in err, err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("train TABLE -c value --epochs 3", "tensorflow"),
        ("train TABLE -c value --preset classic", "tensorflow"),
        ("compare TABLE -c value", "tensorflow"),
        ("tune TABLE -c value", "tensorflow"),
        ("backtest TABLE -c value -H 3 --models lstm", "scikit-learn"),
        ("export MODEL --format keras", "tensorflow"),
        ("export MODEL", "onnx"),
        ("plot MODEL -o chart.svg", "pip install 'matplotlib"),
        ("predict -m MODEL -o forecast.xlsx", "pip install 'openpyxl"),
    ],
)
def test_what_is_missing_is_said_in_one_line(small, table, command, missing):
    named = {"MODEL": GOLDEN / "format-8.forecast", "TABLE": table}
    code, out, err = small(*[named.get(word, word) for word in command.split()])
    errors = [line for line in err.splitlines() if line.startswith("error:")]
    assert (code, out, len(errors)) == (2, "", 1), err
    assert missing in errors[0] and "pip install" in errors[0] and err.endswith(errors[0] + "\n")
