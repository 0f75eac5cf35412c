"""Engines run a pipeline and tell what happens; each is one folder. `base` is what they all promise."""
