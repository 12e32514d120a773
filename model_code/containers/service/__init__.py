"""The anomaly service's jobs: a tenant's table in; labels, metrics, charts and a model out.

- `tables`, `cells`, `labels`: files in, checked, in parts of bounded size.
- `column_file`: a table's columns on the job's disk, where it is judged column by column.
- `search`, `splits`, `quality`: the search for hyperparameters and what it may claim.
- `artifact`, `adoption`: a detector with its threshold as it is kept, and as a workload's own.
- `predictions`, `charts`, `page`: what a task writes.
- `search_job`, `fit_job`, `predict_job`, `univariate_job`: what SageMaker runs.
"""
