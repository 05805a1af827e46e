"""The routes of the server."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from .answers import Answer, Answering
from .gate import KEY, Access, Gate, Visit, too_long
from .limits import Limits, Workers
from .log import Log, Metrics
from .models import Models, Served
from .pages import PREDICT, Page, docs_page, document, forecast_page, problems
from .problems import GONE, MEDIA, Problem, Spell
from .requests import CSV, JSON, parse

# Seconds between two looks at the files of the models.
LOOK = 1.0
# A body of so many bytes is read, and forecast from, without a thread.
SMALL = 1 << 16


@dataclass
class Service:
    """What the routes share.

    Args:
        models: By name.
        access: Who may ask.
        limits: What they may ask for.
        log: Where events are lines.
        spell: Spells the settings of messages.
        each_look: Called every second.
    """

    models: Models
    access: Access
    limits: Limits
    log: Log
    spell: Spell = str
    metrics: Metrics = field(default_factory=Metrics)
    each_look: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.workers = Workers(self.limits)
        self.metrics.busy.set_function(lambda: self.workers.busy)
        self.models.count = self.metrics.count_replaced

    def model(self, name: str, visit: Visit) -> Served:
        """Return a model by its name.

        Raises:
            Problem: There is none.
        """
        found = self.models.served.get(name)
        if found is None:
            names = ", ".join(self.models.served)
            raise Problem(404, "no-model", f'There is no model "{name}".', f"There are: {names}.")
        visit.model = name
        return found

    async def watch(self) -> None:
        """Read models that were replaced, for as long as the server runs."""
        while True:
            await asyncio.sleep(LOOK)
            self.each_look()
            await asyncio.to_thread(self.models.refresh)

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """Watch the models while the server runs."""
        watching = asyncio.create_task(self.watch())
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        self.workers.close()


def make_app(service: Service) -> Gate:
    """Return the server as an ASGI application."""
    app = FastAPI(
        title="forecast",
        version=version("forecast-cli"),
        docs_url=None,
        redoc_url=None,
        lifespan=service.lifespan,
    )
    make = partial(document, app, service.models, service.access)
    app.openapi = cache(make)  # type: ignore[method-assign]
    _add_answers(app, service)
    _add_state(app, service)
    _add_pages(app, service)
    _add_problems(app, service)
    return Gate(
        app, service.access, service.limits, service.metrics, service.log, service.spell
    )  # fmt: skip


def _add_answers(app: FastAPI, service: Service) -> None:
    """Add the forecasts."""

    @app.post("/v1/models/{name}/predict", response_class=Response, **PREDICT)
    async def predict(name: str, request: Request) -> Response:
        """Forecast the next steps of every series in the rows, as `forecast predict` does."""
        visit: Visit = request.scope[KEY]
        visit.route = "predict"
        model = service.model(name, visit)
        try:
            body = await _read(request, service.limits)
            answer = await _forecast(request, service, model, body)
        except ClientDisconnect:
            return Response(status_code=GONE)
        visit.rows = answer.rows
        service.metrics.rows.labels(name).inc(answer.rows)
        return Response(answer.body, media_type=answer.kind)


async def _read(request: Request, limits: Limits) -> bytes:
    """Return the body of a request; refuse one that is too long."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limits.body:
            raise too_long(limits)
        parts.append(part)
    return b"".join(parts)


async def _forecast(request: Request, service: Service, model: Served, body: bytes) -> Answer:
    """Return the answer to a request.

    Raises:
        ClientDisconnect: The client has gone.
        Problem: It is refused.
    """
    headers = request.headers
    kind, _, more = headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    if body and kind not in (JSON, CSV):
        raise Problem(
            415, "media-type", f'The body is "{kind}".', f"Send {JSON} or {CSV} as Content-Type."
        )
    charset = more.partition("charset=")[2].partition(";")[0].strip(" \"'")
    query = request.query_params.multi_items()
    if kind == CSV and charset and "encoding" not in request.query_params:
        query.append(("encoding", charset))
    accepted = CSV if CSV in headers.get("accept", "") else JSON
    if accepted == CSV and "chart" in request.query_params:
        raise Problem(422, "invalid", "A chart cannot be in CSV.", f"Accept {JSON}.")
    answering = Answering(service.limits, service.spell, accepted)
    read = partial(parse, kind, body, query, service.limits)
    if len(body) > SMALL or kind == CSV:
        return await _in_thread(request, service, lambda: answering.answer(model, read()))
    asked = read()
    if (found := answering.at_once(model, asked)) is not None:
        return found
    return await _in_thread(request, service, lambda: answering.answer(model, asked))


async def _in_thread(request: Request, service: Service, work: Callable[[], Answer]) -> Answer:
    """Return what a thread computes, unless the client goes before."""
    working = asyncio.ensure_future(service.workers.run(work))
    leaving = asyncio.ensure_future(_until_gone(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


async def _until_gone(request: Request) -> None:
    """Wait until the client closes its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _add_state(app: FastAPI, service: Service) -> None:
    """Add what is known of the models and of the server."""

    @app.get("/v1/models", response_class=Response, **problems("models"))
    async def models(request: Request) -> Response:
        """List the models: what they read and forecast, and whether their files are served."""
        request.scope[KEY].route = "models"
        return _json({"models": [each.describe() for each in service.models.served.values()]})

    @app.get("/v1/models/{name}", response_class=Response, **problems("model"))
    async def model(name: str, request: Request) -> Response:
        """Describe one model."""
        visit: Visit = request.scope[KEY]
        visit.route = "models"
        return _json(service.model(name, visit).describe())

    @app.get("/health", response_class=Response, **problems("health"))
    async def health() -> Response:
        """Say that the server runs."""
        return _json({"status": "ok"})

    @app.get("/ready", response_class=Response, **problems("ready"))
    async def ready() -> Response:
        """Say whether the server takes forecasts: its models are read, and its queue has room."""
        if service.workers.busy >= service.workers.most:
            raise Problem(503, "overloaded", "The queue is full.", headers={"Retry-After": "1"})
        return _json({"status": "ok"})

    @app.get("/metrics", response_class=Response, **problems("metrics"))
    async def metrics(request: Request) -> Response:
        """Return the counters of the server for Prometheus."""
        request.scope[KEY].route = "metrics"
        return Response(service.metrics.render(), headers={"content-type": CONTENT_TYPE_LATEST})


def _json(data: Any) -> Response:
    text = json.dumps(data, ensure_ascii=False)
    return Response(text.encode("utf-8", "backslashreplace"), media_type=JSON)


def _add_pages(app: FastAPI, service: Service) -> None:
    """Add the pages for people; neither requests anything from elsewhere."""
    forecast, docs = forecast_page(service.access), docs_page(app)

    def answer(page: Page) -> Response:
        headers = {"content-security-policy": page.policy}
        return Response(page.body, media_type="text/html; charset=utf-8", headers=headers)

    @app.get("/", include_in_schema=False)
    async def root() -> Response:
        return answer(forecast)

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> Response:
        return answer(docs())


def _add_problems(app: FastAPI, service: Service) -> None:
    """Answer errors by problem details."""

    def answer(request: Request, problem: Problem) -> Response:
        visit: Visit = request.scope[KEY]
        visit.code = problem.code
        headers = dict(problem.headers)
        if not visit.whole and problem.status == 413:
            headers["connection"] = "close"
        body = problem.body(service.spell)
        return Response(body, problem.status, headers, MEDIA)

    @app.exception_handler(Problem)
    async def refused(request: Request, problem: Problem) -> Response:
        return answer(request, problem)

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> Response:
        hint = "The page /docs lists the addresses and methods."
        problem = Problem(error.status_code, "no-route", f"{error.detail}.", hint)
        problem.headers = dict(error.headers or {})
        return answer(request, problem)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        text = "The server failed. Its log says how: please report it."
        return answer(request, Problem(500, "error", text))
