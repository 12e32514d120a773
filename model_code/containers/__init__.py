"""What SageMaker runs: jobs and servers. No AWS API is called: files in, files out.

A room for each family of jobs (`anomaly`, `regression`, `service`, `explain`), `runtime` for what all share,
and `entry` for the files that script mode starts. Rules that the scoring loop needs too are in `watchkeeper`.
"""
