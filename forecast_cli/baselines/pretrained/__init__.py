"""Forecasts by a network that was trained on simulated series alone: nothing is fitted to a table."""
