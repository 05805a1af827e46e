"""Forecasts row by row, as the rows of a stream come."""
