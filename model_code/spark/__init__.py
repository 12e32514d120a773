"""The scoring loop beyond one machine: the step of `watchkeeper.stream` in Spark, keyed by shelf.

A room of its own beside `containers`, because it is what neither SageMaker nor Lambda runs: a script that a
Glue job starts. It makes the very step that the Lambda host makes, and writes through the same adapters
(`lambdas.adapters`). Nothing here says what an interval, a score or an anomaly is.
"""
