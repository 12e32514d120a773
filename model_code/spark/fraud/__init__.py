"""Tables of transactions become what a fraud workload is trained on: the Glue job of a training run.

Spark reads, joins, shuffles and writes; what a row, a history and a feature are is `watchkeeper.fraud`, whose
functions are called on batches. Nothing here says it again.
"""
