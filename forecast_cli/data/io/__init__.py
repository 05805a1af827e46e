"""Files, databases and streams opened as tables."""
