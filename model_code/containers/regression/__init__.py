"""The jobs and the serving container of regression workloads: files in, files out.

What a row is, how a model is measured and whether it may serve is in `watchkeeper.regression`, what all
jobs share in `containers.runtime`.
"""
