"""Between graph store and training of fraud workloads: what came is exported, what was made is loaded.

In a bundle of its own with pyarrow; the stores are in `lambdas.fraud`.
"""
