"""Settings: their names, types, defaults and the rules between them."""
