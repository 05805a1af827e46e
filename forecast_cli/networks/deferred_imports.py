"""Parts of TensorFlow and Keras that few programs use, loaded when they are first used.

Importing TensorFlow loads every namespace of its public interface, and with Keras also
scikit-learn and matplotlib: a third of the time that the import takes.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any

API = "tensorflow._api.v2"
NAMESPACES = (API, f"{API}.__internal__", f"{API}.compat.v1", f"{API}.compat.v2")
# The first holds what Keras needs, the second is what the export asks by name. Loading the profiler
# writes to stderr: that is kept from the user while TensorFlow is imported, not later.
AT_ONCE = tuple(f"{API}.{name}" for name in ("__internal__", "compat", "profiler"))
# Of Keras: its second set of names, charts with matplotlib, and estimators of scikit-learn.
PACKAGES = (
    "keras._tf_keras", "keras.applications", "keras.datasets", "keras.src.visualization",
    "keras.visualization", "keras.wrappers",
)  # fmt: skip
# One thread at a time loads what was deferred; the others wait for it.
LOADING = RLock()


@contextmanager
def deferred() -> Iterator[None]:
    """Defer the parts that are imported meanwhile: each is loaded when it is used."""
    finder = Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class Finder:
    """Finds the parts that are deferred; all other modules are found as usual."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of a module, as `importlib.abc.MetaPathFinder` has it."""
        parent, _, last = name.rpartition(".")
        if name not in PACKAGES and (parent not in NAMESPACES or name in AT_ONCE):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None or _is_shadowed(last, spec):
            return None
        spec.loader = Deferred(spec.loader)
        return spec


def _is_shadowed(name: str, spec: ModuleSpec) -> bool:
    """Whether a namespace has the name of another folder of TensorFlow, `tf.lite` for one.

    The first import from that folder makes it the attribute of `tensorflow`. So such a namespace
    has to be loaded before that attribute is set to it.
    """
    parts = Path(spec.origin or "").parts
    return "_api" in parts and Path(*parts[: parts.index("_api")], name).is_dir()


class Deferred(Loader):
    """Loads a module when it is asked for a name that it lacks, or for all of them.

    `importlib.util.LazyLoader` of Python 3.11 shows a second thread a module that the first one is
    still loading.
    """

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Return the empty module, as its own loader makes it."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Let the module load itself later."""
        names, begun = vars(module), False

        def load() -> None:
            nonlocal begun
            with LOADING:
                if begun:
                    return
                begun = True
                try:
                    self.loader.exec_module(module)
                except BaseException:
                    begun = False
                    raise
                for name in later:
                    if names.get(name) is later[name]:
                        del names[name]

        def find(name: str) -> Any:
            load()
            if name in names:
                return names[name]
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        def list_names() -> list[str]:
            load()
            return sorted(names)

        later = {"__getattr__": find, "__dir__": list_names}
        names.update(later)
