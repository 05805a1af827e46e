"""The public Python functions and the trained model."""
