"""From the bytes of a file or message to rows: reading, parsing, series, intervals, expectation.

What a row is worth to a model is in `features`; what the scoring loop keeps of a series is in `stream`.
"""
