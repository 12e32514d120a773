"""What the scoring loop says under faults: repeated, shuffled and unacknowledged messages, and kills."""
