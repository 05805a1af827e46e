"""Charts as images, by matplotlib."""

import warnings
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.errors import UsageError
from ...core.events import Listener, Note, ignore
from ...core.libraries import how_to_install
from .description import Axes, Band, Chart, Line, names, places

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Drawn
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
# Okabe and Ito's colours, which all eyes tell apart; their greys differ too, and so do the dashes.
# Source: Okabe and Ito (2008), Color Universal Design.
BLACK, BLUE, ORANGE, GREY = "#000000", "#0072B2", "#D55E00", "#888888"
OTHERS = (ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
DASHES: tuple[Any, ...] = ("--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
# Of intervals, from the widest to the narrowest; and of splits and gaps.
SHADES = ("#CFE3F0", "#9FC5E0", "#6FA8D0")
SPANS = {"validation": "#EEEEEE", "test": "#DDDDDD", "new rows": "#F7F7F7", "missing": "#FBE3D6"}
STYLE = {
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E5E5E5",
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "lines.linewidth": 1.4,
    # Equal charts are equal files.
    "svg.hashsalt": "forecast",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}
# The first font has no Chinese, Japanese and Korean; of the others those that are installed have.
FONTS = (
    "DejaVu Sans", "Noto Sans CJK KR", "Noto Sans CJK JP", "Noto Sans CJK SC", "Malgun Gothic",
    "NanumGothic", "AppleGothic", "Hiragino Sans", "Yu Gothic", "PingFang SC", "Microsoft YaHei",
)  # fmt: skip
# Names and dates along an axis, so that they do not touch.
MOST_NAMES, MOST_DATES = 12, 8
# Inches of a chart: its width, and the height of each row of axes.
WIDTH, HEIGHT, DPI = 9.0, 3.2, 150


def draw_figure(
    chart: Chart, size: tuple[float, float] | None = None, *, shown: bool = False
) -> "Figure":
    """Return a chart as a figure of matplotlib.

    Args:
        chart: What it shows.
        size: Inches; by the number of its axes where None.
        shown: Whether a notebook, or `matplotlib.pyplot.show`, shows it.

    Raises:
        UsageError: matplotlib is not installed.
    """
    matplotlib = _import_matplotlib()
    rows = [list(own) for _, own in groupby(chart.axes, key=lambda each: each.row)]
    with matplotlib.rc_context(STYLE | {"font.family": _installed_fonts()}):
        if shown:
            from matplotlib.pyplot import figure as make
        else:
            from matplotlib.figure import Figure as make
        figure: Figure = make(
            figsize=size or (WIDTH, HEIGHT * len(rows) + 0.4), layout="constrained"
        )
        figure.suptitle(_literal(chart.title), x=0.01, ha="left", fontweight="bold")
        grid = figure.add_gridspec(len(rows), 1)
        for place, row in enumerate(rows):
            inner = grid[place].subgridspec(1, len(row))
            for column, axes in enumerate(row):
                _draw(axes, figure.add_subplot(inner[column]))
    return figure


def plot(chart: Chart) -> Any:
    """Return the axes of matplotlib on which a chart was drawn; several as a list."""
    axes = draw_figure(chart, shown=True).axes
    return axes[0] if len(axes) == 1 else axes


def save(
    chart: Chart,
    path: Path,
    size: tuple[float, float] | None = None,
    on_event: Listener = ignore,
) -> bytes:
    """Return a chart as the bytes of an image, whose format is that of the path.

    Args:
        chart: What it shows.
        path: Where it is to be written.
        size: Inches; by the number of its axes where None.
        on_event: Notified of characters that no font has.

    Raises:
        UsageError: There is no such format, or matplotlib is not installed.
    """
    import io

    kind = path.suffix.removeprefix(".").lower()
    if kind not in FORMATS:
        raise UsageError(
            f"{path}: a chart is written as {', '.join(FORMATS)}.",
            "Name a file that ends with one.",
        )
    figure, data = draw_figure(chart, size), io.BytesIO()
    # Without the date, and with the text that describes the chart.
    facts = {
        "png": {"Title": chart.title, "Description": chart.text, "Software": "forecast"},
        "svg": {"Title": chart.title, "Description": chart.text, "Date": None},
        "pdf": {"Title": chart.title, "Subject": chart.text, "CreationDate": None},
    }
    with _import_matplotlib().rc_context(STYLE), warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        figure.savefig(data, format=kind, dpi=DPI, metadata=facts[kind])
    if any("missing from font" in str(each.message) for each in found):
        text = "no font of this system has some characters of the chart: empty boxes are in place"
        on_event(Note(f"{text} of them (install one, or write .svg)", warning=True))
    return data.getvalue()


def _installed_fonts() -> list[str]:
    """Return the fonts for the text of a chart."""
    from matplotlib.font_manager import get_font_names

    known = {*get_font_names()}
    return [name for name in FONTS if name in known]


def _import_matplotlib() -> Any:
    try:
        import matplotlib
    except ImportError:
        raise UsageError(
            "Charts as images need matplotlib, which is not installed.",
            f"Install it: {how_to_install('plot')}",
        ) from None
    return matplotlib


def _literal(text: str) -> str:
    """Return a text in which a dollar sign does not begin a formula."""
    return text.replace("$", r"\$")


def _draw(axes: Axes, drawn: "Drawn") -> None:
    """Draw all that a pair of axes shows."""
    drawn.set_title(_literal(axes.title))
    drawn.set_xlabel(_literal(axes.x_label))
    drawn.set_ylabel(_literal(axes.y_label))
    _draw_spans(axes, drawn)
    labelled: set[str] = set()
    for bars in axes.bars:
        x, heights = places(axes, bars.x), [each or 0.0 for each in bars.heights]
        if axes.kind == "name":
            drawn.barh(x, heights, height=0.6, color=BLUE)
        else:
            step = min((b - a for a, b in pairwise(x)), default=1.0)
            drawn.bar(x, heights, width=0.8 * step, color=BLUE)
    for band in axes.bands:
        _draw_band(axes, band, drawn, labelled)
    for line in axes.lines:
        label = _once(line.name, labelled)
        drawn.plot(_along(axes, line.x), _heights(line.y), label=label, **_style(axes, line))
    for points in axes.points:
        label = _once(points.name, labelled)
        ring: Any = {"marker": "o", "linestyle": "none", "color": ORANGE, "fillstyle": "none"}
        drawn.plot(_along(axes, points.x), _heights(points.y), label=label, **ring)
    _set_names(axes, drawn)
    if axes.kind == "time":
        _set_dates(drawn)
    if len(labelled) > 1 or axes.bands:
        # Beside the title, where it covers nothing.
        how: Any = {"ncols": len(labelled), "borderaxespad": 0.2, "handlelength": 1.6}
        drawn.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), columnspacing=1.2, **how)


def _along(axes: Axes, x: Sequence[Any]) -> Any:
    """Return positions as matplotlib takes them: times as dates."""
    if axes.kind != "time":
        return places(axes, tuple(x))
    import numpy as np

    return np.array([str(each) for each in x], "datetime64[s]")


def _heights(y: Sequence[float | None]) -> list[float]:
    return [float("nan") if each is None else each for each in y]


def _once(name: str, labelled: set[str]) -> str | None:
    """Return the label of a name where it is new."""
    if not name or name in labelled:
        return None
    labelled.add(name)
    return _literal(name)


def _style(axes: Axes, line: Line) -> dict[str, Any]:
    """Return how a line looks; single points have a marker."""
    dot = {"marker": "o", "markersize": 3.0} if len(line.x) == 1 else {}
    if line.role == "actual":
        return {"color": BLACK, **dot}
    if line.role == "reference":
        return {"color": GREY, "linestyle": ":", **dot}
    if line.role == "forecast":
        return {"color": BLUE, "linewidth": 2.0, **dot}
    others = list(dict.fromkeys(each.name for each in axes.lines if each.role == "other"))
    place = others.index(line.name)
    dashes = DASHES[place % len(DASHES)]
    return {"color": OTHERS[place % len(OTHERS)], "linestyle": dashes, **dot}


def _draw_band(axes: Axes, band: Band, drawn: "Drawn", labelled: set[str]) -> None:
    """Draw an interval; of a single step as a bar with two ends."""
    levels = sorted({each.level for each in axes.bands}, reverse=True)
    shade = SHADES[min(levels.index(band.level), len(SHADES) - 1)]
    x, lower, upper = _along(axes, band.x), _heights(band.lower), _heights(band.upper)
    label = _once(band.name, labelled)
    if len(band.x) > 1:
        drawn.fill_between(x, lower, upper, color=shade, linewidth=0, label=label)
        for side in (lower, upper):
            drawn.plot(x, side, color=BLUE, linewidth=0.4)
    else:
        drawn.vlines(x, lower, upper, color=shade, linewidth=6, label=label or "")


def _draw_spans(axes: Axes, drawn: "Drawn") -> None:
    """Shade the splits, each with its name; gaps in a light orange."""
    for span in axes.spans:
        begin, end = _along(axes, (span.begin, span.end))
        shade, edge = SPANS.get(span.name, "#FFFFFF"), 0.5 if span.name == "missing" else 0.0
        drawn.axvspan(begin, end, color=shade, linewidth=edge, zorder=0)
        if span.name == "missing":
            continue
        where: Any = ("data", "axes fraction")
        how: Any = {"xytext": (3, -3), "textcoords": "offset points", "va": "top"}
        drawn.annotate(
            span.name, (begin, 1.0), xycoords=where, fontsize=7.5, color="#555555", **how
        )


def _set_dates(drawn: "Drawn") -> None:
    """Write few dates along the axis of times, each as short as it can be understood."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    # The margins beside the values may be in years that have no date.
    earliest, latest = date2num([datetime.min, datetime.max])
    left, right = drawn.get_xlim()
    if left < earliest or right > latest:
        drawn.set_xlim(max(left, earliest), min(right, latest))
    locator = AutoDateLocator(maxticks=MOST_DATES)
    drawn.xaxis.set_major_locator(locator)
    drawn.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _set_names(axes: Axes, drawn: "Drawn") -> None:
    """Write the names along the axis of positions."""
    if axes.kind != "name":
        return
    listed = [_literal(each) for each in names(axes)]
    if axes.bars:
        drawn.set_yticks(range(1, len(listed) + 1), listed)
        drawn.invert_yaxis()
        drawn.set_xlabel(_literal(axes.y_label))
        drawn.set_ylabel("")
        return
    step = -(-len(listed) // MOST_NAMES)
    drawn.set_xticks(range(1, len(listed) + 1, step), listed[::step])
