"""Charts: what they show as plain data, and two ways to draw them."""
