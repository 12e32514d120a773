"""The frozen isolation forest, and the surrogate forest that explains another model's anomalies.

`surrogate` is read and walked without numpy; `surrogate_fit` makes it.
"""
