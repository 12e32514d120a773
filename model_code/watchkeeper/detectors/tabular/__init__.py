"""Methods over the rows of a table: published detectors, and rules of single columns.

scikit-learn is imported when one is fitted, or when one that looks for neighbours is used; the rest of the
package does without it. Nothing is imported here: the service's API reads `rule_parameters` and has no numpy.
"""
