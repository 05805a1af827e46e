"""From a table to a trained, scored and packed model."""
