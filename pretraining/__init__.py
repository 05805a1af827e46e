"""The pretraining of a network on simulated series alone."""
