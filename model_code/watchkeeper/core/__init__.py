"""What every room stands on: errors, times, names of objects and endpoints, and the plan of a workload.

Nothing here knows of telemetry, detectors or AWS; it imports the standard library only.
"""
