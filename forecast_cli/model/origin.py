"""Where a model comes from: the files of its table, and the command that trained it."""

from ..config.layers import Frozen


class SourceFile(Frozen):
    """A file that a model was trained on: its path as it was named, bytes and SHA-256."""

    path: str
    size: int
    sha256: str


class Origin(Frozen):
    """The command that trained a model, as a shell takes it, and the files that it read.

    Passwords and tokens are masked. There are no files where the table was an address, a database
    or standard input.
    """

    command: str
    files: tuple[SourceFile, ...] = ()
