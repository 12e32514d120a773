"""The laptop's Glue: jobs whose scripts run in real Spark, as processes.

The Data Catalog (databases, tables, partitions) is ministack's. Jobs, runs, the integration of Step Functions
and the CloudFormation type are here; what would start a job otherwise (triggers, workflows) and crawlers are
refused by name, since nothing would run.
"""
