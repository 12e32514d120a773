"""The small steps of the workflows, one a state; none serves a queue or an API."""
