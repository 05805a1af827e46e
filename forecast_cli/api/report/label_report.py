"""The report of a model that maps sequences to labels."""

from collections.abc import Sequence
from functools import partial

from ...model.bundle import Bundle
from ...model.manifest import LabelEvaluation
from ..charts.kinds import describe
from ..charts.source import Source
from ..summaries import confusion_rows, explain_scores, model_facts, score_rows
from .content import HEADINGS, Figures, Report, Row, Section, section
from .file_names import file_name, without_folders
from .model_parts import (
    ELSEWHERE,
    command,
    configuration,
    describe_network,
    hashes,
    names_of_files,
)

# The charts that such a model has.
CHARTS = ("errors", "loss")


def report_on_labels(
    source: Source, bundle: Bundle, path: str = "model.forecast", notes: Sequence[str] = ()
) -> Report:
    """Collect the report of a model that maps sequences to labels.

    Args:
        source: The model; nothing is read beside its file.
        bundle: The model.
        path: What its file is called.
        notes: What was understood and chosen while it was trained, a sentence each.
    """
    manifest = bundle.manifest
    evaluation, names = manifest.evaluation, names_of_files(source)
    facts = model_facts(manifest)
    about = [(name, text) for name, text in facts.items() if name not in ELSEWHERE]
    charts = [section(each, HEADINGS[each], partial(describe, source, each)) for each in CHARTS]
    labels = ", ".join(manifest.labels.names) if manifest.labels else ""
    return Report(
        title=f"Prediction of {labels}",
        verdict=evaluation.verdict if evaluation else "The model was not scored: no test split.",
        facts=[(name, without_folders(text, names)) for name, text in about],
        sections=[*_scores(bundle), *charts, describe_network(bundle)],
        notes=[without_folders(each.replace("`", ""), names) for each in notes],
        repeat=command(names.values()),
        config=configuration(bundle),
        end=[("made", facts["created"]), ("model file", file_name(path)), *hashes(bundle)],
    )


def _scores(bundle: Bundle) -> list[Section]:
    """Return the scores beside those of the simplest prediction, and the confusion matrix."""
    manifest = bundle.manifest
    evaluation = manifest.evaluation
    if not isinstance(evaluation, LabelEvaluation):
        return []
    tables = [Figures("Scores on the test split", score_rows(evaluation))]
    if matrix := confusion_rows(manifest):
        tables.append(Figures("Confusion matrix: sequences by actual and predicted class", matrix))
        tables.append(Figures("By class", _by_class(evaluation, [*matrix[0]][1:])))
    text = f"Of {explain_scores(evaluation)}."
    return [Section("scores", "Beside the baseline", text=text, tables=tuple(tables))]


def _by_class(evaluation: LabelEvaluation, names: Sequence[str]) -> list[Row]:
    """Return precision and recall of each class in percent; None where nothing can be counted."""
    counts = evaluation.confusion
    rows: list[Row] = []
    for place, name in enumerate(names):
        hits, actual = counts[place][place], sum(counts[place])
        predicted = sum(own[place] for own in counts)
        rows.append(
            {
                "class": name,
                "sequences": actual,
                "recall in percent": round(100 * hits / actual, 1) if actual else None,
                "precision in percent": round(100 * hits / predicted, 1) if predicted else None,
            }
        )
    return rows
