"""The entry files of script mode: what SageMaker starts by name; the archive has them at its root.

A file here imports a function and calls it. What it does is in the room that it imports from.
"""
