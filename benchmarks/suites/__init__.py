"""What `accuracy.py` measures: a module for each suite, each with a function `measure`."""
