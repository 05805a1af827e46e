"""The training history of a network."""

from dataclasses import dataclass
from typing import Literal

from ..config.sections import Training
from ..core.events import Epoch

# Why a training ended.
Ending = Literal["epochs", "patience", "interrupted", "budget", "untrained"]


@dataclass(frozen=True)
class TrainingHistory:
    """The training history of one network.

    Args:
        training: Its settings.
        epochs: Its epochs, with their losses.
        interrupted: Whether it was interrupted by the user.
    """

    training: Training
    epochs: list[Epoch]
    interrupted: bool

    @property
    def best(self) -> int:
        """The number of the epoch whose weights are stored; 0 where nothing was trained."""
        if not (self.training.patience and self.epochs):
            return len(self.epochs)
        return max(epoch.number for epoch in self.epochs if epoch.best)

    @property
    def ending(self) -> Ending:
        """Why the training ended."""
        if self.interrupted:
            return "interrupted"
        if not self.epochs:
            return "untrained"
        if len(self.epochs) < self.epochs[-1].epochs:
            return "patience"
        return "budget" if len(self.epochs) < self.training.epochs else "epochs"
