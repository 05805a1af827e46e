"""Tables of forecasts from any source, matched with actual values."""
