"""The jobs and the serving container of fraud workloads: files in, files out.

What a transaction, a vector and an ego row are is in `watchkeeper.fraud`. Training needs JAX, optax and
LightGBM, which its archive brings; a model is arrays, and answers with numpy alone.
"""
