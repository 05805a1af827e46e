"""Sequences with a label: training, scores and prediction of the task that is no forecast."""
