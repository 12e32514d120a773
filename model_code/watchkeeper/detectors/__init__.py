"""Everything that gives rows an anomaly score, and nothing that decides on one (that is `judgement`).

`protocol` is what all share; `streaming`, `forest` and `tabular` are the methods; the modules beside them
know all methods.
"""
