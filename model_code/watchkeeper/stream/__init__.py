"""What the scoring loop keeps of a series between two objects of telemetry.

Reading and writing it is the business of `lambdas`; this room is pure.
"""
