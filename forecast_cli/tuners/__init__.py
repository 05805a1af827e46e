"""What a search for settings is made of: its space, its rounds, its trials, its study."""
