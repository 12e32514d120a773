"""Incidents of anomalies: how many a fault makes, whether they name it, and what becomes of alerts."""
