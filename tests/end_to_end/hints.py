"""Places that raise errors with hints: those in the code, and those that a run came to."""

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import forecast_cli as fc
from forecast_cli.core.errors import ForecastError

PACKAGE = Path(fc.__file__).parent
# A file, and the lines of a call.
Site = tuple[str, int, int]


def hinting_sites(*folders: str, kind: str = "") -> list[Site]:
    """Return the calls that make an error of a kind with a hint, in folders of the package."""
    found = []
    for folder in folders:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                name = node.func.id if _is_call(node) else ""
                made = name.endswith(kind or ("Error", "RepeatedTimes"))
                if name and made and _has_hint(node):
                    file = path.relative_to(PACKAGE).as_posix()
                    found.append((file, node.lineno, node.end_lineno or node.lineno))
    return found


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def _has_hint(node: ast.Call) -> bool:
    return len(node.args) > 1 or any(each.arg == "hint" for each in node.keywords)


@contextmanager
def recorded() -> Iterator[set[tuple[str, int]]]:
    """Record the file and line of each error that is made."""
    lines: set[tuple[str, int]] = set()
    plain = ForecastError.__init__

    def init(self: ForecastError, message: str, hint: str = "") -> None:
        frame = sys._getframe(1)
        path = Path(frame.f_code.co_filename)
        if PACKAGE in path.parents:
            lines.add((path.relative_to(PACKAGE).as_posix(), frame.f_lineno))
        plain(self, message, hint)

    ForecastError.__init__ = init  # type: ignore[method-assign]
    try:
        yield lines
    finally:
        ForecastError.__init__ = plain  # type: ignore[method-assign]


def unreached(sites: list[Site], lines: set[tuple[str, int]]) -> list[Site]:
    """Return the sites at which none of the errors was made."""
    return [
        (file, first, last)
        for file, first, last in sites
        if not any(name == file and first <= line <= last for name, line in lines)
    ]
