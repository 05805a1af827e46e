"""`--keep-better`: a new model replaces the old one unless it is worse on rows new to both."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import DataError, UsageError
from .console import Console, end_condition_met
from .inputs import one_or_all

if TYPE_CHECKING:
    from ..config.schema import Config
    from ..evaluation.replacement import Replacement
    from ..model.bundle import Bundle


class Incumbent:
    """The model that a training may replace.

    Args:
        path: Of the model; where there is none, the new one is saved without comparison.
        tables: What is trained on.
        config: The settings of the training.

    Raises:
        DataError: No row of the tables is new to the old model.
        ModelFileError: The file is no model.
        UsageError: The tables cannot be read twice, or the models would not be comparable.
    """

    def __init__(self, path: Path, tables: list[str], config: "Config") -> None:
        from ..evaluation.replacement import check_comparable
        from ..model.loading import load_bundle

        self.path = path
        self.table = one_or_all(tables)
        self.bundle = load_bundle(path) if path.exists() else None
        self.found: Replacement | None = None
        if self.bundle is None:
            return
        if "-" in tables:
            raise UsageError(
                "--keep-better reads the table twice, and standard input can be read once.",
                "Name a file.",
            )
        window = config.window
        given = window.horizon if "horizon" in window.model_fields_set else None
        check_comparable(self.bundle, self.table, given)

    @property
    def stays(self) -> bool:
        """Whether the old model is kept."""
        return self.found is not None and not self.found.replaces

    @property
    def document(self) -> dict[str, Any]:
        """The comparison, for a JSON document; empty without one."""
        if (found := self.found) is None:
            return {}
        own = {name: getattr(found, name) for name in ("ratio", "forecasts", "start")}
        return {"keep_better": {"replaced": found.replaces, **own}}

    def challenge(self, new: "Bundle", scored: "Sequence[Bundle]") -> None:
        """Compare the old model with a new one.

        Args:
            new: The new model, as it is to be saved.
            scored: The same before it was refitted, where it was.

        Raises:
            DataError: They cannot be compared; the new model is saved under another name.
        """
        from ..evaluation.replacement import compare_models
        from ..model.bundle import save_bundle

        if self.bundle is None:
            return
        try:
            self.found = compare_models(self.bundle, [*scored, new][0], self.table)
        except DataError as error:
            beside = self.path.with_stem(f"{self.path.stem}-new")
            save_bundle(new, beside)
            raise DataError(
                f"{error.message} {self.path} is unchanged; the new model is {beside}.", error.hint
            ) from None

    def end_if_kept(self, console: Console) -> None:
        """End the command with an exit code of its own where the old model is kept."""
        if self.found is not None and self.stays:
            text = f"The new model is worse: {self.found.describe()}. {self.path} is unchanged"
            end_condition_met(console, f"{text} (--keep-better).")
