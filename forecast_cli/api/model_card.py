"""A model as a page of Markdown, to be kept beside its file."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..model.bundle import Bundle
from .summaries import (
    confusion_rows,
    explain_scores,
    layer_rows,
    model_facts,
    score_rows,
    short,
    worst_rows,
)

# What Markdown would take for its own marks.
MARKS = re.compile(r"([\\`*_\[\]<>|#])")


def write_card(bundle: Bundle, name: str) -> str:
    """Return the model card of a model as Markdown.

    Args:
        bundle: The model.
        name: What the page calls it.
    """
    manifest, evaluation = bundle.manifest, bundle.manifest.evaluation
    facts = model_facts(manifest)
    command = facts.pop("command", "")
    facts.pop("scores", None)
    parts = [f"# {escape(name)}", _table([{"": key, " ": text} for key, text in facts.items()])]
    if evaluation is not None:
        parts += ["## Verdict", escape(evaluation.verdict)]
        parts += [f"- {escape(text)}" for text in getattr(evaluation, "warnings", ())]
        parts += ["## Scores", _table(score_rows(evaluation)), escape(explain_scores(evaluation))]
    for title, rows in (
        ("Series with the largest errors", worst_rows(bundle)),
        ("Classes", confusion_rows(manifest)),
        ("Layers", layer_rows(manifest)),
    ):
        parts += [f"## {title}", _table(rows)] if rows else []
    if command:
        parts += ["## Command", f"    {command}"]
    settings = manifest.config.model_dump_json(indent=2, exclude_none=True)
    parts += ["## Settings", f"~~~json\n{settings}\n~~~"]
    return "\n\n".join(parts)


def escape(text: Any) -> str:
    r"""Return a text as Markdown shows it: without marks of its own.

    >>> print(escape("a*b|c"))
    a\*b\|c
    """
    return MARKS.sub(r"\\\1", " ".join(str(text).split()))


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a table of Markdown."""
    head = [escape(name) for name in rows[0]]
    lines = [head, ["---"] * len(head)]
    lines += [[escape(short(value)) for value in row.values()] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
