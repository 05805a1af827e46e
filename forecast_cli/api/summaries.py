"""Scores and models as rows for tables and as documents for machines."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.members import list_members
from ..config.network import cudnn_obstacle
from ..model.bundle import Bundle
from ..model.manifest import Evaluation, LabelEvaluation, Manifest

if TYPE_CHECKING:
    from ..data.inspection.report import TableReport

# So many of the worst series are shown.
MOST_SERIES = 10


def score_rows(evaluation: Evaluation | LabelEvaluation | None) -> list[dict[str, Any]]:
    """A row for each forecaster, and for each target where there are several."""
    if evaluation is None:
        return []
    rows = []
    labels = isinstance(evaluation, LabelEvaluation)
    for name, metrics in evaluation.scores.items():
        targets = list(next(iter(metrics.values())))
        for target in targets:
            row: dict[str, Any] = {"label" if labels else "forecast": name}
            if len(targets) > 1:
                row["column"] = target
            row |= {metric: values[target] for metric, values in metrics.items()}
            rows.append(row)
    return rows


def interval_rows(evaluation: Evaluation | LabelEvaluation) -> list[dict[str, Any]]:
    """A row for each level of the intervals, and for each target where there are several."""
    if isinstance(evaluation, LabelEvaluation):
        return []
    return [
        {"interval": f"{score.level:g} %"}
        | ({"column": target} if len(score.width) > 1 else {})
        | {"holds": _percent(score.coverage[target]), "mean width": short(width)}
        for score in evaluation.intervals
        for target, width in score.width.items()
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1f} %"


def worst_rows(bundle: Bundle) -> list[dict[str, Any]]:
    """The series with the largest errors, the worst first; empty where there is one series."""
    rows = bundle.scores[:MOST_SERIES]
    if len(bundle.scores) <= 1:
        return []
    return [{name: short(value) for name, value in row.items()} for row in rows]


def short(value: Any) -> Any:
    """A number of a table as people read it; what is none as it is."""
    return f"{value:.5g}" if isinstance(value, float) else "-" if value is None else value


def confusion_rows(manifest: Manifest) -> list[dict[str, Any]]:
    """A row for each class: how many of its sequences were taken for which."""
    evaluation, labels = manifest.evaluation, manifest.labels
    if labels is None or not isinstance(evaluation, LabelEvaluation):
        return []
    names = [str(each) for each in labels.classes]
    rows = zip(names, evaluation.confusion, strict=False)
    corner = f"actual {labels.names[0]}"
    return [{corner: name} | dict(zip(names, counts, strict=True)) for name, counts in rows]


def explain_scores(evaluation: Evaluation | LabelEvaluation) -> str:
    """What the scores are of, and in which units."""
    if isinstance(evaluation, LabelEvaluation):
        units = "" if evaluation.confusion else "; mae and rmse in the label's units"
        return f"over {evaluation.sequences:,} sequences of the test split{units}"
    several = f" of {evaluation.series:,} series" if evaluation.series > 1 else ""
    mean = ", mean over series" if several else ""
    return (
        f"over {evaluation.origins:,} forecasts of {evaluation.horizon} steps{several}; mae and "
        "rmse in the column's units, smape in percent, mase in errors of the seasonal naive in "
        f"training{mean}"
    )


def training_document(bundle: Bundle, path: Path) -> dict[str, Any]:
    """What a script wants to know of a training."""
    manifest = bundle.manifest.model_dump(mode="json", exclude={"sha256"})
    scores = {"series_scores": bundle.scores} if bundle.scores else {}
    return {"model": str(path), **manifest, **scores, "epochs": bundle.epochs}


def _chosen(manifest: Manifest) -> dict[str, str]:
    """What a preset made of the network, where one did, and what stands beside it."""
    config = manifest.config
    facts: dict[str, str] = {}
    if config.preset is not None and config.preset != "classic":
        facts["preset"] = config.preset
    if config.transform != "none":
        facts["transform"] = config.transform
    if config.ensemble.alone:
        return facts
    networks = [
        f"{member.timesteps} steps back, anchor {member.network.anchor}, {member.training.loss}"
        for member in list_members(config)
    ]
    beside = ", ".join(config.ensemble.simple)
    text = f"{config.ensemble.combine} of {'; '.join(networks)}"
    return facts | {"ensemble": text + (f"; and {beside}" if beside else "")}


def _trained(manifest: Manifest) -> str:
    """How long and how the networks of a model were trained."""
    config, run = manifest.config, manifest.run
    training, ensemble = config.training, config.ensemble
    of, best = "", "the best was"
    if ensemble.size > 1:
        of, best = f" of {ensemble.size} networks together", "of the last one the best was"
    losses = " and ".join(ensemble.losses) or training.loss
    return (
        f"{run.epochs} epochs{of}, at most {training.epochs} each, {best} {run.best_epoch} "
        f"(ended by {run.stopped}); {training.optimizer}, learning rate "
        f"{training.learning_rate:g}, loss {losses}, batches of {training.batch_size}, "
        f"seed {training.seed}"
    )


def describe_model(manifest: Manifest) -> list[str]:
    """How a model was made, in lines of a name and what it is."""
    config, run, splits = manifest.config, manifest.run, manifest.splits
    facts = {
        "parameters": f"{manifest.parameters:,}",
        **(_of_labels(manifest) if manifest.labels else _of_forecasts(manifest)),
        **_chosen(manifest),
        "scaler": f"{config.scaler}, fitted on {'all' if run.refitted else 'the training'} rows",
        "sequences" if manifest.labels else "rows": f"{manifest.rows:,}: {splits.train:,} train, "
        f"{splits.validation:,} validation, {splits.test:,} test",
        "trained": _trained(manifest),
        "made": f"{run.created:%Y-%m-%d %H:%M} UTC in {run.seconds:.1f} s by "
        f"{', '.join(f'{name} {version}' for name, version in run.versions.items())}",
    }
    obstacles = [
        f"recurrent layer {number}: {why}"
        for number, layer in enumerate(config.network.recurrent, start=1)
        if (why := cudnn_obstacle(layer))
    ]
    facts["cuDNN"] = "; ".join(obstacles) or "every recurrent layer meets its conditions on a GPU"
    if manifest.evaluation:
        facts["scores"] = f"{explain_scores(manifest.evaluation)}. {manifest.evaluation.verdict}"
    lines = [f"{name:<11} {text}" for name, text in facts.items()]
    return [
        *lines,
        *[f"{'doubt':<11} {text}" for text in getattr(manifest.evaluation, "doubts", ())],
    ]


def _of_forecasts(manifest: Manifest) -> dict[str, str]:
    time = manifest.time
    return {
        "forecasts": f"{', '.join(manifest.targets)}, {manifest.horizon} steps ahead",
        "reads": f"{', '.join(manifest.features)}, {manifest.timesteps} steps back",
        "mode": str(manifest.config.window.mode),
        "time": f"{time.column}, {time.freq}, up to {time.last}"
        if time
        else "none: rows are steps",
        "intervals": _of_intervals(manifest),
    }


def _of_intervals(manifest: Manifest) -> str:
    """How intervals are made, and how they fared."""
    config, evaluation = manifest.config, manifest.evaluation
    if evaluation is None or isinstance(evaluation, LabelEvaluation) or not evaluation.intervals:
        return config.intervals
    held = [
        f"{row['interval']} {row.get('column', '')} held {row['holds']}".replace("  ", " ")
        for row in interval_rows(evaluation)
    ]
    return f"{config.intervals}; on the test split {', '.join(held)}"


def _of_labels(manifest: Manifest) -> dict[str, str]:
    labels = manifest.labels
    if labels is None:
        return {}
    classes = ", ".join(str(each) for each in labels.classes)
    return {
        "labels": f"{', '.join(labels.names)}, {classes or 'numbers'}",
        "reads": f"sequences of up to {manifest.timesteps} steps of {len(manifest.features)}",
    }


def describe_table(report: "TableReport") -> list[str]:
    """What a table holds, in lines of a name and what it is."""
    facts = {"table": f"{report.source}, {report.rows:,} rows"}
    if report.series:
        low, high = report.shortest, report.longest
        rows = f"{low:,} rows each" if low == high else f"{low:,} to {high:,} rows"
        facts["series"] = f"{report.count:,} by {', '.join(report.series)}, {rows}"
    if report.time:
        season = f", season {report.season_length}" if report.season_length > 1 else ""
        facts["time"] = f"{report.time}, {report.first} to {report.last}"
        facts["frequency"] = f"{report.frequency}{season}" if report.frequency else "irregular"
    else:
        facts["time"] = "none: rows are steps"
    lines = [f"{name:<11} {text}" for name, text in facts.items()]
    return [*lines, *[f"{'note':<11} {text}" for text in report.notes]]
