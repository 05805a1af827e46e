"""The reports of trained models."""

import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import tomlkit

from ...core.errors import DataError, UsageError
from ...core.events import ignore
from ...core.windows import Ints
from ...data.time.time_index import when
from ...forecasting.frames import in_table_style
from ...model.bundle import Bundle
from ...model.manifest import LabelEvaluation
from ..charts.kinds import describe
from ..charts.source import Source
from ..summaries import (
    confusion_rows,
    explain_scores,
    interval_rows,
    layer_rows,
    model_facts,
    score_rows,
)
from .content import (
    HEADINGS,
    Figures,
    Forecasts,
    Report,
    Row,
    Section,
    file_name,
    file_names,
    section,
    without_folders,
)

# So many series can be chosen from, and so many rows of all of them together are drawn.
MOST_SERIES, MOST_ROWS = 500, 12_000
# At least so many rows of a series are drawn.
FEWEST_ROWS = 60
# The charts of scored rows.
SCORED = ("test", "errors", "coverage", "residuals")
# So many series with the largest errors are listed.
MOST_LISTED = 100
# Facts about a model that a report has in other places, or that its readers do not need.
ELSEWHERE = ("scores", "created", "cuDNN")
# The charts of a model that maps sequences to labels.
LABEL_CHARTS = ("errors", "loss")


def report_on_model(
    source: Source,
    path: str = "model.forecast",
    notes: Sequence[str] = (),
    scored: Bundle | None = None,
) -> Report:
    """Collect the report of a model whose file is called `path`; see `write_model_report`."""
    bundle, evaluation = source.model, source.evaluation
    table = source.panel.source if source.table is not None else "rows that the model file keeps"
    # What is scored first serves all charts.
    kept = _of_scores(source, scored)
    forecast, forecasts = _forecast(source)
    return _report(
        source,
        bundle,
        path,
        notes,
        [("table", table), *_span(source)],
        [forecast, *_scores(bundle), *_charts(source, kept)],
        title=f"Forecast of {', '.join(bundle.manifest.targets)}",
        warnings=[each.replace("`", "") for each in evaluation.warnings] if evaluation else (),
        forecasts=forecasts,
    )


def _report(
    source: Source,
    bundle: Bundle,
    path: str,
    notes: Sequence[str],
    about: Sequence[tuple[str, str]],
    sections: Sequence[Section],
    **more: Any,
) -> Report:
    """Return a report with what those of all models have; it names files without their folders."""
    manifest, evaluation = bundle.manifest, bundle.manifest.evaluation
    origin = manifest.run.origin
    names = file_names(source.table) or file_names([e.path for e in origin.files] if origin else [])
    facts = model_facts(manifest)
    own = [(name, text) for name, text in facts.items() if name not in ELSEWHERE]
    verdict = evaluation.verdict if evaluation else "The model was not scored: no test split."
    hashes = [(f"SHA-256 of {name}", text) for name, text in manifest.sha256.items()]
    return Report(
        verdict=verdict.replace("`", ""),
        facts=[(name, without_folders(text, names)) for name, text in [*about, *own]],
        sections=[
            replace(each, text=without_folders(each.text, names))
            for each in [*sections, _describe_network(bundle)]
        ],
        notes=[without_folders(each.replace("`", ""), names) for each in notes],
        repeat=f"forecast train {shlex.join(names.values()) or 'DATA'} --config report.toml",
        config=tomlkit.dumps(manifest.config.model_dump(mode="json", exclude_none=True)),
        end=[("made", facts["created"]), ("model file", file_name(path)), *hashes],
        **more,
    )


def _describe_network(bundle: Bundle) -> Section:
    """Return the layers, and the members of an ensemble."""
    manifest = bundle.manifest
    tables = [Figures("Layers", layer_rows(manifest))]
    if len(manifest.weights) > 1:
        several = len(manifest.targets) > 1
        rows = [
            {"member": name}
            | {
                f"{target}, percent" if several else "percent": share and round(100 * share, 1)
                for target, share in own.items()
            }
            for name, own in manifest.weights.items()
        ]
        tables.insert(0, Figures("Weights of the members", rows))
    return Section("network", "The model", tables=tuple(tables))


def _span(source: Source) -> list[tuple[str, str]]:
    """Return which rows there are, and what is missing among them."""
    panel = source.panel
    facts = []
    if panel.count > 1:
        facts.append(("series", f"{panel.count:,} by {', '.join(map(str, panel.ids))}"))
    facts.append(("rows read", f"{len(panel.values):,}"))
    if panel.timeline is not None:
        times = panel.timeline.times
        facts.append(("span", f"{when(times.min())} to {when(times.max())}"))
    return [*facts, ("missing values", _missing(source))]


def _missing(source: Source) -> str:
    """Return how many values of what is forecast are missing, and what was done about them."""
    panel, places = source.panel, source.panel.columns.target_places
    missing = np.isnan(panel.values[:, places])
    if not missing.any():
        return "none"
    text = f"{missing.sum():,} of {missing.size:,} ({100 * missing.mean():.2g} %), at most "
    text += f"{_longest(missing, panel.indptr):,} in a row"
    filled = int(np.isfinite(source.history.filled[:, places][missing]).sum())
    method = source.reading.get("missing", source.model.manifest.config.data.missing)
    return f"{text}; {filled:,} filled (missing={method})"


def _longest(missing: npt.NDArray[np.bool_], indptr: Ints) -> int:
    """Return the length of the longest gap of a series, of values of shape `(rows, targets)`."""
    # A value that is there separates the series.
    apart = np.insert(missing.astype(int), np.append(indptr, indptr[-1]), 0, axis=0)
    edges = np.diff(np.insert(apart, 0, 0, axis=0).T.ravel())
    return int((np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)).max())


def _forecast(source: Source) -> tuple[Section, Forecasts | None]:
    """Return the forecasts of all series, to choose from."""
    panel = source.panel
    drawn = _of_all(_that_forecasts(source))
    text = ""
    if panel.count > MOST_SERIES:
        text = f"The first {MOST_SERIES} of {panel.count:,} series are shown; the table has all."
    made = section("forecast", "Forecast", partial(describe, drawn, "forecast"), choose=True)
    if made.chart is None:
        return made, None
    frame = drawn.frame
    keys = [str(name) for name in panel.ids if name in frame]
    table = in_table_style(frame, source.model.manifest.time)
    names = [str(name) for name in table]
    rows = [[cell(each) for each in row] for row in table.itertuples(index=False)]
    own = [
        tuple(str(panel.ids[key].iloc[series]) for key in keys) for series, _ in drawn.but().parts
    ]
    forecasts = Forecasts(
        tuple(names), tuple(map(tuple, rows)), tuple(map(names.index, keys)), tuple(own)
    )
    return replace(made, text=text), forecasts


def _that_forecasts(source: Source) -> Source:
    """Return a source whose forecast can be made.

    Where the table has no future covariates, the model file may keep those after the same rows.
    """
    with suppress(DataError, UsageError):
        return source.but(made=source.frame)
    time, timeline = source.model.manifest.time, source.panel.timeline
    last = None if timeline is None else timeline.times.max().isoformat()
    with suppress(DataError, UsageError):
        if source.table is not None and last == (time.last if time else None):
            return source.but(made=replace(source, table=None, on_event=ignore).frame)
    return source


def _of_all(source: Source) -> Source:
    """Return what charts are drawn from that show one series at a time, of all of them."""
    panel = source.panel
    shown = min(panel.count, MOST_SERIES)
    rows = source.last or max(FEWEST_ROWS, MOST_ROWS // shown)
    last = min(max(int(panel.lengths.max()), 1), rows)
    return source.but(most_series=shown * len(panel.columns.targets), last=last)


def cell(value: Any) -> Any:
    """Return a cell as JSON has it: numbers with eight digits, missing ones as None."""
    if isinstance(value, float):
        return float(f"{value:.8g}") if value == value else None
    return value if isinstance(value, int | str) or value is None else str(value)


def _scores(bundle: Bundle) -> list[Section]:
    """Return the scores beside those of the baselines; of labels with the confusion matrix."""
    evaluation = bundle.manifest.evaluation
    if evaluation is None:
        return []
    if isinstance(evaluation, LabelEvaluation):
        tables = [Figures("Scores on the test split", score_rows(evaluation))]
        if matrix := confusion_rows(bundle.manifest):
            title = "Confusion matrix: sequences by actual and predicted class"
            tables.append(Figures(title, matrix))
            tables.append(Figures("By class", _by_class(evaluation, [*matrix[0]][1:])))
        text = f"Of {explain_scores(evaluation)}."
        return [Section("scores", "Beside the baseline", text=text, tables=tuple(tables))]
    tables = [Figures("Errors on the test split", score_rows(evaluation))]
    if rows := interval_rows(evaluation):
        tables.append(Figures("Prediction intervals on the test split", rows))
    if len(bundle.scores) > 1:
        title = f"Errors by series, the largest first ({min(len(bundle.scores), MOST_LISTED)}"
        title += f" of {len(bundle.scores):,})"
        tables.append(Figures(title, bundle.scores[:MOST_LISTED]))
    return [Section("scores", "Beside the baselines", tables=tuple(tables))]


def _of_scores(source: Source, scored: Bundle | None) -> Source:
    """Return what charts of errors are drawn from.

    New rows of the table; or its test split by the model as it was scored; or what the model file
    keeps of that.
    """
    if source.table is None or _scores_rows(source):
        return source
    if scored is not None:
        before = replace(source, bundle=scored)
        if _scores_rows(before):
            return before
    return replace(source, table=None)


def _scores_rows(source: Source) -> bool:
    """Whether the table has rows that the model has not learned from; they are scored once."""
    with suppress(DataError, UsageError):
        return source.scored is not None
    return False


def _charts(source: Source, kept: Source) -> list[Section]:
    """Return the charts of errors, intervals and training; those that there can be.

    Errors are those of `kept`, as `_of_scores` has it.
    """
    sections = []
    for name, title in HEADINGS.items():
        covariates = source.model.manifest.covariates
        if name == "effects" and not (covariates.past or covariates.future):
            continue
        # Why a table has no test forecasts is known of the table alone.
        why = name == "test" and kept.table is None
        used = kept if name in SCORED and not why else source
        # Where one series is shown at a time, there are all of them.
        choose = name == "test"
        used = _of_all(used) if choose else used
        sections.append(section(name, title, partial(describe, used, name), choose=choose))
    return sections


def report_on_labels(
    source: Source, bundle: Bundle, path: str = "model.forecast", notes: Sequence[str] = ()
) -> Report:
    """Collect the report of a model that maps sequences to labels; see `write_model_report`."""
    labels = bundle.manifest.labels
    charts = [
        section(each, HEADINGS[each], partial(describe, source, each)) for each in LABEL_CHARTS
    ]
    title = f"Prediction of {', '.join(labels.names) if labels else ''}"
    return _report(source, bundle, path, notes, [], [*_scores(bundle), *charts], title=title)


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
