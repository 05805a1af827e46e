"""Forecasts compared with actual values: scores, verdicts, warnings."""
