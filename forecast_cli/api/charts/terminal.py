"""Charts in characters, by plotext."""

import math
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from types import ModuleType
from typing import Any

from .description import Axes, Chart, Line, Ticks, date_ticks, names, number_ticks, places

# The least and the most columns of a chart; from that width on, axes stand beside each other.
NARROWEST, WIDEST, BESIDE = 40, 200, 100
# Rows of axes where no height is given, the only ones of a chart and one of several.
ALONE, ONE_OF_SEVERAL, LOWEST = 18, 12, 7
# Colours by their numbers in the palette of 256: blue and orange, told apart by all eyes.
BLUE, ORANGE, GREY, LIGHT = 33, 208, 244, 248
# plotext would choose colours of its own for those of the terminal: these two stand for them.
PLAIN, BEHIND = 16, 17
OWN_COLORS = re.compile(rf"\x1b\[(?:(38;5;{PLAIN})|48;5;\d+)m")
OTHERS = (ORANGE, 37, 170, 142, 111, 203)
# What lines, intervals (the widest first) and bars are drawn with.
UNICODE = {"actual": "braille", "forecast": "•", "reference": "·", "points": "○", "bars": "█"}
ASCII = {"actual": ".", "forecast": "o", "reference": "-", "points": "@", "bars": "#"}
OTHER_MARKS = {True: "x+*v^%", False: "+*x▵▿◦"}
SHADES = {True: ":%$", False: "░▒▓"}
FRAMES = str.maketrans("┌┐└┘├┤┬┴┼─│", "+++++++++-|")


def render(
    chart: Chart, width: int, height: int | None = None, *, ascii: bool, color: bool
) -> list[str]:
    """Return a chart as lines of a terminal.

    Args:
        chart: What it shows.
        width: Columns; at least 40 and at most 200 are used.
        height: Rows of all axes together; by their number where None.
        ascii: Whether only ASCII characters can be shown.
        color: Whether there are colours.
    """
    width = min(max(width, NARROWEST), WIDEST)
    rows = list(_arranged(chart.axes, width))
    usual = ALONE if len(rows) == 1 else ONE_OF_SEVERAL
    each = max(usual if height is None else height // len(rows), LOWEST)
    lines = [_plain(chart.title, ascii)[:width]]
    for beside in rows:
        share = width // len(beside)
        blocks = [_Canvas(axes, share, each, ascii=ascii, color=color).lines() for axes in beside]
        below = " " * share
        lines += ["".join(parts).rstrip() for parts in zip_longest(*blocks, fillvalue=below)]
    return lines


def _arranged(axes: Sequence[Axes], width: int) -> Iterator[list[Axes]]:
    """Yield the axes that are drawn side by side."""
    for _, row in groupby(axes, key=lambda each: each.row):
        own = list(row)
        yield from [own] if width >= BESIDE else [[each] for each in own]


def _plain(text: str, ascii: bool) -> str:
    """Return a text that a terminal can show, without control characters."""
    shown = "".join(each if each.isprintable() else "?" for each in text)
    return shown.encode("ascii", "replace").decode() if ascii else shown


def _import_plotext() -> Any:
    """Import plotext without its interactive documentation, which takes longest."""
    name = "plotext._doc.doc"
    if "plotext" not in sys.modules:
        sys.modules[name] = ModuleType(name)
        sys.modules[name].docs = None  # type: ignore[attr-defined]
    import plotext

    return plotext


class _Canvas:
    """One pair of axes in characters.

    Args:
        axes: What they show.
        width: Columns.
        height: Rows, with title and legend.
        ascii: Whether only ASCII characters can be shown.
        color: Whether there are colours.
    """

    def __init__(self, axes: Axes, width: int, height: int, *, ascii: bool, color: bool) -> None:
        self.plotext = _import_plotext()
        self.axes, self.width, self.height = axes, width, height
        self.ascii, self.color = ascii, color
        self.marks = ASCII if ascii else UNICODE
        self.legend: dict[str, tuple[str, Any]] = {}
        # Bars with names lie: there is room for names on the left alone.
        self.lying = bool(axes.bars) and axes.kind == "name"
        if self.lying:
            # A row for each bar, and those of title, legend, frame and ticks.
            self.height = len(names(axes)) + 5

    def lines(self) -> list[str]:
        """Return title, chart and legend, each line as wide as the canvas."""
        figure = self.plotext.figure
        figure.clear()
        self.plotext.terminal.limit(False, False)
        figure.plot_size(self.width, self.height - 2)
        figure.canvas("default")
        figure.axes(pixel=(PLAIN, BEHIND))
        figure.ruler("both", "both").pixel((PLAIN, BEHIND))
        self._shade(figure)
        self._draw(figure)
        # Bars have ticks of their own, which these replace.
        self._ticks(figure)
        text = figure.build().string(colorless=not self.color)
        unit = f" ({self.axes.y_label})" if self.lying else ""
        title = _plain(self.axes.title + unit, self.ascii)[: self.width - 1].ljust(self.width)
        text = OWN_COLORS.sub(lambda found: "\x1b[39m" if found[1] else "\x1b[49m", text)
        drawn = [each for each in text.split("\n") if each]
        drawn = [each.translate(FRAMES) for each in drawn] if self.ascii else drawn
        return [title, *drawn, self._legend()]

    def _ticks(self, figure: Any) -> None:
        """Set the ranges and the ticks of both axes."""
        axes = self.axes
        low, high = self._range()
        x, ticks = self._extent()
        along, up = ("y", "x") if self.lying else ("x", "y")
        figure.ruler(along).lim(*x)
        figure.ruler(along).ticks([at for at, _ in ticks], [text for _, text in ticks])
        figure.ruler(up).lim(low, high)
        most = self.width // 12 if self.lying else max(3, self.height // 3)
        if self.lying:
            figure.ruler(along).direction(-1)
        found = number_ticks(low, high, most)
        figure.ruler(up).ticks([at for at, _ in found], [text for _, text in found])
        if axes.kind == "number" and not self.lying:
            label = _plain(axes.x_label, self.ascii)
            figure.label(self.plotext.colorize(label, (PLAIN, BEHIND)))

    def _range(self) -> tuple[float, float]:
        """Return the lowest and highest of all that is drawn, with some space."""
        axes = self.axes
        drawn = [line.y for line in axes.lines] + [each.y for each in axes.points]
        drawn += [side for band in axes.bands for side in (band.lower, band.upper)]
        drawn += [bars.heights for bars in axes.bars] + [(0.0,)] * bool(axes.bars)
        known = [each for one in drawn for each in one if each is not None] or [0.0]
        low, high = min(known), max(known)
        room = 0.03 * (high - low) or abs(high) * 0.05 or 1.0
        return (low if axes.bars and low == 0 else low - room), high + room

    def _extent(self) -> tuple[tuple[float, float], Ticks]:
        """Return the range of the axis of positions, and its ticks."""
        axes = self.axes
        found = [each for x in axes.drawn_along for each in places(axes, x)]
        found += [each for span in axes.spans for each in places(axes, (span.begin, span.end))]
        first, last = (min(found), max(found)) if found else (0.0, 1.0)
        if axes.kind == "time":
            return self._wide(first, last, 43_200.0), date_ticks(first, last, self.width // 14)
        if self.lying:
            # A row for each bar: the first and the last are the ends of the axis.
            return self._wide(1.0, last, 0.5), self._names()
        if axes.kind == "name":
            return (0.5, last + 0.5), self._names()
        room = 0.5 * (last - first) / max(len(found) - 1, 1) if axes.bars else 0.0
        whole = all(each == round(each) for each in found)
        ticks = number_ticks(first, last, max(2, self.width // 10), whole=whole)
        return self._wide(first - room, last + room, 0.5), ticks

    def _wide(self, first: float, last: float, room: float) -> tuple[float, float]:
        return (first, last) if last > first else (first - room, last + room)

    def _names(self) -> Ticks:
        """Return the names as ticks, so many as there is room for."""
        listed = [_plain(each, self.ascii) for each in names(self.axes)]
        if self.lying:
            most = max(8, self.width // 3)
            step = 1
            shown = [each if len(each) <= most else f"{each[: most - 2]}.." for each in listed]
        else:
            longest, shown = max(map(len, listed), default=1), listed
            step = max(1, math.ceil(len(listed) * (longest + 2) / max(self.width - 8, 1)))
        return [(float(at), shown[at - 1]) for at in range(1, len(shown) + 1, step)]

    def _shade(self, figure: Any) -> None:
        """Draw the bands, the widest first, and where spans begin."""
        levels = sorted({band.level for band in self.axes.bands}, reverse=True)
        for band in self.axes.bands:
            place = min(levels.index(band.level), len(SHADES[False]) - 1)
            shade = SHADES[self.ascii][place]
            mark = self._mark(f"{band.level:g} %", shade, GREY if place == 0 else LIGHT)
            x = places(self.axes, band.x)
            known = [
                (at, low, high)
                for at, low, high in zip(x, band.lower, band.upper, strict=True)
                if low is not None and high is not None
            ]
            if not known:
                continue
            at, low, high = (list(each) for each in zip(*known, strict=True))
            lower, upper = (figure.signal(at, side, marker=mark) for side in (low, high))
            figure.draw(upper.lines().fill(lower))
        self._spans(figure)

    def _spans(self, figure: Any) -> None:
        """Mark where each split begins by a line with its name."""
        (low, high), ((first, last), _) = self._range(), self._extent()
        cell, row = (last - first) / self.width, (high - low) / max(self.height - 5, 1)
        # Where there is no room beside the name before, a name is written below it.
        free = [first, first]
        for span in self.axes.spans:
            if span.name == "missing":
                continue
            at = places(self.axes, (span.begin,))[0]
            if at > first:
                figure.line(at, "vertical", pixel=(GREY, BEHIND))
            end = at + (len(span.name) + 2) * cell
            line = next((each for each in (0, 1) if at >= free[each]), None)
            if line is not None and end <= last + cell:
                text = _plain(span.name, self.ascii)
                name = self.plotext.colorize(text, (GREY, BEHIND))
                figure.draw(figure.text(at + cell, high - line * row, name))
                free[line] = end

    def _draw(self, figure: Any) -> None:
        """Draw lines, points and bars."""
        for bars in self.axes.bars:
            mark = self._mark(bars.name, self.marks["bars"], BLUE, listed=False)
            x, heights = places(self.axes, bars.x), [each or 0.0 for each in bars.heights]
            way, wide = ("horizontal", 0.1) if self.lying else ("vertical", 0.8)
            figure.draw(figure.bar(x, heights, marker=mark, orientation=way, width=wide))
        for line in sorted(self.axes.lines, key=lambda each: each.role == "forecast"):
            mark = self._mark(line.name, *self._style(line))
            for at, height in _pieces(places(self.axes, line.x), line.y):
                figure.draw(figure.signal(at, height, marker=mark).lines())
        for points in self.axes.points:
            mark = self._mark(points.name, self.marks["points"], ORANGE)
            for at, height in _pieces(places(self.axes, points.x), points.y):
                figure.draw(figure.signal(at, height, marker=mark))

    def _style(self, line: Line) -> tuple[str, Any]:
        """Return the character and the colour of a line."""
        if line.role == "other":
            others = [each.name for each in self.axes.lines if each.role == "other"]
            place = list(dict.fromkeys(others)).index(line.name)
            marks = OTHER_MARKS[self.ascii]
            return marks[place % len(marks)], OTHERS[place % len(OTHERS)]
        return self.marks[line.role], {"actual": PLAIN, "forecast": BLUE, "reference": GREY}[
            line.role
        ]

    def _mark(self, name: str, symbol: str, color: Any, *, listed: bool = True) -> Any:
        """Return what points are drawn with, and note it for the legend."""
        if listed and name:
            self.legend.setdefault(name, ("⠒" if symbol == "braille" else symbol, color))
        return self.plotext.marker(symbol, (color, BEHIND))

    def _legend(self) -> str:
        """Return the names of what is drawn after their characters, as wide as the canvas."""
        parts, used = [], 2
        drawn = [line.name for line in self.axes.lines]
        order = sorted(self.legend, key=lambda name: name not in drawn)
        for name in order:
            symbol, color = self.legend[name]
            shown = _plain(name, self.ascii)
            if used + len(shown) + 4 > self.width:
                break
            used += len(shown) + 4
            mark = f"\x1b[38;5;{color}m{symbol}\x1b[0m" if self.color and color != PLAIN else symbol
            parts.append(f"{mark} {shown}  ")
        return f"  {''.join(parts)}{' ' * (self.width - used)}"


def _pieces(
    x: Sequence[float], y: Sequence[float | None]
) -> Iterator[tuple[list[float], list[float]]]:
    """Yield the runs of a line that have values."""
    known = zip(x, y, strict=True)
    for missing, run in groupby(known, key=lambda each: each[1] is None):
        if not missing:
            own = list(run)
            yield [at for at, _ in own], [float(each or 0.0) for _, each in own]
