"""The page of the server in Chromium: a table is dropped, and its forecast is drawn."""

import re

import pandas as pd
import pytest

from ...servers import BROWSER, serving, texts_drawn

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed"),
    # What the driver and its event loop leave open is closed at the end of the process.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
TOKEN = "a-token-of-20-digits"
DROP = """(text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], "days.csv", {type: "text/csv"}));
    document.getElementById("drop").dispatchEvent(new DragEvent("drop", {dataTransfer: data}));
}"""


@pytest.fixture(scope="module")
def url(paths, tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    with serving(folder, paths["days"], paths["shops"], "--token", TOKEN) as process:
        yield process.url


@pytest.fixture
def page(browser, url, request):
    """The page with the token; nothing is requested from elsewhere, and no script fails."""
    context = browser.new_context(**getattr(request, "param", {}))
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda each: problems.append(str(each)))
    page.on(
        "request", lambda each: each.url.startswith((url, "blob:")) or problems.append(each.url)
    )
    page.goto(url)
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_label("Token").press("Tab")
    page.locator("#model option").first.wait_for(state="attached")
    yield page
    assert problems == []
    context.close()


@pytest.fixture
def text(tables):
    return tables["days"].tail(40).to_csv(index=False)


def drop(page, text):
    page.evaluate(DROP, text)
    page.wait_for_selector("#result canvas", state="visible")


def test_a_dropped_table_is_forecast_and_drawn(page, text):
    assert "value" in page.locator("#columns").inner_text()
    drop(page, text)
    assert page.locator("#forecasts tbody tr").count() == 3
    assert "forecast" in page.locator("#result .values").inner_text()
    box = page.locator("#result .u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + 50)
    assert "interval" in page.locator("#result .values").inner_text()
    zoom = page.get_by_role("button", name="Zoom in")
    dates = [each for each in texts_drawn(page, zoom.click) if re.search(r"\d\D\d", each)]
    assert dates and all(re.fullmatch(r"\d{4}-\d\d-\d\d", each) for each in dates)
    page.get_by_label("Steps ahead").fill("2")
    page.get_by_role("button", name="Forecast", exact=True).click()
    page.get_by_text("2 rows").wait_for()
    with page.expect_download() as waiting:
        page.locator("#download").click()
    assert list(pd.read_csv(waiting.value.path()))[:2] == ["date", "value"]


def test_a_refused_table_shows_the_hint(page, text):
    lines = text.splitlines()
    gap = lines[5].split(",")
    page.evaluate(DROP, "\n".join([*lines[:5], f"{gap[0]},,1", *lines[6:]]))
    page.locator("#problem").wait_for()
    assert "--missing interpolate" in page.locator("#problem").inner_text()
    page.get_by_label("Missing values").select_option("interpolate")
    page.get_by_role("button", name="Forecast", exact=True).click()
    page.wait_for_selector("#result canvas", state="visible")
    assert not page.locator("#problem").is_visible()


def test_series_are_chosen_and_future_covariates_sent(page, asked, tmp_path):
    page.get_by_label("Model").select_option("shops")
    for name in ("rows", "future"):
        pd.DataFrame(asked.shops[name]).to_csv(tmp_path / f"{name}.csv", index=False)
    page.locator("#future").set_input_files(tmp_path / "future.csv")
    page.locator("#file").set_input_files(tmp_path / "rows.csv")
    page.wait_for_selector("#result canvas", state="visible")
    page.locator("#picker").select_option(label="c")
    assert page.locator("#result figcaption").inner_text() == "c"
    assert page.locator("#forecasts tbody tr").count() == 6


@pytest.mark.parametrize(
    "page",
    [{}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 800}}],
    indirect=True,
)
def test_pages_have_no_fault_of_accessibility_and_fit(page, text, url):
    from axe_playwright_python.sync_playwright import Axe

    drop(page, text)
    for path in ("", "/docs"):
        if path:
            page.goto(url + path)
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
