"""The page of a report in Chromium: it draws, answers the mouse and the keyboard, and prints."""

import io
import re

import numpy as np
import pandas as pd
import pytest

from ...servers import BROWSER, texts_drawn

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed"),
    # What the driver and its event loop leave open is closed at the end of the process.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
ROWS, HORIZON = 120, 4


@pytest.fixture(scope="module")
def path(linear, tmp_path_factory):
    steps = np.arange(ROWS)
    sales = 100 + steps + 20 * np.sin(2 * np.pi * steps / 12)
    dates = pd.date_range("2014-01-01", periods=ROWS, freq="MS")
    parts = [pd.DataFrame({"date": dates, "sales": sales * k, "shop": name})
             for k, name in enumerate(("north", "south", "east <b>"), start=1)]  # fmt: skip
    frame = pd.concat(parts)
    settings = {"horizon": HORIZON, "timesteps": 12, "validation": 24, "test": 24}
    model = linear(frame, column="sales", series="shop", **settings)
    path = tmp_path_factory.mktemp("report") / "report.html"
    model.report(path, frame)
    return path


@pytest.fixture
def page(browser, path, request):
    """The page, opened from disk; nothing else may be requested, and nothing be logged."""
    context = browser.new_context(**getattr(request, "param", {}))
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda each: problems.append(each.text))
    page.on("pageerror", lambda each: problems.append(str(each)))
    page.on("request", lambda each: problems.append(each.url) if each.url != url else None)
    url = path.as_uri()
    page.goto(url)
    page.wait_for_selector("#forecast canvas")
    yield page
    assert problems == []
    context.close()


def colors(image: bytes) -> int:
    """How many colours a picture has."""
    from matplotlib.image import imread

    return len(np.unique(imread(io.BytesIO(image)).reshape(-1, 4), axis=0))


def test_charts_are_drawn(page):
    canvas = page.locator("#forecast canvas").first
    assert colors(canvas.screenshot()) > 10
    empty = page.evaluate("""() => [...document.querySelectorAll("canvas")].filter(each =>
        !each.getContext("2d").getImageData(0, 0, each.width, each.height).data.some(x => x)
    ).length""")
    assert empty == 0 and page.locator("canvas").count() > 5


def test_hovering_shows_values_and_intervals(page):
    page.locator("#forecast .plot").first.scroll_into_view_if_needed()
    box = page.locator("#forecast .u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 6, box["y"] + 50)
    text = page.locator("#forecast .values").inner_text()
    assert "2024-" in text and "forecast" in text and "80" in text and " to " in text


def test_keys_move_the_cursor_and_zoom(page):
    plot = page.locator("#forecast .plot").first
    plot.focus()
    page.keyboard.press("End")
    values = page.locator("#forecast .values")
    last = values.inner_text()
    page.keyboard.press("ArrowLeft")
    assert "2024-04" in last and "2024-03" in values.inner_text()
    before = plot.screenshot()
    page.keyboard.press("+")
    assert plot.screenshot() != before
    page.get_by_role("button", name="All").first.click()


def test_a_series_is_found_and_chosen(page):
    first = page.locator("#forecasts tbody tr").first.inner_text()
    page.locator("#search-forecast").fill("EAST")
    assert page.locator("#forecast figcaption").first.inner_text() == "sales of east <b>"
    rows = page.locator("#forecasts tbody tr")
    assert rows.count() == HORIZON and "east <b>" in rows.first.inner_text() != first
    page.locator("#search-forecast").fill("")
    page.locator("#forecast .picker").select_option(label="sales of south")
    assert "south" in rows.first.inner_text()


def test_levels_are_switched(page):
    plot = page.locator("#forecast .plot").first
    before = plot.screenshot()
    page.get_by_label("95 % interval").first.uncheck()
    assert plot.screenshot() != before
    assert "95" not in page.locator("#forecast .values").inner_text()


def steps_of_tests(page) -> int:
    """How many rows of the table of the test chart have a test forecast."""
    return page.evaluate("""() => {
        const table = document.querySelector("#test details table");
        const names = [...table.tHead.rows[0].cells].map(each => each.textContent);
        return [...table.tBodies[0].rows].filter(row => names.some(
            (name, at) => name === "test forecasts" && row.cells[at].textContent)).length;
    }""")


def dates_in_view(page) -> tuple[str, str]:
    """The first and the last date that the test chart shows, as its keys name them."""
    page.locator("#test .plot").first.focus()
    seen = []
    for key in ("Home", "End"):
        page.keyboard.press(key)
        seen.append(page.locator("#test .values span").first.inner_text())
    return seen[0], seen[1]


def test_the_test_forecasts_of_one_origin_are_chosen_by_the_keyboard(page):
    plot = page.locator("#test .plot").first
    page.locator("#test").get_by_text("Values as a table").click()
    # It is made a moment after it is opened.
    page.locator("#test details table").first.wait_for()
    every, before, whole = steps_of_tests(page), plot.screenshot(), dates_in_view(page)
    choice = page.locator("#test").get_by_label("Test forecasts")
    choice.focus()
    page.keyboard.press("ArrowDown")
    assert choice.input_value() != "" and plot.screenshot() != before
    assert every > steps_of_tests(page) == HORIZON
    # The chart shows its steps, with some history before them.
    origin = choice.locator("option:checked").inner_text().removeprefix("from ")
    first, last = dates_in_view(page)
    assert whole[0] < first < origin < last < whole[1]
    choice.focus()
    page.keyboard.press("ArrowUp")
    assert steps_of_tests(page) == every and plot.screenshot() == before
    assert dates_in_view(page) == whole


def test_dates_on_an_axis_are_those_of_iso_8601(page):
    choice = page.locator("#test").get_by_label("Test forecasts")
    drawn = texts_drawn(page, lambda: choice.select_option(index=1))
    dates = [text for text in drawn if re.search(r"\d[-/:]\d", text)]
    assert dates and all(re.fullmatch(r"\d{4}-\d\d(-\d\d)?", text) for text in dates)


def test_each_chart_has_its_values_as_a_table(page):
    figure = page.locator("#errors figure.chart").first
    figure.get_by_text("Values as a table").click()
    figure.locator("tbody tr").first.wait_for()
    assert figure.locator("tbody tr").count() == HORIZON


def test_the_forecasts_are_downloaded_as_csv(page):
    with page.expect_download() as waiting:
        page.locator("#download").click()
    frame = pd.read_csv(waiting.value.path())
    assert list(frame)[:3] == ["shop", "date", "sales"] and len(frame) == 3 * HORIZON


@pytest.mark.parametrize("page", [{"color_scheme": "dark"}], indirect=True)
def test_it_is_dark_where_the_reader_prefers_that(page):
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(20, 24, 29)"


@pytest.mark.parametrize(
    "page", [{"viewport": {"width": 360, "height": 800}, "has_touch": True}], indirect=True
)
def test_it_fits_a_phone(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("page", [{"color_scheme": "dark"}], indirect=True)
def test_it_prints_light_and_within_the_paper(page):
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible()
    assert page.locator("#forecast canvas").first.bounding_box()["width"] < 680
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("page", [{}, {"color_scheme": "dark"}], indirect=True)
def test_it_has_no_fault_of_accessibility(page):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
