"""Anomalies that hang together, as one incident: what is in it, how bad it is as a whole, what is told of it.

What is an anomaly is decided in `judgement`; incidents are kept by `lambdas.incidents`, and who is told of
them is decided in `lambdas.alerting`.
"""
