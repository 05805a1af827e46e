"""Models and tables as rows, lines and documents, for people and for programs."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..config.members import list_members
from ..config.network import cudnn_obstacle
from ..model.bundle import Bundle
from ..model.manifest import Evaluation, LabelEvaluation, Manifest, SplitRows

if TYPE_CHECKING:
    from ..data.inspection.report import TableReport

# How many of the worst series are shown, and how wide a line of a brief description may be.
MOST_SERIES, WIDEST = 10, 100
# The facts about a model that its brief description has.
BRIEF = ("model", "forecasts", "labels", "reads", "time", "rows", "sequences", "scores")


def score_rows(evaluation: Evaluation | LabelEvaluation | None) -> list[dict[str, Any]]:
    """Return a row for each forecaster, and for each target where there are several."""
    if evaluation is None:
        return []
    kind = "label" if isinstance(evaluation, LabelEvaluation) else "forecast"
    return [
        {kind: name}
        | ({"column": target} if len(next(iter(metrics.values()))) > 1 else {})
        | {metric: values[target] for metric, values in metrics.items()}
        for name, metrics in evaluation.scores.items()
        for target in next(iter(metrics.values()))
    ]


def interval_rows(evaluation: Evaluation | LabelEvaluation) -> list[dict[str, Any]]:
    """Return a row for each interval level, and for each target where there are several."""
    if isinstance(evaluation, LabelEvaluation):
        return []
    return [
        {"interval": f"{score.level:g} %"}
        | ({"column": target} if len(score.width) > 1 else {})
        | {"coverage": "-" if share is None else f"{share:.1f} %"}
        | {"mean width": short(score.width[target])}
        for score in evaluation.intervals
        for target, share in score.coverage.items()
    ]


def worst_rows(bundle: Bundle) -> list[dict[str, Any]]:
    """Return the series with the largest errors, the worst first; empty where there is one."""
    return shorten_rows(bundle.scores[:MOST_SERIES] if len(bundle.scores) > 1 else ())


def shorten_rows(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with their numbers as `short` has them."""
    return [{name: short(value) for name, value in row.items()} for row in rows]


def short(value: Any) -> Any:
    """Return a number with five digits as text; a dash for None; anything else as it is.

    >>> short(1234.5678), short(None), short(3)
    ('1234.6', '-', 3)
    """
    return f"{value:.5g}" if isinstance(value, float) else "-" if value is None else value


def confusion_rows(manifest: Manifest) -> list[dict[str, Any]]:
    """Return a row for each class: how many of its sequences got which class."""
    evaluation, labels = manifest.evaluation, manifest.labels
    if labels is None or not isinstance(evaluation, LabelEvaluation):
        return []
    names = [str(each) for each in labels.classes]
    rows = zip(names, evaluation.confusion, strict=False)
    corner = f"actual {labels.names[0]}"
    return [{corner: name} | dict(zip(names, counts, strict=True)) for name, counts in rows]


def layer_rows(manifest: Manifest) -> list[dict[str, Any]]:
    """Return a row for each layer of the network."""
    return [
        {"layer": row.name, "type": row.type, "shape": str(row.shape), "parameters": row.parameters}
        for row in manifest.layers
    ]


def explain_scores(evaluation: Evaluation | LabelEvaluation) -> str:
    """Return what the scores were computed from, and their units."""
    if isinstance(evaluation, LabelEvaluation):
        units = "" if evaluation.confusion else "; mae and rmse in the label's units"
        return f"{evaluation.sequences:,} sequences of the test split{units}"
    several = f" of {evaluation.series:,} series" if evaluation.series > 1 else ""
    mean = ", mean over series" if several else ""
    squared = any("rmsse" in each for each in evaluation.scores.values())
    more = ", rmsse by its RMSE" if squared else ""
    return (
        f"{evaluation.origins:,} forecast origins{several}, horizon {evaluation.horizon}; mae and "
        "rmse in the column's units, smape in percent, mase scaled by the in-sample MAE of the "
        f"seasonal naive{more}{mean}"
    )


def training_document(bundle: Bundle, path: Path) -> dict[str, Any]:
    """Return everything that a program may want to know of a training."""
    manifest = bundle.manifest.model_dump(mode="json", exclude={"sha256"})
    scores = {"series_scores": bundle.scores} if bundle.scores else {}
    # A loss that is no number is none in JSON.
    epochs = [
        {name: value if value == value else None for name, value in epoch.items()}
        for epoch in bundle.epochs
    ]
    return {"model": str(path), **manifest, **scores, "epochs": epochs}


def summarize(bundle: Bundle) -> str:
    """Return layers, facts and scores of a model as text."""
    tables = [
        layer_rows(bundle.manifest),
        score_rows(bundle.manifest.evaluation),
        worst_rows(bundle),
        confusion_rows(bundle.manifest),
    ]
    layers, *scores = [
        pd.DataFrame(rows).to_string(index=False, float_format="{:.5g}".format) if rows else ""
        for rows in tables
    ]
    lines = "\n".join(describe_model(bundle.manifest))
    return "\n\n".join(part for part in (layers, lines, *scores) if part)


def describe_briefly(bundle: Bundle) -> list[str]:
    """Return the main facts about a model in at most nine lines, long ones cut."""
    facts = model_facts(bundle.manifest)
    facts["rows"] = facts.pop("rows", "").partition(":")[0]
    if bundle.manifest.evaluation:
        facts["scores"] = bundle.manifest.evaluation.verdict
    lines = _lines({name: facts[name] for name in BRIEF if facts.get(name)})
    return [line if len(line) <= WIDEST else line[: WIDEST - 3] + "..." for line in lines]


def describe_name(manifest: Manifest) -> str:
    """Return what a model is called in tables, and what it consists of."""
    return f"{manifest.name}: {manifest.description}"


def describe_model(manifest: Manifest) -> list[str]:
    """Return how a model was made, in lines of a name and a fact."""
    warnings = getattr(manifest.evaluation, "warnings", ())
    return [*_lines(model_facts(manifest)), *(f"{'warning':<11} {text}" for text in warnings)]


def _lines(facts: dict[str, str]) -> list[str]:
    return [f"{name:<11} {text}" for name, text in facts.items()]


def model_facts(manifest: Manifest) -> dict[str, str]:
    """Return how a model was made, as facts by name."""
    config, run, splits = manifest.config, manifest.run, manifest.splits
    facts = {
        "model": describe_name(manifest),
        "parameters": f"{manifest.parameters:,}",
        **(_label_facts(manifest) if manifest.labels else _forecast_facts(manifest)),
        **_preset_facts(manifest),
        **_network_facts(manifest),
        "scaler": f"{config.scaler}, fitted on {'all' if run.refitted else 'the training'} rows",
        **_origin_facts(manifest),
        "sequences" if manifest.labels else "rows": f"{manifest.rows:,}: "
        + ", ".join(f"{count:,} {part}{begin}" for part, count, begin in _splits(splits)),
        "trained": _training_fact(manifest),
        "created": f"{run.created:%Y-%m-%d %H:%M} UTC in {run.seconds:.1f} s with "
        f"{', '.join(f'{name} {version}' for name, version in run.versions.items())}",
    }
    if not config.network.pretrained:
        obstacles = [
            f"recurrent layer {number}: {why}"
            for number, layer in enumerate(config.network.recurrent, start=1)
            if (why := cudnn_obstacle(layer))
        ]
        met = "every recurrent layer meets its conditions on a GPU"
        facts["cuDNN"] = "; ".join(obstacles) or met
    if evaluation := manifest.evaluation:
        facts["scores"] = f"{explain_scores(evaluation)}. {evaluation.verdict}"
    return facts


def _network_facts(manifest: Manifest) -> dict[str, str]:
    """Return where the pretrained network comes from; of a saved model with its digest."""
    alone = manifest.config.network.pretrained
    if not (alone or manifest.member):
        return {}
    digest = manifest.sha256.get("network.onnx" if alone else "pretrained.onnx", "")
    which = f", SHA-256 {digest}" if digest else ""
    how = "trained on simulated series alone, before this table was read"
    if alone and manifest.config.network.finetuned:
        how = "trained on simulated series, then on this table"
    return {"network" if alone else "pretrained": f"{how}{which}"}


def _splits(splits: SplitRows) -> list[tuple[str, int, str]]:
    """Return of each split its name, its rows, and in words when it begins."""
    begins = (splits.train_begins, splits.validation_begins, splits.test_begins)
    counts = (splits.train, splits.validation, splits.test)
    return [
        (part, count, f" from {begin.removesuffix('T00:00:00')}" if begin else "")
        for part, count, begin in zip(("train", "validation", "test"), counts, begins, strict=True)
    ]


def _origin_facts(manifest: Manifest) -> dict[str, str]:
    """Return which files and which command a model comes from, where that is known."""
    origin = manifest.run.origin
    if origin is None:
        return {}
    files = [f"{each.path} ({each.size:,} bytes, SHA-256 {each.sha256})" for each in origin.files]
    return ({"data": ", ".join(files)} if files else {}) | {"command": origin.command}


def _role_facts(manifest: Manifest) -> dict[str, str]:
    """Return what each column but the targets is for."""
    covariates = manifest.covariates
    roles = {
        "series": manifest.series,
        "past covariates": covariates.past,
        "future covariates": covariates.future,
        "static covariates": covariates.static,
        "calendar features": covariates.calendar,
    }
    found = [f"{role} {', '.join(names)}" for role, names in roles.items() if names]
    return {"columns": "; ".join(found)} if found else {}


def _preset_facts(manifest: Manifest) -> dict[str, str]:
    """Return what a preset chose, where there is one, and the members of an ensemble."""
    config = manifest.config
    facts: dict[str, str] = {}
    if config.preset_chooses and config.preset:
        facts["preset"] = config.preset
    if config.transform != "none":
        facts["transform"] = config.transform
    if config.ensemble.alone:
        return facts
    members = [
        f"network (lookback {each.timesteps}, anchor {each.network.anchor}, {each.training.loss})"
        for each in list_members(config)
    ]
    members += config.ensemble.baselines
    return facts | {"ensemble": f"{', '.join(members)}; combined by {config.ensemble.combine}"}


def _training_fact(manifest: Manifest) -> str:
    """Return how long and how the networks of a model were trained."""
    config, run = manifest.config, manifest.run
    training, ensemble = config.training, config.ensemble
    if config.network.pretrained and not config.network.finetuned:
        return "nothing: the network is pretrained"
    each, best = "", "best epoch"
    if ensemble.size > 1:
        each, best = f" over {ensemble.size} networks", "best epoch of the last"
    losses = " and ".join(ensemble.losses) or training.loss
    losses = "of its quantiles" if config.network.finetuned else losses
    mixed = training.precision != type(training)().precision
    return (
        f"{run.epochs} epochs{each}, at most {training.epochs} each, {best} {run.best_epoch} "
        f"(ended by {run.stopped}); {training.optimizer}, learning rate "
        f"{training.learning_rate:g}, loss {losses}, batches of {training.batch_size}, "
        f"seed {training.seed}" + f", {training.precision}" * mixed
    )


def _forecast_facts(manifest: Manifest) -> dict[str, str]:
    """Return what a model forecasts, and from what."""
    time = manifest.time
    return {
        "forecasts": f"{', '.join(manifest.targets)}, {manifest.horizon} steps ahead",
        "reads": f"{', '.join(manifest.features)}, lookback {manifest.timesteps}",
        **_role_facts(manifest),
        "mode": str(manifest.config.window.mode),
        "time": f"{time.column}, {time.freq}, up to {time.last}"
        if time
        else "none: rows are steps",
        "intervals": _interval_fact(manifest),
    }


def _interval_fact(manifest: Manifest) -> str:
    """Return the method of the intervals, and their coverage on the test split."""
    config, evaluation = manifest.config, manifest.evaluation
    if evaluation is None or isinstance(evaluation, LabelEvaluation) or not evaluation.intervals:
        return config.intervals
    coverage = [
        " ".join([row["interval"], *([row["column"]] if "column" in row else []), row["coverage"]])
        for row in interval_rows(evaluation)
    ]
    return f"{config.intervals}; coverage on the test split: {', '.join(coverage)}"


def _label_facts(manifest: Manifest) -> dict[str, str]:
    """Return what labels a model predicts, and from what."""
    labels = manifest.labels
    if labels is None:
        return {}
    classes = ", ".join(str(each) for each in labels.classes)
    return {
        "labels": f"{', '.join(labels.names)}, {classes or 'numbers'}",
        "reads": f"sequences of up to {manifest.timesteps} steps of {len(manifest.features)}",
    }


def describe_table(report: "TableReport") -> list[str]:
    """Return what a table holds, in lines of a name and a fact."""
    facts = {"table": f"{report.source}, {report.rows:,} rows"}
    if report.series:
        low, high = report.shortest, report.longest
        rows = f"{low:,} rows each" if low == high else f"{low:,} to {high:,} rows"
        facts["series"] = f"{report.count:,} by {', '.join(report.series)}, {rows}"
    season = f", season {report.season_length}" if report.season_length > 1 else ""
    facts["time"] = f"none: rows are steps{season}"
    if report.time is not None:
        facts["time"] = f"{report.time or '(no name)'}, {report.first} to {report.last}"
        facts["frequency"] = f"{report.frequency}{season}" if report.frequency else "irregular"
    return [*_lines(facts), *(f"{'note':<11} {text}" for text in report.notes)]
