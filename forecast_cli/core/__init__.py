"""Arrays, errors and events: what every other folder builds on."""
