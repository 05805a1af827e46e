"""Recipes: the settings that did best on data of a kind; docs/accuracy.md has the figures."""
