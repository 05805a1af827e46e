"""ETTh1: forecasts from every hour of the test months, standardized by the training months.

12, 4 and 4 months of 30 days; each window looks back as far as it likes, into the validation
months too. The mean squared and absolute error over windows, steps and channels.

Source: Zhou et al. (2021), Informer, for the protocol; Lin et al. (2023), SegRNN; Nie et al.
(2023), PatchTST; Zeng et al. (2023), NLinear, for the published figures.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

import forecast_cli as fc
from forecast_cli.core.events import ignore
from forecast_cli.forecasting.history import READ_AS_TRAINED, make_history, read_as_trained
from forecast_cli.forecasting.saved_model_data import forecaster_for, scoring_dataset

from .ours import MODEL, train_as_command
from .table import PUBLISHED, SECONDS, Asked, Line, Table, over_seeds, plain, progress, reached

Array = np.ndarray
MONTH = 30 * 24
TRAIN, VALIDATION, TEST = 12 * MONTH, 4 * MONTH, 4 * MONTH
BEGIN, END = TRAIN + VALIDATION, TRAIN + VALIDATION + TEST
HORIZONS = (96, 192, 336, 720)
# What the closed-form linear map looks back on, and how it is drawn towards the last value; from 1
# to 10,000 its scores are the same to two digits.
BACK, RIDGE = 336, 1000.0
# Windows forecast at a time.
PIECE = 256

Scores = Mapping[int, Sequence[float]]
ALL_PUBLISHED: dict[str, Scores] = {
    "SegRNN (GRU, 720 back)": {
        96: (0.351, 0.392), 192: (0.392, 0.414), 336: (0.423, 0.433), 720: (0.466, 0.472),
    },
    "PatchTST (512 back)": {
        96: (0.370, 0.400), 192: (0.413, 0.429), 336: (0.422, 0.440), 720: (0.447, 0.468),
    },
    "plain GRU (720 back)": {96: (1.135,), 192: (1.123,), 336: (1.080,), 720: (1.089,)},
}  # fmt: skip
ALL_LIMITS: Scores = {96: (0.360, 0.39), 192: (0.392, 0.41), 336: (0.423, 0.43), 720: (0.434, 0.45)}
OT_PUBLISHED: dict[str, Scores] = {
    "NLinear (336 back)": {
        96: (0.053, 0.177), 192: (0.069, 0.204), 336: (0.081, 0.226), 720: (0.080, 0.226),
    },
}  # fmt: skip
OT_LIMITS: Scores = {96: (0.053,), 192: (0.068,), 336: (0.079,), 720: (0.079,)}


def measure_all(asked: Asked) -> Table:
    return measure(asked, (), ALL_LIMITS, ALL_PUBLISHED)


def measure_ot(asked: Asked) -> Table:
    return measure(asked, ("OT",), OT_LIMITS, OT_PUBLISHED)


def measure(
    asked: Asked, columns: Sequence[str], limits: Scores, published: Mapping[str, Scores]
) -> Table:
    """Train for each horizon, and forecast from every row of the test months."""
    horizons = HORIZONS[:1] if asked.quick else HORIZONS
    table = pd.read_csv(asked.data / "ett" / "ETTh1.csv").iloc[:END]
    names = list(columns or table.columns[1:])
    values = standardized(table[names].to_numpy())
    with TemporaryDirectory() as folder:
        path = Path(folder) / "etth1.csv"
        table[[table.columns[0], *names]].to_csv(path, index=False)
        runs = [ours(path, table[names], horizons, seed, asked) for seed in asked.seeds]
    lines = over_seeds("ours", [run | {SECONDS: sum_of(run)} for run in map(dict, runs)])
    goals, short = reached(named({horizon: limits[horizon] for horizon in horizons}), runs)
    lines += goals
    for name, forecaster in SIMPLE.items():
        lines.append(simple(name, forecaster, values, horizons))
    for name, figures in published.items():
        known = {horizon: figures[horizon] for horizon in horizons}
        lines.append(plain(name, named(known), PUBLISHED))
    what = f"{len(names)} channels" if len(names) > 1 else f"{names[0]} alone"
    notes = [
        f"MSE and MAE of standardized values, every window of the {TEST:,} test hours",
        "seconds: forecast train of all horizons together, its own scoring included",
    ]
    details = [{"seed": seed, **run} for seed, run in zip(asked.seeds, runs, strict=True)]
    shown = [*named(dict.fromkeys(horizons, (0.0, 0.0))), SECONDS]
    return Table(f"ETTh1, {what}", "forecaster", shown, lines, notes, details, short)


def sum_of(run: dict[str, float]) -> float:
    """The seconds of all horizons, which leave the run."""
    return sum(run.pop(name) for name in list(run) if name.endswith(SECONDS))


def named(figures: Scores) -> dict[str, float]:
    """Errors by the name of their column."""
    return {
        f"{horizon} {measure}": figure
        for horizon, each in figures.items()
        for measure, figure in zip(("MSE", "MAE"), each, strict=False)
    }


def standardized(values: Array) -> Array:
    """By mean and standard deviation of the training rows."""
    rows = values[:TRAIN]
    scaled: Array = (values - rows.mean(axis=0)) / rows.std(axis=0)
    return scaled


def ours(
    path: Path, table: pd.DataFrame, horizons: Sequence[int], seed: int, asked: Asked
) -> dict[str, float]:
    """The errors at each horizon, and the seconds of each training."""
    figures: dict[str, float] = {}
    columns = [part for name in table.columns for part in ("--column", str(name))]
    for horizon in horizons:
        progress(f"ETTh1, {table.shape[1]} channels, horizon {horizon}, seed {seed}")
        arguments = [*columns, "--horizon", str(horizon), "--seed", str(seed)]
        # The model that is scored must not have learned from the test months.
        arguments += ["--scaler", "standard", "--no-refit"]
        arguments += ["--validation", str(VALIDATION), "--test", str(TEST)]
        seconds = train_as_command(path.parent, path, arguments, asked)
        figures |= named({horizon: errors_of_model(path, table, horizon)})
        figures[f"{horizon} {SECONDS}"] = seconds
        progress(f"  {', '.join(f'{name} {value:.3f}' for name, value in figures.items())}")
    return figures


def errors_of_model(path: Path, table: pd.DataFrame, horizon: int) -> tuple[float, float]:
    """Of the model beside a table, MSE and MAE."""
    bundle = fc.load(path.with_name(MODEL)).bundle
    panel = read_as_trained(bundle, path, READ_AS_TRAINED, ignore)
    history = make_history(bundle, panel, ignore)
    forecaster = forecaster_for(bundle, scoring_dataset(bundle, history, np.array([BEGIN])))
    values = table[list(panel.columns.targets)].to_numpy()
    deviation = values[:TRAIN].std(axis=0)
    return errors(values / deviation, lambda rows: forecaster(rows) / deviation, horizon)


def errors(
    values: Array, forecaster: Callable[[Array], Array], horizon: int
) -> tuple[float, float]:
    """MSE and MAE over all windows, steps and channels.

    Args:
        values: Shape `(n_rows, channels)`, in the units of the errors.
        forecaster: From rows of first targets to forecasts, shape `(samples, horizon, channels)`.
        horizon: Steps ahead.
    """
    squared = absolute = 0.0
    origins = np.arange(BEGIN, END - horizon + 1)
    for first in range(0, len(origins), PIECE):
        rows = origins[first : first + PIECE]
        error = forecaster(rows) - values[rows[:, None] + np.arange(horizon)]
        squared += float(np.sum(error**2))
        absolute += float(np.sum(np.abs(error)))
    count = len(origins) * horizon * values.shape[1]
    return squared / count, absolute / count


def last_value(values: Array, horizon: int) -> Callable[[Array], Array]:
    return lambda rows: np.repeat(values[rows - 1][:, None], horizon, axis=1)


def linear_map(values: Array, horizon: int) -> Callable[[Array], Array]:
    """Ridge regression of what follows a window on the window, without the window's last value.

    One matrix for all channels, fitted on windows whose targets lie in the training rows.
    """
    gram, cross = np.zeros((BACK, BACK)), np.zeros((BACK, horizon))
    for channel in values[:TRAIN].T:
        rows = sliding_window_view(channel, BACK + horizon)
        rows = rows - rows[:, [BACK - 1]]
        gram += rows[:, :BACK].T @ rows[:, :BACK]
        cross += rows[:, :BACK].T @ rows[:, BACK:]
    matrix = np.linalg.solve(gram + RIDGE * np.eye(BACK), cross)

    def forecast(rows: Array) -> Array:
        windows = values[rows[:, None] - np.arange(BACK, 0, -1)]
        last = windows[:, -1:]
        ahead: Array = np.einsum("nbc,bh->nhc", windows - last, matrix, optimize=True) + last
        return ahead

    return forecast


SIMPLE = {"naive": last_value, f"closed-form linear map ({BACK} back)": linear_map}


def simple(
    name: str,
    fit: Callable[[Array, int], Callable[[Array], Array]],
    values: Array,
    horizons: Sequence[int],
) -> Line:
    """The errors of a simple forecast, with the seconds of fitting and forecasting."""
    progress(f"ETTh1, {values.shape[1]} channels, {name}")
    began = perf_counter()
    figures = named({each: errors(values, fit(values, each), each) for each in horizons})
    return plain(name, figures | {SECONDS: perf_counter() - began})
