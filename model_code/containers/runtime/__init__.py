"""What every container shares: where a job's files are, its log and failure, its parameters, requests of a
server.

Nothing here knows a kind of workload.
"""
