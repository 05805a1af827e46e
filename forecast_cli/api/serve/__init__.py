"""Models behind an address: forecasts over HTTP."""
