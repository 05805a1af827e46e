"""Inspection of tables: their content, and possible problems."""
