"""The ensemble as configuration: several forecasts combined into one."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, model_validator

from .layers import Frozen, Positive
from .network import Anchor
from .registries import BASELINES, Loss, MemberBaseline
from .settings import setting

# Settings that may differ between networks, in turn.
TURNS = ("timesteps", "segments", "losses", "anchors")
# Rows of a series that the pretrained network reads as a member, at most.
CONTEXT = 1000
_ensemble = partial(setting, group="Ensemble")
Combine = Literal["mean", "median", "weights"]


def _several(value: object) -> object:
    """Return a single value as a list of one."""
    return (value,) if isinstance(value, int | str) else value


class Ensemble(Frozen):
    """Several networks and baselines, combined into one forecast."""

    # fmt: off
    size: Positive = _ensemble(
        1, "Networks to train, each from a seed of its own.", name="ensemble", metavar="N",
        constraints={"le": 1000},
    )
    timesteps: Annotated[tuple[Positive, ...], BeforeValidator(_several)] = _ensemble(
        (), "Lookbacks of the networks, in turn.", name="member_timesteps", kind="ints",
        metavar="N[,N...]", shown="the same for all",
    )
    segments: Annotated[tuple[Positive, ...], BeforeValidator(_several)] = _ensemble(
        (), "Segment lengths of the networks, in turn.", name="member_segments", kind="ints",
        metavar="N[,N...]", shown="the same for all",
    )
    losses: Annotated[tuple[Loss, ...], BeforeValidator(_several)] = _ensemble(
        (), "Losses of the networks, in turn.", name="member_losses", split=True,
        metavar="NAME[,NAME...]", shown="the same for all",
    )
    anchors: Annotated[tuple[Anchor, ...], BeforeValidator(_several)] = _ensemble(
        (), "Anchors of the networks, in turn.", name="member_anchors", split=True,
        metavar="NAME[,NAME...]", shown="the same for all",
    )
    baselines: Annotated[tuple[MemberBaseline, ...], BeforeValidator(_several)] = _ensemble(
        (), "Baselines among the members: naive, smoothing, structural, ridge, pretrained ... "
        "(docs/presets.md).", split=True, metavar="NAME[,NAME...]", shown="none",
    )
    covariate_effects: bool = _ensemble(
        False, "Estimate the effects of future covariates and the calendar by regression; the "
        "members forecast the rest.",
    )
    combine: Combine = _ensemble(
        "mean", "How the forecasts of all members are combined; weights are learned on the "
        "validation split.",
    )
    pretrained_weight: float | None = _ensemble(
        None, "Weight of the pretrained network among the members.", metavar="SHARE",
        constraints={"gt": 0, "lt": 1}, shown="learned on the validation split",
    )
    # fmt: on

    @property
    def alone(self) -> bool:
        """Whether there is one network, and nothing to combine it with."""
        return self.size == 1 and not (self.baselines or self.covariate_effects)

    @property
    def maps(self) -> tuple[str, ...]:
        """The baselines that are in one graph with the networks: linear maps."""
        return tuple(name for name in self.baselines if not BASELINES[name].apart)

    @property
    def has_pretrained(self) -> bool:
        """Whether the pretrained network is a member."""
        return len(self.maps) < len(self.baselines)

    @model_validator(mode="before")
    @classmethod
    def _as_many_as_named(cls, given: Any) -> Any:
        """Set the size by the longest list of settings in turn, where it is not given."""
        if not isinstance(given, Mapping) or "size" in given:
            return given
        turns = [given.get(name) for name in TURNS]
        most = max((len(each) for each in turns if isinstance(each, list | tuple)), default=0)
        return {**given, "size": most} if most > 1 else given

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in TURNS:
            given = getattr(self, name)
            if len(given) > self.size:
                raise ValueError(
                    f"`ensemble.{name}` has {len(given)} values for {self.size} networks: raise "
                    "`ensemble`"
                )
        if len(set(self.baselines)) < len(self.baselines):
            raise ValueError("`baselines` names one twice")
        return self
