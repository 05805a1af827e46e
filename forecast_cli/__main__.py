"""`python -m forecast_cli` is `forecast`."""

from .cli.app import main

main()
