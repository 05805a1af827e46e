"""The task that labels imply: regression of numbers, or classification."""

import numpy as np
import pandas as pd

from ...config.registries import LOSSES
from ...config.schema import Config
from ...core.errors import DataError, UsageError
from ...core.events import Listener, Note
from ...core.windows import Floats, Ints
from ...model.manifest import Class

# Whole numbers are classes where so few are distinct, and each occurs so often on average.
MOST_CLASSES = 20
LEAST_EACH = 5


def with_task(config: Config, labels: pd.DataFrame, on_event: Listener) -> Config:
    """Return the configuration with task and loss filled in.

    Raises:
        UsageError: The loss or the labels do not go with the task.
    """
    task = config.data.task or _infer_task(labels, on_event)
    if task == "classification" and len(labels.columns) > 1:
        raise UsageError(
            f"Classification takes one label, not {len(labels.columns)}.",
            "Name one of them, or pass `task=regression`.",
        )
    default = "cross-entropy" if task == "classification" else "mse"
    loss = config.training.loss or default
    classes = task == "classification"
    valid = [n for n, e in LOSSES.items() if (e.for_classes if classes else e.for_labels)]
    if loss not in valid:
        raise UsageError(
            f"The loss {loss} is not for {task}.",
            "Pass " + " or ".join(f"`loss={each}`" for each in valid) + ".",
        )
    return config.changed(data={"task": task}, training={"loss": loss})


def _infer_task(labels: pd.DataFrame, on_event: Listener) -> str:
    """Return the task that the labels suggest, and note it."""
    names = ", ".join(map(str, labels))
    first = labels.iloc[:, 0]
    count = first.nunique()
    number = "task regression: {} (`task=classification` for classes)"
    classes = "task classification: {} (`task=regression` for numbers)"
    if len(labels.columns) > 1:
        on_event(Note(number.format(f"{names} are {len(labels.columns)} labels")))
        return "regression"
    if not pd.api.types.is_numeric_dtype(first) or pd.api.types.is_bool_dtype(first):
        on_event(Note(classes.format(f'"{names}" has {count} distinct words')))
        return "classification"
    whole = bool((first == first.round()).all())
    if whole and count <= min(MOST_CLASSES, len(first) // LEAST_EACH):
        on_event(Note(classes.format(f'"{names}" has {count} distinct whole numbers')))
        return "classification"
    on_event(Note(number.format(f'"{names}" has {count} distinct numbers')))
    return "regression"


def read_label_numbers(labels: pd.DataFrame, source: str) -> Floats:
    """Return labels as numbers, shape `(n_sequences, labels)`.

    Raises:
        DataError: One is not a finite number.
    """
    for name in labels:
        if not pd.api.types.is_numeric_dtype(labels[name]):
            raise DataError(
                f'{source}: the label "{name}" holds "{labels[name][0]}", not numbers.',
                "Pass `task=classification`.",
            )
        wild = np.flatnonzero(~np.isfinite(labels[name].to_numpy(np.float64)))
        if len(wild):
            raise DataError(
                f'{source}: the label "{name}" of sequence {wild[0] + 1} is '
                f"{labels[name][wild[0]]}.",
                "A number was expected; fix it, or leave the sequence out.",
            )
    return labels.to_numpy(np.float64)


def encode_classes(label: pd.Series, source: str) -> tuple[tuple[Class, ...], Ints]:
    """Return the classes in order, and the code of each sequence, shape `(n_sequences,)`.

    Raises:
        DataError: There is only one.
    """
    if pd.api.types.is_datetime64_any_dtype(label):
        label = label.astype(str)
    if pd.api.types.is_float_dtype(label) and bool((label == label.round()).all()):
        label = label.astype("int64")
    names, codes = np.unique(label.to_numpy(), return_inverse=True)
    if len(names) < 2:
        raise DataError(
            f"{source}: every sequence has the label {names[0]}.", "Two classes are needed."
        )
    plain = [name.item() if isinstance(name, np.generic) else str(name) for name in names]
    return tuple(plain), codes
