"""What feedback on the first half of series is worth in the second."""
