"""A generated world sends transactions as customers would: what the function does, and what it is told."""
