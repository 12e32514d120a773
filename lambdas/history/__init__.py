"""Scores that can be read back: merged by hour and by day into Parquet, and read of one series."""
