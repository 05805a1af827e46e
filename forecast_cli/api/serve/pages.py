"""What the server shows: its description in OpenAPI, for programs, and its pages for people."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field

from ..report.page import asset, render
from .gate import Access
from .models import Models
from .problems import ProblemDocument, describe_responses
from .requests import CSV, JSON, Cell, Options, Predict

REFERENCES = "#/components/schemas/{model}"
DESCRIPTION = (
    "Forecasts of the models that this server was started with, equal to those of the command "
    "predict from the same rows. Errors are problem details (RFC 9457) with a hint."
)
ASSETS = files(__package__) / "assets"


class ModelDocument(BaseModel):
    """A model: what it reads and forecasts."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="In addresses.")
    model: str = Field(description="As in tables of scores.")
    targets: list[str] = Field(description="The columns that are forecast.")
    columns: list[str] = Field(description="The columns that rows must have.")
    past_covariates: list[str]
    future_covariates: list[str] = Field(description="Needed for the steps ahead too.")
    static_covariates: list[str]
    series: list[str] = Field(description="The columns that name a series.")
    time: str | None = Field(description="The time column.")
    frequency: str | None
    horizon: int = Field(description="Steps ahead as trained.")
    lookback: int = Field(description="Rows that a forecast is made from.")
    last: str | None = Field(description="The last time of the training.")
    level: list[float] = Field(description="Of the intervals as trained.")
    sha256: str
    loaded: str = Field(description="When it was read.")
    error: str | None = Field(description="Why the file as it is now is not served.")


class ModelsDocument(BaseModel):
    """All models."""

    models: list[ModelDocument]


class ForecastDocument(BaseModel):
    """A forecast."""

    model_config = ConfigDict(extra="forbid")

    model: str
    notes: list[str] = Field(description="What is worth knowing, as the command prints it.")
    forecast: list[dict[str, Cell]] = Field(
        description="A row for each step of each series: its name, the time, each target, and the "
        "ends of its intervals as NAME_lo80 and NAME_hi80."
    )
    chart: dict[str, Any] | None = Field(None, description="As the page draws it.")


class StatusDocument(BaseModel):
    """That all is well."""

    status: str


def _answers(name: str) -> dict[str, Any]:
    schema = {"$ref": REFERENCES.format(model=name)}
    return {"description": "OK", "content": {JSON: {"schema": schema}}}


ANSWERS = {
    "models": (_answers("ModelsDocument"), (401, 421, 503)),
    "model": (_answers("ModelDocument"), (401, 404, 421, 503)),
    "health": (_answers("StatusDocument"), (421,)),
    "ready": (_answers("StatusDocument"), (421, 503)),
    "metrics": (
        {"description": "OK", "content": {"text/plain": {"schema": {"type": "string"}}}},
        (401, 421, 503),
    ),
}


def problems(name: str) -> dict[str, Any]:
    """Return the responses of a route as FastAPI describes them."""
    answer, statuses = ANSWERS[name]
    return {"responses": {200: answer, **describe_responses(*statuses)}}


def _query() -> list[dict[str, Any]]:
    """Return the options as parameters of the query."""
    schema = Options.model_json_schema(ref_template=REFERENCES)
    parameters = []
    for name, each in schema["properties"].items():
        own = {key: value for key, value in each.items() if key not in ("description", "title")}
        kinds = [kind for kind in own.pop("anyOf", []) if kind.get("type") != "null"]
        own.pop("default", None)
        shape = {**own, **(kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})}
        parameter = {"name": name, "in": "query", "required": False, "schema": shape}
        parameters.append(parameter | {"description": each.get("description", "")})
    return parameters


PREDICT: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The forecast; as CSV where the client accepts text/csv",
            "content": {
                JSON: {"schema": {"$ref": REFERENCES.format(model="ForecastDocument")}},
                CSV: {"schema": {"type": "string"}},
            },
        },
        **describe_responses(400, 401, 404, 408, 413, 415, 421, 422, 503, 504),
    },
    "openapi_extra": {
        "parameters": _query(),
        "requestBody": {
            "required": False,
            "description": "The rows to forecast from; the last ones of the training without.",
            "content": {
                JSON: {"schema": {"$ref": REFERENCES.format(model="Predict")}},
                CSV: {"schema": {"type": "string"}},
            },
        },
    },
}
DOCUMENTS: tuple[type[BaseModel], ...] = (
    ModelsDocument, ModelDocument, ForecastDocument, StatusDocument, ProblemDocument, Predict,
)  # fmt: skip


def document(app: FastAPI, models: Models, access: Access) -> dict[str, Any]:
    """Return the document."""
    made = get_openapi(
        title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes
    )
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for each in DOCUMENTS:
        own = each.model_json_schema(ref_template=REFERENCES)
        schemas |= own.pop("$defs", {}) | {each.__name__: own}
    for path, operations in made["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                # Anyone may read the document: where there is a token, names are for its owners.
                if parameter["in"] == "path" and access.digest is None:
                    parameter["schema"] = {"type": "string", "enum": [*models.served]}
            if not path.startswith("/v1/models/"):
                # FastAPI adds one that cannot be.
                operation["responses"].pop("422", None)
            if access.digest is not None and path not in ("/health", "/ready"):
                operation["security"] = [{"token": []}]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    get_one = made["paths"]["/v1/models/{name}"]["get"]
    get_one["responses"].pop("422", None)
    if access.digest is not None:
        made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return made


@dataclass(frozen=True)
class Page:
    """A page, and the policy by which a browser runs nothing but its own script."""

    body: bytes
    policy: str


def forecast_page(access: Access) -> Page:
    """Return the page that forecasts a table."""
    style = asset("uPlot.min.css") + asset("page.css") + _own("serve.css")
    script = "\n".join((asset("uPlot.iife.min.js"), asset("chart.js"), _own("serve.js")))
    return _render("serve.html", style, script, token=access.digest is not None)


def docs_page(app: FastAPI) -> Callable[[], Page]:
    """Return what makes the page of the addresses, once."""

    @cache
    def make() -> Page:
        document = app.openapi()
        own = {"operations": list_operations(document), "schemas": _schemas(document)}
        style = asset("page.css") + _own("serve.css")
        return _render("docs.html", style, "", about=document["info"], **own)

    return make


def list_operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the page shows of each operation of an OpenAPI document."""
    return [
        {
            "method": method.upper(),
            "path": path,
            "description": operation.get("description", ""),
            "parameters": [
                {**each, "kind": kind_of(each["schema"])}
                for each in operation.get("parameters", ())
            ],
            "body": [*operation.get("requestBody", {}).get("content", {})],
            "responses": {
                status: each["description"] for status, each in operation["responses"].items()
            },
        }
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]


def _schemas(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the page shows of each document of requests and answers."""
    return [
        {
            "name": name,
            "description": schema.get("description", ""),
            "fields": [
                {"name": each, "kind": kind_of(own), "description": own.get("description", "")}
                for each, own in schema.get("properties", {}).items()
            ],
        }
        for name, schema in document["components"]["schemas"].items()
    ]


def kind_of(schema: dict[str, Any]) -> str:
    """Return the kind of a value in words.

    >>> kind_of({"anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "null"}]})
    'list of number, or null'
    """
    if "anyOf" in schema:
        kinds = [kind_of(each) for each in schema["anyOf"]]
        return ", or ".join(dict.fromkeys(kinds))
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    return str(schema.get("type", "any value"))


def _render(name: str, style: str, script: str, **values: Any) -> Page:
    """Return a page that may request answers of the server alone, and be shown in no other page."""
    further = "; connect-src 'self'; frame-ancestors 'none'"
    text, policy = render(_own(name), style, script, further=further, **values)
    return Page(text.encode(), policy)


def _own(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
