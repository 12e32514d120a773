"""What a model sees of a row: the schema, the vector, scales, and a score's parts by feature.

`vector` needs no numpy and `matrix` does; a test holds them equal. Detectors are in `detectors`.
"""
