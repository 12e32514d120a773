"""The anomaly service's contract: what the API, the workflows and the jobs behind it agree on.

`tasks` is an execution's input, `request_item` the item of a request in the table, `tenant_files` where a
tenant's files are, `failures` how a failed task says why.
"""
