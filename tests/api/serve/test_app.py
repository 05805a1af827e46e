"""The server answers as `predict` does, within its limits, and says how to fix what it refuses."""

import io
import json
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc

from .conftest import HORIZON, LOOKBACK

GOLDEN = Path(__file__).parents[2] / "golden"
TOKEN = "a-token-of-20-digits"
PREDICT = "/v1/models/days/predict"
MEDIA = "application/problem+json"


def post(server, body, path=PREDICT, **more):
    return server.client.post(path, json=body, **more)


def require_equal(answer, expected, keys):
    """Compare a forecast in JSON with that of `predict`."""
    assert answer.status_code == 200, answer.text
    found = pd.DataFrame(answer.json()["forecast"])
    assert list(found) == list(expected)
    assert found["date"].tolist() == expected["date"].dt.strftime("%Y-%m-%d").tolist()
    numbers = [name for name in expected if name not in keys]
    assert np.allclose(found[numbers], expected[numbers], rtol=1e-6, atol=0)


def problem(answer, status, code):
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA), answer.text
    document = answer.json()
    assert (document["status"], document["code"]) == (status, code)
    return document


@pytest.mark.parametrize("how", ["quick", "json", "csv in json", "csv", "stored"])
def test_forecasts_equal_those_of_predict(server, paths, tables, asked, how):
    model, rows = fc.load(paths["days"]), pd.DataFrame(asked.days["rows"])
    text = rows.to_csv(index=False)
    if how == "stored":
        expected = model.predict(horizon=2, level=[80])
        answer = post(server, {"horizon": 2, "level": [80]})
    else:
        expected = model.predict(rows, horizon=2, level=[80])
        body = {"rows": text if how == "csv in json" else asked.days["rows"]}
        body |= {"missing": "interpolate"} if how == "json" else {}
        if how == "csv":
            kind = {"content-type": "text/csv; charset=utf-8"}
            path = f"{PREDICT}?horizon=2&level=80"
            answer = server.client.post(path, content=text, headers=kind)
        else:
            answer = post(server, body | {"horizon": 2, "level": [80]})
    require_equal(answer, expected, ["date"])


def test_many_series_with_future_covariates_equal_predict(server, paths, asked):
    model, path = fc.load(paths["shops"]), "/v1/models/shops/predict"
    rows, future = (pd.DataFrame(asked.shops[name]) for name in ("rows", "future"))
    expected = model.predict(rows, future=future, level=[50, 80])
    answer = post(server, asked.shops | {"level": [50, 80]}, path)
    require_equal(answer, expected, ["shop", "date"])
    one = post(server, asked.shops | {"only": ["c"]}, path).json()["forecast"]
    assert [row["shop"] for row in one] == ["c"] * HORIZON
    texts = {name: each.to_csv(index=False) for name, each in (("rows", rows), ("future", future))}
    require_equal(
        post(server, texts, path), model.predict(rows, future=future), ["shop", "date"]
    )  # fmt: skip


def test_an_answer_is_csv_where_the_client_accepts_that(server, asked):
    answer = post(server, asked.days, headers={"accept": "text/csv"})
    frame = pd.read_csv(io.StringIO(answer.text))
    assert answer.headers["content-type"].startswith("text/csv")
    assert frame["value"].tolist() == [
        each["value"] for each in post(server, asked.days).json()["forecast"]
    ]
    refused = server.client.post(f"{PREDICT}?chart=true", headers={"accept": "text/csv"})
    problem(refused, 422, "invalid")


def test_labels_are_predicted(start):
    path = GOLDEN / "format-2-labels-rows.csv"
    model = GOLDEN / "format-2-labels.forecast"
    answer = start(models=[str(model)]).client.post(
        "/v1/models/format-2-labels/predict",
        content=path.read_bytes(),
        headers={"content-type": "text/csv"},
    )
    expected = fc.load(model).predict(path)
    assert answer.json()["forecast"] == json.loads(expected.to_json(orient="records"))


def test_refusals_have_the_hint_of_the_command(server, asked, run, tmp_path, paths):
    rows = [dict(each) for each in asked.days["rows"]]
    rows[4]["value"] = None
    found = problem(post(server, {"rows": rows}), 422, "data")
    pd.DataFrame(rows).to_csv(tmp_path / "rows.csv", index=False)
    code, out, _ = run("predict", "rows.csv", "-m", paths["days"], "--json")
    assert code == 3 and found["hint"] == json.loads(out)["error"]["hint"]
    assert "--missing interpolate" in found["hint"]
    # What the hint proposes can be sent as it is.
    assert found["settings"] == {"missing": "interpolate"}
    assert post(server, {"rows": rows} | found["settings"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "query", "status", "code"),
    [
        ({"rows": [{"date": "2024-01-01"}]}, "", 422, "data"),
        ({"rows": []}, "", 422, "data"),
        ({"rows": [{}]}, "", 422, "data"),
        ({"rows": [{"date": 1e200, "value": 1}] * 9}, "", 422, "data"),
        ({"rows": "date,value", "encoding": "utf-16"}, "", 422, "data"),
        ({"rows": "/etc/passwd"}, "", 422, "data"),
        ({"rows": "https://example.org/rows.csv"}, "", 422, "data"),
        ({"future": "sqlite:///a.db"}, "", 422, "usage"),
        ({"rows": [{"date": {"a": 1}}]}, "", 422, "invalid"),
        ({"horizon": "3"}, "", 422, "invalid"),
        ({"horizon": 0}, "", 422, "invalid"),
        ({"level": [101]}, "", 422, "invalid"),
        ({"nothing": 1}, "", 422, "invalid"),
        ({"horizon": 2}, "horizon=3", 422, "invalid"),
        ({}, "horizon=2&horizon=3", 422, "invalid"),
        ({}, "query=select", 422, "invalid"),
        ({}, "max_size=1", 422, "invalid"),
        ({}, "rows=a", 422, "invalid"),
        ({"timezone": "dateutil//etc/passwd"}, "", 422, "invalid"),
        ({"encoding": "punycode", "rows": "a,b"}, "", 422, "invalid"),
        ({"only": ["a"]}, "", 422, "usage"),
        ({"horizon": HORIZON + 50}, "", 422, "horizon-too-long"),
        ({"rows": [{"date": "2024-01-01", "value": 1}] * 41}, "", 413, "too-many-rows"),
        ({"rows": "date,value\n" + "2024-01-01,1\n" * 42}, "", 413, "too-many-rows"),
    ],
)
def test_what_is_refused_and_how(start, body, query, status, code):
    server = start(rows=40, horizon=20)
    found = problem(post(server, body, f"{PREDICT}?{query}"), status, code)
    assert found["detail"] and "`" not in found["detail"] + found["hint"]


def test_other_bodies_and_addresses_are_refused(server):
    problem(server.client.post(PREDICT, content=b"{"), 415, "media-type")
    kind = {"content-type": "application/json"}
    problem(server.client.post(PREDICT, content=b"{", headers=kind), 400, "not-json")
    zipped = {"content-type": "text/csv"}
    problem(server.client.post(PREDICT, content=b"PAR1" * 9, headers=zipped), 422, "data")
    assert (
        "days, shops" in problem(post(server, {}, "/v1/models/x/predict"), 404, "no-model")["hint"]
    )
    problem(server.client.get("/nothing"), 404, "no-route")
    answer = server.client.get(PREDICT)
    problem(answer, 405, "no-route")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"horizon": 0}, "horizon must be at least 1."),
        ({"horizon": "3"}, "horizon must be a whole number."),
        ({"levels": [80]}, 'There is no field "levels".'),
    ],
)
def test_a_field_that_is_not_of_its_form_is_named_in_plain_words(server, body, detail):
    assert problem(post(server, body), 422, "invalid")["detail"] == detail


def test_more_series_and_rows_of_a_forecast_than_the_limit_are_refused(start, asked):
    path = "/v1/models/shops/predict"
    found = problem(post(start(series=1), asked.shops, path), 422, "too-many-series")
    assert "--only" in found["hint"] and "--max-series" in found["hint"]
    few = start(rows=5)
    problem(post(few, {"future": asked.shops["future"][:5]}, path), 422, "too-many-rows")


def test_a_long_body_is_refused_before_and_while_it_is_read(start):
    server = start(body=1000)
    answer = server.client.post(PREDICT, content=b"x" * 1001, headers={"content-type": "text/csv"})
    problem(answer, 413, "body-too-long")

    def parts():
        for _ in range(20):
            yield b"x" * 100

    answer = server.client.post(PREDICT, content=parts(), headers={"content-type": "text/csv"})
    assert "--max-body" in problem(answer, 413, "body-too-long")["hint"]


def test_what_unpacks_to_more_than_a_body_is_refused(start):
    import gzip

    server = start(body=20_000)
    packed = gzip.compress(b"date,value\n" + b"2024-01-01,1\n" * 100_000)
    answer = server.client.post(PREDICT, content=packed, headers={"content-type": "text/csv"})
    problem(answer, 422, "data")


@pytest.fixture
def slow(monkeypatch):
    """Forecasts that wait until they may go on, and how many have begun."""
    from forecast_cli.api.serve import answers

    going, begun, predict_from = threading.Event(), [], answers.predict_from

    def wait(*given, **named):
        begun.append(1)
        going.wait(30)
        return predict_from(*given, **named)

    monkeypatch.setattr(answers, "predict_from", wait)
    yield going, begun
    going.set()


def test_overload_is_answered_at_once(start, slow):
    going, begun = slow
    server = start(workers=1, queue=1, seconds=30.0)
    with server.client:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(post(server, {})))
                   for _ in range(2)]  # fmt: skip
        for thread in threads:
            thread.start()
        while server.service.workers.busy < 2:
            time.sleep(0.01)
        refused = post(server, {})
        assert refused.headers["retry-after"] == "1"
        problem(refused, 503, "overloaded")
        problem(server.client.get("/ready"), 503, "overloaded")
        assert server.client.get("/health").status_code == 200
        going.set()
        for thread in threads:
            thread.join()
        assert [each.status_code for each in answers] == [200, 200] and len(begun) == 2
        while server.service.workers.busy:
            time.sleep(0.01)
        assert server.client.get("/ready").status_code == 200


def test_a_forecast_that_takes_too_long_is_given_up(start, slow):
    server = start(seconds=0.2)
    found = problem(post(server, {}), 504, "too-slow")
    assert "0.2 seconds" in found["detail"] and "--timeout" in found["hint"]


def test_only_requests_with_the_token_are_answered(start, asked):
    server = start(token=TOKEN)
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"},
                    {"authorization": "Bearer \u00e9".encode("latin-1")}):  # fmt: skip
        answer = post(server, asked.days, headers=headers)
        problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    right = {"authorization": f"Bearer {TOKEN}"}
    assert post(server, asked.days, headers=right).status_code == 200
    for path in ("/v1/models", "/metrics", "/v1/models/days", "/else"):
        assert server.client.get(path).status_code == 401
    for path in ("/", "/docs", "/health", "/ready", "/openapi.json"):
        assert server.client.get(path).status_code == 200
    # Names are for those with a token.
    assert "shops" not in server.client.get("/docs").text
    text = "".join(server.lines)
    assert server.log("request") and TOKEN not in text and "wrong" not in text


def test_a_page_of_another_site_cannot_ask_a_server_without_a_token(start):
    server = start(names=("localhost", "127.0.0.1", "::1"))
    for host in ("localhost:8000", "127.0.0.1:8000", "[::1]:8000"):
        assert server.client.get("/health", headers={"host": host}).status_code == 200
    answer = server.client.get("/v1/models", headers={"host": "evil.example:8000"})
    assert "--token" in problem(answer, 421, "unknown-host")["hint"]


def test_models_are_described(server):
    days, shops = server.client.get("/v1/models").json()["models"]
    assert days["name"] == "days" and days["lookback"] == LOOKBACK and days["error"] is None
    assert shops["series"] == ["shop"] and shops["future_covariates"] == ["promo"]
    assert server.client.get("/v1/models/shops").json() == shops


def test_requests_are_counted_and_logged(server, asked):
    post(server, asked.days)
    post(server, {"horizon": 0})
    text = server.client.get("/metrics").text
    assert 'forecast_requests_total{model="days",route="predict",status="200"} 1.0' in text
    assert 'forecast_requests_total{model="days",route="predict",status="422"} 1.0' in text
    assert f'forecast_rows_total{{model="days"}} {HORIZON}.0' in text
    first, second, _ = server.log("request")
    assert (first["status"], first["rows"], first["method"]) == (200, HORIZON, "POST")
    assert (second["status"], second["code"], second["path"]) == (422, "invalid", PREDICT)


def test_a_fault_is_answered_and_logged(server, monkeypatch):
    from forecast_cli.api.serve import answers

    def fail(*_, **__):
        raise RuntimeError("a fault")

    monkeypatch.setattr(answers, "find_history", fail)
    problem(post(server, {}), 500, "error")
    assert "a fault" in server.log("fault")[0]["traceback"]


def test_charts_are_those_of_the_report(server, asked):
    chart = post(server, asked.shops | {"chart": True}, "/v1/models/shops/predict").json()["chart"]
    assert [each["title"] for each in chart["axes"]] == ["a b", "c"]
    lines = chart["axes"][0]["lines"]
    assert [line["role"] for line in lines] == ["actual", "forecast"]


def test_pages_request_nothing_from_elsewhere(server):
    for path in ("/", "/docs"):
        answer = server.client.get(path)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "http://" not in answer.text.replace("http://www.w3.org", "")
    assert "/v1/models/{name}/predict" in server.client.get("/docs").text
