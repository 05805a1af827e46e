"""Times, frequencies, calendars and the steps between rows."""
