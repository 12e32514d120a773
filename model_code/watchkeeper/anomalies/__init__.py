"""What is told of an anomaly: the event that travels to the alert bus and into tables.

Whether something is one is decided in `judgement`.
"""
