"""Prediction intervals and sample paths from validation errors."""
