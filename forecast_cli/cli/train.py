"""`forecast train`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from .console import Console
from .options import Settings, Talk, option

MODEL = Path("model.forecast")
CONFIG = Path("forecast.toml")

ModelPath = Annotated[
    Path,
    option(
        "--model", "-m", metavar="PATH", help="Where to save the model.", default="model.forecast"
    ),
]
ConfigPath = Annotated[
    Path | None,
    option(
        "--config",
        metavar="FILE",
        help="A TOML file of settings; flags win over it.",
        default="forecast.toml, if there is one",
    ),
]


def train(
    table: Annotated[str, typer.Argument(metavar="DATA", help="A CSV file, or - for stdin.")],
    settings: Settings,
    talk: Talk,
    model: ModelPath = MODEL,
    config: ConfigPath = None,
) -> None:
    """Train a network on a column of a table, and save it.

    The scores on the test split, beside those of the simple forecasts, are the result on stdout.
    """
    from ..model.bundle import require_writable, save_bundle
    from ..settings import configure
    from ..training import train
    from .progress import Progress
    from .results import score_rows, training_document

    console = Console(talk)
    resolved = configure(_plain(settings), _base(config))
    require_writable(model)
    with Progress(console) as progress:
        bundle = train(table, resolved, listen=progress.listen, stop=progress.stop)
        save_bundle(bundle, model)
    if talk.json:
        console.document(training_document(bundle, model) | {"notes": progress.notes})
        return
    evaluation = bundle.manifest.evaluation
    console.table(score_rows(evaluation))
    if evaluation:
        console.say(evaluation.verdict, "bold")
    flag = "" if model == MODEL else f" -m {model}"
    console.say(f"saved {model}; next: forecast predict{flag}")


def _plain(settings: Settings) -> dict[str, Any]:
    """The settings with tuples in place of lists, as the configuration holds them."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in settings.items()}


def _base(config: Path | None) -> dict[str, Any]:
    """The settings of the configuration file."""
    from ..settings import read_toml

    if config is None and not CONFIG.is_file():
        return {}
    return read_toml(config or CONFIG)
