"""What a preset chooses for data of a kind; docs/accuracy.md has the figures."""
