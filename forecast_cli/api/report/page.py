"""A report as one HTML file, which requests nothing from anywhere."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from itertools import pairwise
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ..charts.description import Axes, Positions
from ..summaries import short
from .content import Forecasts, Report

ASSETS = files(__package__) / "assets"
# What ends or opens an element or a line of a script is written as an escape in JSON.
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
# Characters that change the direction of what follows are shown as their numbers.
DIRECTIONS = {
    chr(code): f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
DIGITS = 6
# The section whose chart shows what the table of forecasts holds.
FORECASTS = "forecast"


def render_page(report: Report) -> bytes:
    """Return the page.

    All names in it are text: the template escapes them, and a content security policy permits
    the page's own style and script alone, by their hashes.
    """
    style = asset("uPlot.min.css") + asset("page.css")
    script = "\n".join(map(asset, ("uPlot.iife.min.js", "chart.js", "page.js")))
    page, _ = render(
        asset("page.html"),
        style,
        script,
        filters={"cell": short, "share": bar_share, "plain": plain},
        report=report,
        data=Markup(embedded(document(report))),
    )
    # A name of a file may hold bytes that are no text.
    return page.encode("utf-8", "replace")


def document(report: Report) -> dict[str, Any]:
    """Return what the script draws, as data of a JSON document."""
    charts = {
        each.name: [compact(axes) for axes in each.chart.axes]
        for each in report.sections
        if each.chart is not None
    }
    made = report.forecasts
    table = None
    if made is not None:
        _refer(charts.get(FORECASTS, ()), made)
        table = {"columns": made.columns, "rows": made.rows, "keys": made.keys, "shown": made.shown}
    return {"charts": charts, "forecasts": table, "config": report.config}


def _refer(chart: Sequence[dict[str, Any]], table: Forecasts) -> None:
    """Replace what a table of forecasts holds too, in axes of `compact`, by its column's number."""
    columns = _columns(table.rows) if not table.keys else {}
    for place, axes in enumerate(chart):
        own = _columns(table.rows_of(place)) if table.keys else columns
        for kind, part in (("lines", "y"), ("bands", "low"), ("bands", "high")):
            for each in axes[kind]:
                each[part] = own.get(tuple(each[part]), each[part])


def _columns(rows: Sequence[Sequence[Any]]) -> dict[tuple[float | None, ...], int]:
    """Return the places of the columns of numbers by their numbers, as a chart has them."""
    return {
        tuple(_short(column)): place
        for place, column in enumerate(zip(*rows, strict=True))
        if all(each is None or isinstance(each, float) for each in column)
    }


def compact(axes: Axes) -> dict[str, Any]:
    """Return axes as short data: times in seconds since 1970, numbers with six digits."""
    names = list(dict.fromkeys(each for x in axes.drawn_along for each in x))

    def along(x: Positions) -> Any:
        if axes.kind == "name":
            return [names.index(each) for each in x]
        return _regular([_seconds(each) if isinstance(each, str) else each for each in x])

    return {
        "title": plain(axes.title),
        "x": plain(axes.x_label),
        "y": plain(axes.y_label),
        "kind": axes.kind,
        "names": [plain(str(each)) for each in names] if axes.kind == "name" else [],
        "lines": [
            {"name": plain(e.name), "x": along(e.x), "y": _short(e.y), "role": e.role,
             "at": e.number}
            for e in axes.lines
        ],
        "bands": [
            {"level": e.level, "x": along(e.x), "low": _short(e.lower), "high": _short(e.upper),
             "name": plain(e.name)}
            for e in axes.bands
        ],
        "points": [
            {"name": plain(e.name), "x": along(e.x), "y": _short(e.y)} for e in axes.points
        ],
        "bars": [
            {"name": plain(e.name), "x": along(e.x), "y": _short(e.heights)} for e in axes.bars
        ],
        "spans": [
            {"name": plain(e.name), "x": along((e.begin, e.end))}
            for e in axes.spans
            if axes.kind != "name"
        ],
    }  # fmt: skip


def _regular(x: list[Any]) -> Any:
    """Return positions that are equally far from each other as the first, the step and how many.

    >>> _regular([0, 60, 120, 180]), _regular([0, 60, 90])
    ([0, 60, 120, 180], [0, 60, 90])
    >>> _regular([0, 60, 120, 180, 240])
    {'first': 0, 'step': 60, 'count': 5}
    """
    if len(x) < 5 or len({b - a for a, b in pairwise(x)}) > 1:
        return x
    return {"first": x[0], "step": x[1] - x[0], "count": len(x)}


def _seconds(time: str) -> int:
    return int(datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp())


def _short(numbers: Any) -> list[float | None]:
    return [None if each is None else float(f"{each:.{DIGITS}g}") for each in numbers]


def plain(text: str) -> str:
    r"""Return a text whose direction nothing in it changes.

    >>> plain("a\u202eb")
    'a\\u202eb'
    """
    shown = "".join(DIRECTIONS.get(each, each) for each in str(text))
    return shown.replace(" %", "\u00a0%")


def embedded(data: Any) -> str:
    r"""Return data as JSON that can stand within an element of a page.

    >>> print(embedded("</script>"))
    "\u003c/script\u003e"
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return "".join(ESCAPES.get(each) or DIRECTIONS.get(each, each) for each in text)


def bar_share(axes: Axes, height: float | None) -> float:
    """Return how long a bar is, in percent of the longest one of its axes."""
    heights = [abs(each) for bars in axes.bars for each in bars.heights if each is not None]
    longest = max(heights, default=0.0)
    return round(100 * abs(height or 0.0) / longest, 1) if longest else 0.0


def asset(name: str) -> str:
    """Return the text of a file of the page; another page may have the same charts."""
    return (ASSETS / name).read_text(encoding="utf-8")


def render(
    template: str,
    style: str,
    script: str,
    *,
    further: str = "",
    filters: Mapping[str, Callable[..., Any]] | None = None,
    **values: Any,
) -> tuple[str, str]:
    """Return a page, and the policy by which a browser runs nothing but its own style and script.

    Args:
        template: The page; it also has the names `policy`, `style`, `script`, `chart_tools` and
            `licence`.
        style: Its style.
        script: Its script.
        further: What else the policy says.
        filters: Filters of the template by name.
        values: What else the template names.
    """
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        f"base-uri 'none'; form-action 'none'{further}"
    )
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= filters or {}
    page = environment.from_string(template).render(
        policy=policy,
        style=Markup(style),
        script=Markup(script),
        chart_tools=Markup(asset("chart-tools.html")),
        licence=asset("uPlot-LICENSE.txt"),
        **values,
    )
    return page, policy


def _digest(text: str) -> str:
    """Return the hash by which a policy permits a style or a script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
