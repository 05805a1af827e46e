"""`python -m forecast_cli` is `forecast`."""

import gc

from .cli.signals import catch_signals

# Python looks for garbage at every 700th new object, mostly among those that imports and the graphs
# of networks are made of, and which stay: a tenth of a short training.
NEW_OBJECTS = 50_000


def main() -> None:
    """Run the command line; signals are caught before its libraries are loaded."""
    catch_signals()
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
    from .cli.app import main

    main()


if __name__ == "__main__":
    main()
