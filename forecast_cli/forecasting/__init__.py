"""Forecasts from a trained model, without TensorFlow."""
