"""The console's site in its bucket."""
