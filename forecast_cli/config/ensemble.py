"""Several forecasts made one, as configuration."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from .layers import Frozen, Positive
from .network import Anchor
from .registries import Loss, MemberBaseline

# What networks may take in turn.
TURNS = ("timesteps", "segments", "losses", "anchors")
Combine = Literal["mean", "median", "weights"]


def _several(value: object) -> object:
    """A single value stands for a list of one."""
    return (value,) if isinstance(value, int | str) else value


class Ensemble(Frozen):
    """Several networks, and baselines beside them, combined into one forecast.

    Args:
        size: How many networks are trained, each from a seed of its own.
        timesteps: The steps back that they take in turn; empty: the same for all.
        segments: Likewise, the steps in a segment.
        losses: Likewise.
        anchors: Likewise.
        baselines: Baselines among the members. They are linear in the input window, and fitted to
            the training split.
        combine: How one forecast is made of all: their mean, their median, or a mean by weights
            that are learned on the validation split.
    """

    size: Positive = 1
    timesteps: Annotated[tuple[Positive, ...], BeforeValidator(_several)] = ()
    segments: Annotated[tuple[Positive, ...], BeforeValidator(_several)] = ()
    losses: Annotated[tuple[Loss, ...], BeforeValidator(_several)] = ()
    anchors: Annotated[tuple[Anchor, ...], BeforeValidator(_several)] = ()
    baselines: Annotated[tuple[MemberBaseline, ...], BeforeValidator(_several)] = ()
    combine: Combine = Field("mean")

    @property
    def alone(self) -> bool:
        """Whether there is one network, and nothing to combine it with."""
        return self.size == 1 and not self.baselines

    def of_size(self, size: int) -> "Ensemble":
        """The first networks alone."""
        turns = {name: getattr(self, name)[:size] for name in TURNS}
        return self.model_copy(update={"size": size} | turns)

    @model_validator(mode="before")
    @classmethod
    def _as_many_as_named(cls, said: Any) -> Any:
        """Where several are named to be taken in turn, and no number, there are so many."""
        if not isinstance(said, Mapping) or "size" in said:
            return said
        turns = [said.get(name) for name in TURNS]
        most = max((len(each) for each in turns if isinstance(each, list | tuple)), default=0)
        return {**said, "size": most} if most > 1 else said

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in TURNS:
            given = getattr(self, name)
            if len(given) > self.size:
                raise ValueError(
                    f"{name} names {len(given)} for {self.size} networks: size is how many there "
                    "are"
                )
        if len(set(self.baselines)) < len(self.baselines):
            raise ValueError("baselines names one twice: name each once")
        return self
