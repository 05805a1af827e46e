"""`python -m forecast_cli` is `forecast`."""

from .cli.signals import catch_signals


def main() -> None:
    """Run the command line; signals are caught before its libraries are loaded."""
    catch_signals()
    from .cli.app import main

    main()


if __name__ == "__main__":
    main()
