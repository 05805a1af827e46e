"""`forecast export`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from ..config.registries import EXPORTS
from ..core.errors import UsageError
from .console import Console
from .inputs import MODEL
from .options import OutputOptions, option
from .outputs import spare

if TYPE_CHECKING:
    Form: TypeAlias = str
else:
    Form = Literal[tuple(EXPORTS)]

# fmt: off
ModelFile = Annotated[Path, typer.Argument(metavar="[MODEL]", show_default=False,
    help="Model file. [model.forecast]")]


@dataclass(frozen=True)
class ExportOptions:
    """The options of `export`."""

    format: Annotated[Form, option("--format", "-f", metavar="NAME", env=False,
        help=f"Form of the model ({', '.join(EXPORTS)}).", default="onnx")] = "onnx"
    future: Annotated[str | None, option("--future", metavar="FILE",
        help="Table of future covariates, for the example beside an ONNX network.")] = None
    output: Annotated[Path | None, option("--output", "-o", metavar="PATH", env=False,
        help="Where to write.", default="by the name of the model")] = None
# fmt: on


def export(output_options: OutputOptions, options: ExportOptions, model: ModelFile = MODEL) -> None:
    """Write a saved model in a form that other programs read.

    ONNX comes with a description (names, shapes, scaler) and an example in Python that makes the
    forecast of the model with onnxruntime and NumPy alone.

    Examples:
        forecast export
        forecast export sales.forecast --future plan.csv -o sales-onnx
        forecast export model.forecast --format keras -o model.keras
    """
    from ..api.export.formats import export as export_model
    from ..model.loading import load_bundle

    console = Console(output_options)
    entry = EXPORTS[options.format]
    path = options.output or Path(model.stem + entry.suffix)
    if str(path) == "-":
        raise UsageError("An export is not written to stdout.", "Name a file or folder with -o.")
    spare(str(path), [model, options.future])
    export_model(load_bundle(model), path, options.format, options.future)
    if output_options.json:
        console.document({"model": str(model), "format": options.format, "path": str(path)})
        return
    console.say(f"exported {path}{entry.then.format(path=path)}")
