"""What the training loop and the scoring loop share: one definition of each rule."""

__version__ = "0.1.0"
