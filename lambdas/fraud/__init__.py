"""Fraud in real time: the graph's stores, the API that decides, and the labels that come back.

What a transaction, a neighbourhood and a vector are is in `watchkeeper.fraud`.
"""
