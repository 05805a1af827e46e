"""Training on sequences with a label."""
