"""What the scoring loop asks of AWS, counted on the laptop, beside what `watchkeeper cost` says of it."""
