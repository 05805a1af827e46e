"""Scores of predicted labels, compared with the simplest prediction."""

import numpy as np

from ...config.model_name import name_model
from ...core.errors import counted
from ...core.windows import Floats, Ints
from ...evaluation.reports import plain, skill
from ...forecasting.label_prediction import predict_outputs
from ...model.manifest import LabelEvaluation
from ...model.runtime import Runtime
from .datasets import LabelledDataset

MAJORITY = "majority class"
MEAN = "mean"
# A smaller difference, in percent, counts as none.
NOTABLE = 1.0
# With fewer sequences the verdict adds a warning.
ENOUGH = 10


def evaluate_labels(dataset: LabelledDataset, runtime: Runtime) -> LabelEvaluation | None:
    """Score the predicted labels of the test split; None where there is none."""
    test, train = dataset.parts["test"], dataset.parts["train"]
    if not len(test):
        return None
    outputs = predict_outputs(
        runtime, dataset.scaled, dataset.sequences.indptr, test, dataset.timesteps
    )
    actual = dataset.actual[test]
    if dataset.classes:
        codes = dataset.actual[:, 0].astype(np.int64)
        return _score_classes(dataset, outputs, codes[test], codes[train])
    scaling = dataset.label_scaling
    numbers = outputs if scaling is None else scaling.inverse(outputs.astype(np.float64))
    return _score_numbers(dataset, numbers, actual, dataset.actual[train])


def _score_classes(
    dataset: LabelledDataset, outputs: Floats, actual: Ints, train: Ints
) -> LabelEvaluation:
    """Score classes by accuracy and F1, against the most frequent class of the training split.

    `outputs` are probabilities, shape `(samples, classes)`; the others codes, shape `(samples,)`.
    """
    from sklearn.metrics import confusion_matrix

    model, common = name_model(dataset.config).name, int(np.argmax(np.bincount(train)))
    given = {model: np.argmax(outputs, axis=1), MAJORITY: np.full(len(actual), common)}
    scores = {name: class_scores(actual, codes) for name, codes in given.items()}
    table = confusion_matrix(actual, given[model], labels=range(len(dataset.classes)))
    right = {name: each["accuracy"] for name, each in scores.items()}
    better = skill(1.0 - right[model], 1.0 - right[MAJORITY])
    said = (
        f"{100 * right[model]:.1f} % are right; of the most frequent class, "
        f"{dataset.classes[common]}, are {100 * right[MAJORITY]:.1f} %"
    )
    (label,) = dataset.config.data.label
    return LabelEvaluation(
        sequences=len(actual),
        model=model,
        scores={
            name: {metric: {label: value} for metric, value in each.items()}
            for name, each in scores.items()
        },
        confusion=tuple(tuple(row) for row in table.tolist()),
        best_baseline=MAJORITY,
        skill=better,
        verdict=_verdict(better, "always guessing the most frequent class", said, len(actual)),
    )


def _score_numbers(
    dataset: LabelledDataset, numbers: Floats, actual: Floats, train: Floats
) -> LabelEvaluation:
    """Score numbers by MAE, RMSE and R2, against the mean of the training split.

    All have the shape `(samples, labels)`, original units.
    """
    model = name_model(dataset.config).name
    guesses = {model: numbers, MEAN: np.broadcast_to(train.mean(axis=0), actual.shape)}
    errors = {name: np.abs(given - actual).mean(axis=0) for name, given in guesses.items()}
    known = errors[MEAN] > 0
    shares = float(np.mean(errors[model][known] / errors[MEAN][known])) if known.any() else None
    better = None if shares is None else skill(shares, 1.0)
    scores = {}
    for name, given in guesses.items():
        measures = {
            "mae": errors[name],
            "rmse": np.sqrt(((given - actual) ** 2).mean(axis=0)),
            "r2": r_squared(actual, given),
        }
        scores[name] = {
            metric: dict(zip(dataset.config.data.label, map(plain, values), strict=True))
            for metric, values in measures.items()
        }
    said = "the mean makes no error at all"
    if better is not None:
        side = "below" if better > 0 else "above"
        said = f"its error is {abs(better):.1f} % {side} that of the mean"
    return LabelEvaluation(
        sequences=len(actual),
        model=model,
        scores=scores,
        best_baseline=MEAN,
        skill=better,
        verdict=_verdict(better, "always guessing the mean", said, len(actual)),
    )


def class_scores(actual: Ints, given: Ints) -> dict[str, float]:
    """Return accuracy and macro F1 of codes of classes, shape `(samples,)` each."""
    from sklearn.metrics import accuracy_score, f1_score

    f1 = f1_score(actual, given, average="macro")
    return {"accuracy": float(accuracy_score(actual, given)), "macro_f1": float(f1)}


def r_squared(actual: Floats, given: Floats) -> Floats:
    """Return R2, `(samples, labels)` to `(labels,)`; not finite where a label does not vary."""
    from sklearn.metrics import r2_score

    if len(actual) < 2:
        return np.full(actual.shape[1], np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        score: Floats = r2_score(actual, given, multioutput="raw_values", force_finite=False)
    return score


def _verdict(better: float | None, simplest: str, said: str, sequences: int) -> str:
    """Return the verdict in plain sentences."""
    few = f" The test has {counted(sequences, 'sequence')}, too few for a reliable comparison."
    caution = "" if sequences >= ENOUGH else few
    if better is not None and better >= NOTABLE:
        return f"The network beats {simplest}: {said}.{caution}"
    advice = "" if better is None else " Try more `epochs`, other `units` or another `cell`."
    return f"The network does not beat {simplest}: {said}.{caution}{advice}"
