"""How the training of a network went."""

from dataclasses import dataclass
from typing import Literal

from ..config.sections import Training
from ..core.events import Epoch

# Why there were no more epochs.
Ending = Literal["epochs", "patience", "interrupted", "budget"]


@dataclass(frozen=True)
class TrainingHistory:
    """How the training of one network went.

    Args:
        training: How it was trained.
        epochs: What happened.
        interrupted: Whether somebody stopped it.
    """

    training: Training
    epochs: list[Epoch]
    interrupted: bool

    @property
    def best(self) -> int:
        """The number of the epoch whose weights are kept."""
        if not self.training.patience:
            return len(self.epochs)
        return max(epoch.number for epoch in self.epochs if epoch.best)

    @property
    def ending(self) -> Ending:
        """Why there were no more epochs."""
        if self.interrupted:
            return "interrupted"
        if len(self.epochs) < self.epochs[-1].epochs:
            return "patience"
        return "budget" if len(self.epochs) < self.training.epochs else "epochs"
