"""Changes of input at random, reproducible from a seed."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

# Bytes that mean something in tables, dates, settings and archives.
TOKENS: Sequence[bytes] = (
    b"", b"\0", b"\n", b"\r\n", b"\r", b",", b";", b"\t", b"|", b'"', b"'", b"=", b"[", b"]", b"{",
    b"}", b"[[", b"]]", b"#", b"%", b"-", b"+", b".", b":", b"/", b" ", b"T", b"Z", b"@",
    b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[31m", "\u202e".encode(), "\u0661".encode(), b"\x80",
    b"1e400", b"-1e400", b"1e-320", b"inf", b"nan", b"NaN", b"null", b"true", b"None", b"NA",
    b"0", b"-1", b"9223372036854775808", b"99999999999999999999999999", b"0.1", b"1,5", b"1.000,5",
    b"0001-01-01", b"9999-12-31", b"10000-01-01", b"0000-00-00", b"2024-02-30", b"24:00", b"23:60",
    b"+14:00", b"-99:99", b"2024-W53-7", b"2024-366", b"Q5 2024", b"FY24", b"Sept.", b"1970-01-01",
    b"31/12/1999", b"12/31/1999", b"1700000000", b"1700000000000", b"45000", b"20240101", b"UTC",
    b"Europe/Berlin", b"sep=;", b"PK\3\4", b"\x1f\x8b", b"PAR1", b"SQLite format 3\0", b"<table>",
)  # fmt: skip
# Values of documents that are of another type, at a limit, or beyond it.
VALUES: Sequence[Any] = (
    None, True, False, 0, 1, -1, 2, 10**6, 10**9, 2**63, -(2**63), 10**18, 0.0, -0.0, 0.5, -1.5,
    1e-300, 1e300, 1.7976931348623157e308, "", "0", "x", "value", "auto", "none", "nan", "\0",
    "a" * 5000, "2024-01-01", "0001-01-01T00:00:00", "9999-12-31T23:59:59", "NaT", "W-FRI", "ME",
    "%Y", "%s", "Europe/Berlin", "../x", "=1+1", "\x1b[31m", [], {}, [[]], [None], [0], [1, 2, 3],
    [""], ["a", "b"], {"a": 1}, {"": None}, {"value": None}, {"value": 1.5},
)  # fmt: skip


def mutate(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    """Return bytes with a few changes; parts of other inputs may be put in."""
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3, 6))):
        data = draw.choice(CHANGES)(data, others, draw)
    return data


def _flip(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    if not data:
        return data
    at = draw.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]


def _span(data: bytes, draw: random.Random) -> tuple[int, int]:
    begin = draw.randint(0, len(data))
    return begin, min(len(data), begin + draw.choice((1, 2, 4, 10, 40, len(data))))


def _cut(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    begin, end = _span(data, draw)
    return data[:begin] + data[end:]


def _repeat(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    begin, end = _span(data, draw)
    return data[:end] + data[begin:end] * draw.choice((1, 1, 2, 20)) + data[end:]


def _insert(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    at = draw.randint(0, len(data))
    return data[:at] + draw.choice(TOKENS) + data[at:]


def _replace(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    begin, end = _span(data, draw)
    return data[:begin] + draw.choice(TOKENS) + data[end:]


def _cross(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    other = draw.choice(others)
    begin, end = _span(other, draw)
    at = draw.randint(0, len(data))
    return data[:at] + other[begin:end] + data[at:]


def _swap_lines(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    lines = data.split(b"\n")
    first, second = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


CHANGES: Sequence[Callable[[bytes, Sequence[bytes], random.Random], bytes]] = (
    _flip, _cut, _repeat, _insert, _replace, _replace, _cross, _swap_lines,
)  # fmt: skip


def mutate_json(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    """Return a JSON document with one to three of its values replaced, removed or moved."""
    document = json.loads(data)
    for _ in range(draw.randint(1, 3)):
        places = list(_places(document))
        owner, key = draw.choice(places)
        change = draw.randrange(6)
        if change == 0 and isinstance(owner, dict):
            owner.pop(key, None)
        elif change == 1:
            source, name = draw.choice(places)
            owner[key] = json.loads(json.dumps(source[name]))
        elif change == 2 and isinstance(owner[key], list):
            owner[key] = owner[key] * draw.choice((0, 2, 2, 3))
        elif change == 3 and type(owner[key]) in (int, float):
            owner[key] = draw.choice((-1, 0.5, 2, 1e6)) * owner[key] + draw.choice((0, 1, -1))
        else:
            owner[key] = draw.choice(VALUES)
    return json.dumps(document).encode()


def _places(part: Any) -> list[tuple[Any, Any]]:
    """Return the owner and key of each value of a document, at any depth."""
    found: list[tuple[Any, Any]] = []
    keys: Any = part if isinstance(part, dict) else range(len(part))
    for key in keys:
        found.append((part, key))
        if isinstance(part[key], dict | list):
            found += _places(part[key])
    return found
