"""Messages name settings in backticks; the command line spells them as flags."""

import re
import shlex
from typing import Any

from .flags import SETTINGS

# A name, or a dotted path, and the value that is proposed for it.
NAMED = re.compile(r"`([A-Za-z_][\w.]*)(?:=([^`]*))?`")
FLAGS = {flag.name: flag for flags in SETTINGS.values() for flag in flags}
# Parameters of functions whose option has another name.
OTHERS = {"begin": "--from", "init_model": "--from"}
# Parts of a JSON document that are words for people.
WORDS = ("message", "hint", "notes", "verdict", "doubts", "warnings")


def as_flags(text: str) -> str:
    """Return a message with its settings as the flags that set them.

    >>> as_flags("Lower `timesteps`, or pass `missing=interpolate` or `stateful=false`.")
    'Lower --timesteps, or pass --missing interpolate or --no-stateful.'
    >>> as_flags("Set `network.layers.0.use_bias=false`; name it in `past_covariates`.")
    'Set --set network.layers.0.use_bias=false; name it in --past-covariate.'
    """
    return NAMED.sub(lambda found: _flag(found[1], found[2]), text)


def translate(document: Any, *, words: bool = False) -> Any:
    """Return a JSON document whose messages name flags.

    Args:
        document: Of dictionaries, lists and values.
        words: Whether its strings are messages.
    """
    if isinstance(document, dict):
        return {
            name: translate(each, words=words or name in WORDS) for name, each in document.items()
        }
    if isinstance(document, list | tuple):
        return [translate(each, words=words) for each in document]
    return as_flags(document) if words and isinstance(document, str) else document


def _flag(name: str, value: str | None) -> str:
    """The flag of a setting, with its value where there is one."""
    from ..config.layers import Recurrent
    from ..config.resolution import PLACES

    if "." in name:
        paths = {".".join(place): flat for flat, place in PLACES.items()}
        if name not in paths:
            return f"--set {name}" + ("" if value is None else f"={value}")
        name = paths[name]
    known = FLAGS.get(name)
    if known is None and name in Recurrent.model_fields:
        # Layers have these; there is no flag, and the path depends on the layer.
        return name if value is None else f"{name} {value}"
    hyphens = name.replace("_", "-")
    if value in ("true", "false") and (known is None or known.type is bool):
        return f"--{'no-' * (value == 'false')}{hyphens}"
    spelled = OTHERS.get(name) or (known and known.spelled) or f"--{hyphens}"
    return spelled if value is None else f"{spelled} {shlex.quote(value)}"
