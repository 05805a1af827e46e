"""Forecast time series with recurrent networks.

    import forecast_cli as fc

    model = fc.train("prices.csv", column="Close", horizon=5)
    model.predict()
    model.save("model.forecast")
    fc.load("model.forecast").predict("newer.csv")

Importing this package costs next to nothing: each name is loaded when it is first used.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Official builds of ONNX Runtime send usage data to their vendor, and write files in the home
# directory, unless this is set before they are imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from .api.estimator import Forecaster
    from .api.functions import backtest, compare, evaluate, inspect, load, now, train, tune
    from .api.model import Model
    from .backtesting.plan import Plan
    from .config.resolution import configure
    from .config.schema import Config
    from .core.errors import DataError, ForecastError, ModelFileError, TrainingError, UsageError
    from .tuning.options import Search

__all__ = [
    "Config",
    "DataError",
    "ForecastError",
    "Forecaster",
    "Model",
    "ModelFileError",
    "Plan",
    "Search",
    "TrainingError",
    "UsageError",
    "__version__",
    "backtest",
    "compare",
    "configure",
    "evaluate",
    "inspect",
    "load",
    "now",
    "train",
    "tune",
]

_HOMES = {
    **dict.fromkeys(
        ("backtest", "compare", "evaluate", "inspect", "load", "now", "train", "tune"),
        ".api.functions",
    ),
    "Config": ".config.schema",
    "Forecaster": ".api.estimator",
    "Model": ".api.model",
    "Plan": ".backtesting.plan",
    "Search": ".tuning.options",
    "configure": ".config.resolution",
    **dict.fromkeys(
        ("DataError", "ForecastError", "ModelFileError", "TrainingError", "UsageError"),
        ".core.errors",
    ),
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("forecast-cli")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return __all__
