"""Forecasts from many cutoffs by many models."""
