"""What a function needs around its rule: its environment, idempotency, batches that fail in part,
notifications.
"""
