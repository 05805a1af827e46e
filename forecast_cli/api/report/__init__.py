"""A page to send on: what was forecast, how well, and how to repeat it."""
