"""Charts drawn in characters and as images."""

import re
import sys

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.api.charts.description import (
    Axes,
    Band,
    Bars,
    Chart,
    Line,
    Points,
    Span,
    date_ticks,
    number_ticks,
    positions,
    seconds,
)
from forecast_cli.api.charts.images import save
from forecast_cli.api.charts.terminal import render

TIMES = pd.date_range("2024-01-01", periods=40)


def chart(title="sales", *axes):
    x, ahead = positions(TIMES[:30]), positions(TIMES[30:])
    rows = np.sin(np.arange(30) / 3)
    actual = Line("actual values", x, (*rows[:10], None, *rows[11:]))
    forecast = Line("forecast", ahead, tuple(np.linspace(0, 1, 10)), "forecast")
    test = Line("test forecasts", x[20:25], (0.1, 0.2, 0.3, 0.2, 0.1), "other")
    bands = [
        Band(f"{n} % interval", ahead, (-w,) * 10, (w,) * 10, n) for n, w in ((95, 3.0), (80, 1.5))
    ]
    spans = Span("training", x[0], x[20]), Span("test", x[20], x[29]), Span("missing", x[10], x[10])
    drawn = Axes(title, "date", "units", "time", (actual, test, forecast), tuple(bands), spans)
    bars = Axes("errors", "", "mae", "name", bars=(Bars("mae", ("a", "b $x$"), (1.0, 2.0)),), row=1)
    points = Axes(
        "coverage", "level", "percent", points=(Points("p", (50.0, 80.0), (48.0, None)),), row=2
    )
    return Chart(
        "forecast", title, "A line, and what comes after it.", axes or (drawn, bars, points)
    )


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_window(width):
    lines = render(chart(), width, ascii=False, color=False)
    assert max(map(len, lines)) in (width - 1, width)
    text = "\n".join(lines)
    assert all(word in text for word in ("training", "actual values", "95 %", "2024-01", "b $x$"))
    assert "\x1b" not in text


def test_in_ascii_there_is_nothing_else():
    text = "\n".join(render(chart("Größe €"), 80, ascii=True, color=False))
    assert text.isascii() and "Gr??e ?" in text
    assert set("o.x:%#") <= set(text)


def test_colours_are_numbers_of_the_palette_and_leave_the_ground_as_it_is():
    text = "\n".join(render(chart(), 80, ascii=False, color=True))
    assert "\x1b[38;5;33m" in text
    # Nothing is painted black or white: terminals are dark or light.
    assert not re.findall(r"\x1b\[48;5|\x1b\[38;5;(?:0|7|15|16)m", text)


def test_text_from_outside_cannot_control_the_terminal():
    lines = render(chart("sales\x1b[2J\r\n"), 80, ascii=False, color=False)
    assert not any(set("\x1b\r\n") & set(line) for line in lines)


def test_wide_windows_put_axes_of_a_row_beside_each_other():
    two = [
        Axes(name, "x", "y", lines=(Line("a", (1.0, 2.0), (1.0, 2.0)),))
        for name in ("left", "right")
    ]
    narrow, wide = (render(chart("t", *two), width, ascii=True, color=False) for width in (80, 120))
    assert not any("left" in line and "right" in line for line in narrow)
    assert any("left" in line and "right" in line for line in wide)


def test_each_of_many_bars_has_a_row_of_its_own():
    heights = tuple(float(each) for each in range(30, 12, -1))
    names = tuple(f"member {number:02}" for number in range(len(heights)))
    few = Axes("few", "", "percent", "name", bars=(Bars("a", names[:2], heights[:2]),))
    many = Axes("many", "", "percent", "name", bars=(Bars("b", names, heights),))
    lines = render(chart("t", few, many), 120, ascii=True, color=False)
    drawn = [line.rpartition("member")[2].count("#") for line in lines if "member" in line]
    assert len(drawn) == len(names) and drawn == sorted(drawn, reverse=True)
    assert drawn[-1] / drawn[0] == pytest.approx(heights[-1] / heights[0], abs=0.05)


def test_the_height_is_that_of_all_axes():
    (axes,) = chart().axes[:1]
    assert len(render(chart("t", axes), 80, 30, ascii=True, color=False)) == 31


@pytest.mark.parametrize("values", [(5.0,), (0.0, 0.0), (None, 1e12), (1e-9, 2e-9)])
def test_values_that_hardly_differ_are_drawn(values):
    x = positions(np.arange(1.0, len(values) + 1))
    one = Axes("", "", "", lines=(Line("a", x, values), Line("b", x, values, "forecast")))
    assert len(render(chart("t", one), 60, ascii=True, color=False)) > 5
    assert save(chart("t", one), _path("png"))


def _path(kind):
    from pathlib import Path

    return Path(f"chart.{kind}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "begin"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_an_image_is_of_its_kind_and_twice_the_same(kind, begin):
    first, second = save(chart(), _path(kind)), save(chart(), _path(kind))
    assert first.startswith(begin) and first == second


def test_an_image_holds_its_text_and_escapes_what_comes_from_outside():
    text = save(chart("<script> & $x_{$"), _path("svg")).decode()
    assert "A line, and what comes after it." in text
    assert "<script>" not in text and "&lt;script&gt; &amp; $x_{$" in text


def test_characters_that_no_font_has_are_named_and_kept_in_svg(monkeypatch):
    monkeypatch.setattr("forecast_cli.api.charts.images.FONTS", ("DejaVu Sans",))
    notes = []
    assert save(chart("매출"), _path("png"), on_event=notes.append)
    assert "no font of this system" in notes[0].text and notes[0].warning
    assert "매출" in save(chart("매출"), _path("svg")).decode()


def test_other_formats_are_refused():
    with pytest.raises(fc.UsageError, match=r"chart\.gif: a chart is written as png, svg, pdf"):
        save(chart(), _path("gif"))


def test_without_matplotlib_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(fc.UsageError, match=r"pip install 'forecast-cli\[plot\]'"):
        save(chart(), _path("png"))


def test_a_model_returns_axes_of_matplotlib_and_an_evaluation_a_table(golden):
    model = fc.load(golden.with_name("format-8.forecast"))
    axes = model.plot()
    assert len(axes.lines) >= 2 and axes.get_xlabel() == "date"
    assert len(model.plot(kind="errors")) == 2
    with pytest.raises(fc.UsageError, match='Did you mean "only"'):
        model.plot(onyl="a")
    text = model.evaluation.model_copy(update={"verdict": "<b>"})._repr_html_()
    assert "<p>&lt;b&gt;</p>" in text and "<td>seasonal-naive</td>" in text


@pytest.mark.parametrize("most", [3, 6, 12])
@pytest.mark.parametrize("end", ["2024-01-01 02:00", "2024-01-09", "2024-08-01", "2043-01-01"])
def test_dates_have_a_few_distinct_ticks_within_the_axis(end, most):
    first, last = seconds(pd.DatetimeIndex(["2024-01-01", end]))
    ticks = date_ticks(first, last, most)
    assert 1 <= len(ticks) <= most and len({text for _, text in ticks}) == len(ticks)
    assert all(first <= at <= last for at, _ in ticks)


def test_numbers_have_round_ticks():
    assert [text for _, text in number_ticks(0.0, 1.0, 4)] == ["0", "0.25", "0.5", "0.75", "1"]
    assert [text for _, text in number_ticks(1.0, 3.0, 9, whole=True)] == ["1", "2", "3"]
