"""From anomalies to people: routes, throttling, the text of a message.

What makes an anomaly is decided before, in `scoring`; topics and subscriptions are made by `infra`.
"""
