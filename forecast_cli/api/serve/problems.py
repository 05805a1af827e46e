"""Errors as problem details (RFC 9457), with the hint that the command prints."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...config.invalid import describe_invalid
from ...core.errors import ForecastError

MEDIA = "application/problem+json"
# Spells settings as the flags of the command line do.
Spell = Callable[[str], str]
# A client that cannot be answered closed its connection; as nginx logs it.
GONE = 499
# After so many seconds a client that was refused may try again.
RETRY = {"Retry-After": "1"}


class ProblemDocument(BaseModel):
    """An error: what happened, what was expected, and how to fix it."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(description="The status in words.")
    status: int = Field(ge=400, le=599)
    code: str = Field(
        description="The kind of error: usage, data or model, as of the command line, or what the "
        "server refused."
    )
    detail: str = Field(description="What happened, and what was expected.")
    hint: str = Field("", description="How to fix it.")
    settings: dict[str, str] = Field(
        default_factory=dict,
        description="What the hint proposes: values that the request can be sent with.",
    )


class Problem(Exception):
    """A request that is not answered.

    Args:
        status: Of the response.
        code: For programs.
        detail: What happened, and what was expected.
        hint: How to fix it.
        settings: What the hint proposes.
        headers: Of the response.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        hint: str = "",
        *,
        settings: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.hint = status, code, detail, hint
        self.settings, self.headers = dict(settings or {}), dict(headers or {})

    def body(self, spell: Spell = str) -> bytes:
        """Return the document of the problem as JSON, its settings spelled."""
        document = {
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": spell(self.detail),
            "hint": spell(self.hint),
            "settings": self.settings,
        }
        return json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace")


def of_error(error: ForecastError) -> Problem:
    """Return the problem of a request that the library refuses."""
    return Problem(422, error.code, error.message, error.hint, settings=error.proposed)


def of_validation(error: ValidationError) -> Problem:
    """Return the problem of a request that is not of its form."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(each) for each in first["loc"])
    if first["type"] == "extra_forbidden":
        text = f'There is no field "{place}"'
    elif why := describe_invalid(first):
        text = f"{place} {why}"
    else:
        text = f"{place}: {first['msg']}" if place else str(first["msg"])
    if first["type"] == "json_invalid":
        return Problem(400, "not-json", f"The body is no JSON. {text}.", "Check the body.")
    return invalid(f"{text}.", "The page /docs lists what a request may hold.")


def overloaded(what: str) -> Problem:
    """Return the problem of a server with too much to do."""
    return Problem(503, "overloaded", what, "Try again in a second.", headers=RETRY)


def invalid(text: str, hint: str) -> Problem:
    """Return the problem of a request with a value that is not taken."""
    return Problem(422, "invalid", text, hint)


def beyond(code: str, what: str, most: int, hint: str, option: str, status: int = 422) -> Problem:
    """Return the problem of a request for more than `most`, which an option of the server sets."""
    text = f"{what}; the limit of this server is {most:,}."
    return Problem(status, code, text, f"{hint}, or start the server with a larger `{option}`.")


def describe_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the descriptions of problems for OpenAPI."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    described: dict[int | str, dict[str, Any]] = {
        each: {"description": HTTPStatus(each).phrase, "content": {MEDIA: {"schema": schema}}}
        for each in statuses
    }
    if 503 in described:
        described[503]["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}}
        }
    return described
