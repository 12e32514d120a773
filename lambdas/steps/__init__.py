"""The small steps of the workflows, one a module; `close_task` looks after executions that ended badly.

A step says what it is told, may do and answers. Where it stands in a workflow is in `pipeline`, its role
in `infra`, and what it asks of AWS in `lambdas.adapters`.
"""
