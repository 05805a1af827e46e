"""Error measures and interval measures, added up piece by piece."""
