"""How soon the scores of one series among many are read back."""
