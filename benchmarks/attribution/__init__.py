"""How well the surrogate forest explains the built-in Random Cut Forest."""
