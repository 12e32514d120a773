"""Constructs: one capability a file. They take interfaces; the stacks make the grants."""
