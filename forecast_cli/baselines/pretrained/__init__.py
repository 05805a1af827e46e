"""Forecasts by a network that was trained on simulated series alone."""
