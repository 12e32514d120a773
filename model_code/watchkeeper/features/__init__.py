"""What a model sees of a row: the schema with the vector of a row, scales, and a score's parts by feature.

`schema` needs no numpy and `matrix` does; a test holds them equal. Detectors are in `detectors`.
"""
