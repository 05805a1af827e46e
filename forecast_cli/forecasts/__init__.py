"""Tables of forecasts, which anybody may have written, as arrays beside what came."""
