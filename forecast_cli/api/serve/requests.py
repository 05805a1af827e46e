"""What a client asks for: options in the query, a table as CSV or JSON in the body."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from ...config.registries import Intervals
from ...config.sections import Data
from ...data.io.tables import Readable
from ...forecasting.history import READ_ANEW
from ...forecasting.prediction_request import PredictionRequest
from .limits import Limits
from .problems import beyond, invalid, of_validation

JSON, CSV = "application/json", "text/csv"
# How a table is read that a client cannot choose: a query is for databases, the size has a limit.
NOT_OURS = ("query", "max_size")
READING = tuple(name for name in READ_ANEW if name not in NOT_OURS)
# More levels than anyone draws.
MOST_LEVELS = 20
GB = 1e9
# Names of places and offsets; `dateutil/...` of pandas would open a file.
ZONE = re.compile(r"(?!dateutil)[A-Za-z]\w*([+-]\d\d?(:?\d\d)?|([/+-][\w+-]+)*)")
# Those that tables are written in; others of Python are no text, or slow.
ENCODINGS = frozenset(
    codecs.lookup(name).name
    for name in (
        "ascii", "big5", "big5hkscs", "cp437", "cp850", "cp852", "cp866", "cp932", "cp949",
        "cp950", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257",
        "cp1258", "euc_jp", "euc_kr", "gb18030", "gb2312", "gbk", "iso8859-1", "iso8859-2",
        "iso8859-5", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-15", "johab", "koi8-r",
        "koi8-u", "mac-roman", "shift_jis", "tis-620", "utf-8", "utf-8-sig", "utf-16",
        "utf-16-le", "utf-16-be", "utf-32",
    )
)  # fmt: skip
Cell = str | int | float | bool | None
Table = list[dict[str, Cell]] | str
Percent = Annotated[float, Field(ge=1, lt=100)]


def _reading_fields() -> dict[str, Any]:
    """Return how a table is read, as fields that may be left out."""
    fields = {}
    for name in READING:
        setting = Data.model_fields[name]
        kind = list[str] if name == "na" else setting.annotation
        for each in setting.metadata if name != "na" else ():
            kind = Annotated[kind, each]  # type: ignore[assignment]
        fields[name] = (kind | None, Field(None, description=setting.description))  # type: ignore[operator]
    return fields


class Asked(BaseModel):
    """Which forecast is wanted; each may stand in the query too."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    horizon: int | None = Field(None, ge=1, description="Steps ahead; as trained where left out.")
    level: list[Percent] | None = Field(
        None, max_length=MOST_LEVELS, description="Levels of prediction intervals in percent."
    )
    intervals: Intervals | None = Field(None, description="Method of the intervals.")
    only: list[str] | None = Field(None, description="Names of the series to forecast.")
    chart: bool = Field(False, description="Whether the answer holds a chart to draw, in JSON.")


Options = create_model("Options", __base__=Asked, **_reading_fields())
LISTS = ("level", "only", "na")


class Predict(Options):
    """Rows to forecast from, and which forecast is wanted."""

    rows: Table | None = Field(
        None,
        description="The latest rows, each an object of values by column, or a text in CSV; of "
        "many series all below each other. The last rows of the training where left out.",
    )
    future: Table | None = Field(
        None, description="Future covariates of the steps ahead, in the same form as the rows."
    )


@dataclass(frozen=True)
class Request:
    """What a client asks for.

    Args:
        wanted: Which forecasts.
        rows: As they came: objects of JSON, or a text in CSV; None for those that the model keeps.
        reading: How the table is read.
        chart: Whether a chart is to be drawn.
    """

    wanted: PredictionRequest
    rows: list[dict[str, Cell]] | bytes | None = None
    reading: Mapping[str, Any] = field(default_factory=dict)
    chart: bool = False

    @property
    def table(self) -> Readable | None:
        """The rows as a table; never a path."""
        found: Readable | None = as_table(self.rows)
        return found


def parse(kind: str, body: bytes, query: list[tuple[str, str]], limits: Limits) -> Request:
    """Return what a client asks for.

    Args:
        kind: The content type of the body.
        body: JSON, or a table as CSV.
        query: Names and values of the query.
        limits: Of the server.

    Raises:
        Problem: It is not of its form, or beyond a limit.
    """
    asked, rows = _validated(kind, body, _options(query))
    reading = {name: getattr(asked, name) for name in READING}
    reading = {name: value for name, value in reading.items() if value is not None}
    _check_reading(reading)
    rows, future = (_checked(each, limits) for each in (rows, asked.future))
    if isinstance(rows, bytes) or isinstance(future, bytes):
        reading["max_size"] = limits.body / GB
    if asked.horizon is not None and asked.horizon > limits.horizon:
        what, most = f"A horizon of {asked.horizon:,} steps was asked for", limits.horizon
        raise beyond("horizon-too-long", what, most, "Ask for fewer steps", "max_horizon")
    wanted = PredictionRequest(
        asked.horizon,
        tuple(asked.only or ()),
        future=as_table(future),
        level=tuple(asked.level or ()),
        intervals=asked.intervals,
    )
    return Request(wanted, rows, reading, asked.chart)


def _validated(kind: str, body: bytes, given: dict[str, Any]) -> tuple[Any, Any]:
    """Return what is asked for, and the rows; `given` are the options of the query."""
    try:
        if kind == CSV or not body:
            return Predict.model_validate(given), body or None
        asked = Predict.model_validate_json(body, strict=True)
        return (_both(asked, given) if given else asked), asked.rows
    except ValidationError as error:
        raise of_validation(error) from None


def _options(query: list[tuple[str, str]]) -> dict[str, Any]:
    """Return the options of a query; lists are repeated, or have commas between their parts."""
    given: dict[str, Any] = {}
    for name, text in query:
        if name in LISTS:
            parts = text.split(",") if name == "level" else [text]
            given.setdefault(name, []).extend(parts)
        elif name in given:
            raise invalid(f"{name} is given twice.", "Give it once.")
        elif name in ("rows", "future"):
            raise invalid(f"{name} stands in the query.", "Send it in the body.")
        else:
            given[name] = text
    return given


def _both(asked: Any, given: dict[str, Any]) -> Any:
    """Return the options of a body and of the query together; refuse those in both."""
    if twice := sorted(asked.model_fields_set & {*given}):
        raise invalid(f"{twice[0]} is in the query and in the body.", "Give it once.")
    both = asked, Options.model_validate(given)
    own = {name: getattr(each, name) for each in both for name in each.model_fields_set}
    return Predict.model_construct(**own)


def _check_reading(reading: Mapping[str, Any]) -> None:
    """Refuse ways of reading that would open a file, or take time that grows faster than text."""
    for name in ("timezone", "day_zone"):
        if not ZONE.fullmatch(reading.get(name, "UTC")):
            raise invalid(f"{name}: unknown time zone.", "Name one, e.g. Europe/Berlin.")
    try:
        codec = codecs.lookup(reading.get("encoding", "utf-8")).name
    except (LookupError, ValueError):
        codec = ""
    if codec not in ENCODINGS:
        raise invalid("encoding: unknown encoding.", "Try utf-8, cp949 or latin-1.")


def _checked(rows: Any, limits: Limits) -> Any:
    """Return rows as they are read, text as bytes; refuse too many."""
    if rows is None:
        return None
    rows = rows.encode() if isinstance(rows, str) else rows
    # The first line is that of the names.
    count = max(rows.count(b"\n"), rows.count(b"\r")) - 1 if type(rows) is bytes else len(rows)
    if count > limits.rows:
        what, way = f"The table has {count:,} rows", "Send the latest rows alone"
        raise beyond("too-many-rows", what, limits.rows, way, "max_rows", status=413)
    return rows


def as_table(rows: Any) -> Any:
    """Return rows as a table; a text stays bytes, which are never taken for a path."""
    if not isinstance(rows, list):
        return rows
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def _column(cells: list[Any]) -> pa.Array:
    """Return cells as a column; those of several kinds as text."""
    try:
        return pa.array(cells)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if each is None else str(each) for each in cells])
