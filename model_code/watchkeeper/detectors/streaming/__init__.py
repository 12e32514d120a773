"""The detector that learns with every row, of one series or of a fleet.

Its kernel, state and layout are here; how its snapshot is packed as a model artifact is in
`containers.anomaly`.
"""
