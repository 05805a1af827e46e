"""Every hint is tested by doing what it says."""

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.cli.command import COMMANDS, build
from forecast_cli.config.resolution import configure
from forecast_cli.config.settings import SETTINGS
from forecast_cli.core.errors import PROPOSAL, PROPOSED, ForecastError
from forecast_cli.core.events import ignore
from forecast_cli.training.pipeline import read_dataset

PACKAGE = Path(fc.__file__).parent
HEADER = {"header", "no_header"}
FEW = {"preset": "classic", "horizon": 2, "timesteps": 3, "validation": 0, "test": 0}


@dataclass(frozen=True)
class Bad:
    """A table that is refused, and what following the hints must keep.

    Args:
        text: The file.
        values: Its numbers of the target, in the order of time; all must be in the result.
        settings: With which it is read.
        lost: How many of the values may be lost, e.g. those of repeated rows.
        refused: Words of the first message.
        open: Whether some of the ways lead to another message and no further.
    """

    text: str | bytes
    refused: str
    values: tuple[float, ...] = tuple(range(1, 41))
    settings: dict = field(default_factory=dict)
    lost: int = 0
    open: bool = False


def days(form="%Y-%m-%d", rows=40, begin="2024-01-01", freq="D"):
    return pd.date_range(begin, periods=rows, freq=freq).strftime(form).tolist()


def table(times, cells=None, header="date,y", delimiter=","):
    cells = range(1, len(times) + 1) if cells is None else cells
    lines = [f"{time}{delimiter}{cell}" for time, cell in zip(times, cells, strict=True)]
    return "\n".join([header, *lines]) + "\n"


def replaced(cells, **changes):
    cells = [str(each) for each in cells]
    for place, cell in changes.items():
        cells[int(place[1:])] = cell
    return cells


ONE_TO = list(range(1, 41))
OPEN = pd.date_range("2024-01-01", periods=140)
OPEN = OPEN[OPEN.day_of_week < 6]
HOURS = pd.date_range("2024-10-25", periods=96, freq="h", tz="Europe/Berlin")
TWO = [time for time in days(rows=20) for _ in "ab"]

BAD = {
    "an empty cell": Bad(
        table(days(), replaced(ONE_TO, _7="")), "missing value", (*ONE_TO[:7], *ONE_TO[8:])
    ),
    "a marker": Bad(
        table(days(), replaced(ONE_TO, _7="k.A.")), 'holds "k.A."', (*ONE_TO[:7], *ONE_TO[8:])
    ),
    "a gap": Bad(
        table([*days()[:9], *days()[10:]], [*ONE_TO[:9], *ONE_TO[10:]]),
        "not regular",
        (*ONE_TO[:9], *ONE_TO[10:]),
    ),
    "many gaps": Bad(
        table([day for at, day in enumerate(days(rows=60)) if at % 3], range(1, 41)), "not regular"
    ),
    "a repeated row": Bad(table([*days()[:5], *days()[4:39]]), "duplicate timestamp", lost=2),
    "two series": Bad(
        table(TWO, [f"{'ab'[at % 2]},{at + 1}" for at in range(40)], "date,who,y"),
        "duplicate timestamps",
    ),
    "similar names": Bad(
        table(
            TWO,
            [f"{('S1', 'S2', 's2')[at % 2 + (at == 39)]},{at + 1}" for at in range(40)],
            "date,store,y",
        ),
        "only in case",
        settings={"series": ("store",)},
        open=True,
    ),
    "day or month": Bad(
        table([f"{month:02d}/01/2024" for month in range(1, 13)], range(1, 13)),
        "which could be",
        tuple(range(1, 13)),
    ),
    "a bad date": Bad(table(replaced(days(), _7="11:34")), 'holds "11:34"'),
    "offsets that change": Bad(
        table([each.isoformat() for each in HOURS], range(96)), "changes from", tuple(range(96))
    ),
    "a repeated hour": Bad(
        table(HOURS.strftime("%Y-%m-%d %H:%M"), range(96)),
        "duplicate timestamp",
        tuple(range(96)),
        lost=2,
    ),
    "a skipped hour": Bad(
        table(
            pd.date_range("2024-03-30", periods=72, freq="h", tz="Europe/Berlin").strftime(
                "%Y-%m-%d %H:%M"
            ),
            range(72),
        ),
        "not regular",
        tuple(range(72)),
    ),
    "comma or point": Bad(
        table(days(), [f'"{each},125"' for each in ONE_TO]),
        "which could be",
        tuple(each + 0.125 for each in ONE_TO),
        lost=40,
    ),
    "another encoding": Bad(
        (table(days(rows=9000), range(9000)) + "2048-08-22,\xb5\n").encode("latin-1"),
        "is not text in UTF-8",
        tuple(range(9000)),
        open=True,
    ),
    "open days": Bad(
        table(OPEN.strftime("%Y-%m-%d"), range(len(OPEN))), "open days", tuple(range(len(OPEN)))
    ),
    "open hours": Bad(
        table(
            [f"{day} {hour:02d}:00" for day in days(rows=20) for hour in range(9, 18)], range(180)
        ),
        "not regular",
        tuple(range(180)),
    ),
    "two rows": Bad(table(days(rows=2)), "too few", (1, 2), open=True),
    "another frequency": Bad(table(days()), "does not fit", settings={"freq": "W-SUN"}),
    "months by business day": Bad(
        table(days(rows=300)), "Invalid `resample=BME`", (), settings={"resample": "BME"}
    ),
    "a logarithm of zero": Bad(
        table(days(), replaced(ONE_TO, _7=0)),
        "needs values above",
        (*ONE_TO[:7], 0, *ONE_TO[8:]),
        settings={"transform": "log"},
    ),
    "an error relative to zero": Bad(
        table(days(), replaced(ONE_TO, _7=0)),
        "divides by the actual",
        (*ONE_TO[:7], 0, *ONE_TO[8:]),
        settings={"loss": "mape"},
    ),
    "no name above": Bad(
        table(days(), header="2023-12-31,0"), "of data", (0, *ONE_TO), settings={"column": "2"}
    ),
    "gaps that a state cannot skip": Bad(
        table(days(), replaced(ONE_TO, _20="")),
        "consecutive rows",
        (*ONE_TO[:20], *ONE_TO[21:]),
        settings={"stateful": True, "missing": "interpolate"},
        open=True,
    ),
    "no seasonal anchor": Bad(
        table(days()), "anchor=season", settings={"anchor": "season", "season_length": 1}
    ),
}


def read(path, settings):
    """The dataset that a training would be given: what it does before the first network."""
    column = {} if "column" in settings else {"column": "y"}
    return read_dataset(path, configure(FEW | column | settings), on_event=ignore)


def refusal(path, settings):
    """The error of a table, or its dataset."""
    try:
        return None, read(path, settings)
    except ForecastError as error:
        return error, None


def alternatives(error):
    """The settings with values that a hint proposes, those that belong together as one."""
    return [dict(PROPOSAL.findall(found[0])) for found in PROPOSED.finditer(error.hint)]


def value_of(name, text):
    setting = SETTINGS[name]
    if setting.kind == "bool":
        return text == "true"
    if setting.kind in ("int", "float"):
        return int(text) if setting.kind == "int" else float(text)
    return tuple(text.split(",")) if setting.kind == "names" else text


def follow(path, settings, error, steps=3):
    """Follow each way that a hint proposes: yields the dataset, or the error where it ends."""
    ways = alternatives(error)
    for way in ways:
        assert set(way) <= set(SETTINGS), f"{way} of: {error}"
        # One says that the line is data, the other that it is not.
        kept = {name: value for name, value in settings.items() if {name, *way} != HEADER}
        tried = kept | {name: value_of(name, text) for name, text in way.items()}
        further, dataset = refusal(path, tried)
        if further is None:
            yield way, dataset
            continue
        assert str(further) != str(error), f"{way} changes nothing: {error}"
        ended = list(follow(path, tried, further, steps - 1)) if steps else []
        yield from ended or [(way, further)]


@pytest.mark.parametrize("case", BAD)
def test_a_hint_leads_to_the_right_table_or_further(write, case):
    bad = BAD[case]
    path = write(bad.text)
    error, _ = refusal(path, bad.settings)
    assert error is not None, "not refused"
    assert bad.refused in str(error)
    ends = list(follow(path, bad.settings, error))
    assert ends, f"no way out: {error}"
    read_ = [end for _, end in ends if not isinstance(end, ForecastError)]
    assert read_ or bad.open, ends
    assert bad.open or len(read_) == len(ends), ends
    for dataset in read_:
        known = dataset.panel.values[:, 0]
        known = {*known[np.isfinite(known)].tolist()}
        lost = [value for value in bad.values if value not in known]
        assert len(lost) <= bad.lost, lost


def messages():
    """Every string below cli/ with a setting in backticks and a value, with its place."""
    for path in sorted(PACKAGE.rglob("*.py")):
        folder = path.relative_to(PACKAGE).parts[0]
        if folder in ("cli", "config"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and node.exc is not None:
                yield folder, path.name, ast.unparse(node.exc)


def options(command):
    """The options of a command, by the names that messages use."""
    return {str(each.name) for each in build(command).params}


USED_BY = {
    "forecasting": ("predict", "evaluate", "future"),
    "model": ("predict", "evaluate"),
    "training": ("train",),
    "networks": ("train",),
    "baselines": ("train", "backtest"),
    "backtesting": ("backtest",),
    "tuning": ("tune",),
}
# Options of commands whose parameter has another name.
OTHERS = {"begin", "forecast"}


def test_no_hint_proposes_an_option_that_the_command_does_not_have():
    known = {name: options(name) for name in COMMANDS}
    missing = []
    for folder, file, text in messages():
        commands = [*USED_BY.get(folder, COMMANDS), *(["train"] if " train" in text else [])]
        allowed = OTHERS.union(*(known[each] for each in commands))
        names = {name for name, _ in re.findall(r"`([a-z_]+)(=[^`]*)`", text)}
        missing += [f"{folder}/{file}: {name}" for name in names - allowed]
    assert missing == []


@pytest.fixture(scope="module")
def model(linear):
    frame = pd.DataFrame({"date": days(rows=60, begin="2023-11-01"), "y": np.arange(60.0)})
    return linear(frame, column="y", horizon=2, timesteps=3)


@pytest.mark.parametrize(
    "case",
    ["an empty cell", "a marker", "a gap", "many gaps", "a repeated row", "a bad date",
     "comma or point", "another encoding", "open days", "no name above", "day or month"],
)  # fmt: skip
def test_hints_of_predictions_name_options_of_predictions(write, model, case):
    path, settings = write(BAD[case].text), {}
    with pytest.raises(ForecastError) as caught:
        model.predict(path)
    error = caught.value
    allowed = options("predict")
    for _ in range(3):
        ways = alternatives(error)
        named = {name for name, _ in re.findall(r"`([a-z_]+)(=[^`]*)?`", str(error))}
        assert named <= allowed, str(error)
        if not ways:
            return
        settings |= {name: value_of(name, text) for name, text in ways[0].items()}
        try:
            model.predict(path, **settings)
        except ForecastError as further:
            assert str(further) != str(error), f"{ways[0]} changes nothing: {error}"
            error = further
        else:
            return
