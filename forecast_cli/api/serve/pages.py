"""The pages of the server: a forecast of a table that is dropped there, and its addresses."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI

from ..report.page import asset, render
from .access import Access

ASSETS = files(__package__) / "assets"


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
