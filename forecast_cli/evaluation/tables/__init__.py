"""Tables of forecasts, whoever wrote them, matched with actual values."""
