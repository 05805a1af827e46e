"""What a model file tells of the command that trained it."""

import hashlib
import shlex
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..model.bundle import Bundle

# The words of the command line.
CALLED: ContextVar[tuple[str, ...]] = ContextVar("called", default=())


def record_origin(bundle: "Bundle", tables: Sequence[str]) -> "Bundle":
    """Return a model that tells by which command and from which files it was trained."""
    from ..data.io.remote import masked
    from ..model.records import Origin, SourceFile

    files = []
    for each in tables:
        path = Path(each)
        if path.is_file():
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            files.append(SourceFile(path=each, size=path.stat().st_size, sha256=sha256))
    command = shlex.join(["forecast", *(masked(word) for word in CALLED.get())])
    origin = Origin(command=command, files=tuple(files))
    run = bundle.manifest.run.model_copy(update={"origin": origin})
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"run": run}))
