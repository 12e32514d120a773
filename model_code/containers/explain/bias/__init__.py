"""Groups and outcomes out of columns, and the bias metrics of every facet.

The formulas are in `measures`.
"""
