"""From anomalies to incidents: taken in, kept, closed after quiet, and made known.

Which anomalies hang together is decided in `watchkeeper.incidents`, who is told in `lambdas.alerting`.
"""
