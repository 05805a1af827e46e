"""Text read as times: formats, names of months, times in parts, the search for the column."""
