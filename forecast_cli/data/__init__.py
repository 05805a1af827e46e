"""Tables read as panels of series, split and filled; Arrow and pandas."""
