"""Prepare sequences with a label for training: their task, splits and scaled steps."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...config.registries import LOSSES
from ...config.schema import Config
from ...config.sections import Split
from ...core.errors import DataError, UsageError
from ...core.events import Listener, Note
from ...core.scaling import Scaling, fit_scaling
from ...core.windows import Floats, Ints
from ...data.checks import require_known, require_positive
from ...data.missing import filled_steps
from ...data.sequences import Sequences
from ...data.splits import Part
from ...model.manifest import Class
from ..preparation import fit_scaler
from ..resolution import with_mask_layer

# Whole numbers are classes where so few are distinct, and each occurs so often on average.
MOST_CLASSES, LEAST_EACH = 20, 5


@dataclass(frozen=True)
class LabelledDataset:
    """Sequences with their splits and scalers.

    Args:
        config: With every setting filled in.
        sequences: As read.
        parts: The numbers of the sequences of each split, shape `(sequences,)` each.
        scaling: Of the steps, fitted on the training sequences alone.
        scaled: Shape `(n_rows, features)`, float32, NaN where a step is missing.
        classes: In order; empty where the labels are numbers.
        actual: Shape `(n_sequences, labels)` in original units, or `(n_sequences, 1)`: the code of
            each class.
        label_scaling: Of labels that are numbers; None for classes.
    """

    config: Config
    sequences: Sequences
    parts: dict[Part, Ints]
    scaling: Scaling
    scaled: Floats
    classes: tuple[Class, ...]
    actual: Floats
    label_scaling: Scaling | None

    @property
    def timesteps(self) -> int:
        """Length of the input window."""
        return self.config.window.timesteps or 1

    @property
    def targets(self) -> Floats:
        """The outputs to learn, shape `(n_sequences, outputs)`: scaled, or one-hot classes."""
        if self.label_scaling is not None:
            return self.label_scaling.transform(self.actual).astype(np.float32)
        codes = self.actual[:, 0].astype(np.int64)
        return np.eye(len(self.classes), dtype=np.float32)[codes]


def make_labelled(sequences: Sequences, config: Config, *, on_event: Listener) -> LabelledDataset:
    """Resolve the configuration, split, fill and scale.

    Raises:
        DataError: There are too few sequences, or one is too long.
        UsageError: Settings do not go together.
    """
    if sequences.labels is None:
        raise UsageError("The sequences have no labels.", "Name the column in `label`.")
    config = with_task(config, sequences.labels, on_event)
    config = _with_shape(sequences, config)
    classes: tuple[Class, ...] = ()
    actual: Floats
    if config.data.task == "classification":
        classes, codes = encode_classes(sequences.labels.iloc[:, 0], sequences.source)
        actual = codes[:, None].astype(np.float64)
    else:
        actual = read_label_numbers(sequences.labels, sequences.source)
    strata = actual[:, 0] if classes else None
    parts = split_sequences(len(sequences), config.split, config.training.seed, strata)
    return _scaled(sequences, config, parts, classes, actual)


def on_all(dataset: LabelledDataset) -> LabelledDataset:
    """Return the dataset with every sequence in the training split, to refit on."""
    none = np.arange(0)
    parts: dict[Part, Ints] = {
        "train": np.arange(len(dataset.sequences)), "validation": none, "test": none,
    }  # fmt: skip
    return _scaled(dataset.sequences, dataset.config, parts, dataset.classes, dataset.actual)


def _scaled(
    sequences: Sequences,
    config: Config,
    parts: dict[Part, Ints],
    classes: tuple[Class, ...],
    actual: Floats,
) -> LabelledDataset:
    """Return the sequences filled, and scaled by their training split; shapes as in the class."""
    filled = filled_steps(sequences, config.data.missing)
    require_positive(filled, sequences.features, config.transform, sequences.source)
    train = parts["train"]
    owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
    rows = filled[np.isin(owner, train)]
    require_known(rows, sequences.features, sequences.source)
    scaling = fit_scaling(rows, config.scaler, config.transform, fit=fit_scaler)
    scaled = scaling.transform(filled).astype(np.float32)
    labels = None if classes else fit_scaling(actual[train], config.scaler, fit=fit_scaler)
    return LabelledDataset(config, sequences, parts, scaling, scaled, classes, actual, labels)


def _with_shape(sequences: Sequences, config: Config) -> Config:
    """Return the configuration with the longest sequence as lookback, and a mask if they differ."""
    longest = int(sequences.lengths.max())
    timesteps = config.window.timesteps or longest
    if timesteps < longest:
        place = int(np.argmax(sequences.lengths))
        raise DataError(
            f"{sequences.source}: sequence {sequences.name(place)} has {longest} steps, and "
            f"`timesteps` is {timesteps}.",
            "Leave `timesteps` out, or cut the sequences.",
        )
    if timesteps % (config.network.segment or 1):
        raise UsageError(
            f"{timesteps} steps cannot be cut into segments of {config.network.segment}.",
            "Pass a multiple of the segment as `timesteps`.",
        )
    config = config.changed(window={"timesteps": timesteps})
    uneven = bool((sequences.lengths != timesteps).any())
    needed = uneven or config.data.missing == "mask"
    return with_mask_layer(config) if needed and not config.network.masked else config


def split_sequences(
    count: int, split: Split, seed: int, strata: Floats | None = None
) -> dict[Part, Ints]:
    """Draw the sequences of each split.

    Args:
        count: Number of sequences.
        split: Fractions or numbers of sequences.
        seed: The same seed gives the same splits.
        strata: Shape `(n_sequences,)`: classes that have the same share in every split, where that
            is possible; None for none.

    Returns:
        Numbers of the sequences of each split, shape `(sequences,)`.

    Raises:
        UsageError: A size is invalid.
        DataError: Nothing is left to train on.
    """
    test = _count("test", split.test, count)
    validation = _count("validation", split.validation, count)
    if test + validation >= count:
        raise DataError(
            f"{count} sequences; {validation} for validation and {test} for the test leave none to "
            "train on.",
            "Lower `validation` or `test`; 0 is none.",
        )
    rest, held = draw(np.arange(count), test, seed, strata)
    train, checked = draw(rest, validation, seed, strata)
    return {"train": train, "validation": checked, "test": held}


def draw(numbers: Ints, size: int, seed: int, strata: Floats | None = None) -> tuple[Ints, Ints]:
    """Draw some of the samples.

    Args:
        numbers: Shape `(samples,)`, ascending.
        size: How many are drawn.
        seed: The same seed draws the same.
        strata: By number, the class that has the same share on both sides where that is possible;
            None for none.

    Returns:
        Those that stay and those that were drawn, each ascending.
    """
    from sklearn.model_selection import train_test_split

    if not size:
        return numbers, numbers[:0]
    groups = None if strata is None else strata[numbers]
    if groups is not None:
        counts = np.unique(groups, return_counts=True)[1]
        # With so few, a class would be missing on one side: then classes are not balanced.
        if counts.min() < 2 or min(size, len(numbers) - size) < len(counts):
            groups = None
    stay, out = train_test_split(numbers, test_size=size, random_state=seed, stratify=groups)
    return np.sort(stay), np.sort(out)


def _count(name: str, size: float | int | str, count: int) -> int:
    """Return the number of sequences of a split."""
    if isinstance(size, str):
        raise UsageError(
            f"`{name}={size}` is a date; sequences with a label are drawn.",
            "Give a fraction or a number of sequences.",
        )
    if 0 < size < 1:
        return max(1, round(size * count))
    if not 0 <= size < float("inf") or size != int(size):
        raise UsageError(
            f"Invalid `{name}={size}`: must be a fraction, a whole number, or 0 for none."
        )
    return int(size)


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
