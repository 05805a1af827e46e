"""The page of a report: what it holds, and that names in it are text."""

import dataclasses
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc

ROWS, HORIZON = 120, 4
SETTINGS = {"horizon": HORIZON, "timesteps": 12, "validation": 24, "test": 24}
HOSTILE = ['</script><script>alert("x")</script>', "\"'><img src=x onerror=alert(1)>", "ab\u202ecd"]


def table(name: str = "sales") -> pd.DataFrame:
    steps = np.arange(ROWS)
    sales = 100 + steps + 20 * np.sin(2 * np.pi * steps / 12)
    return pd.DataFrame({"date": pd.date_range("2014-01-01", periods=ROWS, freq="MS"), name: sales})


def shops(*names: str) -> pd.DataFrame:
    parts = [table().assign(shop=name, sales=lambda t, k=k: t["sales"] * (k + 1))
             for k, name in enumerate(names)]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


class Page(HTMLParser):
    """The elements of a page, and the data of its script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
        self.data = json.loads(found[1])

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def page(tmp_path):
    """Writes the page of a model and reads it."""

    def make(model, *arguments, **options) -> Page:
        model.report(tmp_path / "report.html", *arguments, **options)
        return Page((tmp_path / "report.html").read_text(encoding="utf-8"))

    return make


def test_a_page_has_verdict_scores_charts_and_settings(linear, page, tmp_path):
    linear(table(), column="sales", **SETTINGS).save(tmp_path / "model.forecast")
    model = fc.load(tmp_path / "model.forecast")
    found = page(model, table())
    text = " ".join("".join(found.text).split())
    assert model.evaluation.verdict.replace("`", "") in text
    sections = {each["id"] for each in found.named("section")}
    assert {"forecast", "scores", "test", "errors", "coverage", "residuals", "about"} <= sections
    for part in ("2014-01-01", "seasonal-naive", "SHA-256", "--config report.toml", "minmax"):
        assert part in text
    made = found.data["forecasts"]
    assert made["columns"][:2] == ["date", "sales"]
    expected = model.predict(table())["sales"].tolist()
    assert [row[1] for row in made["rows"]] == pytest.approx(expected)
    (axes,) = found.data["charts"]["forecast"]
    line = next(each for each in axes["lines"] if each["role"] == "forecast")
    # What the table has is not repeated.
    assert made["columns"][line["y"]] == "sales"
    ends = [made["columns"][each[end]] for each in axes["bands"] for end in ("low", "high")]
    assert {*ends} == {f"sales_{end}{level}" for end in ("lo", "hi") for level in (80, 95)}
    assert {each["level"] for each in axes["bands"]} == {80, 95}


def test_a_page_requests_nothing_and_permits_its_own_script_alone(linear, page):
    found = page(linear(table(), column="sales", **SETTINGS))
    (policy,) = [each["content"] for each in found.named("meta") if "http-equiv" in each]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    for _, attributes in found.tags:
        for name in ("src", "href", "action", "style", "onclick", "onload"):
            assert (attributes.get(name) or "#").startswith("#")
    assert not found.named("link") and not found.named("img")
    for each in found.named("html"):
        assert each["lang"] == "en"


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_columns_are_text(linear, page, name):
    found = page(linear(table(name), column=name, **SETTINGS), table(name))
    assert len(found.named("script")) == 2 and not found.named("img")
    shown = name.replace("\u202e", "\\u202e")
    assert any(shown in each for each in found.text)
    assert "\u202e" not in "".join(found.text)
    assert found.data["charts"]["forecast"][0]["title"] == shown


def test_names_of_series_are_text_and_can_be_chosen(linear, page):
    model = linear(shops(*HOSTILE), column="sales", series="shop", **SETTINGS)
    found = page(model, shops(*HOSTILE))
    assert len(found.named("script")) == 2 and not found.named("img")
    assert len(found.data["charts"]["forecast"]) == len(HOSTILE)
    made = found.data["forecasts"]
    assert made["columns"][made["keys"][0]] == "shop"
    assert sorted(each[0] for each in made["shown"]) == sorted(HOSTILE)
    pickers = [each for each in found.named("select") if each["data-chart"] == "forecast"]
    assert len(pickers) == 1 and len(found.named("option")) == 2 * len(HOSTILE)


def test_what_cannot_be_drawn_is_said(linear, page):
    frame = table().assign(price=np.tile([9.0, 7.0, 8.0], ROWS // 3))
    model = linear(frame, column="sales", future_covariates="price", **SETTINGS)
    found = page(model)
    assert "forecast" not in found.data["charts"] and found.data["forecasts"] is None
    assert any('"price" is missing' in each for each in found.text)
    future = pd.DataFrame(
        {"date": pd.date_range("2024-01-01", periods=HORIZON, freq="MS"), "price": 8.0}
    )
    assert page(model, future=future).data["forecasts"]


@pytest.mark.slow
def test_a_hundred_series_fit_into_two_megabytes(linear, tmp_path):
    hours = pd.DataFrame({"hour": pd.date_range("2024-01-01", periods=600, freq="h")})
    draw = np.random.default_rng(0)
    parts = [hours.assign(shop=f"shop {number:03}", sales=draw.gamma(9.0, 12.0, len(hours)))
             for number in range(100)]  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    settings = {"horizon": 48, "timesteps": 24, "validation": 100, "test": 200}
    linear(frame, column="sales", series="shop", **settings).report(tmp_path / "r.html", frame)
    assert (tmp_path / "r.html").stat().st_size < 2_000_000


def test_the_configuration_trains_the_same_model(linear, page):
    model = linear(table(), column="sales", **SETTINGS)
    import tomllib

    settings = tomllib.loads(page(model).data["config"])
    assert fc.Config(**settings) == model.config


def test_a_model_of_classes_has_a_page_with_its_confusion_matrix(golden, page):
    model = fc.load(golden.with_name("format-2-labels.forecast"))
    found = page(model)
    text = " ".join("".join(found.text).split())
    evaluation, classes = model.evaluation, model.bundle.manifest.labels.classes
    assert evaluation.verdict in text and "SHA-256" in text and "--config report.toml" in text
    assert {each["id"] for each in found.named("section")} == {
        "scores", "errors", "loss", "network", "about",
    }  # fmt: skip
    for place, (name, counts) in enumerate(zip(classes, evaluation.confusion, strict=True)):
        matrix = [str(name), *map(str, counts)]
        recall = [str(name), str(sum(counts)), f"{100 * counts[place] / sum(counts):.5g}"]
        assert re.search(r"\s*".join(matrix), text) and re.search(r"\s*".join(recall), text)
    with pytest.raises(fc.UsageError, match="no use for a table"):
        page(model, table())


def test_a_backtest_has_a_page(tmp_path):
    plan = fc.Plan(models=("naive", "drift"), n_windows=3)
    result = fc.backtest(table(), plan, column="sales", horizon=HORIZON)
    result.report(tmp_path / "r.html")
    found = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert {"forecast", "errors"} <= found.data["charts"].keys()
    assert len(found.data["forecasts"]["rows"]) == 3 * HORIZON
    assert result.verdict in " ".join("".join(found.text).split())


def test_gaps_are_counted_with_the_longest_and_what_filled_them(linear, page):
    frame = shops("north", "south")
    frame.loc[[40, 41, 90, ROWS + 5], "sales"] = None
    model = linear(shops("north", "south"), column="sales", series="shop", **SETTINGS)
    text = " ".join(page(model, frame, missing="interpolate").text)
    assert "4 of 240 (1.7\u00a0%), at most 2 in a row; 4 filled (missing=interpolate)" in text


def test_folders_and_passwords_stay_private(linear, page, tmp_path):
    path = tmp_path / "private" / "sales.csv"
    path.parent.mkdir()
    table().to_csv(path, index=False)
    found = page(linear(table(), column="sales", **SETTINGS), path)
    text = " ".join(found.text)
    assert "forecast train sales.csv --config report.toml" in text
    assert str(tmp_path) not in text and str(tmp_path) not in json.dumps(found.data)


def test_covariates_that_only_the_model_keeps_make_the_forecast(linear, page):
    frame = table().assign(price=np.arange(ROWS) % 7)
    rows, ahead = frame[:-HORIZON], frame[-HORIZON:].drop(columns="sales")
    model = linear(rows, column="sales", future_covariates=["price"], **SETTINGS)
    kept = model.bundle.series is None and np.array(ahead[["price"]].to_numpy(float))
    whole = np.full((1, HORIZON, 2), np.nan)
    whole[0, :, 1:] = kept
    stored = fc.Model(dataclasses.replace(model.bundle, ahead=whole))
    made = page(stored, rows).data["forecasts"]
    found = model.predict(rows, future=ahead)["sales"]
    np.testing.assert_allclose([row[1] for row in made["rows"]], found, rtol=1e-5)


def test_a_table_is_scored_once_for_all_charts_of_a_page(linear, page, monkeypatch):
    from forecast_cli.evaluation import model_evaluation

    calls, score = [], model_evaluation.score_panel
    spy = lambda *given, **more: calls.append(given) or score(*given, **more)  # noqa: E731
    monkeypatch.setattr(model_evaluation, "score_panel", spy)
    charts = page(linear(table(), column="sales", **SETTINGS), table()).data["charts"]
    assert len(calls) == 1
    # Coverage is measured at many levels; the test forecasts have the intervals of the model.
    assert len(charts["coverage"][0]["points"][0]["x"]) == 10
    assert {each["level"] for each in charts["test"][0]["bands"]} == {80, 95}


def test_rows_that_the_model_may_have_learned_from_are_not_scored(linear, page):
    frame = table().drop(columns="date")
    found = page(linear(frame, column="sales", **SETTINGS), frame)
    assert "test" not in found.data["charts"] and "errors" in found.data["charts"]
    assert "rows cannot be told from those" in " ".join(found.text)
    (axes,) = found.data["charts"]["forecast"]
    assert {each["name"] for each in axes["lines"]} == {"actual values", "forecast"}
