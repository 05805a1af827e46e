"""Forecasts without a network: naive methods, linear maps, statistical methods."""
