"""What the command does for workloads that predict a column of a table.

Their rows and measures are in `watchkeeper.regression`; the verbs themselves are the modules of `cli`.
"""
