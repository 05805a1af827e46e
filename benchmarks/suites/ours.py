"""Our forecaster: the command as a user runs it, or in a process that has TensorFlow already."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from common import forecast, run

import forecast_cli as fc

from .table import Asked

MODEL = "model.forecast"
Job = TypeVar("Job")
Result = TypeVar("Result")


def knows_preset(name: str) -> bool:
    """Whether the forecaster has a preset of that name."""
    return repr(name) in str(fc.Config.model_fields["preset"].annotation)


def train_as_command(folder: Path, table: Path, arguments: list[str], asked: Asked) -> float:
    """Run `forecast train` in a folder, where it leaves its model.

    Args:
        folder: Where it runs.
        table: What it learns from.
        arguments: Beside those that were asked for.
        asked: The preset and other settings.

    Returns:
        Wall time of the whole process, in seconds.
    """
    preset = ["--preset", asked.preset] if asked.preset else []
    more = [part for each in asked.assignments for part in ("--set", each)]
    command = forecast("train", table, *arguments, *preset, *more, "-m", MODEL, "-q")
    return run(command, folder).seconds


def predict_as_command(folder: Path) -> pd.DataFrame:
    """Run `forecast predict` with the model in a folder."""
    run(forecast("predict", "-m", MODEL, "-o", "forecast.csv"), folder)
    return pd.read_csv(folder / "forecast.csv")


def train_here(table: Path | pd.DataFrame, asked: Asked, **settings: Any) -> fc.Model:
    """Train in this process: as the command does, without a start of TensorFlow each time.

    Args:
        table: What is learned from.
        asked: The preset and other settings.
        **settings: As keyword arguments of `forecast_cli.train`.

    Raises:
        ForecastError: It cannot be trained.
    """
    if asked.preset:
        settings["preset"] = asked.preset
    if not asked.assignments:
        return fc.train(table, **settings)
    from forecast_cli.training import pipeline as training

    # What is given to `fc.train` as a whole configuration would count as said by hand.
    settings["column"] = (settings["column"],)
    config = fc.configure(settings, None, asked.assignments)
    return fc.Model(training.train(table, config))


def each_in_child(
    function: Callable[[Job], Result], jobs: Iterable[Job], at_once: int
) -> Iterator[tuple[Job, Result]]:
    """Do each piece of work in a process of its own, so that memory is given back."""
    context = get_context("spawn")
    with ProcessPoolExecutor(at_once, mp_context=context, max_tasks_per_child=1) as pool:
        futures = {pool.submit(function, job): job for job in jobs}
        for future in as_completed(futures):
            yield futures[future], future.result()
