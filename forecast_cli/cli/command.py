"""A command of the command line."""

from typing import Any

from typer.core import TyperCommand

from .spelling import renew


class Command(TyperCommand):
    """Takes the spellings of the version before, with a warning."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse arguments."""
        return super().parse_args(ctx, renew(str(self.name), args))
