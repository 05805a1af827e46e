"""Charts of a model that maps sequences to labels."""

from dataclasses import replace

from ...core.errors import UsageError
from ...model.bundle import Bundle
from ...model.manifest import LabelEvaluation, Manifest
from .description import Axes, Bars, Chart
from .source import Source

# What only charts of forecasts depend on.
FORECASTS_ONLY = ("only", "last", "start", "level", "future")


def has_labels(source: Source) -> bool:
    """Whether the model maps sequences to labels.

    Raises:
        UsageError: It does, and its charts have no use for what else is given.
    """
    if source.bundle is None or source.bundle.manifest.labels is None:
        return False
    given = [name for name in FORECASTS_ONLY if getattr(source, name)]
    if source.table is not None or given:
        what = f"`{given[0]}`" if given else "a table"
        raise UsageError(
            f"The model maps sequences to labels: its charts have no use for {what}.",
            "Leave it out: they are drawn from what the model file keeps.",
        )
    return True


def draw_label_errors(bundle: Bundle) -> Chart:
    """Describe the errors on the test split, beside the baseline's; of classes also each class's.

    Raises:
        UsageError: The model was not scored.
    """
    manifest = bundle.manifest
    evaluation = manifest.evaluation
    if not isinstance(evaluation, LabelEvaluation):
        raise UsageError(
            "The model was not scored: there was no test split.",
            "Pass `kind=loss` for its training history.",
        )
    if evaluation.confusion:
        axes = [_of_guessers(evaluation, "accuracy", ""), _of_classes(manifest, evaluation)]
    else:
        axes = [_of_guessers(evaluation, "mae", label) for label in evaluation.own_scores["mae"]]
    rows = tuple(replace(each, row=number) for number, each in enumerate(axes))
    return Chart("errors", f"test errors ({manifest.name})", evaluation.verdict, rows)


def _of_guessers(evaluation: LabelEvaluation, metric: str, label: str) -> Axes:
    """Describe the error of the model and of the simplest prediction."""
    names = tuple(evaluation.scores)
    label = label or next(iter(evaluation.own_scores[metric]))
    scores = [evaluation.scores[name][metric][label] for name in names]
    unit = "mean absolute error"
    if metric == "accuracy":
        unit = "wrong classes in percent"
        scores = [None if each is None else 100 * (1 - each) for each in scores]
    bars = Bars(unit, names, tuple(scores))
    return replace(Axes(f"test error, {label}", "", unit, "name"), bars=(bars,))


def _of_classes(manifest: Manifest, evaluation: LabelEvaluation) -> Axes:
    """Describe how many of the sequences of each class got another one."""
    classes = () if manifest.labels is None else manifest.labels.classes
    shares = tuple(
        100 * (1 - counts[place] / sum(counts)) if sum(counts) else None
        for place, counts in enumerate(evaluation.confusion)
    )
    unit = "wrong in percent"
    bars = Bars(unit, tuple(map(str, classes)), shares)
    return replace(Axes("test error by actual class", "", unit, "name"), bars=(bars,))
