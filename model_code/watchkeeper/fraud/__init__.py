"""Workloads that say of a transaction whether it is fraud, on the graph of what it shares with earlier ones.

Plan, transactions, what a store knows of entities, features as of a transaction's time, ego rows, evaluation
and release. Nothing here talks to a store, a model or AWS; fitting and serving are in `containers.fraud`.
"""
