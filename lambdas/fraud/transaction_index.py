"""The index of the table of graphs, by name and keys: what infra makes it by, which has no numpy."""

BY_ARRIVAL = "by_arrival"
"""The transactions that came through the API, or whose label did, in the order of their coming."""
SHELF, ARRIVED = "shelf", "arrived"
"""Partition and sort key."""
